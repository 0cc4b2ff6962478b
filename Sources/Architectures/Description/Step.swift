/// A part of a model: an operation, or steps under a name, repeated, or chosen between.
public indirect enum Step: Sendable, Hashable {
  case operation(Operation)
  case block(Block)
  case loop(Loop)
  case branch(Branch)
  /// Records a value as the next of a series of hidden states (`hidden`, `encoder_hidden`).
  case state(String, series: String)
  /// Gives a value to the user: `logits`, `last_hidden_state`.
  case result(String, name: String)

  /// Steps under a name of their own: `attention`, `feed_forward`.
  public struct Block: Sendable, Hashable {
    /// The name, a part of the roles of its weights.
    public var name: String
    /// What its weights count as.
    public var component: Component
    /// The value that it makes, whose state bears its name.
    public var output: String
    /// What is done.
    public var steps: [Step]
  }

  /// Steps that are done `count` times; roles are `NAME.{variable}.…`.
  public struct Loop: Sendable, Hashable {
    /// The name, a part of the roles of its weights: `layers`.
    public var name: String
    /// The loop's variable, from 0.
    public var variable: String
    /// How many.
    public var count: Expression
    /// Whether every turn reads the same weights (ALBERT); roles are then `NAME.…`.
    public var sharesWeights = false
    /// What is done.
    public var steps: [Step]
  }

  /// Steps that depend on the configuration.
  public struct Branch: Sendable, Hashable {
    /// What must hold.
    public var condition: Expression
    /// What is done where it holds.
    public var then: [Step]
    /// What is done where it does not.
    public var otherwise: [Step] = []
  }
}

/// What parameters are counted as.
public enum Component: String, Sendable, Hashable, CaseIterable {
  case embedding
  case attention
  case crossAttention = "cross_attention"
  case feedForward = "feed_forward"
  case experts
  case norms
  case pooler
  case head
  case classifier
  case other
}
