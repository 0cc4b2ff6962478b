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
  /// How many times over the search for suspects may read the weights, 0 for no search; where nil, 32
  /// times, and small models as often as it takes.
  public var suspectPasses: Int?
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
    try source.checkComputable()
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
    report.notes = source.notes
    if !faults.preventsRunning {
      let comparing = StateComparing(
        path: golden.path, inputs: golden.inputs, expected: expected, tolerance: tolerance,
        roundingEffects: golden.roundingEffects)
      let weights = CanonicalWeights(checkpoint.table, reading)
      let file = checkpoint.files[0]
      let pass = ForwardPass(source.model, precision: precision, jobs: threads) { role in
        try naming(file: file) { try weights.tensor(role: role) }
      }
      report.states = try comparing.compare(pass)
      (report.suspects, report.untriedMistakes) = try SuspectSearch(
        pass, comparing, reading, checkpoint.table, passes: suspectPasses
      ).suspects(of: report.states)
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
  ) throws -> (compared: [ExactString: StateComparing.Expectation], leftOut: [ExactString]) {
    var compared: [ExactString: StateComparing.Expectation] = [:]
    var leftOut: [ExactString] = []
    for (name, tensor) in golden.states.sorted(by: { $0.key < $1.key }) {
      let isLoss =
        name == "output/loss" && golden.inputs["labels"] != nil
        && states.counts["output/logits"] != nil
      if isLoss || states.counts[name] == 1 {
        compared[name] = .init(name: name, tensor: tensor)
        continue
      }
      if let other = states.otherName(of: name), golden.states[other] == nil {
        compared[other] = .init(name: name, tensor: tensor)
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
}

/// The names of the states that a model makes, and how many times each.
struct ComputedStates {
  private(set) var counts: [ExactString: Int] = [:]
  private(set) var names: [ExactString] = []

  init(_ model: Model) throws {
    var numbers: [ExactString: Int] = [:]
    var counts: [ExactString: Int] = [:]
    var names: [ExactString] = []
    func add(_ name: ExactString) {
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

  /// The state that a recorder, which does not know the description, may have called `name`; nil where
  /// there is not exactly one.
  ///
  /// What stands in the place of a feed-forward part is one to a recorder, a mixture of experts too; and
  /// of a model with one stack it may leave out the stack's name.
  func otherName(of name: ExactString) -> ExactString? {
    guard let path = name.removingPrefix("trace/"), path.hasPrefix("layers.") else { return nil }
    let endings = [path, path.replacingLast("feed_forward", by: "experts")].compactMap { $0 }
      .map { "." + $0 }
    let candidates = names.filter { candidate in
      guard let path = candidate.removingPrefix("trace/"), counts[candidate] == 1 else {
        return false
      }
      return endings.contains { ("." + path).hasSuffix($0) }
    }
    return candidates.count == 1 ? candidates[0] : nil
  }

  /// What there is beside a name that there is not.
  func hint(for name: ExactString) -> String {
    let folder = (name.split(separator: "/").first ?? "") + "/"
    let others = names.filter { $0.hasPrefix(folder) }
    guard !others.isEmpty else {
      return "it has \(names.filter { $0.hasPrefix("output/") }.joined(separator: ", "))"
    }
    let more = others.count > 8 ? ", …" : ""
    return "it has \(others.prefix(8).joined(separator: ", "))\(more)"
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

extension ExactString {
  /// The text with another ending; nil where it does not end in `.ending`.
  fileprivate func replacingLast(_ ending: ExactString, by other: ExactString) -> ExactString? {
    hasSuffix("." + ending) ? removingSuffix(ending).map { $0 + other } : nil
  }
}
