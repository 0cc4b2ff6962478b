/// Reads JSON (RFC 8259) strictly and front to back, value by value.
///
/// Stricter than the libraries around: duplicate keys, lone surrogates, text that is not UTF-8, a byte
/// order mark, leading zeros and anything after the value are refused, and nesting is bounded. What
/// two parsers read differently is what an attacker writes.
package struct JSONScanner {
  private let bytes: [UInt8]
  private var position: Int
  private let end: Int
  /// The offset of `bytes[0]` in the file, for errors.
  private let base: Int
  private var depth = 0

  package init(_ bytes: [UInt8], base: Int = 0) {
    self.bytes = bytes
    self.base = base
    position = 0
    end = bytes.count
  }

  /// Parses a whole document.
  package static func parse(_ bytes: [UInt8], base: Int = 0) throws -> JSON {
    var scanner = JSONScanner(bytes, base: base)
    let value = try scanner.value()
    try scanner.finish()
    return value
  }

  /// The offset in the file of the next byte.
  package var offset: Int { base + position }

  package func failure(_ message: String, at offset: Int? = nil) -> IngotError {
    IngotError(.malformed, "JSON: " + message, offset: offset ?? self.offset)
  }

  /// The first byte of the next value, or nil at the end.
  package mutating func peek() -> UInt8? {
    skipBlanks()
    return position < end ? bytes[position] : nil
  }

  /// Checks that only blanks follow.
  package mutating func finish() throws {
    skipBlanks()
    guard position == end else { throw failure("text follows the value") }
  }

  private mutating func skipBlanks() {
    while position < end {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  private mutating func take(_ character: UInt8, _ expected: String) throws {
    skipBlanks()
    guard position < end, bytes[position] == character else {
      throw failure(position < end ? "expected \(expected)" : "ends where \(expected) is due")
    }
    position += 1
  }

  private mutating func takes(_ character: UInt8) -> Bool {
    skipBlanks()
    guard position < end, bytes[position] == character else { return false }
    position += 1
    return true
  }

  private mutating func nested(_ body: (inout JSONScanner) throws -> Void) throws {
    depth += 1
    guard depth <= Limits.depth else { throw failure("nested deeper than \(Limits.depth)") }
    try body(&self)
    depth -= 1
  }

  /// Whether exactly this byte comes next, without blanks.
  package func isNext(_ byte: UInt8) -> Bool { position < end && bytes[position] == byte }

  /// Takes exactly this text, without blanks before it: for a document in a form of its own.
  package mutating func takeExactly(_ text: String) throws {
    let text = text.utf8
    guard end - position >= text.count, bytes[position..<position + text.count].elementsEqual(text)
    else { throw failure("expected exactly \(String(text))") }
    position += text.count
  }

  /// Reads an object; `member` is called with each key and must read its value.
  ///
  /// - Parameter checksKeys: false where the caller itself refuses keys that occur twice.
  package mutating func object(
    checksKeys: Bool = true, _ member: (inout JSONScanner, ExactString) throws -> Void
  ) throws {
    try nested { scanner in
      try scanner.take(UInt8(ascii: "{"), "an object")
      if scanner.takes(UInt8(ascii: "}")) { return }
      var few: [ExactString] = []
      var seen: Set<ExactString> = []
      if checksKeys { few.reserveCapacity(8) }
      repeat {
        _ = scanner.peek()
        let at = scanner.offset
        let key = try scanner.string()
        // Small objects are the many: a linear look costs less than hashing.
        let isNew: Bool
        if !checksKeys {
          isNew = true
        } else if few.count < 8 {
          isNew = !few.contains(key)
          few.append(key)
        } else {
          if seen.isEmpty { seen = Set(few) }
          isNew = seen.insert(key).inserted
        }
        guard isNew else {
          throw scanner.failure("the key '\(key.escapedForDisplay())' occurs twice", at: at)
        }
        try scanner.take(UInt8(ascii: ":"), "':'")
        try member(&scanner, key)
      } while scanner.takes(UInt8(ascii: ","))
      try scanner.take(UInt8(ascii: "}"), "',' or '}'")
    }
  }

  /// Reads an array; `element` is called before each element and must read it.
  package mutating func array(_ element: (inout JSONScanner) throws -> Void) throws {
    try nested { scanner in
      try scanner.take(UInt8(ascii: "["), "an array")
      if scanner.takes(UInt8(ascii: "]")) { return }
      repeat { try element(&scanner) } while scanner.takes(UInt8(ascii: ","))
      try scanner.take(UInt8(ascii: "]"), "',' or ']'")
    }
  }

  /// Reads any value.
  package mutating func value() throws -> JSON {
    guard let first = peek() else { throw failure("ends where a value is due") }
    switch first {
    case UInt8(ascii: "{"):
      var members: [JSON.Member] = []
      try object { scanner, key in members.append(JSON.Member(key, try scanner.value())) }
      return .object(members)
    case UInt8(ascii: "["):
      var elements: [JSON] = []
      try array { elements.append(try $0.value()) }
      return .array(elements)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .boolean(true))
    case UInt8(ascii: "f"): return try literal("false", .boolean(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw failure("expected a value")
    }
  }

  private mutating func literal(_ text: String, _ value: JSON) throws -> JSON {
    guard end - position >= text.utf8.count,
      bytes[position..<position + text.utf8.count].elementsEqual(text.utf8)
    else { throw failure("expected \(text)") }
    position += text.utf8.count
    return value
  }

  /// Reads a non-negative integer written without fraction or exponent.
  package mutating func naturalNumber(_ what: String) throws -> Int {
    skipBlanks()
    let at = offset
    if let few = fewDigits() { return few }
    guard case .integer(let value) = try value(), value >= 0, let exact = Int(exactly: value) else {
      throw IngotError(.malformed, "\(what) is not a whole number below 2^63", offset: at)
    }
    return exact
  }

  /// Takes a number of up to 18 digits and nothing else, which is what headers are made of; nil, and
  /// nothing taken, where it is none.
  private mutating func fewDigits() -> Int? {
    var value = 0
    var index = position
    while index < end, index - position < 18, bytes[index] &- 0x30 < 10 {
      value = value &* 10 &+ Int(bytes[index] &- 0x30)
      index += 1
    }
    guard index > position, index < end, bytes[position] != 0x30 || index == position + 1 else {
      return nil
    }
    switch bytes[index] {
    case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"):
      position = index
      return value
    default: return nil
    }
  }

  private mutating func digits() throws {
    let start = position
    while position < end, bytes[position] &- 0x30 < 10 { position += 1 }
    guard position > start else { throw failure("expected a digit") }
  }

  private mutating func number() throws -> JSON {
    let start = position
    let isNegative = bytes[position] == UInt8(ascii: "-")
    if isNegative { position += 1 }
    let firstDigit = position
    try digits()
    guard bytes[firstDigit] != UInt8(ascii: "0") || position == firstDigit + 1 else {
      throw failure("a number starts with 0", at: base + firstDigit)
    }
    var isInteger = true
    if position < end, bytes[position] == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      try digits()
    }
    if position < end, bytes[position] | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      position += 1
      if position < end,
        bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
      {
        position += 1
      }
      try digits()
    }
    if isInteger {
      var magnitude: UInt64 = 0
      var fits = true
      for index in firstDigit..<position where fits {
        let (tens, overflow) = magnitude.multipliedReportingOverflow(by: 10)
        let (sum, carry) = tens.addingReportingOverflow(UInt64(bytes[index] & 15))
        fits = !overflow && !carry
        magnitude = sum
      }
      if fits, !isNegative { return JSON(magnitude) }
      if fits, magnitude <= 1 << 63 { return .integer(Int64(truncatingIfNeeded: 0 &- magnitude)) }
    }
    guard position - start <= 400,
      let real = Double(String(decoding: bytes[start..<position], as: UTF8.self)), real.isFinite
    else { throw failure("a number is out of range", at: base + start) }
    return .number(real)
  }

  /// Reads a string.
  package mutating func string() throws -> ExactString {
    try take(UInt8(ascii: "\""), "a string")
    let start = position
    var highest: UInt8 = 0
    while position < end {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        if highest < 0x80 {
          // ASCII needs no validation, which costs more than all the rest here.
          defer { position += 1 }
          return ExactString(String(decoding: bytes[start..<position], as: UTF8.self))
        }
        guard let text = ExactString(validating: bytes[start..<position]) else {
          throw notUTF8(start)
        }
        position += 1
        return text
      }
      if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
      guard byte >= 0x20 else { throw failure("a control character in a string") }
      highest |= byte
      position += 1
    }
    throw failure("ends within a string")
  }

  private func notUTF8(_ start: Int) -> IngotError {
    failure("a string is not UTF-8", at: base + start)
  }

  /// The rest of a string in which `position` stands at the first backslash.
  private mutating func escapedString(from start: Int) throws -> ExactString {
    var text = Array(bytes[start..<position])
    while position < end {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let result = ExactString(validating: text) else { throw notUTF8(start) }
        return result
      case UInt8(ascii: "\\"):
        guard position < end else { break }
        let escape = bytes[position]
        position += 1
        switch escape {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(escape)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try unicodeEscape()).utf8)
        default: throw failure("an unknown escape", at: offset - 1)
        }
      case 0..<0x20: throw failure("a control character in a string", at: offset - 1)
      default: text.append(byte)
      }
    }
    throw failure("ends within a string")
  }

  private mutating func hexQuad() throws -> UInt32 {
    guard end - position >= 4 else { throw failure("ends within an escape") }
    var value: UInt32 = 0
    for index in position..<position + 4 {
      guard let digit = Character(Unicode.Scalar(bytes[index])).hexDigitValue else {
        throw failure("not a hexadecimal digit", at: base + index)
      }
      value = value << 4 | UInt32(digit)
    }
    position += 4
    return value
  }

  private mutating func unicodeEscape() throws -> Character {
    let at = offset - 2
    var code = try hexQuad()
    if 0xD800..<0xDC00 ~= code {
      guard end - position >= 2, bytes[position] == UInt8(ascii: "\\"),
        bytes[position + 1] == UInt8(ascii: "u")
      else { throw failure("a lone surrogate", at: at) }
      position += 2
      let low = try hexQuad()
      guard 0xDC00..<0xE000 ~= low else { throw failure("a lone surrogate", at: at) }
      code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw failure("a lone surrogate", at: at) }
    return Character(scalar)
  }
}
