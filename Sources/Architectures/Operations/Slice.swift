internal import Tensors

extension Operation {
  /// Part of the last axis, of each of `groups` equal parts the same.
  public struct Slice: Sendable, Hashable {
    /// The value that it reads.
    public var input: String
    /// The equal parts that it is done to.
    public var groups: Expression = 1
    /// The first component.
    public var start: Expression
    /// How many.
    public var count: Expression
    /// The value that it makes.
    public var output: String
  }
}

extension Operation.Slice: WeightlessOperation {
  static let word = "slice"

  var operation: Operation { .slice(self) }

  var reads: [String] { [input] }

  func shape(of given: [[Int]], _ check: ShapeCheck) throws -> [Int] {
    try check.rank(given[0], atLeast: 1, input)
    let groups = try check.count(self.groups)
    let (start, length) = (try check.count(self.start), try check.count(count))
    let size = try check.group(given[0], groups, input)
    guard start <= size, length <= size - start else {
      throw check.failure(
        "takes components \(start) to \(start + length) of the \(size) in a group of '\(input)'")
    }
    return given[0].dropLast() + [groups * length]
  }

  func work(_: ShapeWalk.Application) -> ForwardCost.Work? { nil }

  var outline: String {
    "\(input)[\(start.outlined) and \(count.outlined) on]" + groups.outlinedGroups
  }

  static var blank: Self { .init(input: "", start: 0, count: 0, output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("input", &input)
    try fields.optional("groups", &groups)
    try fields.required("start", &start)
    try fields.required("count", &count)
    try fields.word("output", &output)
  }
}
