internal import Tensors

extension Operation {
  /// Two values into one, element by element, a smaller one repeated.
  public struct Combine: Sendable, Hashable {
    /// How.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
      case add
      case multiply
    }

    /// Which kind it is.
    public var kind: Kind
    /// The first value.
    public var left: String
    /// The second value.
    public var right: String
    /// The value that it makes.
    public var output: String
  }
}

extension Operation.Combine: WeightlessOperation {
  static let word = "combine"

  var operation: Operation { .combine(self) }

  var reads: [String] { [left, right] }

  func shape(of given: [[Int]], _ check: ShapeCheck) throws -> [Int] {
    try check.broadcast(given[0], given[1], left, right)
  }

  func work(_: ShapeWalk.Application) -> ForwardCost.Work? { nil }

  var outline: String { "\(left) \(kind == .add ? "+" : "·") \(right)" }

  static var blank: Self { .init(kind: .add, left: "", right: "", output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.required("kind", &kind)
    try fields.word("left", &left)
    try fields.word("right", &right)
    try fields.word("output", &output)
  }
}

extension Operation.Combine.Kind: JSONCoded {}
