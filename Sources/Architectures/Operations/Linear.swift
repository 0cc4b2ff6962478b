internal import Tensors

extension Operation {
  /// x·Wᵀ + b over the last axis; W is `[outputs, inputs]`.
  public struct Linear: Sendable, Hashable {
    /// The name in roles.
    public var name: String
    /// The value that it reads.
    public var input: String
    /// The features that it reads.
    public var inputs: Expression
    /// The features that it makes.
    public var outputs: Expression
    /// Whether there is a bias.
    public var bias: Expression = true
    /// What its weights are for.
    public var purpose: Weight.Purpose
    /// Whether W is another weight (a tied head).
    public var tie: Weight.Tie?
    /// Whether the bias is a buffer: used, but neither trained nor counted.
    public var biasIsBuffer = false
    /// The value that it makes.
    public var output: String
  }
}

extension Operation.Linear: WeightedOperation {
  static let word = "linear"

  var operation: Operation { .linear(self) }

  var reads: [String] { [input] }

  var weights: [Weight] {
    [
      Weight("weight", .matrix, purpose, [outputs, inputs], tie: tie),
      Weight(
        "bias", .bias, purpose, [outputs], when: bias, isFrozen: biasIsBuffer ? true : false,
        isBuffer: biasIsBuffer),
    ]
  }

  var component: Component? {
    switch purpose {
    case .pooler: .pooler
    case .head, .headTransform: .head
    case .classifier: .classifier
    case .embeddingProjection: .embedding
    case .tokenEmbedding, .positionEmbedding, .typeEmbedding, .classToken, .patchEmbedding,
      .convolution, .query, .key, .value, .attentionOutput, .relativePositions, .feedForwardUp,
      .feedForwardGate, .feedForwardDown, .router, .norm, .other:
      nil
    }
  }

  var isOfLayer: Bool { purpose.isOfLayer }

  func shape(of given: [[Int]], _ check: ShapeCheck) throws -> [Int] {
    try check.features(given[0], try check.count(inputs), input)
    return given[0].dropLast() + [try check.count(outputs)]
  }

  func work(_ it: ShapeWalk.Application) throws -> ForwardCost.Work? {
    let outputs = try it.scope.environment.count(self.outputs)
    return .init(term(it.scope), multiplyAdds: try ForwardCost.product(it.inputs[0] + [outputs]))
  }

  private func term(_ scope: Scope) -> ForwardCost.Term {
    switch purpose {
    case .query, .key, .value, .attentionOutput:
      scope.component == .crossAttention ? .crossAttentionProjections : .attentionProjections
    case .feedForwardUp, .feedForwardGate, .feedForwardDown:
      scope.variables["expert"] == nil ? .feedForward : .experts
    case .head: .logits
    case .headTransform: .headTransform
    case .pooler: .pooler
    case .classifier: .classifier
    case .router: .router
    case .embeddingProjection: .embeddingProjection
    case .patchEmbedding: .patches
    case .convolution: .convolutions
    case .tokenEmbedding, .positionEmbedding, .typeEmbedding, .classToken, .relativePositions,
      .norm, .other:
      .other
    }
  }

  var outline: String { "linear(\(input))  \(inputs.outlined) → \(outputs.outlined)" }

  static var blank: Self {
    .init(name: "", input: "", inputs: 0, outputs: 0, purpose: .other, output: "")
  }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.word("input", &input)
    try fields.required("inputs", &inputs)
    try fields.required("outputs", &outputs)
    try fields.optional("bias", &bias)
    try fields.required("purpose", &purpose)
    try fields.optional("tie", &tie)
    try fields.optional("bias_is_buffer", &biasIsBuffer)
    try fields.word("output", &output)
  }
}
