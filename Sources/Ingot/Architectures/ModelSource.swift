internal import Tensors

/// A model and where it was found: a checkpoint understood by an architecture, or a bare configuration.
public struct ModelSource: Sendable {
  /// The checkpoint, nil for a bare configuration.
  public let checkpoint: Checkpoint?
  /// The model.
  public let model: Model
  /// What each tensor of the checkpoint is.
  public let reading: ModelReading?
  /// The tied weights that are stored a second time, and whether the bytes agree.
  public let ties: [StoredTie]
  /// The configurations that it was understood by, the most binding first.
  let documents: [ConfigurationDocument]
  /// What the configurations say and nothing reads.
  public let findings: [ConfigurationFinding]

  /// A tied weight that a checkpoint stores all the same.
  public struct StoredTie: Sendable {
    /// The tensor.
    public let name: ExactString
    /// The role of the weight that it is tied to.
    public let target: String
    /// Whether the two hold the same bytes.
    public let isEqual: Bool
  }

  /// Opens the weights, or the configuration, at `path`.
  ///
  /// - Throws: what opening throws, and what understanding it as a model throws.
  public init(
    path: String, format: String? = nil, reading options: ReadOptions = ReadOptions(),
    model modelOptions: ModelOptions = ModelOptions()
  ) throws {
    if format == nil, let document = try Self.bareConfiguration(path) {
      let documents = try ModelDocuments.all(modelOptions, nil) + [document]
      self = try Tensors.naming(file: path) {
        try ModelSource(
          nil, Self.model(documents, modelOptions), nil, [], documents,
          isStrict: modelOptions.isStrict)
      }
    } else {
      try self.init(Checkpoint(path: path, format: format, options: options), modelOptions)
    }
  }

  /// Understands an opened checkpoint.
  ///
  /// - Throws: `unsupported` for a model that cannot be told, `malformed` for contradictions, `usage` for
  ///   a value that must be given.
  public init(_ checkpoint: Checkpoint, _ options: ModelOptions) throws {
    try self.init(
      checkpoint, options, documents: ModelDocuments.all(options, checkpoint))
  }

  /// Understands an opened checkpoint by configurations that are at hand.
  ///
  /// - Throws: as the other initialiser does.
  init(
    _ checkpoint: Checkpoint, _ options: ModelOptions, documents: [ConfigurationDocument]
  ) throws {
    let (reading, ties) = try checkpoint.naming {
      try Self.understand(checkpoint.table, documents, options)
    }
    self = try checkpoint.naming {
      try ModelSource(
        checkpoint, reading.model, reading, ties, documents, isStrict: options.isStrict)
    }
  }

  private init(
    _ checkpoint: Checkpoint?, _ model: Model, _ reading: ModelReading?, _ ties: [StoredTie],
    _ documents: [ConfigurationDocument], isStrict: Bool
  ) throws {
    findings = documents.flatMap { $0.findings(for: model.architecture) }
    if let other = findings.first(where: \.changesWeights) {
      throw IngotError(.unsupported, other.message)
    }
    if isStrict, let unknown = findings.first(where: { $0.kind == .unknown }) {
      throw IngotError(.unsupported, "--strict: \(unknown.message)")
    }
    self.documents = documents
    self.checkpoint = checkpoint
    self.model = model
    self.reading = reading
    self.ties = ties
  }

  /// The configuration that a path is of, or nil where it is a checkpoint.
  private static func bareConfiguration(_ path: String) throws -> ConfigurationDocument? {
    if let inside = try ModelFolder.bareConfiguration(in: path) {
      return try ModelDocuments.read(inside)
    }
    guard path.hasSuffix(".json"), !path.hasSuffix(".index.json"), !path.hasSuffix(".weights.json")
    else { return nil }
    return try ModelDocuments.read(path)
  }

  private static func model(
    _ documents: [ConfigurationDocument], _ options: ModelOptions
  ) throws -> Model {
    let candidates = try ModelReading.candidates(options.candidates, documents)
    guard candidates.count == 1 else {
      throw IngotError(
        .unsupported,
        candidates.count == Architecture.all.count
          ? "the configuration does not say of which architecture it is"
          : "the configuration is of \(candidates.map(\.name).joined(separator: " or "))",
        hint: "say which with --architecture")
    }
    return try Model(
      candidates[0],
      ModelReading.given(candidates[0], documents, options.settings(for: candidates[0])))
  }

  private static func understand(
    _ table: TensorTable, _ documents: [ConfigurationDocument], _ options: ModelOptions
  ) throws -> (ModelReading, [StoredTie]) {
    func read(_ settled: Configuration) throws -> ModelReading {
      try ModelReading.read(table, as: options.candidates, documents: documents) { architecture in
        var settings = try options.settings(for: architecture)
        settings.merge(settled)
        return settings
      }
    }
    let reading = try read(Configuration())
    let (ties, settled) = try TiedWeights.compare(reading, table)
    // A second copy that no configuration speaks of is a tie where the bytes are the same.
    return (settled.entries.isEmpty ? reading : try read(settled), ties)
  }
}

extension ModelSource {
  /// What a user should know of the configurations, one sentence each.
  public var notes: [String] { findings.map(\.message) }

  /// Checks that what the configurations say is what is computed.
  ///
  /// - Throws: `unsupported` naming a key that says otherwise, its value, and what is computed.
  func checkComputable() throws {
    guard let other = findings.first(where: { $0.kind == .unsupported }) else { return }
    throw IngotError(.unsupported, other.message, file: checkpoint?.files[0])
  }
}

extension Model {
  /// Every parameter with its value and source, as reports have them.
  public var configurationJSON: JSON {
    .object(
      values.map { name, entry in
        JSON.Member(
          ExactString(name), ["value": entry.value.json, "source": .string(entry.source)])
      })
  }
}
