import Testing

@testable import Rules
@testable import Tensors

@Suite struct YAMLTests {
  private func kinds(_ text: String) throws -> YAMLNode { try YAMLNode(parsing: Array(text.utf8)) }

  @Test func readsListsMappingsAndScalarsWithTheirPlaces() throws {
    let node = try kinds("# a comment\nkey:\n  - plain\n  - 'quoted'\n  - {inner: [1, -2]}\n")
    guard case .mapping(let members) = node.content, let member = members.first else {
      Issue.record("not a mapping")
      return
    }
    #expect(members.count == 1)
    #expect(member.key == "key")
    #expect(member.position == TextPosition(line: 2, column: 1))
    let list = try member.value.list(of: "things")
    #expect(try list[0].text("text") == "plain")
    #expect(try list[1].text("text") == "quoted")
    #expect(list[1].position == TextPosition(line: 4, column: 5))
    guard case .mapping(let inner) = list[2].content else {
      Issue.record("not a mapping")
      return
    }
    #expect(try inner[0].value.list(of: "numbers").map { try $0.integer("a number") } == [1, -2])
  }

  /// The value of the one member.
  private func value(_ text: String) throws -> YAMLNode {
    try #require(kinds("{a: \(text)}").members(of: "a mapping").first).value
  }

  @Test(arguments: [
    ("1", 1), ("-2.5", -2.5), ("1e-6", 1e-6), ("0", 0), ("1E+2", 100), (".5", 0.5), ("+3", 3),
  ])
  func readsNumbers(text: String, number: Double) throws {
    #expect(try value(text).number("a number") == number)
    #expect(try value(text).spelling("a value") == text)
  }

  @Test(arguments: [
    "0x10", "0o7", ".inf", "-.inf", ".nan", "1_000", "'1'", "one", "[1]", "~", "1e999",
  ])
  func refusesWhatIsNoPlainNumber(text: String) throws {
    let node = try value(text)
    let error = #expect(throws: IngotError.self) { try node.number("a number") }
    #expect(error?.message.hasPrefix("line 1, column 5: expected a number, found ") == true)
  }

  @Test func readsTruthValuesOfOneSpelling() throws {
    #expect(try value("true").flag("a flag"))
    #expect(try !value("false").flag("a flag"))
    for text in ["yes", "True", "'true'", "1", "[true]"] {
      let node = try value(text)
      let error = #expect(throws: IngotError.self) { try node.flag("a flag") }
      #expect(error?.message.hasPrefix("line 1, column 5: expected a flag, found ") == true)
      #expect(error?.hint == "true or false")
    }
  }

  @Test func readsJSONWithItsEscapesAndWithoutBlanks() throws {
    let node = try kinds(#"{"a":["x\\.\u00e9\/\"",-3],"b":{"c":"d"}}"#)
    guard case .mapping(let members) = node.content else {
      Issue.record("not a mapping")
      return
    }
    let list = try members[0].value.list(of: "things")
    #expect(try list[0].text("text") == #"x\.é/""#)
    #expect(try list[1].integer("a number") == -3)
    #expect(members[1].key == "b")
  }

  @Test func readsJSONIndentedWithTabs() throws {
    #expect(throws: Never.self) { try kinds("{\n\t\"rename\": [\n\t\t{\"from\": \"a\"}\n\t]\n}\n") }
  }

  @Test func acceptsAByteOrderMarkAndWindowsLineEnds() throws {
    let node = try kinds("\u{FEFF}- a\r\n- b\r\n")
    #expect(try node.list(of: "things").map { try $0.text("text") } == ["a", "b"])
  }

  @Test(arguments: [
    ("a: [", "line 2, column 1: YAML: did not find expected node content"),
    ("a: *x", "line 1, column 4: aliases (*) are refused"),
    ("a: &x b", "line 1, column 4: anchors (&) are refused"),
    ("a: &x [b]", "line 1, column 4: anchors (&) are refused"),
    ("a: &x {b: c}", "line 1, column 4: anchors (&) are refused"),
    ("a: !!str b", "line 1, column 4: tags (!) are refused"),
    ("a: !!python/object:os.system [b]", "line 1, column 4: tags (!) are refused"),
    ("a: ! {b: c}", "line 1, column 4: tags (!) are refused"),
    ("&x a: b", "line 1, column 1: anchors (&) are refused"),
    ("a: b\nc: d\na: e", "line 3, column 1: the key 'a' occurs twice, first at line 1, column 1"),
    (
      #"{"a":1,"\u0061":2}"#,
      "line 1, column 8: the key 'a' occurs twice, first at line 1, column 2"
    ),
    ("[a]: b", "line 1, column 1: a key is not text"),
    ("a: b\n---\nc: d", "line 2, column 1: a second document begins"),
    ("", "line 1, column 1: the file is empty"),
    ("# nothing\n", "line 2, column 1: the file is empty"),
    ("a: b\u{7}", "line 1, column 5: YAML: control characters are not allowed"),
    ("a:\n\t- b", "line 2, column 1: YAML: found character that cannot start any token"),
    (#"a: "\ud83d\ude00""#, "line 1, column 7: YAML: found invalid Unicode character escape code"),
  ])
  func refusesWhatHasNotOneMeaning(text: String, message: String) {
    let error = #expect(throws: IngotError.self) { try kinds(text) }
    #expect(error?.errorClass == .malformed)
    #expect(error?.message == message)
  }

  @Test func saysWhatToDoAboutAnUnquotedStar() {
    let error = #expect(throws: IngotError.self) { try kinds("a: *x") }
    #expect(error?.hint == "text that begins with &, * or ! needs quotes")
  }

  @Test func refusesBytesThatAreNotUTF8WithTheirPlace() {
    let error = #expect(throws: IngotError.self) {
      try YAMLNode(parsing: Array("é: b\nç: ".utf8) + [0xFF])
    }
    #expect(error?.message == "line 2, column 4: YAML: invalid leading UTF-8 octet")
  }

  @Test func refusesUTF16() {
    let error = #expect(throws: IngotError.self) {
      try YAMLNode(parsing: [0xFF, 0xFE] + Array("a".utf16).flatMap { [UInt8($0), 0] })
    }
    #expect(error?.message == "line 1, column 1: the text is UTF-16, only UTF-8 is read")
  }

