public import Tensors

/// How one ecosystem spells and lays out the weights of an architecture.
public struct Convention: Sendable, Hashable {
  /// The word that `--names` takes: `huggingface`, `keras_hub`, `gguf`.
  public var name: String
  /// What files of this convention put before the names of all but `isOuter` spellings when the model
  /// is part of a larger one (`transformer.`, `bert.`); they are read with and without it.
  public var prefix: ExactString = ""
  /// Whether names are written with the prefix.
  public var prefixCondition: Expression = false
  /// Whether files hold a tied weight once more under its own name.
  public var repeatsTied = false
  /// A name for every weight of the architecture.
  public var spellings: [Spelling]
  /// What such files hold beside weights and needs no place elsewhere: masks, position numbers, tables
  /// that are computed.
  public var buffers: [NameTemplate] = []
  /// What must hold for a model to be written so, beyond names for its weights: Keras Hub's encoders
  /// have no rows for padding, llama.cpp's BERT no pooler.
  public var requirements: [Architecture.Requirement] = []
  /// What every model has here, where another may have chosen otherwise and its weights can follow:
  /// what is brought here is adapted first, and has to meet the requirements then.
  public var adaptations: [Adaptation] = []
  /// How Keras's legacy files call the same tensors; nil for what is not of Keras.
  public var layerNames: LayerNames?
}

/// The name of one stored tensor, the weights in it, and how they lie.
///
/// Weights that share a tensor are joined along their first axis in the order of `roles`. A loop
/// variable of the roles that the name does not have is stacked: its turns lie along a new first axis.
/// The layout is done to what was joined, before it is stacked.
public struct Spelling: Sendable, Hashable {
  /// The patterns of the roles, with loop variables in braces.
  public var roles: [String]
  /// The stored name.
  public var name: NameTemplate
  /// From the canonical to the stored layout.
  public var layout: [LayoutStep]
  /// Whether the convention's prefix does not go before the name.
  public var isOuter = false
  /// Other names that files have for the same tensor; read, never written.
  public var aliases: [NameTemplate] = []
  /// Whether a model's weights have this name; two spellings of a role exclude each other.
  public var condition: Expression = true

  /// Describes one stored tensor.
  public init(
    _ roles: [String], _ name: String, _ layout: [LayoutStep] = [], isOuter: Bool = false,
    aliases: [String] = [], when condition: Expression = true
  ) {
    self.condition = condition
    self.roles = roles
    self.name = NameTemplate(name)
    self.layout = layout
    self.isOuter = isOuter
    self.aliases = aliases.map { NameTemplate($0) }
  }
}

/// One turn of the axes between the canonical and a stored layout; each can be undone.
public enum LayoutStep: Sendable, Hashable {
  /// The two axes of a matrix change places.
  case transpose
  /// Axis k of the result is axis `axes[k]`.
  case permute([Int])
  /// The same elements in the same order under other dimensions.
  case reshape([Expression])
  /// The joined parts are dealt out head by head along the first axis: head 0 of every part, head 1 of
  /// every part …, as GPT-NeoX and BLOOM fuse query, key and value.
  case interleaveHeads(Expression)
  /// The rows of each of so many heads go from rotary halves to pairs: row i of the first half, row i
  /// of the second, as llama.cpp and Meta's own files lie.
  case rotaryPairs(heads: Expression)
}

extension Convention {
  /// The same for models with these values only: parameters that the ecosystem leaves no choice of.
  func fixing(_ values: KeyValuePairs<String, Expression>) -> Convention {
    var convention = self
    convention.requirements += values.map { name, value in
      .init(
        condition: Expression(
          .binary(.equal, .name(name), value.node), text: "\(name) == \(value)"),
        message: "'\(name)' is \(value) in all that it holds")
    }
    return convention
  }
}

/// Spellings as they are usually needed.
extension Spelling {
  /// The weight and the bias of a role, under the same last names.
  static func both(
    _ role: String, _ name: String, _ layout: [LayoutStep] = [], isOuter: Bool = false
  ) -> [Spelling] {
    both([role], name, weight: "weight", bias: "bias", layout, isOuter: isOuter)
  }

  /// The weights and the biases of roles that are joined; the layout is the weight's.
  static func both(
    _ roles: [String], _ name: String, weight: String = "weight", bias: String = "bias",
    _ layout: [LayoutStep] = [], biasLayout: [LayoutStep] = [], isOuter: Bool = false
  ) -> [Spelling] {
    [
      Spelling(roles.map { $0 + ".weight" }, "\(name).\(weight)", layout, isOuter: isOuter),
      Spelling(roles.map { $0 + ".bias" }, "\(name).\(bias)", biasLayout, isOuter: isOuter),
    ]
  }

  /// One weight under one name.
  static func one(
    _ role: String, _ name: String, _ layout: [LayoutStep] = [], isOuter: Bool = false,
    aliases: [String] = []
  ) -> [Spelling] {
    [Spelling([role], name, layout, isOuter: isOuter, aliases: aliases)]
  }
}
