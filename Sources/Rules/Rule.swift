/// The kinds of rules, in the order in which they are applied.
public enum RuleKind: String, Sendable, CaseIterable {
  case transpose
  case split
  case join
  case rename

  /// The keys that a rule of this kind must have.
  var requiredKeys: [String] {
    switch self {
    case .transpose: ["match"]
    case .split: ["match", "axis", "into"]
    case .join: ["from", "axis", "to"]
    case .rename: ["from", "to"]
    }
  }

  /// The keys that a rule of this kind may have.
  var optionalKeys: [String] {
    switch self {
    case .transpose: ["axes"]
    case .split: ["sizes"]
    case .join, .rename: []
    }
  }
}

/// Puts the axes of a tensor in another order.
struct TransposeRule: Sendable {
  let pattern: Pattern
  /// The old axis that each new axis is; nil reverses them all.
  let axes: [Int]?
}

/// Cuts a tensor along an axis.
struct SplitRule: Sendable {
  let pattern: Pattern
  /// Negative counts from the last axis.
  let axis: Int
  let parts: [NameTemplate]
  /// How long each part is; nil for equal parts.
  let sizes: [Int]?
}

/// Lays tensors end to end along an axis.
struct JoinRule: Sendable {
  /// One for each part, in the order of the parts; all with the same groups.
  let patterns: [Pattern]
  /// Negative counts from the last axis.
  let axis: Int
  let name: NameTemplate
}

/// Gives a tensor another name.
struct RenameRule: Sendable {
  let pattern: Pattern
  let name: NameTemplate
}
