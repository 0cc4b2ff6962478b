public import Tensors

/// Cuts a table into several files: `model-00001-of-0000N.safetensors` and an index that says which
/// tensor lies in which file, as Hugging Face's libraries write and read them.
package enum SafetensorsShards {
  private static let ending = ".safetensors"

  /// The names of `count` shards of a file that would be called `fileName`.
  package static func fileNames(for fileName: String, count: Int) -> [String] {
    let stem = fileName.hasSuffix(ending) ? String(fileName.dropLast(ending.count)) : fileName
    func digits(_ number: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, 5 - text.count)) + text
    }
    return (1...max(1, count)).map { "\(stem)-\(digits($0))-of-\(digits(count))\(ending)" }
  }

  /// The name of the index of a file that would be called `fileName`.
  package static func indexName(for fileName: String) -> String {
    (fileName.hasSuffix(ending) ? fileName : fileName + ending) + ".index.json"
  }

  /// The text of the index: the bytes of all tensors, and the file of each by name.
  package static func index(
    _ table: TensorTable, shards: [[Int]], fileNames: [String]
  ) -> [UInt8] {
    var places: [JSON.Member] = []
    var total = 0
    for (shard, fileName) in zip(shards, fileNames) {
      for index in shard {
        let entry = table.entries[index]
        places.append(JSON.Member(entry.name, .string(fileName)))
        total += entry.tensor.byteCount
      }
    }
    places.sort { $0.key.precedesInUTF8($1.key) }
    // Laid out as `json.dumps(index, indent=2)` does, so that the file reads like everyone's.
    let lines = places.map {
      "    \(JSON.string($0.key).text()): \($0.value.text())"
    }
    var text = "{\n  \"metadata\": {\n    \"total_size\": \(total)\n  },\n  \"weight_map\": {"
    text += lines.isEmpty ? "}" : "\n" + lines.joined(separator: ",\n") + "\n  }"
    return Array((text + "\n}\n").utf8)
  }
}

extension SafetensorsFormat: ShardedFormat {
  /// `*.safetensors.index.json`.
  public var indexFormat: any TensorFormat { SafetensorsIndexFormat() }

  /// `model-00001-of-0000N.safetensors` and `model.safetensors.index.json`.
  public func shards(
    of table: TensorTable, maximumBytes: Int, fileName: String
  ) throws -> ShardSet {
    let shards = table.partition(maximumBytes: maximumBytes)
    let names = SafetensorsShards.fileNames(for: fileName, count: shards.count)
    return ShardSet(
      files: try zip(names, shards).map { name, indexes in
        (name, try table.replacingEntries(indexes.map { table.entries[$0] }))
      },
      fileFormat: self, indexName: SafetensorsShards.indexName(for: fileName),
      index: SafetensorsShards.index(table, shards: shards, fileNames: names))
  }
}
