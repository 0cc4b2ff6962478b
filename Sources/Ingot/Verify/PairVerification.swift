internal import Tensors

/// Runs two checkpoints on the same seeded inputs and compares every state: `ingot verify A --against B`.
///
/// The second one is the reference: what it computes stands for a golden. Formats, names and layouts may
/// differ, architecture and configuration may not. Either may leave its configuration to the other's:
/// each is read by the documents of both, its own before the other's, and a contradiction is refused.
///
/// Weights that both store in one type must be the same, so that the tolerance is that of the arithmetic
/// alone; where one is stored in a coarser type than its counterpart, as in a float16 copy, that type's
/// rounding counts, and what it does to this model is measured on the reference.
public struct PairVerification: Sendable {
  /// The checkpoint.
  public let source: ModelSource
  /// What it is compared with.
  public let reference: ModelSource
  /// The arithmetic.
  public var precision: Precision = .float64
  /// The relative tolerance in place of that of the stored types.
  public var relativeTolerance: Double?
  /// The absolute tolerance in place of that of the stored types.
  public var absoluteTolerance: Double?
  /// Where the inputs are drawn from.
  public var seed: UInt64 = 0
  /// The length of the longest sequence; nil is 32, or the model's positions where they are fewer.
  public var sequence: Int?
  /// How many times over the search for suspects may read the weights; see `Verification`.
  public var suspectPasses: Int?
  /// Threads to use; one per processor where nil.
  public var jobs: Int?

  /// Understands both checkpoints.
  ///
  /// - Parameter options: Architecture and settings are said of both, a configuration of the first.
  /// - Throws: what understanding a checkpoint as a model throws; `malformed` where the two are
  ///   different models, naming what differs.
  public init(
    _ checkpoint: Checkpoint, against other: Checkpoint, _ options: ModelOptions = ModelOptions()
  ) throws {
    var otherOptions = options
    otherOptions.configuration = nil
    let own = try ModelDocuments.all(options, checkpoint)
    let others = try ModelDocuments.all(otherOptions, other)
    source = try ModelSource(
      checkpoint, options, documents: own + others.map { try $0.renamed(of: other) })
    reference = try ModelSource(
      other, otherOptions, documents: others + own.map { try $0.renamed(of: checkpoint) })
    try Self.checkAgreement(source.model, checkpoint.path, reference.model, other.path)
  }

  private static func checkAgreement(
    _ model: Model, _ path: String, _ other: Model, _ otherPath: String
  ) throws {
    guard model.architecture == other.architecture else {
      throw IngotError(
        .malformed,
        "is of \(model.architecture.name), \(otherPath) of \(other.architecture.name): they "
          + "cannot be compared", file: path)
    }
    let values = Dictionary(other.values.map { ($0.name, $0.entry) }) { first, _ in first }
    for (name, entry) in model.values {
      guard let counterpart = values[name], counterpart.value != entry.value else { continue }
      throw IngotError(
        .malformed,
        "'\(name)' is \(entry.value) (\(entry.source)), in \(otherPath) it is "
          + "\(counterpart.value) (\(counterpart.source)): they cannot be compared", file: path)
    }
  }

