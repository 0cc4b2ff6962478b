internal import Tensors

extension Operation {
  /// Normalises over the last axis.
  public struct Norm: Sendable, Hashable {
    /// Which norm.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
      /// (x − mean) / sqrt(variance + ε) · weight + bias; arXiv 1607.06450.
      case layer
      /// x / sqrt(mean(x²) + ε) · weight; arXiv 1910.07467.
      case rms
      /// Tutorial code: (x − mean) / (std + ε) with Bessel's correction in std.
      case bessel
    }

    /// The name in roles.
    public var name: String
    /// Which kind it is.
    public var kind: Kind
    /// The value that it reads.
    public var input: String
    /// The size of the last axis.
    public var width: Expression
    /// What keeps the division from 0.
    public var epsilon: Expression
    /// Whether there is a bias.
    public var bias: Expression = true
    /// What is added to the stored weight before use (1 in Gemma).
    public var offset: Expression = 0
    /// The value that it makes.
    public var output: String
  }
}

extension Operation.Norm: WeightedOperation {
  static let word = "norm"

  var operation: Operation { .norm(self) }

  var reads: [String] { [input] }

  var weights: [Weight] {
    [
      Weight("weight", .scale, .norm, [width]),
      Weight("bias", .bias, .norm, [width], when: bias),
    ]
  }

  var component: Component? { .norms }

  var functionFormulas: [Expression] { [epsilon] }

  func shape(of given: [[Int]], _ check: ShapeCheck) throws -> [Int] {
    try check.features(given[0], try check.count(width), input)
    return given[0]
  }

  func work(_: ShapeWalk.Application) -> ForwardCost.Work? { nil }

  var outline: String {
    let kind =
      switch kind {
      case .layer: "layer norm"
      case .rms: "RMS norm"
      case .bessel: "layer norm with Bessel's correction"
      }
    return "\(kind)(\(input), ε = \(epsilon.outlined))"
      + (offset == 0 ? "" : ", weight + \(offset.outlined)")
  }

  static var blank: Self {
    .init(name: "", kind: .layer, input: "", width: 0, epsilon: 0, output: "")
  }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.required("kind", &kind)
    try fields.word("input", &input)
    try fields.required("width", &width)
    try fields.required("epsilon", &epsilon)
    try fields.optional("bias", &bias)
    try fields.optional("offset", &offset)
    try fields.word("output", &output)
  }
}

extension Operation.Norm.Kind: JSONCoded {}
