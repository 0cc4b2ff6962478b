package import Tensors

/// A value of a YAML document and where it stands.
///
/// The subset that has one meaning for every reader: one document in UTF-8, mappings with distinct
/// text keys, lists, scalars. Anchors, aliases (which multiply a small text into a large tree),
/// tags (which name types to construct) and repeated keys are refused; nesting and the number of
/// values are bounded. JSON is a part of it, but for surrogate pairs written as two escapes.
package struct YAMLNode: Sendable {
  /// What the value is.
  package enum Content: Sendable {
    /// Text without quotes, whose spelling decides whether it is text at all.
    case plain(String)
    case quoted(String)
    case list([YAMLNode])
    case mapping([Member])
  }

  /// A key, where it stands, and its value.
  package struct Member: Sendable {
    package let key: ExactString
    package let position: TextPosition
    package let value: YAMLNode
  }

  package let content: Content
  package let position: TextPosition

  /// More than any rules file needs; bounds the memory that 64 MiB of text can ask for.
  static let nodeLimit = 1_000_000

  /// Parses a text of one document.
  ///
  /// - Throws: `malformed` with line and column for what is not YAML or not in the subset; `limit`
  ///   above the bounds.
  package init(parsing bytes: [UInt8]) throws {
    guard bytes.count <= Limits.jsonBytes else {
      throw IngotError(.limit, "\(bytes.count) bytes are above \(Limits.jsonBytes)")
    }
    var builder = YAMLTreeBuilder(events: try YAMLEvents(bytes))
    self = try builder.document()
  }

  fileprivate init(_ content: Content, _ position: TextPosition) {
    self.content = content
    self.position = position
  }

  /// What the value is, in words for a message.
  var kind: String {
    switch content {
    case .plain(let text):
      switch PlainKind(of: text) {
      case .text: "the text '\(text.escapedForDisplay())'"
      case .null: "nothing"
      case .boolean, .number: text.escapedForDisplay()
      }
    case .quoted(let text): "the text '\(text.escapedForDisplay())'"
    case .list: "a list"
    case .mapping: "a mapping"
    }
  }

  /// An error about this value: `malformed`, naming the place, what is due and what is there.
  package func mismatch(expected: String, hint: String? = nil) -> IngotError {
    IngotError(.malformed, "\(position): expected \(expected), found \(kind)", hint: hint)
  }

  /// The elements of a list.
  package func list(of what: String) throws -> [YAMLNode] {
    guard case .list(let elements) = content else {
      throw mismatch(expected: "a list of \(what)")
    }
    return elements
  }

  /// The text of a scalar.
  ///
  /// Plain scalars that YAML takes for null, a truth value or a number are refused: whether `no` or
  /// `1.10` is text differs between readers.
  package func text(_ what: String) throws -> ExactString {
    switch content {
    case .quoted(let text): return ExactString(text)
    case .plain(let text):
      switch PlainKind(of: text) {
      case .text: return ExactString(text)
      case .null: throw mismatch(expected: what)
      case .boolean, .number: throw mismatch(expected: what, hint: "put quotes around it")
      }
    case .list, .mapping: throw mismatch(expected: what)
    }
  }

  /// The whole number that a plain scalar spells in decimal digits.
  package func integer(_ what: String) throws -> Int {
    guard case .plain(let text) = content else { throw mismatch(expected: what) }
    let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
    // YAML 1.1 reads 010 as 8, YAML 1.2 as 10.
    guard let first = digits.utf8.first, first != UInt8(ascii: "0") || digits == "0",
      digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let value = Int(text)
    else { throw mismatch(expected: what) }
    return value
  }

  /// The number that a plain scalar spells in decimal digits.
  package func number(_ what: String) throws -> Double {
    guard case .plain(let text) = content, case .number = PlainKind(of: text),
      !text.contains(where: { "xXoO_".contains($0) }), let value = Double(text), value.isFinite
    else { throw mismatch(expected: what) }
    return value
  }

  /// `true` or `false`; what else YAML takes for a truth value differs between readers.
  package func flag(_ what: String) throws -> Bool {
    switch content {
    case .plain("true"): return true
    case .plain("false"): return false
    case .plain, .quoted, .list, .mapping:
      throw mismatch(expected: what, hint: "true or false")
    }
  }

  /// The text of a scalar as it is spelled, whatever it is taken for.
  package func spelling(_ what: String) throws -> ExactString {
    switch content {
    case .plain(let text), .quoted(let text): return ExactString(text)
    case .list, .mapping: throw mismatch(expected: what)
    }
  }

  /// The members of a mapping.
  package func members(of what: String) throws -> [Member] {
    guard case .mapping(let members) = content else { throw mismatch(expected: what) }
    return members
  }
}

