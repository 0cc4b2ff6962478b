internal import Tensors

/// A value in the header of an `.npy` file, which is the literal of a Python dictionary.
///
/// The grammar is a small part of Python's and nothing is ever evaluated:
///
///     value  = string | integer | "True" | "False" | "None" | tuple | list | dictionary
///     tuple  = "(" [value "," [value {"," value} [","]]] ")"
///     list   = "[" [value {"," value} [","]] "]"
///     dictionary = "{" [string ":" value {"," string ":" value} [","]] "}"
///     string = 'characters and escapes' in either quotes
///     integer = decimal digits, with Python 2's "L" behind them where the version allows it
indirect enum PythonLiteral: Equatable {
  case string(String)
  case integer(Int)
  case boolean(Bool)
  case none
  case tuple([PythonLiteral])
  case list([PythonLiteral])
  case dictionary([Member])

  /// A key and its value.
  struct Member: Equatable {
    let key: String
    let value: PythonLiteral
  }
}

/// Parses a Python literal.
struct PythonLiteralParser {
  private let text: ArraySlice<UInt8>
  private var position: Int
  /// The offset in the file of the byte at index 0.
  private let base: Int
  private let encoding: Encoding
  private var depth = 0

  /// How bytes from 0x80 on are read.
  enum Encoding {
    /// Versions 1 and 2, which may come from Python 2: integers may end in `L`.
    case latin1
    /// Version 3.
    case utf8
  }

  /// Parses the whole of `text`, whose first byte lies at `offset` of the file; blanks may surround the
  /// value.
  static func parse(
    _ text: ArraySlice<UInt8>, _ encoding: Encoding, offset: Int
  ) throws -> PythonLiteral {
    var parser = PythonLiteralParser(text, encoding, base: offset - text.startIndex)
    let value = try parser.value()
    parser.skipBlanks()
    guard parser.position == text.endIndex else { throw parser.failure("text follows the value") }
    return value
  }

  private init(_ text: ArraySlice<UInt8>, _ encoding: Encoding, base: Int) {
    self.text = text
    self.encoding = encoding
    self.base = base
    position = text.startIndex
  }

  private func failure(_ message: String) -> IngotError {
    IngotError(.malformed, "npy header: \(message)", offset: base + position)
  }

  private mutating func skipBlanks() {
    while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D {
      position += 1
    }
  }

  private func peek() -> UInt8? { position < text.endIndex ? text[position] : nil }

  /// Takes `character` where it comes next.
  private mutating func take(_ character: Character) -> Bool {
    skipBlanks()
    guard let byte = peek(), byte == character.asciiValue else { return false }
    position += 1
    return true
  }

  private mutating func value() throws -> PythonLiteral {
    skipBlanks()
    depth += 1
    defer { depth -= 1 }
    guard depth <= Limits.npyHeaderDepth else {
      throw failure("nested deeper than \(Limits.npyHeaderDepth)")
    }
    switch peek() ?? 0 {
    case UInt8(ascii: "'"), UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return .integer(try integer())
    case UInt8(ascii: "("): return .tuple(try tuple())
    case UInt8(ascii: "["):
      position += 1
      return .list(try values(until: "]"))
    case UInt8(ascii: "{"): return .dictionary(try members())
    case UInt8(ascii: "T"), UInt8(ascii: "F"), UInt8(ascii: "N"): return try word()
    default: throw failure("expected a string, a number, True, False, None, (, [ or {")
    }
  }

  private mutating func word() throws -> PythonLiteral {
    for (word, value) in [
      ("True", PythonLiteral.boolean(true)), ("False", .boolean(false)), ("None", .none),
    ] where text[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw failure("expected True, False or None")
  }

  private mutating func integer() throws -> Int {
    let start = position
    var number = 0
    while let byte = peek(), byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
      let (product, wraps) = number.multipliedReportingOverflow(by: 10)
      let (sum, wrapsToo) = product.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
      guard !wraps, !wrapsToo else { throw failure("an integer exceeds 2^63") }
      number = sum
      position += 1
    }
    guard position == start + 1 || text[start] != UInt8(ascii: "0") else {
      throw failure("an integer with leading zeros")
    }
    if encoding == .latin1, peek() == UInt8(ascii: "L") { position += 1 }
    switch peek() ?? 0 {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "_"), UInt8(ascii: "."):
      throw failure("expected a decimal integer")
    default: return number
    }
  }

  /// A tuple; `(3)` is none.
  private mutating func tuple() throws -> [PythonLiteral] {
    position += 1
    if take(")") { return [] }
    let first = try value()
    guard take(",") else { throw failure("expected a comma: parentheses alone make no tuple") }
    return [first] + (try values(until: ")"))
  }

  /// Values with commas between them, up to `closing`.
  private mutating func values(until closing: Character) throws -> [PythonLiteral] {
    var values: [PythonLiteral] = []
    while !take(closing) {
      values.append(try value())
      if take(closing) { break }
      guard take(",") else { throw failure("expected a comma or \(closing)") }
    }
    return values
  }

  private mutating func members() throws -> [PythonLiteral.Member] {
    position += 1
    var members: [PythonLiteral.Member] = []
    while !take("}") {
      skipBlanks()
      guard peek() == UInt8(ascii: "'") || peek() == UInt8(ascii: "\"") else {
        throw failure("expected a key in quotes")
      }
      let key = try string()
      guard take(":") else { throw failure("expected a colon") }
      members.append(PythonLiteral.Member(key: key, value: try value()))
      if take("}") { break }
      guard take(",") else { throw failure("expected a comma or }") }
    }
    return members
  }

  private mutating func string() throws -> String {
    let quote = text[position]
    position += 1
    var result = ""
    var start = position
    while let byte = peek(), byte != quote {
      guard byte >= 0x20 else { throw failure("a control character in a string") }
      guard byte == UInt8(ascii: "\\") else {
        position += 1
        continue
      }
      result += try characters(start..<position)
      result.unicodeScalars.append(try escape())
      start = position
    }
    guard peek() == quote else { throw failure("a string without its closing quote") }
    result += try characters(start..<position)
    position += 1
    return result
  }

  private func characters(_ range: Range<Int>) throws -> String {
    switch encoding {
    case .latin1:
      var characters = String.UnicodeScalarView()
      for byte in text[range] { characters.append(UnicodeScalar(byte)) }
      return String(characters)
    case .utf8:
      guard let characters = String(validating: text[range], as: UTF8.self) else {
        throw failure("a string is not UTF-8")
      }
      return characters
    }
  }

  /// An escape that Python's `repr` writes.
  private mutating func escape() throws -> UnicodeScalar {
    position += 1
    let kind = peek()
    position += 1
    switch kind {
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "'"): return "'"
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "x"): return try scalar(digits: 2)
    case UInt8(ascii: "u"): return try scalar(digits: 4)
    case UInt8(ascii: "U"): return try scalar(digits: 8)
    default: throw failure("an unknown escape in a string")
    }
  }

  private mutating func scalar(digits: Int) throws -> UnicodeScalar {
    let end = position + digits
    guard end <= text.endIndex,
      text[position..<end].allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
      let code = UInt32(String(decoding: text[position..<end], as: UTF8.self), radix: 16),
      let scalar = UnicodeScalar(code)
    else { throw failure("an escape that names no character") }
    position = end
    return scalar
  }
}

extension Limits {
  /// Records within records: NumPy itself stops at 32 fields deep well before Python does.
  fileprivate static let npyHeaderDepth = 32
}
