import TestSupport
import Testing

@testable import Tensors

/// Strings that are equal where their UTF-8 bytes are, and nowhere else.
@Suite struct ExactStringTests {
  /// Pairs that Swift's `String` takes for equal: one letter in two spellings, a sign and the letter that
  /// it stands for, accents in two orders.
  static let pairs: [(ExactString, ExactString)] = [
    ("caf\u{E9}", "cafe\u{301}"), ("K", "\u{212A}"), ("\u{C5}", "\u{212B}"), (";", "\u{37E}"),
    ("\u{212B}", "A\u{30A}"), ("a\u{323}\u{307}", "a\u{307}\u{323}"),
    ("\u{AC00}", "\u{1100}\u{1161}"),
  ]

  @Test(arguments: pairs)
  func differsWhereOnlyTheBytesDo(one: ExactString, other: ExactString) {
    #expect(one.text == other.text)
    #expect(one != other && other != one)
    #expect(one == one && one == ExactString(one.text))
    #expect(one != other.text && other.text != one && one == one.text)
    #expect(Set([one, other]).count == 2)
    #expect((one < other) != (other < one))
    let numbers: [ExactString: Int] = [one: 1, other: 2]
    #expect(numbers[one] == 1 && numbers[other] == 2 && numbers[one.text] == 1)
  }

  @Test func equalStringsHaveOneHash() {
    for text in ["", "a", "abcdefghijklmno", "abcdefghijklmnop", String(repeating: "é", count: 99)]
    {
      let made = ExactString(repairing: Array(text.utf8))
      #expect(made == ExactString(text) && made.hashValue == ExactString(text).hashValue)
      #expect(Set([made]).contains(text))
    }
  }

  @Test func theOrderIsThatOfTheBytes() {
    var generator = SeededGenerator(seed: 5)
    let scalars: [Unicode.Scalar] = [
      "a", "b", "K", "e", "\u{301}", "\u{E9}", "\u{212A}", "\u{1F600}",
    ]
    let texts = (0..<400).map { _ in
      var text = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 0...20, using: &generator) {
        text.append(scalars[Int.random(in: 0..<scalars.count, using: &generator)])
      }
      return ExactString(String(text))
    }
    let sorted = texts.sorted()
    let expected = texts.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
    #expect(sorted.map { Array($0.utf8) } == expected)
    for (one, other) in zip(texts, texts.dropFirst()) {
      #expect((one == other) == one.utf8.elementsEqual(other.utf8))
    }
  }

  @Test func aPrefixEndsWhereItsBytesEnd() {
    // To `String` the accent belongs to the slash, and nothing begins with `a/`.
    let name: ExactString = "a/\u{301}b"
    #expect(!name.text.hasPrefix("a/"))
    #expect(name.hasPrefix("a/") && name.removingPrefix("a/") == "\u{301}b")
    #expect(name.hasSuffix("b") && !name.hasSuffix("\u{301}b\u{301}"))
    #expect(name.removingSuffix("\u{301}b") == "a/" && name.removingSuffix("c") == nil)
    #expect(name.split(separator: "/") == ["a", "\u{301}b"])
    #expect(
      ExactString("/a//b").split(separator: "/", omittingEmptySubsequences: false) == [
        "", "a", "", "b",
      ])
    #expect(name.splitAtLast("/")?.before == "a" && ExactString("a").splitAtLast("/") == nil)
    #expect(
      !ExactString("caf\u{E9}").hasPrefix("cafe") && ExactString("cafe\u{301}").hasPrefix("cafe"))
    #expect(ExactString("xcafe\u{301}x").contains("e\u{301}"))
    #expect(!ExactString("xcafe\u{301}x").contains("\u{E9}"))
    #expect(ExactString("abc").contains("") && !ExactString("ab").contains("abc"))
  }

  @Test func printsAsItsText() {
    let name: ExactString = "a\"b"
    #expect("\(name)" == "a\"b" && "\([name])" == #"["a\"b"]"#)
    #expect(String(name) == "a\"b" && [name, "c"].joined(separator: ", ") == "a\"b, c")
  }

  @Test func takesTheRoomOfOneString() {
    #expect(MemoryLayout<ExactString>.size == MemoryLayout<String>.size)
  }

  @Test func tablesMetadataAndJSONKeepBoth() throws {
    var table = TensorTable()
    for (number, pair) in Self.pairs.enumerated() {
      for name in [pair.0, pair.1] where table[name] == nil {
        try table.append(name, Tensor(.uint8, [1], [UInt8(number)]))
        table.metadata[name] = JSON(number)
      }
    }
    #expect(table.entries.count == 13 && table.metadata.sorted.count == 13)
    let object = try JSONScanner.parse(
      Array("{\"\u{E9}\": 1, \"e\u{301}\": 2, \"K\": 3, \"\u{212A}\": 4}".utf8))
    #expect(
      object["\u{E9}" as ExactString]?.integer == 1
        && object["e\u{301}" as ExactString]?.integer == 2)
    #expect(
      object["K" as ExactString]?.integer == 3 && object["\u{212A}" as ExactString]?.integer == 4)
    #expect(JSON.string("\u{E9}") != JSON.string("e\u{301}"))
    #expect(throws: IngotError.self) {
      try JSONScanner.parse(Array("{\"e\u{301}\": 1, \"e\\u0301\": 2}".utf8))
    }
  }
}
