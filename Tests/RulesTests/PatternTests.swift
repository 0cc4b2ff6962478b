import TestSupport
import Testing

@testable import Rules
@testable import Tensors

@Suite struct PatternTests {
  private func pattern(_ text: String) throws -> Pattern {
    try Pattern(ExactString(text), kind: .rename, position: TextPosition(line: 1, column: 1))
  }

  @Test(arguments: [
    (#"h\.(\d+)\.weight"#, "h.", [], ".weight"),
    (#"^h\.(.)$"#, "h.", [], ""),
    ("(.*)/kernel:0", "", [], "/kernel:0"),
    ("a(b|c)d", "a", [], "d"),
    ("a|b", "", [], ""),
    ("a[(]|b", "", [], ""),
    (#"a\.([0-9]+)\.attn\.(weight|bias)"#, "a.", [".attn."], ""),
    (#"a[^b\]c]de[x]f."#, "a", ["de", "f"], ""),
    ("ab[]c]d", "", [], ""),
    ("ab[[:alpha:]]d", "", [], ""),
    ("ab*c", "a", [], "c"),
    ("ab+", "a", [], ""),
    ("ab{2}c", "a", [], "c"),
    ("ab{2,3}cd*", "a", ["c"], ""),
    ("ab{x}c", "", [], ""),
    ("ab?", "a", [], ""),
    ("a(b(c)d)?e", "a", [], "e"),
    ("(?i)abc", "", [], ""),
    ("ab(?i)c", "", [], ""),
    ("(?<name>a)b", "", [], "b"),
    (#"ab\x41"#, "", [], ""),
    (#"(a)\1"#, "", [], ""),
    (#"\Qa.b\E"#, "", [], ""),
    (#"a\db\wc"#, "a", ["b"], "c"),
    ("é", "", [], ""),
  ])
  func theTextOfAnExpressionIsReadOff(
    text: String, prefix: String, inner: [String], suffix: String
  ) {
    let filter = LiteralFilter(of: ExactString(text))
    #expect(filter.prefix == Array(prefix.utf8))
    #expect(filter.inner == inner.map { Array($0.utf8) })
    #expect(filter.suffix == Array(suffix.utf8))
    #expect(!filter.isWhole)
  }

  @Test(arguments: [
    ("abc", true), ("axbc", true), ("axxbxxc", true), ("ab", false), ("ac", false), ("bac", false),
    ("abcx", false), ("acb", false), ("", false),
  ])
  func theFilterWantsAllOfItInOrder(name: String, fits: Bool) {
    #expect(LiteralFilter(of: "a.*b.*c").fits(Array(name.utf8)) == fits)
  }

  @Test(arguments: [
    (#"^h\.0\.weight$"#, "h.0.weight"), (#"a\$"#, "a$"), ("", ""), ("a-b/c:0", "a-b/c:0"),
  ])
  func literalNamesAreRecognized(text: String, name: String) {
    let filter = LiteralFilter(of: ExactString(text))
    #expect(filter.isWhole)
    #expect(filter.prefix == Array(name.utf8))
  }

  /// The filter in front of the expressions never loses a match.
  @Test func theFilterAgreesWithTheExpressionOnRandomPatterns() throws {
    var generator = SeededGenerator(seed: 7)
    let atoms = [
      "a", "b", "\\.", ".", "(", ")", "[", "]", "[ab]", "[^a]", "|", "*", "+", "?", "{2}", "{", "}",
      "^", "$", "\\d", "\\b", "\\x61", "\\$", "(?:", "(?<n>", "(?i)", "(?x)", " ", "#", "1", "\\1",
      "(?=", "(?!", "\\\\", "-", "é", ".*", "(.*)", ".",
    ]
    let letters = ["a", "b", ".", "1", "A", "$", " ", "\\", "é", "\n", "-", "#", "(", "]", "{"]
    var compiled = 0
    var matched = 0
    for _ in 0..<4_000 {
      let text = (0..<Int.random(in: 1...6, using: &generator))
        .map { _ in atoms[Int.random(in: 0..<atoms.count, using: &generator)] }.joined()
      guard let pattern = try? pattern(text) else { continue }
      compiled += 1
      let set = try PatternSet([pattern])
      let regex = try pattern.compiled()
      for _ in 0..<24 {
        let name = (0..<Int.random(in: 0...4, using: &generator))
          .map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] }.joined()
        let expected = try regex.wholeMatch(in: name) != nil
        if expected { matched += 1 }
        #expect(try set.matches(of: ExactString(name)).isEmpty != expected, "\(text) on \(name)")
      }
    }
    #expect(compiled > 500)
    #expect(matched > 500)
  }

  @Test func matchesByUnicodeScalars() throws {
    let set = try PatternSet([try pattern("a.b")])
    #expect(try set.matches(of: "a\u{e9}b").count == 1)
    #expect(try set.matches(of: "ae\u{301}b").isEmpty)
  }

  @Test(.timeLimit(.minutes(1)))
  func literalNamesAreFoundWithoutTryingEveryRule() throws {
    let count = 5_000
    let text = (0..<count).map { #"- {from: 'h\.\#($0)', to: 'layer.\#($0)'}"# }
    let file = try rules("rename:\n" + text.joined(separator: "\n"))
    var before = TensorTable()
    for index in (0..<count).reversed() { try before.append("h.\(index)", Tensor(.uint8, [0], [])) }
    let after = try file.apply(to: before).table
    #expect(names(after).first == "layer.\(count - 1)")
    #expect(names(after).last == "layer.0")
  }

  /// A quarter of a second in a release build; the limit only catches a change of order.
  @Test(.timeLimit(.minutes(1)))
  func fiftyRulesAreAppliedToTwentyThousandTensors() throws {
    let rulesText = (0..<50).map {
      #"- {from: 'model\.layers\.(\d+)\.part\#($0)\.(weight|bias)', to: 'h.$1.p\#($0).$2'}"#
    }
    let file = try rules("rename:\n" + rulesText.joined(separator: "\n"))
    var before = TensorTable()
    let empty = try Tensor(.uint8, [0], [])
    for index in 0..<20_000 {
      try before.append("model.layers.\(index / 50).part\(index % 50).weight", empty)
    }
    let (after, report) = try file.apply(to: before)
    #expect(names(after).last == "h.399.p49.weight")
    #expect(report.rules.allSatisfy { $0.changes.count == 400 })
  }
}
