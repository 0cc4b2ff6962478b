public import Tensors

/// What a configuration value can be.
public enum Value: Sendable, Hashable {
  case integer(Int)
  case real(Double)
  case flag(Bool)
  /// One of a few words: `gelu_tanh`, `llama3`.
  case word(ExactString)
  /// One integer per stage or layer.
  case integers([Int])

  /// The value as people and JSON write it.
  public var json: JSON {
    switch self {
    case .integer(let value): JSON(value)
    case .real(let value): .number(value)
    case .flag(let value): .boolean(value)
    case .word(let value): .string(value)
    case .integers(let values): JSON(values)
    }
  }

  /// The number, where it is one.
  var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .real(let value): value
    case .flag, .word, .integers: nil
    }
  }

  /// Whether it is the same; 1 and 1.0 are.
  func isEqual(to other: Value) -> Bool {
    switch (self, other) {
    case (.integer(let one), .real(let other)), (.real(let other), .integer(let one)):
      Double(one) == other
    case (.integer, _), (.real, _), (.flag, _), (.word, _), (.integers, _): self == other
    }
  }

  /// The kind in words, for messages.
  var kind: String {
    switch self {
    case .integer: "an integer"
    case .real: "a real number"
    case .flag: "true or false"
    case .word: "a word"
    case .integers: "a list of integers"
    }
  }
}

extension Value: CustomStringConvertible {
  /// The value as JSON writes it, words without quotes.
  public var description: String {
    if case .word(let word) = self { return word.text }
    return json.text()
  }
}
