package import Tensors

/// The members of a mapping in a YAML document: all of them known, the required ones there.
package struct YAMLFields {
  private let what: String
  /// Where the mapping stands.
  package let position: TextPosition
  private var values: [ExactString: YAMLNode] = [:]

  /// Checks the keys of a mapping.
  ///
  /// - Throws: `malformed` naming the place of a key that is unknown or missing.
  package init(_ node: YAMLNode, of what: String, required: [ExactString], optional: [ExactString])
    throws
  {
    let known = required + optional
    let keys = "\(what) has the keys \(known.joined(separator: ", "))"
    guard case .mapping(let members) = node.content else {
      throw node.mismatch(expected: "a mapping", hint: keys)
    }
    self.what = what
    position = node.position
    for member in members {
      guard known.contains(member.key) else {
        throw IngotError(
          .malformed,
          "\(member.position): \(what) has no key '\(member.key.escapedForDisplay())'",
          hint: NearestNames.hint(member.key, among: known) ?? keys)
      }
      values[member.key] = member.value
    }
    for key in required where values[key] == nil { _ = try value(key) }
  }

  /// The value of a key that may be left out.
  package subscript(key: ExactString) -> YAMLNode? { values[key] }

  /// The value of a key that must be there.
  ///
  /// - Throws: `malformed` naming the place of the mapping that lacks it.
  package func value(_ key: ExactString) throws -> YAMLNode {
    guard let value = values[key] else {
      throw IngotError(.malformed, "\(position): \(what) needs the key '\(key)'")
    }
    return value
  }
}
