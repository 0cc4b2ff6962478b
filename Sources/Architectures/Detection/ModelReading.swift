public import Tensors

/// A table understood as the weights of a model.
public struct ModelReading: Sendable {
  /// The model.
  public let model: Model
  /// The convention that the table's names are of.
  public let convention: Convention
  /// What stands before the names.
  public let placement: Placement
  /// Each stored tensor that the model needs, and the name that it has in the table, nil where it is
  /// missing.
  public let tensors: [(stored: StoredTensor, name: ExactString?)]
  /// The names of buffers: no weights, and computed where they are needed.
  public let buffers: [ExactString]
  /// The names that nothing explains.
  public let unexpected: [ExactString]

  init(
    _ table: TensorTable, _ model: Model, _ convention: Convention, _ placement: Placement,
    buffers: Set<ExactString>
  ) throws {
    self.model = model
    self.convention = convention
    self.placement = placement
    var used: Set<ExactString> = []
    tensors = try convention.tensors(of: model).map { stored in
      let prefix = placement.prefix(of: stored.spelling)
      let name = ([stored.name] + stored.aliases).map { prefix + $0 }.first { table[$0] != nil }
      // A tensor under both of its names is explained twice.
      used.formUnion(([stored.name] + stored.aliases).map { prefix + $0 })
      return (stored, name)
    }
    self.buffers = table.entries.map(\.name).filter { buffers.contains($0) && !used.contains($0) }
    unexpected = table.entries.map(\.name).filter { !used.contains($0) && !buffers.contains($0) }
  }

  /// The name that a stored tensor has, or would have, in the table.
  public func name(of stored: StoredTensor) -> ExactString {
    placement.prefix(of: stored.spelling) + stored.name
  }
}

extension ModelReading {
  /// Understands a table as a model.
  ///
  /// Names, shapes and documents must agree; what they leave open is told from names and shapes where
  /// it can be.
  /// - Parameters:
  ///   - table: The checkpoint.
  ///   - architectures: Those that come into question: all built-in ones, or the one that was asked for.
  ///   - documents: Configurations, the most binding first.
  ///   - settings: Values that the user gave, for the architecture that it turns out to be.
  /// - Throws: `unsupported` where the architecture cannot be told, with the candidates; `malformed` for
  ///   contradictions; `usage` for a value that must be given.
  public static func read(
    _ table: TensorTable, as architectures: [Architecture], documents: [ConfigurationDocument],
    settings: (Architecture) throws -> Configuration = { _ in Configuration() }
  ) throws -> ModelReading {
    let candidates = try Self.candidates(architectures, documents)
    let index = NameIndex(table)
    var readings: [CandidateReading] = []
    for architecture in candidates {
      for convention in architecture.conventions.map({ $0.readingLayerNames() }) {
        for placement in convention.placements(in: index) {
          readings.append(CandidateReading(table, index, architecture, convention, placement))
        }
      }
    }
    let best = try Self.best(readings, of: candidates, table, documents)
    let given = try Self.given(best.architecture, documents, settings(best.architecture))
    let model = try Model(best.architecture, best.inferred(beyond: given))
    return try ModelReading(
      table, model, best.convention, best.placement, buffers: best.buffers)
  }

  /// The architectures that the documents name, or all.
  package static func candidates(
    _ architectures: [Architecture], _ documents: [ConfigurationDocument]
  ) throws -> [Architecture] {
    guard architectures.count > 1 else {
      try checkAgreement(architectures, documents)
      return architectures
    }
    var candidates = architectures
    for document in documents where document.isModelConfiguration {
      let named = try document.recognized(among: architectures).map(\.architecture.name)
      guard !named.isEmpty else { continue }
      let agreed = candidates.filter { named.contains($0.name) }
      guard !agreed.isEmpty else {
        throw IngotError(
          .malformed,
          "the configurations contradict each other: \(documents[0].name) is of \(candidates.map(\.name).joined(separator: " or ")), \(document.name) of \(named.joined(separator: " or "))"
        )
      }
      candidates = agreed
    }
    return candidates
  }

