public import Tensors

/// The index of a sharded safetensors checkpoint (`model.safetensors.index.json`), a convention of
/// Hugging Face's libraries.
///
/// ```
/// {"metadata": {"total_size": 24}, "weight_map": {"a": "model-00001-of-00002.safetensors", …}}
/// ```
///
/// Shards are plain names of files beside the index. Every tensor must lie where the index says, and no
/// shard may hold another. `total_size` is often wrong in published files: a difference is noted, and
/// nothing rests on it.
public struct SafetensorsIndexFormat: TensorFormat {
  /// The format has no settings.
  public init() {}

  /// The name that `--from` takes.
  public var identifier: String { "safetensors-index" }
  /// One line for `ingot formats`.
  public var summary: String {
    "index of a sharded safetensors checkpoint; written by convert --max-shard-size"
  }
  /// `.safetensors.index.json`.
  public var fileExtensions: [String] { [".safetensors.index.json", ".index.json"] }

  /// A JSON object that maps names to `.safetensors` files.
  public func recognizes(_ beginning: [UInt8], fileSize: Int) -> Bool {
    ShardIndex.recognizes(beginning, ending: ".safetensors")
  }

  /// Reads the index and the header of every shard.
  public func read(_ input: FormatInput) throws -> TensorTable {
    let index = try Index(input.source)
    guard let openSibling = input.openSibling else {
      throw IngotError(.unsupported, "a shard index needs the folder that its shards lie in")
    }
    let folder = String(input.path.dropLast(input.fileName.count))
    var shards: [ExactString: TensorTable] = [:]
    var merged = MergedMetadata(index.metadata)
    var table = TensorTable()
    for fileName in index.shardNames {
      let path = folder + fileName.text
      try naming(file: path) {
        let shard = try SafetensorsFormat().read(
          FormatInput(path: path, source: try openSibling(fileName.text), options: input.options))
        shards[fileName] = shard
        merged.add(shard.metadata)
        table.notes += shard.notes.map { "\(fileName.escapedForDisplay()): \($0)" }
      }
    }
    try index.check(shards)
    var total = 0
    for (name, fileName) in index.places {
      guard let tensor = shards[fileName]?[name] else { continue }
      try table.append(name, tensor)
      total = try total.adding(tensor.byteCount, "the size of all tensors")
    }
    table.metadata = merged.metadata
    table.notes += merged.notes
    if let stated = index.statedSize, stated != .integer(Int64(total)) {
      table.notes.append(
        "the index states a total_size of \(stated.text()), the tensors have \(total)")
    }
    return table
  }

  /// Not written by itself.
  ///
  /// - Throws: `usage`: an index belongs to its shards.
  public func plan(_ table: TensorTable, _ options: WriteOptions) throws -> WritePlan {
    throw IngotError(
      .usage, "a shard index is not written by itself",
      hint:
        "convert to OUT.safetensors with --max-shard-size; the index is written beside the shards")
  }
}

/// The content of an index file.
private struct Index {
  /// Tensor and file names in the index's order.
  var places: [(name: ExactString, fileName: ExactString)] = []
  /// Where the first of them stands.
  private var offset: Int?
  /// The files, each once, in the order in which the index first names them.
  var shardNames: [ExactString] = []
  /// What the index says beside `total_size`.
  var metadata = Metadata()
  /// `total_size` as it stands there.
  var statedSize: JSON?

  init(_ source: any ByteSource) throws {
    var seen: Set<ExactString> = []
    try ShardIndex.read(source, metadata: { try readMetadata(&$0) }) { scanner, name in
      let at = scanner.offset
      let fileName = try scanner.string()
      try naming(tensor: name) { try ShardIndex.check(fileName, at: at) }
      offset = offset ?? at
      places.append((name: name, fileName: fileName))
      if seen.insert(fileName).inserted { shardNames.append(fileName) }
    }
  }

  private mutating func readMetadata(_ scanner: inout JSONScanner) throws {
    let at = scanner.offset
    let value = try scanner.value()
    guard value != .null else { return }
    guard let members = value.object else {
      throw IngotError(.malformed, "the index's metadata is not an object", offset: at)
    }
    for member in members {
      if member.key == "total_size" {
        statedSize = member.value
      } else {
        metadata[member.key] = member.value
      }
    }
  }

  /// Checks that the shards hold exactly what the index lists.
  ///
  /// - Throws: `malformed` naming every tensor that is elsewhere, nowhere, or not listed.
  func check(_ shards: [ExactString: TensorTable]) throws {
    var faults: [String] = []
    for (name, fileName) in places where shards[fileName]?[name] == nil {
      faults.append("'\(name.escapedForDisplay())' is not in \(fileName.escapedForDisplay())")
    }
    // No name is listed twice: where each is found and as many are held, none is left over.
    let held = shardNames.reduce(0) { $0 + (shards[$1]?.entries.count ?? 0) }
    if faults.isEmpty, held == places.count { return }
    let listed = Dictionary(
      places.map { ($0.name, $0.fileName) }, uniquingKeysWith: { first, _ in first })
    for fileName in shardNames {
      for entry in shards[fileName]?.entries ?? [] where listed[entry.name] != fileName {
        faults.append(
          "'\(entry.name.escapedForDisplay())' in \(fileName.escapedForDisplay()) is not listed")
      }
    }
    let more = faults.count > 20 ? " and \(faults.count - 20) more" : ""
    throw IngotError(
      .malformed,
      "index and shards disagree: " + faults.prefix(20).joined(separator: ", ") + more,
      offset: offset ?? 0)
  }
}

/// The metadata of the index and of all shards as one.
private struct MergedMetadata {
  private(set) var metadata: Metadata
  private(set) var notes: [String] = []
  private var conflicts: Set<ExactString> = []

  init(_ metadata: Metadata) { self.metadata = metadata }

  mutating func add(_ other: Metadata) {
    for (key, value) in other.sorted {
      guard let known = metadata[key] else {
        metadata[key] = value
        continue
      }
      if known != value, conflicts.insert(key).inserted {
        notes.append(
          "the shards disagree on the metadata key '\(key.escapedForDisplay())'; the first value is kept"
        )
      }
    }
  }
}
