internal import Tensors

extension Operation {
  /// A learned row for each position: → `[sequence, width]`, to be added.
  public struct Positions: Sendable, Hashable {
    /// How positions are numbered.
    public enum Numbering: String, Sendable, Hashable, CaseIterable {
      /// 0, 1, 2 …, or the input `position_ids` where it is given.
      case sequence
      /// RoBERTa: visible tokens are counted from `offset`, hidden ones have row `offset − 1`.
      case visibleTokens = "visible_tokens"
    }

    /// The name in roles.
    public var name: String
    /// The value whose positions are numbered.
    public var input: String
    /// The rows of the table.
    public var rows: Expression
    /// The size of the last axis.
    public var width: Expression
    /// How positions are numbered.
    public var numbering = Numbering.sequence
    /// The row of the first position.
    public var offset: Expression = 0
    /// The input with the mask, for `visibleTokens`.
    public var mask: String?
    /// Whether the table is stored but computed (DistilBERT's sinusoids are trained, so not there).
    public var isFrozen: Expression = false
    /// Whether the table is a buffer: used, but neither trained nor counted.
    public var weightIsBuffer = false
    /// The value that it makes.
    public var output: String
  }
}

extension Operation.Positions: WeightedOperation {
  static let word = "positions"

  var operation: Operation { .positions(self) }

  var reads: [String] { [input] }

  var weights: [Weight] {
    [
      Weight(
        "weight", .table, .positionEmbedding, [rows, width],
        isFrozen: weightIsBuffer ? true : isFrozen, isBuffer: weightIsBuffer)
    ]
  }

  var component: Component? { .embedding }

  func shape(of given: [[Int]], _ check: ShapeCheck) throws -> [Int] {
    try check.rank(given[0], atLeast: 2, input)
    let (rows, offset) = (try check.count(self.rows), try check.count(self.offset))
    guard given[0][1] <= rows - offset else {
      throw check.failure(
        "\(given[0][1]) positions are above the \(max(0, rows - offset)) that the table has rows for"
      )
    }
    return [given[0][1], try check.count(width)]
  }

  func mostPositions(_ environment: Environment) throws -> Int? {
    max(try environment.count(rows) - (try environment.count(offset)), 1)
  }

  func work(_: ShapeWalk.Application) -> ForwardCost.Work? { nil }

  var outline: String {
    let from = offset == 0 ? "" : " from row \(offset.outlined) on"
    return switch numbering {
    case .sequence: "rows of the positions of \(input)" + from
    case .visibleTokens: "rows of the visible positions of \(input)" + from
    }
  }

  static var blank: Self { .init(name: "", input: "", rows: 0, width: 0, output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.word("input", &input)
    try fields.required("rows", &rows)
    try fields.required("width", &width)
    try fields.optional("numbering", &numbering)
    try fields.optional("offset", &offset)
    try fields.optional("mask", &mask)
    try fields.optional("frozen", &isFrozen)
    try fields.optional("weight_is_buffer", &weightIsBuffer)
    try fields.word("output", &output)
  }
}

extension Operation.Positions.Numbering: JSONCoded {}
