internal import Architectures
public import Tensors

/// A sequence fed to a model piece by piece, as generation does it.
///
/// Keys and values of causal self-attention are kept, so that each step computes its own positions
/// only; what an encoder makes of its inputs, and the keys and values that a decoder takes from it,
/// are computed in the first step. Every step gives the states of its positions, the same as a pass
/// over the whole sequence would give for them.
public struct ForwardSession {
  private let pass: ForwardPass
  private let plan: Plan
  private var progress: Progress?
  /// How many positions have been fed in.
  public private(set) var length = 0

  private enum Progress {
    case float64(Evaluation<Double>, first: ModelInputs)
    case float32(Evaluation<Float>, first: ModelInputs)
  }

  /// Whether weights stay in memory after their first use, which takes that memory and spares reading
  /// them in every step.
  public let holdsWeights: Bool

  /// A session with nothing fed in yet.
  ///
  /// - Throws: `unsupported` for a model whose positions see later ones, and so change with them.
  public init(_ pass: ForwardPass, holdsWeights: Bool = false) throws {
    // No states of another encoder go with a sequence that is fed in pieces.
    let pass = try pass.given(
      pass.model.architecture.inputs.filter { $0.flag == nil }.map { ExactString($0.name) })
    self.pass = pass
    self.holdsWeights = holdsWeights
    plan = try Plan(pass.model)
    if let path = try plan.attentionAhead() {
      throw IngotError(
        .unsupported, "'\(path)' sees later positions: the sequence cannot be fed in pieces")
    }
  }

  /// Feeds in the next positions.
  ///
  /// - Parameters:
  ///   - inputs: As for `ForwardPass.run`; after the first step those of the decoder alone, where the
  ///     model has one. A mask covers all positions so far.
  ///   - observe: Is given the states of these positions; false ends the step, after which the
  ///     session is of no more use.
  /// - Throws: what `ForwardPass.run` throws.
  public mutating func run(
    _ inputs: [ExactString: Tensor], observe: (State) throws -> Bool
  ) throws {
    var checked = try ModelInputs(inputs, pass.model, after: length)
    guard checked.isCausal else {
      throw IngotError(.unsupported, "without the order of positions nothing can be fed in pieces")
    }
    if length == 0 {
      var walk = ShapeWalk(pass.model, inputs: try checked.shapes(of: pass.model))
      try walk.run()
      let weights = WeightReader(pass.weights, jobs: pass.jobs)
      switch pass.precision {
      case .float64: progress = .float64(begin(checked, weights), first: checked)
      case .float32: progress = .float32(begin(checked, weights), first: checked)
      }
    }
    switch progress {
    case .float64(var evaluation, let first):
      progress = nil
      try step(&evaluation, &checked, first, observe)
      progress = .float64(evaluation, first: first)
    case .float32(var evaluation, let first):
      progress = nil
      try step(&evaluation, &checked, first, observe)
      progress = .float32(evaluation, first: first)
    case nil: throw IngotError(.internal, "a session goes on after a failure")
    }
    length += try checked.steppedLength
  }

  private func begin<Scalar: Real>(
    _ inputs: ModelInputs, _ weights: WeightReader
  ) -> Evaluation<Scalar> {
    var evaluation = Evaluation<Scalar>(inputs, weights, jobs: pass.jobs)
    evaluation.cache = KeyValueCache()
    if holdsWeights { evaluation.memory = WeightMemory() }
    return evaluation
  }

  private func step<Scalar: Real>(
    _ evaluation: inout Evaluation<Scalar>, _ inputs: inout ModelInputs, _ first: ModelInputs,
    _ observe: (State) throws -> Bool
  ) throws {
    if length > 0 {
      if inputs.hasDecoderInputs { inputs.settle(first) }
      evaluation.advance(inputs, start: length)
    }
    try evaluation.run(plan, observe)
  }
}

extension ModelInputs {
  /// How many positions a step feeds in.
  fileprivate var steppedLength: Int {
    get throws {
      let side = hasDecoderInputs ? "decoder_input" : "input"
      guard let shape = shape(like: side), shape.count == 2 else {
        throw IngotError(.malformed, "a step without positions")
      }
      return shape[1]
    }
  }
}
