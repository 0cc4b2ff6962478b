internal import Tensors

extension Operation {
  /// Puts one learned vector `[1, 1, width]` before the sequence.
  public struct Prefix: Sendable, Hashable {
    /// The name in roles.
    public var name: String
    /// The value that it reads.
    public var input: String
    /// The size of the last axis.
    public var width: Expression
    /// The value that it makes.
    public var output: String
  }
}

extension Operation.Prefix: WeightedOperation {
  static let word = "prefix"

  var operation: Operation { .prefix(self) }

  var reads: [String] { [input] }

  var weights: [Weight] { [Weight("weight", .table, .classToken, [1, 1, width])] }

  var component: Component? { .embedding }

  func readsAhead(_: Environment) -> Bool { true }

  func shape(of given: [[Int]], _ check: ShapeCheck) throws -> [Int] {
    try check.rank(given[0], 3, input, "[batch, sequence, features]")
    try check.equal(given[0][2], try check.count(width), "features", input)
    return [given[0][0], given[0][1] + 1, given[0][2]]
  }

  func work(_: ShapeWalk.Application) -> ForwardCost.Work? { nil }

  var outline: String { "a learned vector, \(input)" }

  static var blank: Self { .init(name: "", input: "", width: 0, output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.word("input", &input)
    try fields.required("width", &width)
    try fields.word("output", &output)
  }
}
