internal import Tensors

/// One stage of a rules file: which rule each tensor falls to, and the checks that all kinds share.
struct RulesStage {
  /// That a tensor falls to a rule.
  struct Claim {
    /// The position of the rule among those of its kind.
    let rule: Int
    /// The position of the expression that matched among those of the rule.
    let part: Int
    let pattern: Pattern
    /// The texts of the groups.
    let captures: [ExactString]

    /// An error about this rule and the tensor of that name.
    func failure(_ message: String, tensor: ExactString) -> IngotError {
      IngotError(.malformed, "\(pattern.ruleLabel) \(message)", tensor: tensor)
    }

    /// Runs `body` and names rule and tensor in an error that leaves it.
    func view<Result>(tensor: ExactString, _ body: () throws -> Result) throws -> Result {
      do {
        return try body()
      } catch var error as IngotError {
        error.message = "\(pattern.ruleLabel): \(error.message)"
        throw error.naming(tensor: tensor)
      }
    }
  }

  /// Tensors of the result and what they were made of.
  struct Product {
    /// The position of the rule, nil for a tensor that no rule touches.
    let rule: Int?
    let from: [ExactString]
    let results: [TensorTable.Entry]

    /// Where a result comes from, for the error that its name is taken.
    func origin(of index: Int) -> String {
      let names = from.map { "'\($0.escapedForDisplay())'" }.joined(separator: ", ")
      if results.count > 1 { return "part \(index + 1) of \(names)" }
      return from.count > 1 ? "the join of \(names)" : names
    }
  }

  let entries: [TensorTable.Entry]
  /// For each entry the rule it falls to.
  let claims: [Claim?]

  /// Matches every tensor with every rule.
  ///
  /// - Parameter rules: the expressions of each rule, all of one kind.
  /// - Throws: `malformed` for a tensor that two of them match, and for one that matches none.
  init(_ rules: [[Pattern]], on entries: [TensorTable.Entry]) throws {
    let owners = rules.enumerated().flatMap { rule, patterns in
      patterns.enumerated().map { (rule: rule, part: $0.offset, pattern: $0.element) }
    }
    let patterns = try PatternSet(owners.map(\.pattern))
    var isUnmatched = Array(repeating: true, count: owners.count)
    claims = try entries.map { entry in
      let matches = try patterns.matches(of: entry.name)
      guard let match = matches.first else { return nil }
      let owner = owners[match.index]
      guard matches.count == 1 else {
        let other = owners[matches[1].index].pattern
        throw IngotError(
          .malformed,
          "the \(other.kind.rawValue) rules \(owner.pattern.label) and \(other.label) both match",
          tensor: entry.name)
      }
      isUnmatched[match.index] = false
      return Claim(
        rule: owner.rule, part: owner.part, pattern: owner.pattern, captures: match.captures)
    }
    self.entries = entries
    try Self.check(
      unmatched: zip(owners, isUnmatched).filter(\.1).map(\.0.pattern), among: entries)
  }

  private static func check(
    unmatched: [Pattern], among entries: [TensorTable.Entry]
  ) throws {
    guard let first = unmatched.first else { return }
    var message = "\(first.ruleLabel) matches no tensor"
    if unmatched.count > 1 {
      let others = unmatched.dropFirst()
      message += "; neither do \(others.prefix(3).map(\.label).joined(separator: ", "))"
      if others.count > 3 { message += " and \(others.count - 3) more" }
    }
    let names = entries.prefix(3).map { "'\($0.name.escapedForDisplay())'" }
    var hint = names.isEmpty ? "there are no tensors" : "the names begin with "
    hint += names.joined(separator: ", ")
    throw IngotError(.malformed, message, hint: hint)
  }

  /// The products of rules that make one tensor into others.
  func mapping(
    _ transform: (TensorTable.Entry, Claim) throws -> [TensorTable.Entry]
  ) rethrows -> [Product] {
    try zip(entries, claims).map { entry, claim in
      try Product(
        rule: claim?.rule, from: [entry.name],
        results: claim.map { try transform(entry, $0) } ?? [entry])
    }
  }

  /// Checks that the results have names of their own.
  static func check(names products: [Product]) throws {
    var taken: [ExactString: (product: Int, result: Int)] = [:]
    for (product, made) in products.enumerated() {
      for (result, entry) in made.results.enumerated() {
        guard let other = taken.updateValue((product, result), forKey: entry.name) else { continue }
        throw IngotError(
          .malformed,
          "would be the name of both \(products[other.product].origin(of: other.result)) and \(made.origin(of: result))",
          tensor: entry.name)
      }
    }
  }
}
