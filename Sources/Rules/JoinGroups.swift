internal import Tensors

/// The sets of tensors that the joins of a stage lay together: one for each rule and captured
/// texts.
struct JoinGroups {
  /// One set.
  struct Group {
    /// The position of its first tensor in the table.
    fileprivate let first: Int
    /// The match of that tensor.
    let claim: RulesStage.Claim
    /// For each expression of the rule the position of its tensor.
    fileprivate var members: [Int?]
  }

  private struct Key: Hashable {
    let rule: Int
    let captures: [ExactString]
  }

  private let stage: RulesStage
  private var groups: [Key: Group] = [:]

  /// Puts the tensors of a stage into sets.
  ///
  /// - Throws: `malformed` where two tensors would be the same part, and for a set with a part
  ///   missing.
  init(_ stage: RulesStage, _ rules: [JoinRule]) throws {
    self.stage = stage
    for (index, claim) in stage.claims.enumerated() {
      guard let claim else { continue }
      let key = Key(rule: claim.rule, captures: claim.captures)
      if let other = groups[key]?.members[claim.part] {
        throw claim.failure(
          "matches '\(stage.entries[other].name.escapedForDisplay())' with the same groups",
          tensor: stage.entries[index].name)
      }
      let parts = rules[claim.rule].patterns.count
      groups[
        key,
        default: Group(first: index, claim: claim, members: Array(repeating: nil, count: parts))
      ].members[claim.part] = index
    }
    // The first in the table's order, so that the same mistake always gives the same message.
    let incomplete = groups.values.filter { $0.members.contains(nil) }.min { $0.first < $1.first }
    guard let incomplete, let missing = incomplete.members.firstIndex(of: nil) else { return }
    let claim = incomplete.claim
    let texts = claim.captures.enumerated()
      .map { ", $\($0.offset + 1) = '\($0.element.escapedForDisplay())'" }.joined()
    throw IngotError(
      .malformed,
      "\(rules[claim.rule].patterns[missing].ruleLabel) matches nothing to join with" + texts,
      tensor: stage.entries[incomplete.first].name)
  }

  /// The table with each set replaced by what `join` makes of its tensors in the order of the rule,
  /// where the first of them stood.
  func products(
    _ join: (Group, [TensorTable.Entry]) throws -> TensorTable.Entry
  ) rethrows -> [RulesStage.Product] {
    var isDone: Set<Key> = []
    return try zip(stage.entries, stage.claims).compactMap { entry, claim in
      guard let claim else {
        return RulesStage.Product(rule: nil, from: [entry.name], results: [entry])
      }
      let key = Key(rule: claim.rule, captures: claim.captures)
      guard isDone.insert(key).inserted, let group = groups[key] else { return nil }
      let members = group.members.compactMap { $0.map { stage.entries[$0] } }
      return RulesStage.Product(
        rule: claim.rule, from: members.map(\.name), results: [try join(group, members)])
    }
  }
}
