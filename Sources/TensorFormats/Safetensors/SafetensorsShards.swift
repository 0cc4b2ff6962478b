package import Tensors

/// Cuts a table into several files: `model-00001-of-0000N.safetensors` and an index that says which
/// tensor lies in which file, as Hugging Face's libraries write and read them.
package enum SafetensorsShards {
  private static let ending = ".safetensors"

  /// The entries of each shard, in the table's order.
  ///
  /// A shard is closed where the next tensor would take it above `maximumBytes` of tensor data; a tensor
  /// larger than that has a shard of its own.
  package static func partition(_ table: TensorTable, maximumBytes: Int) -> [[Int]] {
    var shards: [[Int]] = []
    var room = 0
    for (index, entry) in table.entries.enumerated() {
      let size = entry.tensor.byteCount
      if shards.isEmpty || size > room {
        shards.append([])
        room = max(0, maximumBytes)
      }
      shards[shards.count - 1].append(index)
      room -= min(size, room)
    }
    return shards
  }

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
