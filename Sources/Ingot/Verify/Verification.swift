internal import Tensors

/// Runs a checkpoint through the reference forward pass and compares with a golden: `ingot verify`.
public struct Verification: Sendable {
  /// The model and its weights.
  public let source: ModelSource
  /// What it should compute.
  public let golden: Golden
  /// The arithmetic.
  public var precision: Precision = .float64
  /// The relative tolerance in place of the golden's own.
  public var relativeTolerance: Double?
  /// The absolute tolerance in place of the golden's own.
  public var absoluteTolerance: Double?
  /// Threads to use; one per processor where nil.
  public var jobs: Int?

  /// Prepares to verify a model.
  public init(_ source: ModelSource, _ golden: Golden) {
    self.source = source
    self.golden = golden
  }

  /// Runs the model and compares.
  ///
  /// - Throws: `usage` for a bare configuration; `malformed` for a golden that is none of this model,
  ///   naming the input or state; what reading throws. A checkpoint that does not fit its architecture,
  ///   and weights that are NaN, are found in the report.
  public func report() throws -> VerificationReport {
    guard let checkpoint = source.checkpoint, let reading = source.reading else {
      throw IngotError(.usage, "a configuration has no weights to verify")
    }
    let states = try checkpoint.naming { try ComputedStates(source.model) }
    let (expected, leftOut) = try naming(file: golden.path) { try comparable(states) }
    let faults = try checkpoint.naming { try CheckpointFaults(source, jobs: threads) }
    let tolerance = VerificationTolerance(
      golden: golden.precision, arithmetic: precision,
      terms: max(source.model.longestSum, longestSequence), relative: relativeTolerance,
      absolute: absoluteTolerance, measuresRounding: !golden.roundingEffects.isEmpty)
    var report = VerificationReport(
      path: checkpoint.path, goldenPath: golden.path,
      architecture: source.model.architecture.name, precision: precision,
      goldenPrecision: golden.precision, goldenPrecisionSource: golden.precisionSource,
      tolerance: tolerance, faults: faults, notCompared: leftOut)
    if !faults.preventsRunning {
      report.states = try compare(expected, checkpoint, reading, tolerance)
    }
    try golden.checkUnchanged()
    try checkpoint.checkUnchanged()
    return report
  }

  private var threads: Int { jobs ?? Workers.processorCount }

  private var longestSequence: Int {
    golden.inputs.values.map {
      $0.shape.rank == 2 || $0.shape.rank == 3 ? $0.shape.dimensions[1] : 1
    }
    .max() ?? 1
  }

  /// The states of the golden that can be compared, and the finer ones that cannot.
  ///
  /// Recorders hook whatever parts a framework has: a finer state that the description does not make, or
  /// makes several times, is left out. Outputs and hidden states must be the model's.
  private func comparable(
    _ states: ComputedStates
  ) throws -> (compared: [String: Tensor], leftOut: [String]) {
    var compared: [String: Tensor] = [:]
    var leftOut: [String] = []
    for (name, tensor) in golden.states.sorted(by: { $0.key.precedesInUTF8($1.key) }) {
      let isLoss =
        name == "output/loss" && golden.inputs["labels"] != nil
        && states.counts["output/logits"] != nil
      if isLoss || states.counts[name] == 1 {
        compared[name] = tensor
        continue
      }
      guard name.hasPrefix("trace/") else {
        throw IngotError(
          .malformed, "\(source.model.architecture.name) has no such state", tensor: name,
          hint: name == "output/loss" && golden.inputs["labels"] == nil
            ? "the loss needs input/labels"
            : NearestNames.hint(name, among: states.names) ?? states.hint(for: name))
      }
      leftOut.append(name)
    }
    guard !compared.isEmpty else {
      throw IngotError(
        .malformed, "\(source.model.architecture.name) makes none of the golden's states")
    }
    return (compared, leftOut)
  }

