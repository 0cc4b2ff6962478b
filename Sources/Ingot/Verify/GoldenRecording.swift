internal import Tensors

/// Records what a checkpoint computes as a golden: `ingot golden`.
///
/// A golden of our own making proves that a converted file still computes what the original did. That the
/// original is computed rightly is for a golden from the framework that trained it to say.
public struct GoldenRecording: Sendable {
  /// The model and its weights.
  public let source: ModelSource
  /// The inputs by name, without `input/`.
  public let inputs: [ExactString: Tensor]
  /// The arithmetic, and the type that the states are stored in.
  public var precision: Precision = .float64
  /// Threads to use; one per processor where nil.
  public var jobs: Int?
  private let inputFile: Checkpoint

  /// What was recorded.
  public struct Record: Sendable {
    /// The golden.
    public let path: String
    /// The architecture.
    public let architecture: String
    /// The arithmetic.
    public let precision: Precision
    /// The names of the states.
    public let states: [ExactString]
    /// The states that share their name with others, as those of shared layers do, and were left out.
    public let ambiguous: [ExactString]
    /// What a user should know of the configuration, one sentence each.
    public let notes: [String]

    /// The report that `--json` prints (`schemas/golden-report.schema.json`).
    public var json: JSON {
      [
        "output": .string(path), "architecture": .string(architecture),
        "precision": .string(precision.rawValue), "states": .array(states.map(JSON.string)),
        "left_out": .array(ambiguous.map(JSON.string)), "notes": .array(notes.map(JSON.string)),
      ]
    }
  }

  /// Prepares to record.
  ///
  /// - Parameter inputFile: A container of `input/…`; the states of a golden are passed over. Where no
  ///   name has that prefix, all tensors are inputs.
  public init(_ source: ModelSource, inputs inputFile: Checkpoint) {
    self.source = source
    self.inputFile = inputFile
    let entries = inputFile.table.entries
    let prefixed = entries.filter { $0.name.hasPrefix("input/") }
    inputs =
      prefixed.isEmpty
      ? Dictionary(entries.map { ($0.name, $0.tensor) }) { first, _ in first }
      : Dictionary(
        prefixed.map { ($0.name.removingPrefix("input/") ?? $0.name, $0.tensor) }
      ) { first, _ in first }
  }

  /// Runs the model and writes the golden.
  ///
  /// - Throws: `usage` for a bare configuration; `malformed` for inputs that do not fit the model, and
  ///   for missing weights; what writing throws. The destination is then what it was before.
  public func write(to path: String, replacing: Bool = false) throws -> Record {
    guard let checkpoint = source.checkpoint, let reading = source.reading else {
      throw IngotError(.usage, "a configuration has no weights to compute with")
    }
    try source.checkComputable()
    _ = try WholeFile.format(of: path)
    try OutputFile.checkDestination(path, replaces: replacing)
    let threads = jobs ?? Workers.processorCount
    var table = TensorTable()
    for (name, tensor) in inputs.sorted(by: { $0.key < $1.key }) {
      try table.append("input/" + name, tensor)
    }
    let recorded = try naming(file: inputFile.path) {
      try RecordedStates(checkpoint, reading, inputs, precision: precision, jobs: threads)
    }
    for state in recorded.states.entries { try table.append(state.name, state.tensor) }
    try WholeFile.write(table, to: path, replaces: replacing, jobs: threads) {
      try inputFile.checkUnchanged()
      try checkpoint.checkUnchanged()
    }
    return Record(
      path: path, architecture: source.model.architecture.name, precision: precision,
      states: recorded.states.entries.map(\.name), ambiguous: recorded.ambiguous,
      notes: source.notes)
  }
}

/// Every state that a checkpoint's model makes of inputs, in the order of computing.
struct RecordedStates {
  private(set) var states = TensorTable()
  /// The states that share their name with others, as those of shared layers do, and are left out.
  let ambiguous: [ExactString]

  /// Runs the model.
  ///
  /// - Parameter type: What to round the weights to; nil takes them as they are.
  /// - Throws: what the forward pass throws; what lies with the weights names the checkpoint.
  init(
    _ checkpoint: Checkpoint, _ reading: ModelReading, _ inputs: [ExactString: Tensor],
    roundedTo type: ElementType? = nil, precision: Precision, jobs: Int
  ) throws {
    let file = checkpoint.files[0]
    let computed = try naming(file: file) { try ComputedStates(reading.model) }
    ambiguous = computed.names.filter { computed.counts[$0] ?? 1 > 1 }
    let weights = CanonicalWeights(checkpoint.table, reading)
    let pass = ForwardPass(reading.model, precision: precision, jobs: jobs) { role in
      try naming(file: file) {
        let weight = try weights.tensor(role: role)
        return try type.map { try weight.cast(to: $0) } ?? weight
      }
    }
    var store = StateStore()
    try pass.run(inputs) { state in
      guard computed.counts[state.name] ?? 1 == 1 else { return true }
      try states.append(ExactString(state.name), store.keep(state.value))
      return true
    }
  }
}

/// Keeps states until they are written or compared, large ones in a temporary file: a model makes far
/// more of them than it holds at a time.
private struct StateStore {
  /// Smaller ones stay in memory.
  private static let largeByteCount = 256 << 10

  private var file: SpoolFile?
  private var end = 0

  mutating func keep(_ value: StateValue) throws -> Tensor {
    let type = value.elementType
    let shape = try Shape(value.shape)
    let byteCount = try shape.byteCount(of: type)
    guard byteCount >= Self.largeByteCount else {
      return switch value.elements {
      case .float64(let elements): try Tensor(elements, shape: value.shape)
      case .float32(let elements): try Tensor(elements, shape: value.shape)
      }
    }
    let file = try file ?? SpoolFile(folder: nil)
    self.file = file
    let start = end
    try value.withBytes { try file.write($0, at: start) }
    end += byteCount
    return try Tensor(
      elementType: type, shape: shape,
      source: SpooledRange(file, at: start, byteCount: byteCount))
  }
}
