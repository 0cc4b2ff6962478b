public import Tensors

/// How one ecosystem spells the configuration of an architecture.
public struct Dialect: Sendable, Hashable {
  /// The ecosystem: `huggingface`, `keras`, `gguf`.
  public var name: String
  /// A configuration is of this architecture where this key has one of these values.
  public var recognition: Recognition
  /// Where each parameter is found.
  public var keys: [Key]
  /// What is known of the keys that no parameter is found at.
  public var unread: [UnreadKey] = []
  /// Objects that another key stands for as a whole where it is set.
  public var replacements: [Replacement] = []
  /// Whether `keys` and `unread` are all that there is, so that any other key is worth a note.
  public var isClosed = false

  /// What tells that a configuration is of an architecture.
  public struct Recognition: Sendable, Hashable {
    /// A key, nested ones joined by dots.
    public var key: ExactString
    /// Its values: `gpt2`.
    public var values: [ExactString]
    /// Keys that must be there as well, and be neither 0, false nor null, where several architectures go
    /// by one word.
    public var present: [ExactString] = []
    /// Keys that must not be so.
    public var absent: [ExactString] = []
  }

  /// A key that no parameter is found at, and what may stand there.
  public struct UnreadKey: Sendable, Hashable {
    /// The key, nested ones joined by dots.
    public var key: ExactString
    /// The values that change nothing, by their JSON text without quotes; empty where none changes
    /// anything.
    public var values: [ExactString] = []
    /// What is computed, and so is wrong where the value is another: `scores are divided by √head_size`.
    public var computed = ""
    /// Whether other values change which weights there are, or their shapes.
    public var changesWeights = false
  }

  /// An object that is not read where another one is set.
  public struct Replacement: Sendable, Hashable {
    /// The key of the object: `rope_parameters`.
    public var key: ExactString
    /// The key that stands for it, unless it is null or empty: `rope_scaling`.
    public var by: ExactString
  }

  /// Where a parameter is found and how its values are said.
  public struct Key: Sendable, Hashable {
    /// The parameter.
    public var parameter: String
    /// Keys in the order of preference, nested ones joined by dots, list elements by their number,
    /// `#` for how many members an object or a list has.
    public var paths: [ExactString]
    /// What words, flags, numbers and `null` in a configuration mean, by their JSON text without quotes.
    ///
    /// Values that are not here mean themselves. Elements of a list are looked up one by one. A `null`
    /// without a meaning gives the parameter's own default, which is not `absent`.
    public var meanings: [ExactString: Value] = [:]
    /// What a number of the configuration comes to, as a formula over `value`: `value / 2`.
    public var formula: Expression?
    /// The value where the configuration lacks the key: this ecosystem's own default.
    public var absent: Value?
  }
}

extension Dialect.Key {
  static func key(
    _ parameter: String, _ paths: ExactString..., meaning meanings: [ExactString: Value] = [:],
    formula: Expression? = nil, absent: Value? = nil
  ) -> Dialect.Key {
    Dialect.Key(
      parameter: parameter, paths: paths, meanings: meanings, formula: formula, absent: absent)
  }

  /// The activation function, in all the words for it that are in use.
  static func activation(_ paths: ExactString..., absent: Activation? = nil) -> Dialect.Key {
    Dialect.Key(
      parameter: "activation", paths: paths, meanings: Activation.words,
      absent: absent.map { .word(ExactString($0.rawValue)) })
  }
}

extension Activation {
  /// What libraries call them, as configurations have it.
  static let words: [ExactString: Value] = [
    "gelu_new": .word("gelu_tanh"), "gelu_fast": .word("gelu_tanh"),
    "gelu_pytorch_tanh": .word("gelu_tanh"), "gelu_approximate": .word("gelu_tanh"),
    "gelu_python": .word("gelu"), "quick_gelu": .word("gelu_sigmoid"), "swish": .word("silu"),
  ]
}
