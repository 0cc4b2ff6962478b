import Tensors
import Testing

/// What the strict reader of JSON refuses, with the words and the byte of each refusal.
@Suite struct JSONScannerTests {
  private func fault(_ bytes: [UInt8]) -> IngotError? {
    do {
      _ = try JSONScanner.parse(bytes)
      return nil
    } catch {
      return error as? IngotError
    }
  }

  @Test(arguments: [
    ("", "ends where a value is due", 0), ("1 2", "text follows the value", 2),
    ("[1", "ends where ',' or ']' is due", 2), ("[1}", "expected ',' or ']'", 2),
    ("{\"a\"}", "expected ':'", 4), ("{\"a\"", "ends where ':' is due", 4),
    ("{1:2}", "expected a string", 1), ("{\"a\":1]", "expected ',' or '}'", 6),
    ("[1,]", "expected a value", 3), ("\u{FEFF}1", "expected a value", 0),
    ("{\"a\":1,\"a\":1}", "the key 'a' occurs twice", 7),
    (
      "{\"0\":0,\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"9\":0,\"9\":0}",
      "the key '9' occurs twice", 61
    ),
    ("tru", "expected true", 0), ("trux", "expected true", 0), ("nul", "expected null", 0),
    ("falsy", "expected false", 0), ("-", "expected a digit", 1), ("1.", "expected a digit", 2),
    ("1e", "expected a digit", 2), ("1e+", "expected a digit", 3), ("+1", "expected a value", 0),
    ("01", "a number starts with 0", 0), ("-00.5", "a number starts with 0", 1),
    ("1e999", "a number is out of range", 0), ("\"a", "ends within a string", 2),
    ("\"a\n\"", "a control character in a string", 2),
    ("\"\\n\u{1}\"", "a control character in a string", 3),
    ("\"\\x\"", "an unknown escape", 2), ("\"\\", "ends within a string", 2),
    ("\"\\u12", "ends within an escape", 3), ("\"\\u12g4\"", "not a hexadecimal digit", 5),
    ("\"\\ud83d\"", "a lone surrogate", 1), ("\"\\ud83d", "a lone surrogate", 1),
    ("\"\\ud83dxude00\"", "a lone surrogate", 1), ("\"\\ud83d\\nde00\"", "a lone surrogate", 1),
    ("\"\\ud83d\\u0041\"", "a lone surrogate", 1), ("\"\\ude00\"", "a lone surrogate", 1),
  ])
  func whatIsNoJSONIsRefusedWithItsByte(text: String, message: String, offset: Int) throws {
    let error = try #require(fault(Array(text.utf8)))
    #expect(error.message == "JSON: " + message)
    #expect(error.offset == offset && error.errorClass == .malformed)
  }

  @Test(
    arguments: [
      ([0x22, 0xFF, 0x22], 1), ([0x22, 0xC3, 0x22], 1), ([0x22, 0x5C, 0x6E, 0xFF, 0x22], 1),
    ] as [([UInt8], Int)])
  func textThatIsNotUTF8IsRefused(bytes: [UInt8], offset: Int) throws {
    let error = try #require(fault(bytes))
    #expect(error.message == "JSON: a string is not UTF-8")
    #expect(error.offset == offset)
  }

  @Test func depthIsBounded() throws {
    func nested(_ depth: Int) -> [UInt8] {
      Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
    }
    #expect(fault(nested(128)) == nil)
    #expect(try #require(fault(nested(129))).message == "JSON: nested deeper than 128")
  }

  @Test func aNumberHas400CharactersAtMost() throws {
    let zeros = String(repeating: "0", count: 398)
    #expect(try JSONScanner.parse(Array("0.\(zeros)".utf8)) == .number(0))
    let error = try #require(fault(Array("0.\(zeros)0".utf8)))
    #expect(error.message == "JSON: a number is out of range")
  }

  @Test func whatIsSoundIsRead() throws {
    let text = #" { "a" : [ -0 , 1.5e-3, true , null ], "b" : "\ud83d\ude00é\/\u0041" } "#
    #expect(
      try JSONScanner.parse(Array(text.utf8))
        == .object([
          .init("a", .array([.integer(0), .number(0.0015), .boolean(true), .null])),
          .init("b", .string("😀é/A")),
        ]))
    #expect(try JSONScanner.parse(Array("-9223372036854775808".utf8)) == .integer(.min))
    #expect(try JSONScanner.parse(Array("18446744073709551615".utf8)) == .unsigned(.max))
    #expect(try JSONScanner.parse(Array("18446744073709551616".utf8)) == .number(0x1p64))
  }

  @Test(arguments: ["-1", "1.5", "9223372036854775808", "\"1\"", "1e3"])
  func whatIsNoNaturalNumberIsRefused(text: String) throws {
    var scanner = JSONScanner(Array("\(text),".utf8), base: 10)
    let error = try #require(throws: IngotError.self) {
      try scanner.naturalNumber("the size")
    }
    #expect(error.message == "the size is not a whole number below 2^63")
    #expect(error.offset == 10)
  }

  @Test func exactTextIsTakenAndNothingElse() throws {
    var scanner = JSONScanner(Array("{\"a\"".utf8))
    try scanner.takeExactly("{\"")
    for other in ["b", "a\"x"] {
      let error = try #require(throws: IngotError.self) { try scanner.takeExactly(other) }
      #expect(error.message == "JSON: expected exactly \(other)")
    }
    try scanner.takeExactly("a\"")
  }
}
