extension JSON {
  /// How a value is laid out as text.
  package enum Layout: Sendable {
    /// No blanks at all.
    case compact
    /// Two spaces a level; arrays of plain values stay on one line.
    case indented
    /// Two spaces a level; what fits into a line of 100 columns stays on it.
    case fitted
  }

  /// The value as JSON text, members in their order.
  ///
  /// Reals are written with the fewest digits that read back the same. JSON has no infinities and no
  /// NaN: they become the strings "Infinity", "-Infinity" and "NaN".
  package func text(_ layout: Layout = .compact) -> String {
    var text = ""
    if layout == .fitted {
      writeFitted(to: &text, indent: 0, column: 0, after: 0)
    } else {
      write(to: &text, layout, indent: 0)
    }
    return text
  }

  /// The value on one line, with blanks as in running text.
  private var line: String {
    switch self {
    case .array(let elements): "[" + elements.map(\.line).joined(separator: ", ") + "]"
    case .object(let members):
      "{"
        + members.map { "\(JSON.string($0.key).text()): \($0.value.line)" }
        .joined(separator: ", ") + "}"
    case .null, .boolean, .integer, .unsigned, .number, .string: text()
    }
  }

  /// Writes the value in the layout `fitted`.
  ///
  /// - Parameters:
  ///   - column: How much of the line is taken.
  ///   - after: How much will stand behind the value on its line.
  private func writeFitted(to text: inout String, indent: Int, column: Int, after: Int) {
    let line = line
    let parts: [(begin: String, value: JSON)]
    switch self {
    case .array(let elements): parts = elements.map { ("", $0) }
    case .object(let members): parts = members.map { (JSON.string($0.key).text() + ": ", $0.value) }
    case .null, .boolean, .integer, .unsigned, .number, .string: parts = []
    }
    guard !parts.isEmpty, column + line.count + after > 100 else {
      text += line
      return
    }
    // `{"linear": {…}}` opens and closes as one.
    if let members = object, members.count == 1, members[0].value.object != nil {
      let begin = "{" + parts[0].begin
      text += begin
      members[0].value.writeFitted(
        to: &text, indent: indent, column: column + begin.count, after: after + 1)
      text += "}"
      return
    }
    text += array == nil ? "{" : "["
    for (index, part) in parts.enumerated() {
      let blanks = String(repeating: "  ", count: indent + 1)
      text += (index > 0 ? ",\n" : "\n") + blanks + part.begin
      part.value.writeFitted(
        to: &text, indent: indent + 1, column: blanks.count + part.begin.count, after: 1)
    }
    text += "\n" + String(repeating: "  ", count: indent) + (array == nil ? "}" : "]")
  }

  private func write(to text: inout String, _ layout: Layout, indent: Int) {
    switch self {
    case .null: text += "null"
    case .boolean(let value): text += value ? "true" : "false"
    case .integer(let value): text += String(value)
    case .unsigned(let value): text += String(value)
    case .number(let value): text += Self.text(of: value)
    case .string(let value): Self.write(value, to: &text)
    case .array(let elements):
      let breaks = layout == .indented && elements.contains { $0.isCollection }
      Self.writeList(elements, "[", "]", to: &text, layout, breaks: breaks, indent: indent) {
        $0.write(to: &$1, layout, indent: indent + 1)
      }
    case .object(let members):
      let breaks = layout == .indented && indent < 1 || members.contains { $0.value.isCollection }
      Self.writeList(
        members, "{", "}", to: &text, layout, breaks: breaks && layout == .indented, indent: indent
      ) {
        Self.write($0.key, to: &$1)
        $1 += layout == .indented ? ": " : ":"
        $0.value.write(to: &$1, layout, indent: indent + 1)
      }
    }
  }

  private var isCollection: Bool {
    switch self {
    case .array(let elements): elements.contains { $0.isCollection } || elements.count > 16
    case .object(let members): !members.isEmpty
    case .null, .boolean, .integer, .unsigned, .number, .string: false
    }
  }

  private static func writeList<Element>(
    _ elements: [Element], _ open: String, _ close: String, to text: inout String, _ layout: Layout,
    breaks: Bool, indent: Int, _ write: (Element, inout String) -> Void
  ) {
    text += open
    for (index, element) in elements.enumerated() {
      if index > 0 { text += layout == .indented && !breaks ? ", " : "," }
      if breaks { text += "\n" + String(repeating: "  ", count: indent + 1) }
      write(element, &text)
    }
    if breaks, !elements.isEmpty { text += "\n" + String(repeating: "  ", count: indent) }
    text += close
  }

  private static func text(of value: Double) -> String {
    if value.isNaN { return "\"NaN\"" }
    if value.isInfinite { return value < 0 ? "\"-Infinity\"" : "\"Infinity\"" }
    return "\(value)"
  }

  /// Writes a string as Python's `json.dumps(…, ensure_ascii=False)` does: only quotes, backslashes
  /// and characters below 0x20 are escaped.
  private static func write(_ value: String, to text: inout String) {
    text += "\""
    var needsEscape = false
    for byte in value.utf8 where byte < 0x20 || byte == 0x22 || byte == 0x5C {
      needsEscape = true
      break
    }
    if needsEscape {
      for scalar in value.unicodeScalars {
        switch scalar {
        case "\"": text += "\\\""
        case "\\": text += "\\\\"
        case "\n": text += "\\n"
        case "\r": text += "\\r"
        case "\t": text += "\\t"
        case "\u{08}": text += "\\b"
        case "\u{0C}": text += "\\f"
        case "\u{00}"..<"\u{20}":
          let digits = String(scalar.value, radix: 16)
          text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: text.unicodeScalars.append(scalar)
        }
      }
    } else {
      text += value
    }
    text += "\""
  }
}
