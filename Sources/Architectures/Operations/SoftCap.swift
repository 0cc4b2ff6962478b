internal import Tensors

extension Operation {
  /// cap · tanh(x / cap); a cap of 0 leaves x as it is.
  public struct SoftCap: Sendable, Hashable {
    /// The value that it reads.
    public var input: String
    /// The bound.
    public var cap: Expression
    /// The value that it makes.
    public var output: String
  }
}

extension Operation.SoftCap: WeightlessOperation {
  static let word = "soft_cap"

  var operation: Operation { .softCap(self) }

  var reads: [String] { [input] }

  func shape(of given: [[Int]], _: ShapeCheck) -> [Int] { given[0] }

  func work(_: ShapeWalk.Application) -> ForwardCost.Work? { nil }

  var outline: String { "soft cap(\(input), \(cap.outlined))" }

  static var blank: Self { .init(input: "", cap: 0, output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("input", &input)
    try fields.required("cap", &cap)
    try fields.word("output", &output)
  }
}
