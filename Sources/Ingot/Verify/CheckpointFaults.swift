internal import Tensors

/// What makes a checkpoint fail before anything is computed.
public struct CheckpointFaults: Sendable {
  /// A weight with values that are no numbers.
  public struct NotFinite: Sendable, Hashable {
    /// The tensor.
    public let name: ExactString
    /// How many values are NaN.
    public let nan: Int
    /// How many are infinite.
    public let infinite: Int

    /// The fault in a line.
    var line: String { "not finite: \(name): \(nan) NaN, \(infinite) infinite" }

    /// Those of a table.
    static func find(in table: TensorTable, jobs: Int) throws -> [NotFinite] {
      let statistics = try TensorStatistics.compute(table, jobs: jobs)
      return zip(table.entries, statistics).compactMap { entry, statistics in
        guard let statistics, statistics.nan + statistics.infinite > 0 else { return nil }
        return NotFinite(name: entry.name, nan: statistics.nan, infinite: statistics.infinite)
      }
    }
  }

  /// The names that should be there and are not.
  public let missing: [ExactString]
  /// The names that nothing explains.
  public let unexpected: [ExactString]
  /// The tensors of other shapes.
  public let mismatched: [Validation.Mismatch]
  /// The tied weights whose second copies are other weights.
  public let falselyTied: [ExactString]
  /// The weights that hold NaN or infinities.
  public let notFinite: [NotFinite]

  init(_ source: ModelSource, jobs: Int) throws {
    self.init(try Validation(source), notFinite: try Self.notFinite(source, jobs: jobs))
  }

  init(_ validation: Validation, notFinite: [NotFinite] = []) {
    missing = validation.missing
    unexpected = validation.unexpected
    mismatched = validation.mismatched
    falselyTied = validation.falseTies.map(\.name)
    self.notFinite = notFinite
  }

  /// Whether there is none.
  public var isEmpty: Bool { lines.isEmpty }

  /// Whether there are not the weights to compute with.
  var preventsRunning: Bool { !missing.isEmpty || !mismatched.isEmpty }

  /// A line for each.
  public var lines: [String] {
    missing.map { "missing: \($0)" } + unexpected.map { "unexpected: \($0)" }
      + mismatched.map {
        "of another shape: \($0.name): expected \($0.expected), found \($0.found)"
      }
      + falselyTied.map { "tied by the configuration, other bytes: \($0)" }
      + notFinite.map(\.line)
  }

  /// Also values that the golden's inputs never touch, such as the rows of other tokens, must be numbers.
  private static func notFinite(_ source: ModelSource, jobs: Int) throws -> [NotFinite] {
    guard let checkpoint = source.checkpoint, let reading = source.reading else { return [] }
    var weights = TensorTable()
    for (stored, name) in reading.tensors where !stored.isBuffer {
      guard let name, let tensor = checkpoint.table[name], tensor.elementType.kind == .float,
        tensor.obstacle == nil, weights[name] == nil
      else { continue }
      try weights.append(name, tensor)
    }
    return try NotFinite.find(in: weights, jobs: jobs)
  }

  /// The object in reports.
  var json: JSON {
    [
      "ok": .boolean(isEmpty), "missing": .array(missing.map(JSON.string)),
      "unexpected": .array(unexpected.map(JSON.string)),
      "mismatched": .array(
        mismatched.map {
          [
            "name": .string($0.name), "expected_shape": JSON($0.expected.dimensions),
            "found_shape": JSON($0.found.dimensions),
          ]
        }),
      "falsely_tied": .array(falselyTied.map(JSON.string)),
      "not_finite": .array(
        notFinite.map {
          ["name": .string($0.name), "nan": JSON($0.nan), "inf": JSON($0.infinite)]
        }),
    ]
  }
}
