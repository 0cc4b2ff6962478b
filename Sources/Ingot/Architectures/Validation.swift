internal import Tensors

/// How a checkpoint fits its architecture: `ingot validate`.
public struct Validation: Sendable {
  /// A tensor of another shape than the architecture's.
  public struct Mismatch: Sendable, Hashable {
    /// The tensor.
    public let name: ExactString
    /// The shape that the architecture gives it.
    public let expected: Shape
    /// The shape that it has.
    public let found: Shape
  }

  /// The model and how its tensors were understood.
  public let source: ModelSource
  /// The names that should be there and are not.
  public let missing: [ExactString]
  /// The names that nothing explains.
  public let unexpected: [ExactString]
  /// The tensors of other shapes.
  public let mismatched: [Mismatch]
  /// For a missing name the unexpected ones that are nearest to it.
  public let suggestions: [(missing: ExactString, nearest: ExactString)]
  /// The names of buffers.
  public let buffers: [ExactString]
  /// The parameters that the architecture has, tied ones once.
  public let expectedParameters: Int
  /// The parameters that the checkpoint has, tied ones once and buffers apart.
  public let foundParameters: Int
  /// The count that was asked for.
  public let askedParameters: Int?
  /// The 12·l·d² account.
  public let account: EstimateAccount?

  /// Looks at headers only (and at the bytes of tied weights that are stored twice).
  ///
  /// - Throws: what understanding the checkpoint as a model throws.
  public init(_ source: ModelSource, expectedParameters asked: Int? = nil) throws {
    guard let checkpoint = source.checkpoint, let reading = source.reading else {
      throw IngotError(.usage, "a configuration has no weights to validate")
    }
    self.source = source
    let table = checkpoint.table
    var missing: [ExactString] = []
    var mismatched: [Mismatch] = []
    var found = 0
    for (stored, name) in reading.tensors {
      guard let name, let tensor = table[name] else {
        if !stored.isTied { missing.append(reading.name(of: stored)) }
        continue
      }
      if tensor.shape != stored.shape {
        mismatched.append(Mismatch(name: name, expected: stored.shape, found: tensor.shape))
      }
      if !stored.isTied, !stored.isBuffer { found += tensor.shape.elementCount }
    }
    unexpected = reading.unexpected
    found += unexpected.reduce(0) { $0 + (table[$1]?.shape.elementCount ?? 0) }
    self.missing = missing
    self.mismatched = mismatched
    suggestions = missing.compactMap { name in
      NearestNames.find(name, among: reading.unexpected, count: 1).first.map { (name, $0) }
    }
    buffers = reading.buffers
    expectedParameters = source.model.weights.reduce(0) {
      $0 + ($1.tiedTo == nil && !$1.weight.isBuffer ? $1.shape.elementCount : 0)
    }
    foundParameters = found
    askedParameters = asked
    account = try EstimateAccount(source.model, ParameterCounts(source.model))
    try checkpoint.checkUnchanged()
  }

  /// The tied weights whose second copies are other weights.
  public var falseTies: [ModelSource.StoredTie] { source.ties.filter { !$0.isEqual } }

  /// Whether the counts are those of the architecture and of the user.
  public var hasExpectedParameters: Bool {
    foundParameters == expectedParameters
      && (askedParameters.map { $0 == foundParameters } ?? true)
  }

  /// Whether everything fits.
  public var isValid: Bool {
    missing.isEmpty && unexpected.isEmpty && mismatched.isEmpty && falseTies.isEmpty
      && hasExpectedParameters
  }

  /// The report that `--json` prints (`schemas/validate.schema.json`).
  public var json: JSON {
    [
      "architecture": .string(source.model.architecture.name),
      "convention": JSON(source.reading?.convention.name), "ok": .boolean(isValid),
      "configuration": source.model.configurationJSON,
      "missing": .array(missing.map(JSON.string)),
      "unexpected": .array(unexpected.map(JSON.string)),
      "mismatched": .array(
        mismatched.map {
          [
            "name": .string($0.name), "expected_shape": JSON($0.expected.dimensions),
            "found_shape": JSON($0.found.dimensions),
          ]
        }),
      "suggestions": .array(
        suggestions.map { ["missing": .string($0.missing), "nearest": .string($0.nearest)] }),
      "tied": .array(
        source.ties.map {
          ["name": .string($0.name), "to": .string($0.target), "ok": .boolean($0.isEqual)]
        }),
      "buffers": .array(buffers.map(JSON.string)),
      "parameters": [
        "expected": JSON(expectedParameters), "found": JSON(foundParameters),
        "asked": askedParameters.map { JSON($0) } ?? .null, "ok": .boolean(hasExpectedParameters),
        "estimate_12ld2": account.map { JSON($0.value) } ?? .null,
        "unexplained": account.map { JSON($0.unexplained) } ?? .null,
      ],
      "notes": .array(source.notes.map(JSON.string)),
    ]
  }
}
