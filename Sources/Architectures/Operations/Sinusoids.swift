internal import Tensors

extension Operation {
  /// The sinusoidal positions of "Attention Is All You Need" §3.5: row p, column 2i
  /// sin(p / 10000^(2i/width)), column 2i+1 the cosine: → `[sequence, width]`.
  public struct Sinusoids: Sendable, Hashable {
    /// The value whose positions are numbered.
    public var input: String
    /// The size of the last axis.
    public var width: Expression
    /// The value that it makes.
    public var output: String
  }
}

extension Operation.Sinusoids: WeightlessOperation {
  static let word = "sinusoids"

  var operation: Operation { .sinusoids(self) }

  var reads: [String] { [input] }

  var component: Component? { .embedding }

  func shape(of given: [[Int]], _ check: ShapeCheck) throws -> [Int] {
    try check.rank(given[0], atLeast: 2, input)
    return [given[0][1], try check.count(width)]
  }

  func work(_: ShapeWalk.Application) -> ForwardCost.Work? { nil }

  var outline: String { "sinusoids(positions of \(input), \(width.outlined))" }

  static var blank: Self { .init(input: "", width: 0, output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("input", &input)
    try fields.required("width", &width)
    try fields.word("output", &output)
  }
}
