import TestSupport
import Testing

@testable import Rules
@testable import Tensors

@Suite struct SelectionTests {
  @Test(arguments: [
    ("*", "a.b/c", true),
    ("h.*.weight", "h.0.attn.weight", true),
    ("h.*", "h.0/a.b", true),
    ("h.?.w", "h.1.w", true),
    ("h.?.w", "h.11.w", false),
    ("h.?", "h.é", false),
    ("h.[0-3].w", "h.2.w", true),
    ("h.[!0-3].w", "h.2.w", false),
    ("h.\\*", "h.*", true),
    ("h.\\*", "h.a", false),
    (".*", ".hidden", true),
    ("*", ".hidden", true),
    ("weight", "h.weight", false),
    ("[", "[", true),
    ("", "", true),
    ("a", "a\0b", false),
    ("a*", "a\0b", true),
    ("a?b", "a\0b", true),
  ])
  func globsMatchWholeNames(glob: ExactString, name: ExactString, matches: Bool) {
    #expect(Selection(include: [glob]).selects(name) == matches)
    #expect(Selection(exclude: [glob]).selects(name) != matches)
  }

  @Test func excludesWinOverIncludes() throws {
    let selection = Selection(include: ["a*", "c"], exclude: ["*b"])
    #expect(["a", "ab", "c", "d"].filter(selection.selects) == ["a", "c"])
    #expect(
      names(try selection.apply(to: table(["a": [1], "ab": [1], "c": [1], "d": [1]])))
        == ["a", "c"])
  }

  @Test func nothingIsLeftOutWithoutGlobs() throws {
    #expect(Selection().isEmpty)
    #expect(Selection().selects("anything"))
    #expect(names(try Selection().apply(to: table(["a": [1]]))) == ["a"])
  }

  @Test func leavesOutOtherItemsAndAttributesOfWhatIsLeftOut() throws {
    var before = try table(["a": [1], "b": [1]])
    before.others = ["o", "b/p"].map {
      OtherItem(name: $0, type: "string", shape: nil, refusal: IngotError(.unsupported, "text"))
    }
    for key in ["a@x", "b@x", "b/p@x", "@x", "plain"] { before.metadata[key] = .null }
    let after = try Selection(exclude: ["b*"]).apply(to: before)
    #expect(names(after) == ["a"])
    #expect(after.others.map(\.name) == ["o"])
    #expect(after.metadata.sorted.map(\.key) == ["@x", "a@x", "plain"])
  }

  @Test(arguments: [
    (
      Selection(include: ["h.*.weigth"]),
      """
      --include 'h.*.weigth' matches nothing
      hint: did you mean 'h.0.weight', 'h.1.weight' or 'h.10.weight'?
      """
    ),
    (
      Selection(exclude: ["bais"]),
      """
      --exclude 'bais' matches nothing
      hint: did you mean 'bias'?
      """
    ),
    (Selection(include: ["xyz*"]), "--include 'xyz*' matches nothing"),
    (
      Selection(include: ["bias"], exclude: ["*"]),
      "--include and --exclude leave no tensor"
    ),
  ])
  func refusesGlobsThatChooseNothing(selection: Selection, message: String) throws {
    let before = try table(["h.0.weight": [1], "h.1.weight": [1], "bias": [1], "h.10.weight": [1]])
    let error = #expect(throws: IngotError.self) { try selection.apply(to: before) }
    #expect(error?.errorClass == .usage)
    #expect(printedRefusal { _ = try selection.apply(to: before) } == message)
  }

  @Test func aGlobMayMatchInOneOfTwoTables() throws {
    let (a, b) = (try table(["a": [1]]), try table(["b": [1]]))
    let selection = Selection(include: ["a", "b"])
    #expect(throws: Never.self) { try selection.checkMatches([a, b]) }
    #expect(names(try selection.filter(b)) == ["b"])
    #expect(throws: IngotError.self) { try selection.checkMatches([a]) }
  }
}

@Suite struct NearestNamesTests {
  @Test(arguments: [
    ("mach", ["match", "axes"], ["match"]),
    ("axsi", ["into", "axis"], ["axis"]),
    ("axis", ["axis"], ["axis"]),
    ("float23", ["float32", "float16", "int8"], ["float32", "float16"]),
    ("zzz", ["match", "axes"], []),
    ("a", ["b"], []),
    ("", ["a"], []),
    ("abcdef", ["", "abcdeg", "abcdxg", "abcxxg", "abcdef1"], ["abcdeg", "abcdef1", "abcdxg"]),
  ])
  func findsNamesWithinAThird(wanted: String, names: [String], found: [String]) {
    let near = NearestNames.find(ExactString(wanted), among: names.map { ExactString($0) })
    #expect(near == found)
  }

  @Test func starsAndQuestionMarksCostNothing() {
    let names: [ExactString] = ["h.0.attn.weight", "h.0.attn.bias", "h.0.mlp.weight"]
    #expect(
      NearestNames.find("h.*.atn.weight", among: names, count: 1, isGlob: true)
        == ["h.0.attn.weight"])
    #expect(
      NearestNames.find("h.?.attn.bais", among: names, count: 1, isGlob: true)
        == ["h.0.attn.bias"])
  }

  @Test func theHintListsUpToThree() {
    #expect(NearestNames.hint("abcd", among: ["abce"]) == "did you mean 'abce'?")
    #expect(
      NearestNames.hint("abcd", among: ["abce", "abcf", "abcg", "abch"])
        == "did you mean 'abce', 'abcf' or 'abcg'?")
    #expect(NearestNames.hint("abcd", among: ["zzzz"]) == nil)
  }

  /// The distance against the plain recursive definition.
  @Test func theDistanceIsLevenshteins() {
    func distance(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Int {
      guard let first = a.first else { return b.count }
      guard let other = b.first else { return a.count }
      if first == other { return distance(a.dropFirst(), b.dropFirst()) }
      return 1
        + min(
          distance(a.dropFirst(), b), distance(a, b.dropFirst()),
          distance(a.dropFirst(), b.dropFirst()))
    }
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<300 {
      let words = (0..<2).map { _ in
        (0..<Int.random(in: 1...6, using: &generator)).map { _ in
          UInt8.random(in: 97...99, using: &generator)
        }
      }
      let texts = words.map { ExactString(String(decoding: $0, as: UTF8.self)) }
      let expected = distance(words[0][...], words[1][...])
      let isNear =
        expected <= (words[0].count + 2) / 3 && expected < max(words[0].count, words[1].count)
      #expect(
        NearestNames.find(texts[0], among: [texts[1]]).isEmpty != isNear,
        "\(texts) at \(expected)")
    }
  }

  @Test func theWorkIsCappedAmongAMillionNames() {
    var seen = 0
    let names = (0..<1_000_000).lazy.map { index -> ExactString in
      seen += 1
      return "model.layers.\(index).self_attn.q_proj.weight"
    }
    let found = NearestNames.find(
      "model.layers.*.self_atn.q_proj.weigth", among: names, isGlob: true)
    #expect(found.count == 3)
    #expect(seen < 200_000)
  }
}
