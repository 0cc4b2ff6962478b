public import Tensors

/// Several files, `model-00001-of-0000N.safetensors`, and an index that says which tensor lies in which,
/// as Hugging Face's libraries write and read them. Every file has all of the metadata.
extension SafetensorsFormat: ShardedFormat {
  private static let ending: ExactString = ".safetensors"

  /// `model.safetensors.index.json`.
  public var indexFormat: any TensorFormat { SafetensorsIndexFormat() }

  /// Files in the table's order, and their index.
  public func shards(
    of table: TensorTable, maximumBytes: Int, fileName: String
  ) throws -> ShardSet {
    // All offenders at once, not those of the first file.
    _ = try sorted(table)
    let stem =
      ExactString(fileName).removingSuffix(Self.ending) ?? ExactString(fileName)
    let parts = table.partition(maximumBytes: maximumBytes)
    var files: [(name: ExactString, table: TensorTable)] = []
    var places: [(tensor: ExactString, file: ExactString)] = []
    for (number, indexes) in parts.enumerated() {
      let name: ExactString =
        "\(stem)-\(Self.digits(number + 1))-of-\(Self.digits(parts.count))\(Self.ending)"
      let entries = indexes.map { table.entries[$0] }
      files.append((name: name, table: try table.replacingEntries(entries)))
      places += entries.map { (tensor: $0.name, file: name) }
    }
    let total = table.entries.reduce(0) { $0 + $1.tensor.byteCount }
    return ShardSet(
      files: files, fileFormat: self, indexName: "\(stem)\(Self.ending).index.json",
      index: Self.index(places, total: total))
  }

  private static func digits(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, 5 - text.count)) + text
  }

  /// The text that the libraries write: `json.dumps(index, indent=2, sort_keys=True)` and a line's end.
  private static func index(_ places: [(tensor: ExactString, file: ExactString)], total: Int)
    -> [UInt8]
  {
    let lines = places.sorted { $0.tensor < $1.tensor }.map {
      "    \(JSON.string($0.tensor).text()): \(JSON.string($0.file).text())"
    }
    var text = "{\n  \"metadata\": {\n    \"total_size\": \(total)\n  },\n  \"weight_map\": {"
    text += lines.isEmpty ? "}" : "\n" + lines.joined(separator: ",\n") + "\n  }"
    return Array((text + "\n}\n").utf8)
  }
}
