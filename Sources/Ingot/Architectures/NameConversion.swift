internal import Tensors

/// Brings a table into another convention's names and layouts: `ingot convert --names`.
public struct NameConversion: Sendable {
  /// The source's convention.
  public let from: String
  /// The architecture.
  public let architecture: String
  /// What became of every name.
  public let respelling: Respelling
  /// Metadata keys that belong to the source's names and say nothing about the result's.
  public let droppedMetadata: [ExactString]
  /// What the result's ecosystem computes otherwise with the same weights.
  public let notes: [String]
  let table: TensorTable

  /// Renames and lays out the weights of `checkpoint`.
  ///
  /// - Parameters:
  ///   - table: Its tensors, or those of them that were chosen.
  ///   - convention: The name of the convention to bring them into.
  ///   - allowed: Globs of names that may stay although nothing explains them.
  /// - Throws: `unsupported` for an unknown convention, and `UnmappedNames` where anything is left over.
  init(
    _ checkpoint: Checkpoint, _ table: TensorTable, to convention: String,
    allowing allowed: [ExactString],
    _ options: ModelOptions
  ) throws {
    var checkpoint = checkpoint
    checkpoint.table = table
    let source = try ModelSource(checkpoint, options)
    try source.checkComputable()
    guard let reading = source.reading else { throw IngotError(.internal, "nothing was read") }
    let model = source.model
    if let tie = source.ties.first(where: { !$0.isEqual }) {
      throw IngotError(
        .malformed, "the configuration ties it to '\(tie.target)', the bytes differ",
        file: checkpoint.files[0], tensor: tie.name)
    }
    guard let target = model.architecture[convention: convention] else {
      let names = model.architecture.conventions.map(\.name)
      throw IngotError(
        .unsupported,
        "\(model.architecture.name) has no convention '\(convention.escapedForDisplay())'",
        hint: NearestNames.hint(ExactString(convention), among: names.map { ExactString($0) })
          ?? "it has \(names.joined(separator: ", "))")
    }
    from = reading.convention.name
    architecture = model.architecture.name
    let fixed = try model.fixedElsewhere(in: target).map { it in
      "\(target.name) of \(model.architecture.name) always has '\(it.parameter)' \(it.fixed), "
        + "this model has \(it.entry.value) (\(it.entry.source.escapedForDisplay(limit: 80)))"
    }
    let selection = Selection(include: allowed)
    respelling = try Respelling(table, reading, to: target) { name in
      !allowed.isEmpty && selection.selects(name)
    }
    notes = source.notes + fixed + respelling.notes
    let obstacles = respelling.obstacles
    guard obstacles.isEmpty else { throw UnmappedNames(respelling, obstacles, reading, checkpoint) }
    var result = try table.replacingEntries(respelling.entries)
    // Attributes and texts of Keras and HDF5 speak of the paths that are no more.
    droppedMetadata = result.metadata.sorted.map(\.key).filter { key in
      key.contains("@") || ["config.json", "metadata.json"].contains(key)
    }
    for key in droppedMetadata { result.metadata[key] = nil }
    result.metadata[ModelDocuments.nativeKey] = respelling.model.nativeConfiguration
    // transformers loads safetensors only where this says which framework the layouts are of.
    if target.name == "huggingface" { result.metadata["format"] = .string("pt") }
    self.table = result
  }
}

extension Model {
  /// The configuration with the parameters' own names, as the native format and conversions keep it.
  var nativeConfiguration: JSON {
    .object(
      [JSON.Member("architecture", .string(architecture.name))]
        + values.map { JSON.Member(ExactString($0.name), $0.entry.value.json) })
  }
}

/// Names that no weight has, or weights that no name has, under `--names`: what happened to every name
/// is part of the failure.
public struct UnmappedNames: Error {
  /// What became of every name.
  public let respelling: Respelling
  /// The failure in a line.
  public let error: IngotError

  init(
    _ respelling: Respelling, _ obstacles: [Respelling.Row], _ reading: ModelReading,
    _ checkpoint: Checkpoint
  ) {
    self.respelling = respelling
    func names(_ remark: Respelling.Remark) -> [ExactString] {
      obstacles.filter { $0.remark == remark }.map { $0.from[0] }
    }
    let unmapped = names(.unmapped)
    let missing = names(.missing)
    let parts = [
      ("unmapped", unmapped), ("missing", missing), ("of another shape", names(.mismatched)),
    ].compactMap { word, names in
      names.isEmpty
        ? nil
        : "\(names.count) \(word) ('\(names[0].escapedForDisplay())'\(names.count > 1 ? ", …" : ""))"
    }
    let near = missing.lazy.compactMap { name in
      NearestNames.find(name, among: unmapped, count: 1).first.map { (name, $0) }
    }.first
    error = IngotError(
      .unsupported,
      "names of \(reading.convention.name) for \(reading.model.architecture.name): "
        + parts.joined(separator: ", "), file: checkpoint.files[0],
      hint: near.map {
        "is '\($0.1.escapedForDisplay())' meant as '\($0.0.escapedForDisplay())'?"
      } ?? (missing.isEmpty ? "--allow-unmapped GLOB takes such tensors over as they are" : nil))
  }
}
