internal import Tensors

extension Operation {
  /// Two values joined along the last axis, group by group.
  public struct Concatenate: Sendable, Hashable {
    /// The first value.
    public var left: String
    /// The second value.
    public var right: String
    /// The equal parts that it is done to.
    public var groups: Expression = 1
    /// Whether the right value is one group, which joins every group of the left one.
    public var sharesRight = false
    /// The value that it makes.
    public var output: String
  }
}

extension Operation.Concatenate: WeightlessOperation {
  static let word = "concatenate"

  var operation: Operation { .concatenate(self) }

  var reads: [String] { [left, right] }

  func shape(of given: [[Int]], _ check: ShapeCheck) throws -> [Int] {
    guard given[0].dropLast() == given[1].dropLast(), let one = given[0].last,
      let other = given[1].last
    else {
      throw check.failure(
        "joins '\(left)' of \(ShapeCheck.text(given[0])) and '\(right)' of "
          + ShapeCheck.text(given[1]))
    }
    let groups = try check.count(self.groups)
    _ = try check.group(given[0], groups, left)
    guard !sharesRight else {
      let all = try other.multiplied(by: groups, "the width of all groups")
      return given[0].dropLast() + [try one.adding(all, "the joined width")]
    }
    _ = try check.group(given[1], groups, right)
    return given[0].dropLast() + [try one.adding(other, "the joined width")]
  }

  func work(_: ShapeWalk.Application) -> ForwardCost.Work? { nil }

  var outline: String {
    "\(left) ++ \(right)" + groups.outlinedGroups
      + (sharesRight ? ", the same \(right) for each" : "")
  }

  static var blank: Self { .init(left: "", right: "", output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("left", &left)
    try fields.word("right", &right)
    try fields.optional("groups", &groups)
    try fields.optional("shares_right", &sharesRight)
    try fields.word("output", &output)
  }
}
