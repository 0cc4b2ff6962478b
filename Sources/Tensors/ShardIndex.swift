/// What the indexes of sharded checkpoints have in common: one JSON object with `weight_map`, which maps
/// names to files beside the index, and `metadata`.
package enum ShardIndex {
  /// Whether a file begins like an index whose files' names end with `ending`.
  package static func recognizes(_ beginning: [UInt8], ending: String) -> Bool {
    guard beginning.first(where: { !" \t\r\n".utf8.contains($0) }) == UInt8(ascii: "{") else {
      return false
    }
    // The beginning may end within a character.
    let text = ExactString(String(decoding: beginning, as: UTF8.self))
    return text.contains("\"weight_map\"") && text.contains("\(ending)\"")
  }

  /// Reads an index; `metadata` and `place` must read the value of what they are called for.
  ///
  /// - Parameter place: Called with each name of the map.
  /// - Throws: `limit` for one above the bound, `malformed` for what is no index, and what both throw.
  package static func read(
    _ source: any ByteSource, metadata: (inout JSONScanner) throws -> Void,
    place: (inout JSONScanner, _ name: ExactString) throws -> Void
  ) throws {
    guard source.byteCount <= Limits.jsonBytes else {
      throw IngotError(
        .limit, "an index of \(source.byteCount) bytes is above \(Limits.jsonBytes)")
    }
    var hasMap = false
    var scanner = JSONScanner(try source.bytes(at: 0, count: source.byteCount, "the index"))
    try scanner.object { scanner, key in
      switch key {
      case "metadata": try metadata(&scanner)
      case "weight_map":
        hasMap = true
        try scanner.object(place)
      default: throw scanner.failure("the key '\(key.escapedForDisplay(limit: 40))' is not known")
      }
    }
    try scanner.finish()
    guard hasMap else { throw IngotError(.malformed, "the index has no weight_map", offset: 0) }
  }

  /// Refuses a name with a folder in it, which would lead out of the index's own.
  package static func check(_ fileName: ExactString, at offset: Int) throws {
    let isPlain =
      !fileName.isEmpty && fileName != "." && fileName != ".."
      && !fileName.utf8.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") || $0 == 0 }
    guard isPlain else {
      throw IngotError(
        .malformed,
        "'\(fileName.escapedForDisplay())' is not a plain name of a file beside the index",
        offset: offset)
    }
  }
}
