internal import Tensors

/// Typed metadata in a format that holds strings only.
///
/// A value that is no string is written as its canonical JSON text under its own key. The reserved key
/// `ingot.metadata_types` holds a JSON array of those keys, sorted; other programs see strings, and our
/// reader restores the values. A reserved key that does not list keys of JSON texts says nothing: then
/// every value, its own included, is read as the string it is.
enum SafetensorsMetadata {
  static let typesKey: ExactString = "ingot.metadata_types"

  /// The strings to write, sorted by key, and the keys that cannot be carried over: the reserved one.
  static func encode(
    _ metadata: Metadata
  ) -> (pairs: [(key: ExactString, value: ExactString)], dropped: [ExactString]) {
    var pairs: [(key: ExactString, value: ExactString)] = []
    var typed: [JSON] = []
    var dropped: [ExactString] = []
    for (key, value) in metadata.sorted {
      if key == typesKey {
        dropped.append(key)
      } else if let text = value.string {
        pairs.append((key: key, value: text))
      } else {
        typed.append(.string(key))
        pairs.append((key: key, value: text(of: value)))
      }
    }
    if !typed.isEmpty {
      pairs.append(
        (
          key: typesKey,
          value: text(of: .array(typed))
        ))
      pairs.sort { $0.key < $1.key }
    }
    return (pairs, dropped)
  }

  private static func text(of value: JSON) -> ExactString {
    ExactString(String(decoding: value.canonicalText(), as: UTF8.self))
  }

  /// The typed values, and a note where the reserved key is there and says nothing.
  static func decode(
    _ pairs: [(key: ExactString, value: ExactString)]
  ) -> (metadata: Metadata, note: String?) {
    var metadata = Metadata()
    for (key, value) in pairs { metadata[key] = .string(value) }
    guard let types = metadata[typesKey]?.string else { return (metadata, nil) }
    var typed = metadata
    typed[typesKey] = nil
    do {
      for key in try JSONScanner.parse(Array(types.utf8)).array ?? [.null] {
        guard let key = key.string, let text = typed[key]?.string else {
          throw IngotError(.malformed, "names a key that is not there")
        }
        typed[key] = try JSONScanner.parse(Array(text.utf8)).decodingReals()
      }
      return (typed, nil)
    } catch {
      return (
        metadata,
        "the metadata key '\(typesKey)' does not list keys of JSON values; all values are read as strings"
      )
    }
  }
}
