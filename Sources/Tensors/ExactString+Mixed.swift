// Where a name from a file meets a string of ours (a word of the model language, an argument), both are
// compared by their bytes as well.
extension ExactString {
  /// Whether both have the same bytes.
  public static func == (one: ExactString, other: String) -> Bool { one == ExactString(other) }

  /// Whether both have the same bytes.
  public static func == (one: String, other: ExactString) -> Bool { ExactString(one) == other }

  /// Whether the bytes differ.
  public static func != (one: ExactString, other: String) -> Bool { !(one == other) }

  /// Whether the bytes differ.
  public static func != (one: String, other: ExactString) -> Bool { !(one == other) }
}

extension Dictionary where Key == ExactString {
  /// The value of the key with these bytes.
  package subscript(text: String) -> Value? {
    get { self[ExactString(text)] }
    set { self[ExactString(text)] = newValue }
  }

  /// The value of the key with these bytes, or the default.
  package subscript(text: String, default value: @autoclosure () -> Value) -> Value {
    get { self[ExactString(text), default: value()] }
    set { self[ExactString(text)] = newValue }
  }
}

extension Set where Element == ExactString {
  /// Whether an element has these bytes.
  package func contains(_ text: String) -> Bool { contains(ExactString(text)) }
}

extension Sequence where Element == ExactString {
  /// The texts in a row with `separator` between them.
  package func joined(separator: String = "") -> String {
    map(\.text).joined(separator: separator)
  }

  /// The same as an `ExactString`.
  package func joined(separator: ExactString) -> ExactString {
    ExactString(joined(separator: separator.text))
  }
}

extension ExactString {
  /// The text as `String.escapedForDisplay` shows it.
  package func escapedForDisplay(limit: Int = 200) -> String {
    text.escapedForDisplay(limit: limit)
  }
}