  private func compare(
    _ golden: [String: Tensor], _ checkpoint: Checkpoint, _ reading: ModelReading,
    _ tolerance: VerificationTolerance
  ) throws -> [StateComparison] {
    let weights = CanonicalWeights(checkpoint.table, reading)
    let file = checkpoint.files[0]
    let (path, inputs, roundings) = (
      self.golden.path, self.golden.inputs, self.golden.roundingEffects
    )
    let pass = ForwardPass(source.model, precision: precision, jobs: threads) { role in
      try naming(file: file) { try weights.tensor(role: role) }
    }
    let masks = try naming(file: path) { try AttentionMasks(inputs) }
    var place = PlaceInModel()
    var comparisons: [StateComparison] = []
    try naming(file: path) {
      try pass.run(inputs) { state in
        place.reach(state)
        guard let expected = golden[state.name] else { return true }
        guard expected.shape.dimensions == state.value.shape else {
          throw IngotError(
            .malformed,
            "the golden has shape \(expected.shape), the model gives \(try Shape(state.value.shape))",
            tensor: state.name)
        }
        let numbers = try naming(tensor: state.name) { try expected.doubles() }
        let (layer, component) = place.origin(of: state)
        let comparison = StateComparison(
          state, layer: layer, component: component, expected: numbers,
          isVisible: masks.visible(state, afterDecoderBegan: place.decoderHasBegun)
        ) {
          tolerance.bounds(
            layers: place.layers.count, meanMagnitude: $0, rounding: roundings[state.name] ?? 0)
        }
        comparisons.append(comparison)
        if comparison.isOK { place.agree() }
        return comparisons.count < golden.count
      }
    }
    return comparisons
  }
}

/// The names of the states that a model makes, and how many times each.
struct ComputedStates {
  private(set) var counts: [String: Int] = [:]
  private(set) var names: [String] = []

  init(_ model: Model) throws {
    var numbers: [String: Int] = [:]
    var counts: [String: Int] = [:]
    var names: [String] = []
    func add(_ name: String) {
      counts[name, default: 0] += 1
      if counts[name] == 1 { names.append(name) }
    }
    try model.scope.walk(model.architecture.steps) { visit, scope in
      switch visit {
      case .operation(let operation):
        if let name = operation.name { add("trace/\(scope.state(name))") }
      case .end(let block): add("trace/\(scope.state(block.name))")
      case .state(_, let series):
        add("\(series)/\(numbers[series, default: 0])")
        numbers[series, default: 0] += 1
      case .result(_, let name): add("output/\(name)")
      }
    }
    self.counts = counts
    self.names = names
  }

  /// What there is beside a name that there is not.
  func hint(for name: String) -> String {
    let folder = name.prefix { $0 != "/" } + "/"
    let others = names.filter { $0.hasPrefix(folder) }
    guard !others.isEmpty else {
      return "it has \(names.filter { $0.hasPrefix("output/") }.joined(separator: ", "))"
    }
    let more = others.count > 8 ? ", …" : ""
    return "it has \(others.prefix(8).joined(separator: ", "))\(more)"
  }
}

/// Where in the model the pass is, and what lies between there and the last state that agreed.
private struct PlaceInModel {
  /// The layers that have been entered.
  private(set) var layers: Set<String> = []
  private(set) var decoderHasBegun = false
  private var layersSince: Set<String?> = []
  private var componentsSince: Set<Component> = []

  mutating func reach(_ state: State) {
    if let layer = state.layer { layers.insert(layer) }
    if state.name.contains("decoder") { decoderHasBegun = true }
    guard state.kind == .trace else { return }
    layersSince.insert(state.layer)
    componentsSince.insert(state.component)
  }

  mutating func agree() {
    layersSince = []
    componentsSince = []
  }

  /// The layer and the component that a difference in `state` comes from, as far as that is known.
  ///
  /// A finer state is what its name says. Of the others only that is known which lies between them and
  /// the last state that agreed.
  func origin(of state: State) -> (layer: String?, component: Component?) {
    guard state.kind != .trace else { return (state.layer, state.component) }
    let layer = layersSince.count == 1 ? layersSince.first.flatMap { $0 } : nil
    return (layer, componentsSince.count == 1 ? componentsSince.first : nil)
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

  init(_ inputs: [String: Tensor]) throws {
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

extension Model {
  /// The terms of the longest sum in a product with a weight.
  fileprivate var longestSum: Int {
    weights.map { weight in
      weight.shape.rank == 2 && weight.weight.kind == .matrix ? weight.shape.dimensions[1] : 1
    }.max() ?? 1
  }
}
