internal import Tensors

/// A regular expression that must match a whole name, checked and described but not compiled:
/// `Regex` cannot be shared between threads, `PatternSet` compiles it once for each use.
struct Pattern: Sendable {
  /// The rule that the pattern belongs to.
  let kind: RuleKind
  /// The expression.
  let text: ExactString
  /// Where it stands in the rules file.
  let position: TextPosition
  /// The names of its groups from `$1` on; nil for those without one.
  let groups: [ExactString?]
  /// The text that a name must have for the expression to have a chance.
  let filter: LiteralFilter

  /// The longest expression or replacement in bytes.
  static let textLimit = 4_096
  /// Swift's parser calls itself for each bracket: 64 classes within classes overflow a stack of
  /// 512 KiB.
  private static let bracketLimit = 32

  /// Checks an expression.
  ///
  /// - Throws: `malformed` where it is not one, in the words of Swift's parser; `limit` above 4 KiB
  ///   or 32 opening brackets.
  init(_ text: ExactString, kind: RuleKind, position: TextPosition) throws {
    let (bytes, limit) = (text.utf8.count, Self.textLimit)
    guard bytes <= limit else {
      throw IngotError(.limit, "\(position): a pattern of \(bytes) bytes is above \(limit)")
    }
    let brackets = text.utf8.count { $0 == UInt8(ascii: "(") || $0 == UInt8(ascii: "[") }
    guard brackets <= Self.bracketLimit else {
      throw IngotError(
        .limit, "\(position): a pattern with \(brackets) brackets is above \(Self.bracketLimit)")
    }
    self.kind = kind
    self.text = text
    self.position = position
    do {
      _ = try Regex(text.text)
      // The empty alternative matches the empty text, and every match lists all groups.
      groups =
        try Regex("|" + text.text).wholeMatch(in: "")?.output.dropFirst()
        .map { $0.name.map { ExactString($0) } } ?? []
    } catch {
      throw IngotError(
        .malformed,
        "\(position): '\(text.escapedForDisplay())' is not a regular expression: \(error)")
    }
    filter = LiteralFilter(of: text)
  }

  /// The pattern in a message.
  var label: String { "'\(text.escapedForDisplay())' (\(position))" }

  /// The rule in a message.
  var ruleLabel: String { "the \(kind.rawValue) rule \(label)" }

  /// The expression ready for matching, by Unicode scalars: `.` is what a name's bytes spell, not
  /// what a screen would show as one character.
  func compiled() throws -> Regex<AnyRegexOutput> {
    try Regex(text.text).matchingSemantics(.unicodeScalar)
  }
}
