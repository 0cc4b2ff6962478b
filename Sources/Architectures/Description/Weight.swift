/// A tensor that an operation reads: its name inside the operation, its shape and what it is for.
public struct Weight: Sendable, Hashable {
  /// What a weight is, as far as counts and the 12·l·d² account tell apart.
  public enum Purpose: String, Sendable, Hashable, CaseIterable {
    case tokenEmbedding = "token_embedding"
    case positionEmbedding = "position_embedding"
    case typeEmbedding = "type_embedding"
    case classToken = "class_token"
    case patchEmbedding = "patch_embedding"
    case convolution
    /// Between an embedding of another width and the layers.
    case embeddingProjection = "embedding_projection"
    case query
    case key
    case value
    case attentionOutput = "attention_output"
    case relativePositions = "relative_positions"
    case feedForwardUp = "feed_forward_up"
    case feedForwardGate = "feed_forward_gate"
    case feedForwardDown = "feed_forward_down"
    case router
    case norm
    case pooler
    /// Dense layer and norm in front of the logits of a masked language model.
    case headTransform = "head_transform"
    /// From features to logits.
    case head
    case classifier
    /// Anything else; it stays unexplained in the 12·l·d² account, which gives its role.
    case other
  }

  /// How a weight takes part in its operation.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// Of a linear map, [outputs, inputs]; of patches, [outputs, channels, height, width];
    /// of a convolution, [outputs, inputs, kernel].
    case matrix
    /// Looked up by row.
    case table
    /// Added.
    case bias
    /// Multiplied, as in a norm.
    case scale
  }

  /// The last part of its role: `weight`, `bias`.
  public let name: String
  /// How it takes part.
  public let kind: Kind
  /// What it is for.
  public let purpose: Purpose
  /// The canonical dimensions, slowest first, as PyTorch lays such weights out.
  public let shape: [Expression]
  /// Whether it exists.
  public let condition: Expression
  /// Whether it is the same tensor as another, and that one's role, which comes first.
  public let tie: Tie?
  /// Whether training leaves it as it is (a stored sinusoidal table).
  public let isFrozen: Expression
  /// Whether it is no parameter but a stored part of the computation (BART's bias of logits).
  public let isBuffer: Bool

  /// Under what condition a weight is another one.
  public struct Tie: Sendable, Hashable {
    /// Whether it is.
    public let condition: Expression
    /// The role of the other.
    public let role: String

    /// The flag that alone decides, where one does.
    package var flag: String? {
      if case .name(let name) = condition.node { return name }
      return nil
    }

    /// Ties to a role under a condition.
    public init(when condition: Expression, to role: String) {
      self.condition = condition
      self.role = role
    }
  }

  /// Describes a weight.
  public init(
    _ name: String, _ kind: Kind, _ purpose: Purpose, _ shape: [Expression],
    when condition: Expression = true, tie: Tie? = nil, isFrozen: Expression = false,
    isBuffer: Bool = false
  ) {
    self.name = name
    self.kind = kind
    self.purpose = purpose
    self.shape = shape
    self.condition = condition
    self.tie = tie
    self.isFrozen = isFrozen
    self.isBuffer = isBuffer
  }
}
