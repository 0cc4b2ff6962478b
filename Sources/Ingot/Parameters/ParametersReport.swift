/// Where a model's parameters are and what it costs: `ingot params`.
public struct ParametersReport: Sendable {
  /// What a user may choose.
  public struct Options: Sendable {
    /// How many sequences a forward pass is counted for.
    public var batch = 1
    /// Their length; nil is the model's usual one.
    public var sequence: Int?
    /// The element type of weights, activations and cache; nil is the checkpoint's, or float32.
    public var elementType: ElementType?

    /// The usual: one sequence of the model's own length.
    public init() {}
  }

  /// The model; nil where the architecture cannot be told.
  public let model: Model?
  /// The exact counts.
  public let counts: ParameterCounts
  /// 12·l·d² beside the exact count; nil without transformer layers.
  public let estimate: EstimateAccount?
  /// The FLOPs; nil without a model.
  public let cost: ForwardCost?
  /// The memory; nil without a model.
  public let memory: MemoryEstimate?
  /// The element type of weights, activations and cache.
  public let elementType: ElementType
  /// The size of all parameters in bytes.
  public let weightBytes: Int
  /// What a user should know, one sentence each.
  public let notes: [String]

  /// Counts a model.
  ///
  /// - Parameters:
  ///   - buffers: The elements of tensors in its checkpoint that are no parameters.
  ///   - storedType: The element type of its checkpoint.
  /// - Throws: `malformed` for sizes that do not fit together or a sequence longer than the model's
  ///   positions; `usage` for a batch or a sequence of 0.
  public init(
    _ model: Model, _ options: Options = Options(), buffers: Int = 0,
    storedType: ElementType? = nil, notes: [String] = []
  ) throws {
    var notes = notes
    let elementType = options.elementType ?? storedType ?? .float32
    let (batch, sequence) = (options.batch, try options.sequence ?? model.usualSequence)
    guard batch > 0, sequence > 0 else {
      throw IngotError(.usage, "a forward pass needs a batch and a sequence of 1 or more")
    }
    self.model = model
    self.elementType = elementType
    counts = try ParameterCounts(model, buffers: buffers)
    estimate = try EstimateAccount(model, counts)
    let (cost, memory) = try model.cost(
      counts, batch: batch, sequence: sequence, elementType: elementType)
    self.cost = cost
    self.memory = memory
    weightBytes = memory.weights
    if let asked = options.sequence, asked != cost.sequence {
      notes.append("the sequence is \(cost.sequence): pictures are of the model's own size")
    }
    self.notes = notes
  }

  /// Counts the tensors of a checkpoint that is no known model.
  ///
  /// - Throws: `malformed` for sums above 2^63.
  public init(_ table: TensorTable, _ options: Options = Options(), notes: [String] = []) throws {
    let aliases = table.aliasTargets()
    var sizes: [(dimensions: Int, elements: Int)] = []
    var tied = 0
    for (entry, alias) in zip(table.entries, aliases) {
      let elements = entry.tensor.shape.elementCount
      if alias == nil {
        sizes.append((entry.tensor.shape.rank, elements))
      } else {
        tied = try tied.adding(elements, "the number of shared elements")
      }
    }
    model = nil
    counts = try ParameterCounts(tensors: sizes, tied: tied)
    estimate = nil
    cost = nil
    memory = nil
    elementType = options.elementType ?? table.usualElementType ?? .float32
    weightBytes = try MemoryEstimate.bytes(of: counts.total, elementType.layout)
    self.notes = notes
  }

}

extension ParametersReport {
  /// Counts what lies at a path: a checkpoint, or a bare configuration.
  ///
  /// A checkpoint whose architecture cannot be told is counted tensor by tensor, unless the user said
  /// what it is.
  /// - Throws: what opening and understanding it throws.
  public init(
    path: String, format: String? = nil, reading: ReadOptions = ReadOptions(),
    model modelOptions: ModelOptions = ModelOptions(), options: Options = Options()
  ) throws {
    let source: ModelSource
    do {
      source = try ModelSource(
        path: path, format: format, reading: reading, model: modelOptions)
    } catch let error as IngotError where error.errorClass == .unsupported {
      guard modelOptions.architecture == nil, modelOptions.configuration == nil,
        !modelOptions.isStrict,
        let checkpoint = try? Checkpoint(path: path, format: format, options: reading)
      else { throw error }
      self = try checkpoint.naming {
        try ParametersReport(
          checkpoint.table, options, notes: ["counted from the file alone: \(error.message)"])
      }
      return
    }
    try self.init(source, options)
  }

  /// Counts a model and what its checkpoint holds beside it.
  ///
  /// - Throws: as `init(_:_:buffers:storedType:notes:)`.
  public init(_ source: ModelSource, _ options: Options = Options()) throws {
    guard let checkpoint = source.checkpoint, let reading = source.reading else {
      try self.init(source.model, options, notes: source.notes)
      return
    }
    let table = checkpoint.table
    self = try checkpoint.naming {
      var buffers = 0
      for name in reading.buffers {
        buffers = try buffers.adding(
          table[name]?.shape.elementCount ?? 0, "the number of buffer elements")
      }
      let missing = reading.tensors.filter { $0.name == nil && !$0.stored.isTied }.count
      var notes = source.notes
      if missing > 0 || !reading.unexpected.isEmpty {
        notes.append(
          "the counts are the architecture's; the file lacks \(missing) of its tensors and has "
            + "\(reading.unexpected.count) others ('ingot validate' names them)")
      }
      return try ParametersReport(
        source.model, options, buffers: buffers, storedType: table.usualElementType, notes: notes)
    }
  }
}

extension TensorTable {
  /// The element type that most elements have.
  var usualElementType: ElementType? {
    var elements: [ElementType: Double] = [:]
    for entry in entries {
      elements[entry.tensor.elementType, default: 0] += Double(entry.tensor.shape.elementCount)
    }
    return ElementType.allCases.filter { elements[$0] != nil }
      .max { (elements[$0] ?? 0) < (elements[$1] ?? 0) }
  }
}
