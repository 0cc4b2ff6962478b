internal import Tensors

extension Operation {
  /// Every element times a number.
  public struct Scale: Sendable, Hashable {
    /// The value that it reads.
    public var input: String
    /// What it is scaled by.
    public var factor: Expression
    /// The value that it makes.
    public var output: String
  }
}

extension Operation.Scale: WeightlessOperation {
  static let word = "scale"

  var operation: Operation { .scale(self) }

  var reads: [String] { [input] }

  func shape(of given: [[Int]], _: ShapeCheck) -> [Int] { given[0] }

  func work(_: ShapeWalk.Application) -> ForwardCost.Work? { nil }

  var outline: String { "\(input) · (\(factor.outlined))" }

  static var blank: Self { .init(input: "", factor: 0, output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("input", &input)
    try fields.required("factor", &factor)
    try fields.word("output", &output)
  }
}
