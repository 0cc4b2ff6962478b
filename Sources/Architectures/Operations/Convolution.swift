internal import Tensors

extension Operation {
  /// A convolution along the sequence: `[batch, sequence, inputs]` → `[batch, steps, outputs]`, where
  /// steps is (sequence + 2 · padding − kernel) / stride + 1, rounded down; W is `[outputs, inputs,
  /// kernel]`, and what lies outside of the sequence is 0.
  public struct Convolution: Sendable, Hashable {
    /// The name in roles.
    public var name: String
    /// The value that it reads.
    public var input: String
    /// The features that it reads.
    public var inputs: Expression
    /// The features that it makes.
    public var outputs: Expression
    /// How many positions of the input each position of the output sees.
    public var kernel: Expression
    /// How many positions of the input lie between what neighbours of the output see.
    public var stride: Expression = 1
    /// How many zeros stand before the sequence, and behind it.
    public var padding: Expression = 0
    /// Whether there is a bias.
    public var bias: Expression = true
    /// The value that it makes.
    public var output: String
  }
}

extension Operation.Convolution: WeightedOperation {
  static let word = "convolution"

  var operation: Operation { .convolution(self) }

  var reads: [String] { [input] }

  var weights: [Weight] {
    [
      Weight("weight", .matrix, .convolution, [outputs, inputs, kernel]),
      Weight("bias", .bias, .convolution, [outputs], when: bias),
    ]
  }

  func readsAhead(_: Environment) -> Bool { true }

  func shape(of given: [[Int]], _ check: ShapeCheck) throws -> [Int] {
    try check.rank(given[0], 3, input, "[batch, sequence, features]")
    try check.equal(given[0][2], try check.count(inputs), "features", input)
    let (kernel, stride) = try (check.count(self.kernel), check.count(self.stride))
    let padding = try check.count(self.padding)
    let length = try padding.multiplied(by: 2, "the padding").adding(given[0][1], "the length")
    guard kernel > 0, stride > 0, kernel <= length else {
      throw check.failure(
        "a kernel of \(kernel) at every step of \(stride) finds no place in the \(length) "
          + "positions of '\(input)'")
    }
    return [given[0][0], (length - kernel) / stride + 1, try check.count(outputs)]
  }

  func work(_ it: ShapeWalk.Application) throws -> ForwardCost.Work? {
    let kernel = try it.scope.environment.count(self.kernel)
    return .init(
      .convolutions,
      multiplyAdds: try ForwardCost.product(it.output + [it.inputs[0][2], kernel]))
  }

  var outline: String {
    "convolution(\(input))  \(inputs.outlined) → \(outputs.outlined), kernel \(kernel.outlined)"
      + (stride == 1 ? "" : ", stride \(stride.outlined)")
      + (padding == 0 ? "" : ", padding \(padding.outlined)")
  }

  static var blank: Self {
    .init(name: "", input: "", inputs: 0, outputs: 0, kernel: 0, output: "")
  }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.word("input", &input)
    try fields.required("inputs", &inputs)
    try fields.required("outputs", &outputs)
    try fields.required("kernel", &kernel)
    try fields.optional("stride", &stride)
    try fields.optional("padding", &padding)
    try fields.optional("bias", &bias)
    try fields.word("output", &output)
  }
}
