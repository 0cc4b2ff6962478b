public import Tensors

extension KerasShardsFormat: ShardedFormat {
  private static let ending: ExactString = ".weights.json"

  /// The format itself: it is the index.
  public var indexFormat: any TensorFormat { self }

  /// `model_00000.weights.h5`, … in Keras 3's layout, and `model.weights.json`.
  ///
  /// A group's variables may lie in two files; its attributes go into the first.
  /// - Throws: `unsupported` for a name that is not a variable of Keras 3.
  public func shards(
    of table: TensorTable, maximumBytes: Int, fileName: String
  ) throws -> ShardSet {
    let stem =
      ExactString(fileName).removingSuffix(Self.ending) ?? ExactString(fileName)
    var files: [(name: ExactString, table: TensorTable)] = []
    var places: [(group: ExactString, files: [ExactString])] = []
    var positions: [ExactString: Int] = [:]
    var metadata = GroupMetadata(table.metadata)
    var total = 0
    for indexes in table.partition(maximumBytes: maximumBytes) {
      let digits = String(files.count)
      let name: ExactString =
        "\(stem)_\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits).weights.h5"
      let entries = indexes.map { table.entries[$0] }
      var shard = try table.replacingEntries(entries)
      shard.metadata = Metadata()
      if files.isEmpty { shard.metadata = metadata.takeUngrouped(keepingFor: table) }
      for entry in entries {
        total += entry.tensor.byteCount
        let group = Self.group(of: entry.name)
        for (key, value) in metadata.take(group) + metadata.take(entry.name) {
          shard.metadata[key] = value
        }
        if let position = positions[group] {
          if places[position].files.last != name { places[position].files.append(name) }
        } else {
          positions[group] = places.count
          places.append((group, [name]))
        }
      }
      files.append((name, shard))
    }
    return ShardSet(
      files: files, fileFormat: KerasShardFile(), indexName: "\(stem)\(Self.ending)",
      index: Self.index(places, total: total))
  }

  /// The path of the group that holds a variable.
  private static func group(of name: ExactString) -> ExactString {
    name.splitAtLast("/")?.before ?? ""
  }

  /// The text that Keras writes: `json.dumps(index, indent=4)`.
  private static func index(_ places: [(group: ExactString, files: [ExactString])], total: Int)
    -> [UInt8]
  {
    let lines = places.map { place in
      let names = place.files.map { "            \(JSON.string($0).text())" }
      return "        \(JSON.string("/" + place.group).text()): [\n"
        + names.joined(separator: ",\n") + "\n        ]"
    }
    return Array(
      """
      {
          "metadata": {
              "total_size": \(total)
          },
          "weight_map": {
      \(lines.joined(separator: ",\n"))
          }
      }
      """.utf8)
  }
}

/// One file of the set: HDF5 in Keras 3's layout, whatever arrangement was asked for.
private struct KerasShardFile: TensorFormat {
  private let file = HDF5FileFormat()

  var identifier: String { file.identifier }
  var summary: String { file.summary }
  var fileExtensions: [String] { file.fileExtensions }
  var compresses: Bool { file.compresses }

  func recognizes(_ beginning: [UInt8], fileSize: Int) -> Bool {
    file.recognizes(beginning, fileSize: fileSize)
  }

  func read(_ input: FormatInput) throws -> TensorTable { try file.read(input) }

  func plan(_ table: TensorTable, _ options: WriteOptions) throws -> WritePlan {
    var options = options
    options.arrangement = .keras
    return try file.plan(table, options)
  }
}

/// Attributes by the group that they belong to.
private struct GroupMetadata {
  private var byGroup: [ExactString: [(key: ExactString, value: JSON)]] = [:]

  init(_ metadata: Metadata) {
    for (key, value) in metadata.sorted {
      let path = key.splitAtLast("@")?.before ?? ""
      byGroup[path, default: []].append((key, value))
    }
  }

  /// The attributes of a group that were not taken yet.
  mutating func take(_ group: ExactString) -> [(key: ExactString, value: JSON)] {
    byGroup.removeValue(forKey: group) ?? []
  }

  /// The attributes of everything that is no group of variables and no variable.
  mutating func takeUngrouped(keepingFor table: TensorTable) -> Metadata {
    let kept = Set(
      table.entries.flatMap { entry in
        [entry.name, entry.name.splitAtLast("/")?.before ?? ""]
      })
    var metadata = Metadata()
    for group in byGroup.keys.filter({ !kept.contains($0) }) {
      for (key, value) in take(group) { metadata[key] = value }
    }
    return metadata
  }
}