  /// Runs both and compares.
  ///
  /// - Throws: `malformed` where the reference is unsound, or the sequence longer than the positions;
  ///   `usage` where the stored types give no tolerance and none is given; what reading throws. What is
  ///   wrong with the first checkpoint is found in the report.
  public func report() throws -> VerificationReport {
    guard let other = reference.checkpoint, let reading = reference.reading else {
      throw IngotError(.internal, "a reference without weights")
    }
    try reference.checkComputable()
    let threads = jobs ?? Workers.processorCount
    let inputs = try SeededInputs(source.model, seed: seed, sequence: sequence)
    let (type, reason) = try storedPrecision()
    let faults = try other.naming { try CheckpointFaults(reference, jobs: threads) }
    if let fault = faults.lines.first {
      let more = faults.lines.count > 1 ? " (and \(faults.lines.count - 1) more)" : ""
      throw IngotError(
        .malformed, "cannot be compared with, it is unsound: \(fault)\(more)", file: other.files[0],
        hint: "'ingot validate' lists what is missing or unexpected")
    }
    let recorded = try other.naming {
      try RecordedStates(other, reading, inputs.tensors, precision: precision, jobs: threads)
    }
    let roundings = try type.map { type in
      try roundingEffects(type, on: recorded, inputs, threads)
    }
    let states = Dictionary(
      uniqueKeysWithValues: recorded.states.entries.map { ($0.name, $0.tensor) })
    var verification = Verification(
      source,
      Golden(
        path: other.path, inputs: inputs.tensors, states: states, precision: type ?? .float64,
        precisionSource: reason, roundingEffects: roundings ?? [:]))
    verification.precision = precision
    verification.relativeTolerance = relativeTolerance
    verification.absoluteTolerance = absoluteTolerance
    verification.suspectPasses = suspectPasses
    verification.jobs = jobs
    var report = try verification.report()
    report.seededInputs = inputs
    try other.checkUnchanged()
    return report
  }

  /// How far each state moves where the reference's weights are rounded.
  private func roundingEffects(
    _ type: ElementType, on recorded: RecordedStates, _ inputs: SeededInputs, _ threads: Int
  ) throws -> [ExactString: Double] {
    guard absoluteTolerance == nil, let checkpoint = reference.checkpoint,
      let reading = reference.reading
    else { return [:] }
    let rounded = try checkpoint.naming {
      try RecordedStates(
        checkpoint, reading, inputs.tensors, roundedTo: type, precision: precision, jobs: threads)
    }
    var effects: [ExactString: Double] = [:]
    for item in try Difference(recorded.states, rounded.states, jobs: threads).different {
      // Where rounding overflows, nothing is measured.
      guard let values = item.comparison, values.nanOnOneSide == 0, values.maxAbsolute.isFinite
      else { continue }
      effects[item.name] = values.maxAbsolute
    }
    return effects
  }

  /// The coarsest type that a weight is stored in on one side and not on the other; nil where there is
  /// none.
  private func storedPrecision() throws -> (type: ElementType?, reason: String) {
    let types = reference.storedTypes
    var coarsest: (type: ElementType, roundoff: Double, reason: String)?
    for (role, mine) in source.storedTypes.sorted(by: { $0.key < $1.key }) {
      guard let theirs = types[role], theirs != mine else { continue }
      let reason = "'\(role)' is stored as \(mine.name) and as \(theirs.name)"
      guard let one = Golden.roundoffs[mine], let other = Golden.roundoffs[theirs] else {
        guard relativeTolerance != nil, absoluteTolerance != nil else {
          throw IngotError(
            .usage, "\(reason), from which no tolerance follows", hint: "give --rtol and --atol")
        }
        continue
      }
      guard max(one, other) > coarsest?.roundoff ?? 0 else { continue }
      coarsest = (one > other ? mine : theirs, max(one, other), reason)
    }
    guard let coarsest else { return (nil, "both store the same types") }
    return (coarsest.type, coarsest.reason)
  }
}

extension ModelSource {
  /// The element type that each weight is stored in, by role.
  fileprivate var storedTypes: [ExactString: ElementType] {
    guard let checkpoint, let reading else { return [:] }
    var types: [ExactString: ElementType] = [:]
    for (stored, name) in reading.tensors {
      guard let name, let tensor = checkpoint.table[name] else { continue }
      for weight in stored.turns.joined() { types[weight.role] = tensor.elementType }
    }
    return types
  }
}

extension ConfigurationDocument {
  /// The same under a name that says which checkpoint it comes with.
  fileprivate func renamed(of checkpoint: Checkpoint) throws -> ConfigurationDocument {
    try ConfigurationDocument(json, name: "\(name) of \(checkpoint.path)")
  }
}
