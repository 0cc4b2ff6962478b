public import Architectures
public import Tensors

/// The arithmetic of a forward pass.
public enum Precision: String, Sendable, Hashable, CaseIterable {
  case float64
  case float32
}

/// Evaluates a model: walks its description and does each operation with the weights of a checkpoint.
///
/// It is an oracle before it is fast: everything is computed in one precision, float64 unless asked
/// otherwise, weights are widened exactly, and each operation is one function written for reading. A
/// weight is read when its operation comes and let go after it, so that memory holds the activations
/// in use and (a part of) one weight, however large the model.
///
/// ```swift
/// let pass = ForwardPass(model) { role in try table.tensor(role: role) }
/// try pass.run(["input_ids": ids]) { state in
///   print(state.name, state.value.shape)
///   return true
/// }
/// ```
///
/// **A query that sees no key** (a row of padding under a mask that hides everything before it) has
/// attention 0: frameworks differ there (NaN, or the mean of all values), and such rows are hidden
/// from every comparison.
public struct ForwardPass: Sendable {
  /// Gives the weight of a role in canonical layout.
  public typealias WeightSource = @Sendable (_ role: String) throws -> Tensor

  /// The model.
  public let model: Model
  /// The arithmetic.
  public var precision: Precision
  /// How many threads may be used.
  public var jobs: Int
  let weights: WeightSource

  /// A forward pass of `model` with the weights that `weights` gives.
  public init(
    _ model: Model, precision: Precision = .float64, jobs: Int = 1,
    weights: @escaping WeightSource
  ) {
    self.model = model
    self.precision = precision
    self.jobs = max(1, jobs)
    self.weights = weights
  }

  /// The pass for these inputs: what reads others that may be left out is left out.
  ///
  /// - Throws: `malformed` where a requirement does not hold then.
  func given(_ inputs: some Sequence<ExactString>) throws -> ForwardPass {
    ForwardPass(try model.given(inputs), precision: precision, jobs: jobs, weights: weights)
  }

  /// Runs the model on `inputs`, which have the canonical names without `input/`.
  ///
  /// - Parameters:
  ///   - inputs: What the architecture's `inputs` lists; `labels` (and `label_smoothing`) ask for the
  ///     loss, `causal` lifts or keeps the order of positions in causal attention.
  ///   - observe: Is given every state as it is made; false ends the pass there.
  /// - Throws: `malformed` for inputs that do not fit, naming them; what the weights throw; what
  ///   `observe` throws.
  public func run(
    _ inputs: [ExactString: Tensor], observe: (State) throws -> Bool
  ) throws {
    let model = try model.given(inputs.keys)
    let inputs = try ModelInputs(inputs, model)
    // Sizes that do not fit together are found before any arithmetic.
    var walk = ShapeWalk(model, inputs: try inputs.shapes(of: model))
    try walk.run()
    let plan = try Plan(model)
    switch precision {
    case .float64: try run(plan, inputs, Double.self, observe)
    case .float32: try run(plan, inputs, Float.self, observe)
    }
  }

  /// The outputs of the model on `inputs`, by name without `output/`.
  ///
  /// - Throws: what `run` throws.
  public func outputs(_ inputs: [ExactString: Tensor]) throws -> [String: StateValue] {
    var outputs: [String: StateValue] = [:]
    try run(inputs) { state in
      guard state.kind == .output else { return true }
      outputs[String(state.name.dropFirst("output/".count))] = state.value
      return true
    }
    return outputs
  }

  private func run<Scalar: Real>(
    _ plan: Plan, _ inputs: ModelInputs, _: Scalar.Type, _ observe: (State) throws -> Bool
  ) throws {
    var evaluation = Evaluation<Scalar>(
      inputs, WeightReader(weights, jobs: jobs), jobs: jobs)
    try evaluation.run(plan, observe)
  }
}