  /// Checks that no configuration is of another built-in architecture than the one asked for.
  private static func checkAgreement(
    _ asked: [Architecture], _ documents: [ConfigurationDocument]
  ) throws {
    guard let asked = asked.first, Architecture.all.contains(asked) else { return }
    for document in documents {
      let named = try document.recognized(among: Architecture.all).map(\.architecture.name)
      guard named.isEmpty || named.contains(asked.name) else {
        throw IngotError(
          .malformed,
          "\(document.name) is of \(named.joined(separator: " or ")), asked for was \(asked.name)")
      }
    }
  }

  /// What settings and documents say, the settings before all.
  ///
  /// - Throws: `malformed` where two documents contradict each other.
  package static func given(
    _ architecture: Architecture, _ documents: [ConfigurationDocument], _ settings: Configuration
  ) throws -> Configuration {
    var given = Configuration()
    for document in documents {
      let configuration = try document.configuration(for: architecture)
      for (name, entry) in configuration.entries.sorted(by: { $0.key < $1.key }) {
        guard let other = given[name] else {
          given[name] = entry
          continue
        }
        guard other.value != entry.value, !other.isImplied, !entry.isImplied else {
          if other.isImplied { given[name] = entry }
          continue
        }
        throw IngotError(
          .malformed,
          "the configurations contradict each other: '\(name)' is \(other.value) (\(other.source)) and \(entry.value) (\(entry.source))"
        )
      }
    }
    var all = settings
    all.merge(given)
    return all
  }

  private static func best(
    _ readings: [CandidateReading], of candidates: [Architecture], _ table: TensorTable,
    _ documents: [ConfigurationDocument]
  ) throws -> CandidateReading {
    func faults(_ reading: CandidateReading) -> (Int, Int, Int) {
      (
        table.entries.count - reading.explained.union(reading.buffers).count,
        reading.absentSpellings, reading.disagreements
      )
    }
    // Something of the model must be there, not a stray name.
    let sound = readings.filter { $0.explained.count > $0.absentSpellings }
    guard let best = sound.min(by: { faults($0) < faults($1) }) else {
      if candidates.count > 1, let name = documents.lazy.compactMap(\.genericClass).first {
        throw IngotError(
          .unsupported,
          "the architecture cannot be told: a \(name) model of Keras has the names that its maker gave its layers",
          hint: "--architecture FILE takes a description with these names (schemas/architecture.md)"
        )
      }
      throw IngotError(
        .unsupported,
        candidates.count == 1
          ? "the names are of no convention of \(candidates[0].name): "
            + candidates[0].conventions.map(\.name).joined(separator: ", ")
          : "the architecture cannot be told from the names",
        hint:
          "'ingot architectures' lists what is known; --architecture and --config say what it is")
    }
    let equals = sound.filter { faults($0) == faults(best) }
    let names = candidates.map(\.name).filter { name in
      equals.contains { $0.architecture.name == name }
    }
    guard names.count == 1 else {
      throw IngotError(
        .unsupported, "the names and shapes fit \(names.joined(separator: ", ")) equally well",
        hint: "say which with --architecture or --config")
    }
    return best
  }
}

extension Configuration.Entry {
  /// Whether it is an ecosystem's default and not in the document itself.
  var isImplied: Bool { source.contains(": default of ") }
}

extension Convention {
  /// The prefixes under which the table may have names of this convention.
  func placements(in index: NameIndex) -> Set<Placement> {
    var placements: Set<Placement> = []
    // A name that stands alone in every model says what is before the others.
    for spelling in spellings where spelling.name.variables.isEmpty && !spelling.isOuter {
      for name in [spelling.name] + spelling.aliases {
        for beginning in index.beginnings(before: name.name([:])) {
          let outer = ([prefix] + (layerNames?.prefixes ?? [])).lazy
            .compactMap { beginning.removingSuffix($0) }.first
          placements.insert(Placement(inner: beginning, outer: outer ?? beginning))
        }
      }
      if !placements.isEmpty { break }
    }
    // A file has a model or a few; one made of thousands of beginnings is not worth the time.
    return Set(
      placements.sorted { ($0.inner.utf8.count, $0.inner) < ($1.inner.utf8.count, $1.inner) }
        .prefix(8))
  }
}
