public import Tensors

/// A value that a description leaves open and a configuration gives: the width, the number of layers.
public struct Parameter: Sendable, Hashable {
  /// What values it takes.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// A whole number of 0 or more: a size or a number of things.
    case count
    /// A real number.
    case real
    /// True or false.
    case flag
    /// One of `Parameter.words`.
    case word
    /// A count for each stage or layer.
    case counts
  }

  /// The name, the same for every architecture: `width`, `heads`, `feed_forward`.
  public let name: String
  /// What values it takes.
  public let kind: Kind
  /// The value where no configuration gives one; nil where there must be one.
  public let fallback: Expression?
  /// The words it may be; empty for other kinds.
  public let words: [ExactString]
  /// The least count it may be.
  public let minimum: Int

  /// Describes a parameter.
  public init(
    _ name: String, _ kind: Kind, default fallback: Expression? = nil, words: [ExactString] = [],
    minimum: Int = 1
  ) {
    self.name = name
    self.kind = kind
    self.fallback = fallback
    self.words = words
    self.minimum = minimum
  }

  static func count(
    _ name: String, default fallback: Expression? = nil, minimum: Int = 1
  ) -> Parameter {
    Parameter(name, .count, default: fallback, minimum: minimum)
  }

  static func real(_ name: String, default fallback: Expression? = nil) -> Parameter {
    Parameter(name, .real, default: fallback)
  }

  static func flag(_ name: String, default fallback: Expression) -> Parameter {
    Parameter(name, .flag, default: fallback)
  }

  static func word(_ name: String, _ words: [ExactString], default fallback: String) -> Parameter {
    Parameter(name, .word, default: "'\(fallback)'".expression, words: words)
  }

  /// Which activation function; the words are those of `Activation`.
  static func activation(default fallback: Activation) -> Parameter {
    word(
      "activation", Activation.allCases.map { ExactString($0.rawValue) }, default: fallback.rawValue
    )
  }
}

extension Parameter {
  /// The value that a text is for this parameter, as a command line has it; nil where it is none.
  package func value(_ text: String) -> Value? {
    switch kind {
    case .count: Int(text).map(Value.integer)
    case .real: Double(text).map(Value.real)
    case .flag: Bool(text).map(Value.flag)
    case .word: .word(ExactString(text))
    case .counts:
      text.split(separator: ",").reduce(.integers([])) { list, part in
        guard case .integers(let counts) = list, let count = Int(part) else { return nil }
        return .integers(counts + [count])
      }
    }
  }
}

extension String {
  /// The formula of this text, which is part of a built-in architecture.
  var expression: Expression { Expression(stringLiteral: self) }
}
