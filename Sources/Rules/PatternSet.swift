internal import Tensors

/// The patterns of one stage, compiled.
struct PatternSet {
  /// That a pattern matches a name.
  struct Match {
    /// The position of the pattern in the set.
    let index: Int
    /// The text of each group from `$1` on; empty for a group that took no part.
    let captures: [ExactString]
  }

  /// The longest name that is matched: an expression may take time that grows with the square of
  /// it.
  static let nameLimit = 4_096

  /// The patterns that are literal names, by name.
  private var literals: [ExactString: [Int]] = [:]
  private var expressions: [(index: Int, filter: LiteralFilter, regex: Regex<AnyRegexOutput>)] = []

  init(_ patterns: [Pattern]) throws {
    for (index, pattern) in patterns.enumerated() {
      if pattern.filter.isWhole {
        literals[ExactString(repairing: pattern.filter.prefix), default: []].append(index)
      } else {
        expressions.append((index, pattern.filter, try pattern.compiled()))
      }
    }
  }

  /// The patterns that match all of `name`, in the order of the set.
  ///
  /// - Throws: `limit` for a name above 4 KiB.
  func matches(of name: ExactString) throws -> [Match] {
    let bytes = Array(name.utf8)
    guard bytes.count <= Self.nameLimit else {
      throw IngotError(
        .limit,
        "a name of \(bytes.count) bytes is above the \(Self.nameLimit) that rules are applied to",
        tensor: name)
    }
    var matches = (literals[name] ?? []).map { Match(index: $0, captures: []) }
    for (index, filter, regex) in expressions where filter.fits(bytes) {
      guard let match = try regex.wholeMatch(in: name.text) else { continue }
      let captures = match.output.dropFirst().map { $0.substring.map { ExactString($0) } ?? "" }
      matches.append(Match(index: index, captures: captures))
    }
    return matches.sorted { $0.index < $1.index }
  }
}