  @Test(.timeLimit(.minutes(1)), arguments: ["[", "{a: ", "- ", "? "])
  func boundsTheDepth(opening: String) {
    let error = #expect(throws: IngotError.self) {
      try kinds(String(repeating: opening, count: 200_000))
    }
    #expect(error?.errorClass == .limit)
    #expect(error?.message.hasSuffix("nested deeper than 128") == true)
  }

  @Test func boundsTheNumberOfValues() {
    let text = "[" + String(repeating: "a,", count: YAMLNode.nodeLimit) + "]"
    let error = #expect(throws: IngotError.self) { try kinds(text) }
    #expect(error?.errorClass == .limit)
    #expect(error?.message.hasSuffix("more than 1000000 values") == true)
  }

  @Test func boundsTheSize() {
    let error = #expect(throws: IngotError.self) {
      try YAMLNode(parsing: Array(repeating: UInt8(ascii: "#"), count: Limits.jsonBytes + 1))
    }
    #expect(error?.errorClass == .limit)
    #expect(error?.message == "67108865 bytes are above 67108864")
  }

  @Test(arguments: ["no", "Yes", "true", "null", "~", "12", "-1.5", "1e3", ".5", "0x1F", ".inf"])
  func refusesPlainTextThatOtherReadersTakeForSomethingElse(text: String) throws {
    let list = try kinds("[\(text), '\(text)']").list(of: "things")
    #expect(throws: IngotError.self) { try list[0].text("a name") }
    #expect(try list[1].text("a name") == text)
  }

  @Test(arguments: ["$1", ".*", "1a", "h.1", "nan", "inf", "x: y", "-", "0d", "..", "norm", "y"])
  func takesOtherPlainTextAsItStands(text: String) throws {
    let node = text == "-" || text == "x: y" ? try kinds("'\(text)'") : try kinds(text)
    #expect(try node.text("a name") == text)
  }

  @Test(arguments: ["010", "1.0", "0x10", "+1", "1_000", "'1'", "-", "99999999999999999999", "-01"])
  func refusesIntegersThatReadersReadDifferently(text: String) throws {
    let list = try kinds("[\(text == "-" ? "'-'" : text)]").list(of: "things")
    let error = #expect(throws: IngotError.self) { try list[0].integer("a number") }
    #expect(error?.message.hasPrefix("line 1, column 2: expected a number, found ") == true)
  }

  @Test func everyMutationOfASmallFileIsReadOrRefused() {
    let seed = Array("a: ['x\\', \"\\u0041\"]\nb: {c: -1, d: ~}\n".utf8)
    for index in seed.indices {
      _ = try? YAMLNode(parsing: Array(seed[..<index]))
      for byte in UInt8.min...UInt8.max {
        var mutant = seed
        mutant[index] = byte
        do {
          _ = try YAMLNode(parsing: mutant)
        } catch let error as IngotError {
          #expect(error.errorClass == .malformed, "\(error)")
        } catch {
          Issue.record("\(error)")
        }
      }
    }
  }
}