/// What YAML 1.1 or 1.2 takes a plain scalar for.
private enum PlainKind {
  case text
  case null
  case boolean
  case number

  init(of text: String) {
    switch text.lowercased() {
    case "", "~", "null": self = .null
    case "true", "false", "yes", "no", "on", "off": self = .boolean
    case ".inf", "+.inf", "-.inf", ".nan": self = .number
    default:
      let magnitude = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
      let startsAsNumber = magnitude.utf8.first.map { ($0 &- 0x30) < 10 || $0 == 0x2E } ?? false
      let isPrefixed = ["0x", "0o", "0b"].contains { magnitude.lowercased().hasPrefix($0) }
      self = startsAsNumber && (isPrefixed || Double(magnitude) != nil) ? .number : .text
    }
  }
}

/// Builds the tree of one document from libyaml's events.
private struct YAMLTreeBuilder: ~Copyable {
  private let events: YAMLEvents
  private var nodeCount = 0

  init(events: consuming YAMLEvents) { self.events = events }

  private func failure(_ position: TextPosition, _ message: String) -> IngotError {
    IngotError(.malformed, "\(position): \(message)")
  }

  mutating func document() throws -> YAMLNode {
    if case (.streamStart(isUTF8: false), let position) = try events.next() {
      throw failure(position, "the text is UTF-16, only UTF-8 is read")
    }
    if case (.streamEnd, let position) = try events.next() {
      throw failure(position, "the file is empty")
    }
    let (event, position) = try events.next()
    let root = try node(event, position, depth: 1)
    _ = try events.next()
    let (last, end) = try events.next()
    guard case .streamEnd = last else { throw failure(end, "a second document begins") }
    return root
  }

  private func check(_ properties: YAMLEvents.Properties, _ position: TextPosition) throws {
    guard !properties.hasAnchor else { throw refusal(position, "anchors (&)") }
    guard !properties.hasTag else { throw refusal(position, "tags (!)") }
  }

  private func refusal(_ position: TextPosition, _ what: String) -> IngotError {
    IngotError(
      .malformed, "\(position): \(what) are refused",
      hint: "text that begins with &, * or ! needs quotes")
  }

  private mutating func node(
    _ event: YAMLEvents.Event, _ position: TextPosition, depth: Int
  ) throws -> YAMLNode {
    guard depth <= Limits.depth else {
      throw IngotError(.limit, "\(position): nested deeper than \(Limits.depth)")
    }
    nodeCount += 1
    guard nodeCount <= YAMLNode.nodeLimit else {
      throw IngotError(.limit, "\(position): more than \(YAMLNode.nodeLimit) values")
    }
    switch event {
    case .scalar(let text, let isPlain, let properties):
      try check(properties, position)
      return YAMLNode(isPlain ? .plain(text) : .quoted(text), position)
    case .listStart(let properties):
      try check(properties, position)
      return YAMLNode(.list(try elements(depth: depth)), position)
    case .mappingStart(let properties):
      try check(properties, position)
      return YAMLNode(.mapping(try members(depth: depth)), position)
    case .alias: throw refusal(position, "aliases (*)")
    case .streamStart, .streamEnd, .documentStart, .documentEnd, .listEnd, .mappingEnd:
      throw IngotError(.internal, "\(position): libyaml's events are out of order")
    }
  }

  private mutating func elements(depth: Int) throws -> [YAMLNode] {
    var elements: [YAMLNode] = []
    while true {
      let (event, position) = try events.next()
      if case .listEnd = event { return elements }
      elements.append(try node(event, position, depth: depth + 1))
    }
  }

  private mutating func members(depth: Int) throws -> [YAMLNode.Member] {
    var members: [YAMLNode.Member] = []
    var seen: [ExactString: TextPosition] = [:]
    while true {
      let (event, position) = try events.next()
      if case .mappingEnd = event { return members }
      let key: ExactString
      switch try node(event, position, depth: depth + 1).content {
      case .plain(let text), .quoted(let text): key = ExactString(text)
      case .list, .mapping: throw failure(position, "a key is not text")
      }
      if let first = seen.updateValue(position, forKey: key) {
        throw failure(
          position, "the key '\(key.escapedForDisplay())' occurs twice, first at \(first)")
      }
      let (value, valuePosition) = try events.next()
      members.append(
        YAMLNode.Member(
          key: key, position: position, value: try node(value, valuePosition, depth: depth + 1)))
    }
  }
}
