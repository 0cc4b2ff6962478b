public import Tensors

/// What the rules of a file did to a table, rule by rule in the order they were applied.
public struct RulesReport: Sendable, Hashable {
  /// The tensors that one rule turned into others.
  public struct Change: Sendable, Hashable {
    /// The names before; several for a join.
    public let from: [ExactString]
    /// The names after; several for a split, the same name for a transpose.
    public let to: [ExactString]
  }

  /// One rule and what it changed, in the table's order.
  public struct Rule: Sendable, Hashable {
    /// What the rule does.
    public let kind: RuleKind
    /// Its expressions; several for a join.
    public let patterns: [ExactString]
    /// The line of the rules file that holds the first of them.
    public let line: Int
    /// What it changed.
    public internal(set) var changes: [Change] = []

    init(kind: RuleKind, patterns: [Pattern]) {
      self.kind = kind
      self.patterns = patterns.map(\.text)
      line = patterns.first?.position.line ?? 1
    }
  }

  /// The rules.
  public internal(set) var rules: [Rule] = []
}
