internal import Tensors

extension Operation {
  /// Looks up the rows of a table: ids `[batch, sequence]` → `[batch, sequence, width]`.
  public struct Embedding: Sendable, Hashable {
    /// The name of the table in roles.
    public var name: String
    /// The input with the ids.
    public var input: String
    /// The rows of the table.
    public var rows: Expression
    /// The width of the table.
    public var width: Expression
    /// What its weights are for.
    public var purpose = Weight.Purpose.tokenEmbedding
    /// Whether the table is another one.
    public var tie: Weight.Tie?
    /// The value that it makes.
    public var output: String
  }
}

extension Operation.Embedding: WeightedOperation {
  static let word = "embedding"

  var operation: Operation { .embedding(self) }

  var reads: [String] { [input] }

  var weights: [Weight] { [Weight("weight", .table, purpose, [rows, width], tie: tie)] }

  var component: Component? { .embedding }

  func shape(of given: [[Int]], _ check: ShapeCheck) throws -> [Int] {
    try check.rank(given[0], 2, input, "[batch, sequence]")
    return given[0] + [try check.count(width)]
  }

  /// Looking up rows is a term without FLOPs.
  func work(_: ShapeWalk.Application) -> ForwardCost.Work? { .init(.embedding, multiplyAdds: 0) }

  var outline: String { "rows of \(input)" }

  static var blank: Self { .init(name: "", input: "", rows: 0, width: 0, output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.word("input", &input)
    try fields.required("rows", &rows)
    try fields.required("width", &width)
    try fields.optional("purpose", &purpose)
    try fields.optional("tie", &tie)
    try fields.word("output", &output)
  }
}
