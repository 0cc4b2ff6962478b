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
    guard layout == .fitted else { return String(decoding: bytes(layout), as: UTF8.self) }
    var text = ""
    writeFitted(to: &text, indent: 0, column: 0, after: 0)
    return text
  }

  /// The same text in UTF-8; long texts are made faster so.
  package func bytes(_ layout: Layout = .compact) -> [UInt8] {
    guard layout != .fitted else { return Array(text(layout).utf8) }
    var text: [UInt8] = []
    write(to: &text, layout, indent: 0)
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

  private func write(to text: inout [UInt8], _ layout: Layout, indent: Int) {
    switch self {
    case .null: text += "null".utf8
    case .boolean(let value): text += (value ? "true" : "false").utf8
    case .integer(let value):
      if value < 0 { text.append(UInt8(ascii: "-")) }
      Self.write(value.magnitude, to: &text)
    case .unsigned(let value): Self.write(value, to: &text)
    case .number(let value): text += Self.text(of: value).utf8
    case .string(let value): Self.write(value, to: &text)
    case .array(let elements):
      let breaks = layout == .indented && elements.contains { $0.isCollection }
      Self.writeList(
        elements, UInt8(ascii: "["), UInt8(ascii: "]"), to: &text, layout, breaks: breaks,
        indent: indent
      ) {
        $0.write(to: &$1, layout, indent: indent + 1)
      }
    case .object(let members):
      let breaks = layout == .indented && indent < 1 || members.contains { $0.value.isCollection }
      Self.writeList(
        members, UInt8(ascii: "{"), UInt8(ascii: "}"), to: &text, layout,
        breaks: breaks && layout == .indented, indent: indent
      ) {
        Self.write($0.key, to: &$1)
        $1.append(UInt8(ascii: ":"))
        if layout == .indented { $1.append(UInt8(ascii: " ")) }
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
    _ elements: [Element], _ open: UInt8, _ close: UInt8, to text: inout [UInt8], _ layout: Layout,
    breaks: Bool, indent: Int, _ write: (Element, inout [UInt8]) -> Void
  ) {
    func breakLine(_ indent: Int, _ text: inout [UInt8]) {
      text.append(UInt8(ascii: "\n"))
      for _ in 0..<indent { text += "  ".utf8 }
    }
    text.append(open)
    for (index, element) in elements.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      if index > 0, layout == .indented, !breaks { text.append(UInt8(ascii: " ")) }
      if breaks { breakLine(indent + 1, &text) }
      write(element, &text)
    }
    if breaks, !elements.isEmpty { breakLine(indent, &text) }
    text.append(close)
  }

  /// Writes a number in decimal.
  private static func write(_ value: UInt64, to text: inout [UInt8]) {
    let start = text.count
    var rest = value
    repeat {
      text.append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    text[start...].reverse()
  }

  private static func text(of value: Double) -> String {
    if value.isNaN { return "\"NaN\"" }
    if value.isInfinite { return value < 0 ? "\"-Infinity\"" : "\"Infinity\"" }
    return "\(value)"
  }

  /// Writes a string as Python's `json.dumps(…, ensure_ascii=False)` does: only quotes, backslashes
  /// and characters below 0x20 are escaped.
  private static func write(_ value: ExactString, to text: inout [UInt8]) {
    text.append(UInt8(ascii: "\""))
    let start = text.count
    text += value.utf8
    let isPlain = text[start...].allSatisfy { $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C }
    if !isPlain {
      text.removeSubrange(start...)
      for byte in value.utf8 { writeEscaped(byte, to: &text) }
    }
    text.append(UInt8(ascii: "\""))
  }

  private static func writeEscaped(_ byte: UInt8, to text: inout [UInt8]) {
    switch byte {
    case UInt8(ascii: "\""): text += "\\\"".utf8
    case UInt8(ascii: "\\"): text += "\\\\".utf8
    case UInt8(ascii: "\n"): text += "\\n".utf8
    case UInt8(ascii: "\r"): text += "\\r".utf8
    case UInt8(ascii: "\t"): text += "\\t".utf8
    case 0x08: text += "\\b".utf8
    case 0x0C: text += "\\f".utf8
    case 0..<0x20:
      text += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
    default: text.append(byte)
    }
  }
}
