internal import Tensors

/// Records what a checkpoint computes as a golden: `ingot golden`.
///
/// A golden of our own making proves that a converted file still computes what the original did. That the
/// original is computed rightly is for a golden from the framework that trained it to say.
public struct GoldenRecording: Sendable {
  /// The model and its weights.
  public let source: ModelSource
  /// The inputs by name, without `input/`.
  public let inputs: [String: Tensor]
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
    public let states: [String]
    /// The states that share their name with others, as those of shared layers do, and were left out.
    public let ambiguous: [String]

    /// The report that `--json` prints (`schemas/golden-report.schema.json`).
    public var json: JSON {
      [
        "output": .string(path), "architecture": .string(architecture),
        "precision": .string(precision.rawValue), "states": .array(states.map(JSON.string)),
        "left_out": .array(ambiguous.map(JSON.string)),
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
      : Dictionary(prefixed.map { (String($0.name.dropFirst("input/".count)), $0.tensor) }) {
        first, _ in first
      }
  }

  /// Runs the model and writes the golden.
  ///
  /// - Throws: `usage` for a bare configuration; `malformed` for inputs that do not fit the model, and
  ///   for missing weights; what writing throws. The destination is then what it was before.
  public func write(to path: String, replacing: Bool = false) throws -> Record {
    guard let checkpoint = source.checkpoint, let reading = source.reading else {
      throw IngotError(.usage, "a configuration has no weights to compute with")
    }
    _ = try WholeFile.format(of: path)
    try OutputFile.checkDestination(path, replaces: replacing)
    let threads = jobs ?? Workers.processorCount
    let computed = try checkpoint.naming { try ComputedStates(source.model) }
    var table = TensorTable()
    for (name, tensor) in inputs.sorted(by: { $0.key.precedesInUTF8($1.key) }) {
      try table.append("input/" + name, tensor)
    }
    let weights = CanonicalWeights(checkpoint.table, reading)
    let file = checkpoint.files[0]
    let pass = ForwardPass(source.model, precision: precision, jobs: threads) { role in
      try naming(file: file) { try weights.tensor(role: role) }
    }
    var states: [TensorTable.Entry] = []
    try naming(file: inputFile.path) {
      try pass.run(inputs) { state in
        guard computed.counts[state.name] ?? 1 == 1 else { return true }
        states.append(.init(name: state.name, tensor: try state.value.tensor))
        return true
      }
    }
    for state in states { try table.append(state.name, state.tensor) }
    try WholeFile.write(table, to: path, replaces: replacing, jobs: threads) {
      try inputFile.checkUnchanged()
      try checkpoint.checkUnchanged()
    }
    return Record(
      path: path, architecture: source.model.architecture.name, precision: precision,
      states: states.map(\.name),
      ambiguous: computed.names.filter { computed.counts[$0] ?? 1 > 1 })
  }
}

extension StateValue {
  /// The numbers as a tensor.
  fileprivate var tensor: Tensor {
    get throws {
      let (type, bytes): (ElementType, [UInt8]) =
        switch elements {
        case .float64(let elements): (.float64, Self.bytes(of: elements))
        case .float32(let elements): (.float32, Self.bytes(of: elements))
        }
      return try Tensor(
        elementType: type, shape: Shape(shape), source: ArraySource(bytes))
    }
  }

  /// Hosts are little-endian like canonical bytes.
  private static func bytes<Scalar: BitwiseCopyable>(of elements: [Scalar]) -> [UInt8] {
    unsafe elements.withUnsafeBytes { unsafe Array($0) }
  }
}
