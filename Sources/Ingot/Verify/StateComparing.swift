internal import Architectures
internal import ReferenceModel
internal import Tensors

/// Compares the states that passes come to with those of one golden.
struct StateComparing: Sendable {
  /// What a state of the model should be.
  struct Expectation: Sendable {
    /// Its name in the golden, which may be another than ours.
    let name: ExactString
    let tensor: Tensor
  }

  /// The golden.
  let path: String
  let inputs: [ExactString: Tensor]
  /// By our names.
  let expected: [ExactString: Expectation]
  let tolerance: VerificationTolerance
  /// How far rounding the weights moves each state, as far as that was measured.
  var roundingEffects: [ExactString: Double] = [:]
  /// The part of the golden that it is; nil for the whole.
  var extent: String?

  /// Runs a model and compares every state that the golden has, or those up to the first that differs.
  ///
  /// - Parameter factor: How many times as far apart as usual values may lie.
  /// - Throws: `malformed` for a state of another shape; what the pass throws.
  func compare(
    _ pass: ForwardPass, untilDivergence stops: Bool = false, tolerating factor: Double = 1
  ) throws -> [StateComparison] {
    let masks = try naming(file: path) { try AttentionMasks(inputs) }
    var comparisons: [StateComparison] = []
    var number = 0
    var layers: Set<String> = []
    var decoderHasBegun = false
    try naming(file: path) {
      try pass.run(inputs) { state in
        defer { number += 1 }
        if let layer = state.layer { layers.insert(layer) }
        if state.name.contains("decoder") { decoderHasBegun = true }
        guard let expectation = expected[state.name] else { return true }
        guard expectation.tensor.shape.dimensions == state.value.shape else {
          throw IngotError(
            .malformed,
            "the golden has shape \(expectation.tensor.shape), the model gives \(try Shape(state.value.shape))",
            tensor: expectation.name)
        }
        let comparison = try naming(tensor: expectation.name) {
          try StateComparison(
            expectation.name, .init(number: number, name: state.name), state,
            expected: expectation.tensor,
            isVisible: masks.visible(state, afterDecoderBegan: decoderHasBegun), jobs: pass.jobs
          ) {
            tolerance.bounds(
              layers: layers.count, meanMagnitude: $0, rounding: roundingEffects[state.name] ?? 0
            ).widened(factor)
          }
        }
        comparisons.append(comparison)
        return comparisons.count < expected.count && (comparison.isOK || !stops)
      }
    }
    try place(&comparisons, in: pass.model)
    return comparisons
  }

  /// Says of outputs and hidden states what lies between them and the states before that agree; a finer
  /// state is what its name says.
  private func place(_ comparisons: inout [StateComparison], in model: Model) throws {
    let routes = try ForwardRoutes(model, inputs)
    var known: Set<Int> = []
    for index in comparisons.indices {
      let number = comparisons[index].origin.number
      if comparisons[index].kind != .trace {
        comparisons[index].place(between: try routes.operations(to: number, from: known))
      }
      if comparisons[index].isOK { known.insert(number) }
    }
  }

  /// Compares what another trial gives for the same state.
  func compare(
    _ value: StateValue, inPlaceOf comparison: StateComparison, tolerating factor: Double,
    jobs: Int
  ) throws -> StateComparison {
    guard let expectation = expected[comparison.origin.name] else {
      throw IngotError(.internal, "the golden has no '\(comparison.origin.name)'")
    }
    return try naming(tensor: expectation.name) {
      try comparison.repeated(
        value, expected: expectation.tensor, tolerating: factor, jobs: jobs)
    }
  }
}

/// The positions that count, by the side of the model.
private struct AttentionMasks {
  private struct Mask {
    let shape: [Int]
    let isVisible: [Bool]
  }

  private let encoder: Mask?
  private let decoder: Mask?
  private let hasDecoder: Bool

  init(_ inputs: [ExactString: Tensor]) throws {
    func mask(_ name: String) throws -> Mask? {
      // The forward pass says what is wrong with a mask of another kind.
      guard let tensor = inputs[name], tensor.shape.rank == 2, tensor.obstacle == nil,
        tensor.elementType.kind != .complex
      else { return nil }
      return Mask(
        shape: tensor.shape.dimensions, isVisible: try tensor.doubles().map { $0 != 0 })
    }
    hasDecoder = inputs.keys.contains { $0.hasPrefix("decoder_") }
    encoder = try mask("attention_mask")
    decoder = try mask("decoder_attention_mask")
  }

  func visible(_ state: State, afterDecoderBegan: Bool) -> [Bool]? {
    let mask = isOfDecoder(state, afterDecoderBegan) ? decoder : encoder
    guard let mask, state.value.shape.count == 3, mask.shape == Array(state.value.shape.prefix(2))
    else { return nil }
    return mask.isVisible
  }

  private func isOfDecoder(_ state: State, _ decoderHasBegun: Bool) -> Bool {
    guard hasDecoder else { return false }
    let parts = state.name.split { $0 == "." || $0 == "/" }
    // What cross-attention reads is the encoder's.
    if parts.suffix(2).first == "cross_attention", ["key", "value"].contains(parts.last) {
      return false
    }
    if state.name.contains("decoder") { return true }
    return !state.name.contains("encoder") && decoderHasBegun
  }
}
