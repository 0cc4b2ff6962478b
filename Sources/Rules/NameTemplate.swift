internal import Tensors

/// The new name that a rule gives: text with references to the groups of the rule's pattern.
///
/// `$1` to `$9` and `${12}` are groups by number, `${layer}` is a group by name, `$$` is a dollar
/// sign. A group that took no part in the match is empty text.
struct NameTemplate: Sendable {
  private enum Piece: Sendable {
    case text(ExactString)
    /// The position of the group, from 0.
    case group(Int)
  }

  private var pieces: [Piece] = []

  /// Parses a template for names matched by a pattern with these groups.
  ///
  /// - Throws: `malformed` for a dollar sign that begins nothing, and for a group that is not
  ///   there.
  init(_ template: ExactString, groups: [ExactString?], position: TextPosition) throws {
    let (bytes, limit) = (template.utf8.count, Pattern.textLimit)
    guard bytes <= limit else {
      throw IngotError(.limit, "\(position): a name of \(bytes) bytes is above \(limit)")
    }
    // By scalars: a combining character may follow a dollar sign or a digit.
    var rest = template.text.unicodeScalars[...]
    while let dollar = rest.firstIndex(of: "$") {
      if dollar > rest.startIndex { pieces.append(.text(ExactString(Substring(rest[..<dollar])))) }
      rest = rest[dollar...].dropFirst()
      if rest.first == "$" {
        pieces.append(.text("$"))
        rest.removeFirst()
        continue
      }
      let reference: Substring.UnicodeScalarView
      if rest.first == "{", let end = rest.firstIndex(of: "}") {
        reference = rest[..<end].dropFirst()
        rest = rest[end...].dropFirst()
      } else {
        reference = rest.prefix(1)
        guard reference.first.map({ ("0"..."9").contains($0) }) ?? false else {
          throw IngotError(
            .malformed, "\(position): '$' in '\(template.escapedForDisplay())' names no group",
            hint: "groups are $1 to $9, ${10} or ${name}; $$ is a dollar sign")
        }
        rest = rest.dropFirst()
      }
      pieces.append(.group(try Self.group(ExactString(Substring(reference)), in: groups, position)))
    }
    if !rest.isEmpty { pieces.append(.text(ExactString(Substring(rest)))) }
  }

  private static func group(
    _ reference: ExactString, in groups: [ExactString?], _ position: TextPosition
  ) throws -> Int {
    if let number = Int(reference.text), number >= 1, number <= groups.count { return number - 1 }
    if let index = groups.firstIndex(of: reference) {
      return index
    }
    let found =
      switch groups.count {
      case 0: "no groups"
      case 1: "1 group"
      case let count: "\(count) groups"
      }
    throw IngotError(
      .malformed,
      "\(position): there is no group '\(reference.escapedForDisplay())', the pattern has \(found)"
    )
  }

  /// The name for a match with these captures.
  func name(_ captures: [ExactString]) -> ExactString {
    var name: ExactString = ""
    for piece in pieces {
      switch piece {
      case .text(let text): name += text
      case .group(let index): name += captures[index]
      }
    }
    return name
  }
}
