internal import Tensors

/// What is read from a model's configuration, the texts `model_config` and `config.json`.
///
/// It is data: nothing in it is decoded or run, whatever classes, code, paths or addresses it names.
struct KerasConfiguration {
  private let text: ExactString

  init(_ text: ExactString) { self.text = text }

  /// Whether a `dtype` policy of any layer is plain bfloat16 (`mixed_bfloat16` keeps float32
  /// variables).
  var hasBFloat16Policy: Bool {
    guard mentions("bfloat16") else { return false }
    return hasMember { key, value in
      key == "dtype" && (value["config"]?["name"] ?? value) == .string("bfloat16")
    }
  }

  /// Whether it carries code that Keras would run: a Lambda layer, or a serialised function.
  var hasCode: Bool {
    guard mentions("ambda") else { return false }
    return hasMember { key, value in
      key == "class_name" && (value == .string("Lambda") || value == .string("__lambda__"))
    }
  }

  static let codeNote =
    "the model's configuration contains code (a Lambda layer), which is never run"

  /// Whether a word occurs: a cheap look before a configuration of megabytes is parsed.
  private func mentions(_ word: ExactString) -> Bool {
    let (bytes, word) = (Array(text.utf8), Array(word.utf8))
    for start in 0..<max(0, bytes.count - word.count + 1) where bytes[start] == word[0] {
      if bytes[start..<start + word.count].elementsEqual(word) { return true }
    }
    return false
  }

  private func hasMember(_ matches: (ExactString, JSON) -> Bool) -> Bool {
    guard text.utf8.count <= Limits.jsonBytes, let value = try? JSONScanner.parse(Array(text.utf8))
    else { return false }
    return Self.hasMember(value, matches)
  }

  /// The parser bounds the depth.
  private static func hasMember(_ value: JSON, _ matches: (ExactString, JSON) -> Bool) -> Bool {
    switch value {
    case .array(let elements): elements.contains { hasMember($0, matches) }
    case .object(let members):
      members.contains { matches($0.key, $0.value) || hasMember($0.value, matches) }
    case .null, .boolean, .integer, .unsigned, .number, .string: false
    }
  }
}
