internal import Tensors

extension Operation {
  /// The features of the first position: `[batch, sequence, f]` → `[batch, f]`.
  public struct FirstPosition: Sendable, Hashable {
    /// The value that it reads.
    public var input: String
    /// The value that it makes.
    public var output: String
  }
}

extension Operation.FirstPosition: WeightlessOperation {
  static let word = "first_position"

  var operation: Operation { .firstPosition(self) }

  var reads: [String] { [input] }

  func shape(of given: [[Int]], _ check: ShapeCheck) throws -> [Int] {
    try check.rank(given[0], 3, input, "[batch, sequence, features]")
    guard given[0][1] > 0 else { throw check.failure("'\(input)' has no first position") }
    return [given[0][0], given[0][2]]
  }

  func work(_: ShapeWalk.Application) -> ForwardCost.Work? { nil }

  var outline: String { "first position of \(input)" }

  static var blank: Self { .init(input: "", output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("input", &input)
    try fields.word("output", &output)
  }
}
