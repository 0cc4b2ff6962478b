internal import Tensors

/// Reads a formula by its grammar, loosest binding first: `? :`, `||`, `&&`, comparisons, `+ -`,
/// `* / %`, `! -`.
struct ExpressionParser {
  private let text: String
  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0
  /// Formulas come from users too: recursion stays far from the end of the stack.
  private static let deepest = 32

  init(_ text: String) {
    self.text = text
    bytes = Array(text.utf8)
  }

  mutating func whole() throws -> Expression.Node {
    guard bytes.count <= 1024 else { throw failure("is above 1,024 bytes") }
    // Most formulas are one name or number, and a start reads a thousand.
    let isOneValue = bytes.allSatisfy { isLetter($0) || isDigit($0) }
    let node = isOneValue ? try primary() : try choice()
    skipBlanks()
    guard position == bytes.count else { throw failure("has more after its end") }
    return node
  }

  private func failure(_ message: String) -> IngotError {
    IngotError(
      .malformed,
      "the formula '\(text.escapedForDisplay())' \(message), at character \(position + 1)")
  }

  private mutating func skipBlanks() {
    while position < bytes.count, bytes[position] == UInt8(ascii: " ") { position += 1 }
  }

  /// Takes a token if it comes next.
  private mutating func take(_ token: String) -> Bool {
    skipBlanks()
    // No array is made of the token: a start parses a thousand formulas.
    var end = position
    for byte in token.utf8 {
      guard end < bytes.count, bytes[end] == byte else { return false }
      end += 1
    }
    position = end
    return true
  }

  private mutating func choice() throws -> Expression.Node {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else { throw failure("is nested above \(Self.deepest) levels") }
    let condition = try binary(level: 0)
    guard take("?") else { return condition }
    let yes = try choice()
    guard take(":") else { throw failure("lacks the ':' of its '?'") }
    return .choice(condition, yes, try choice())
  }

  private static let levels: [[Expression.Operator]] = [
    [.or], [.and], [.equal, .notEqual, .lessOrEqual, .greaterOrEqual, .less, .greater],
    [.plus, .minus], [.times, .over, .modulo],
  ]

  private mutating func binary(level: Int) throws -> Expression.Node {
    guard level < Self.levels.count else { return try unary() }
    var left = try binary(level: level + 1)
    guard position < bytes.count else { return left }
    while let found = Self.levels[level].first(where: { take($0.rawValue) }) {
      left = .binary(found, left, try binary(level: level + 1))
    }
    return left
  }

  private mutating func unary() throws -> Expression.Node {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else { throw failure("is nested above \(Self.deepest) levels") }
    if take("!") { return .not(try unary()) }
    if take("-") { return .negated(try unary()) }
    return try primary()
  }

  private mutating func primary() throws -> Expression.Node {
    if take("(") {
      let node = try choice()
      guard take(")") else { throw failure("lacks a ')'") }
      return node
    }
    if take("'") { return .constant(.word(ExactString(try word()))) }
    guard position < bytes.count else { throw failure("ends where a value is due") }
    if isDigit(bytes[position]) { return .constant(try number()) }
    let name = identifier()
    guard !name.isEmpty else { throw failure("has no value where one is due") }
    if name == "true" || name == "false" { return .constant(.flag(name == "true")) }
    if take("[") {
      let index = try choice()
      guard take("]") else { throw failure("lacks a ']'") }
      return .element(name, index)
    }
    guard take("(") else { return .name(name) }
    guard let function = Expression.Function(rawValue: name) else {
      throw failure("calls '\(name)', which is no function")
    }
    var arguments = [try choice()]
    while take(",") { arguments.append(try choice()) }
    guard take(")") else { throw failure("lacks a ')'") }
    guard function.takesOne ? arguments.count == 1 : arguments.count > 1 else {
      throw failure("calls '\(name)' with \(arguments.count) values")
    }
    return .call(function, arguments)
  }

  private mutating func word() throws -> String {
    let start = position
    while position < bytes.count, bytes[position] != UInt8(ascii: "'") { position += 1 }
    guard position < bytes.count else { throw failure("lacks a closing quote") }
    defer { position += 1 }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func number() throws -> Value {
    let start = position
    while position < bytes.count,
      isDigit(bytes[position]) || ".e".utf8.contains(bytes[position])
        || bytes[position] == UInt8(ascii: "-") && bytes[position - 1] == UInt8(ascii: "e")
    {
      position += 1
    }
    let digits = String(decoding: bytes[start..<position], as: UTF8.self)
    if let integer = Int(digits) { return .integer(integer) }
    guard let real = Double(digits), real.isFinite else {
      throw failure("has '\(digits)', which is no number")
    }
    return .real(real)
  }

  private mutating func identifier() -> String {
    let start = position
    while position < bytes.count, isLetter(bytes[position]) || isDigit(bytes[position]) {
      position += 1
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private func isLetter(_ byte: UInt8) -> Bool {
    (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || byte == UInt8(ascii: "_")
  }
}

extension Expression.Function {
  fileprivate var takesOne: Bool {
    switch self {
    case .sqrt, .log, .floor: true
    case .min, .max: false
    }
  }
}
