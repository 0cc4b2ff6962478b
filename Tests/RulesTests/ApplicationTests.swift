import TestSupport
import Testing

@testable import Rules
@testable import Tensors

/// What the rules do to a table.
@Suite struct ApplicationTests {
  @Test func renamesWithNumberedNamedAndBracedGroups() throws {
    let file = try rules(
      #"""
      rename:
        - {from: 'h\.(\d+)\.(w|b)', to: 'layer$1.$2.$$1'}
        - {from: 'x(?<number>\d)(\d)', to: '${number}0-${2}0'}
      """#)
    let result = try file.apply(to: table(["h.3.w": [1], "x12": [1], "other": [1]])).table
    #expect(names(result) == ["layer3.w.$1", "10-20", "other"])
  }

  @Test func aGroupThatTookNoPartIsEmpty() throws {
    let file = try rules("rename: [{from: 'a(:0)?', to: 'b$1'}]")
    #expect(names(try file.apply(to: table(["a": [1]])).table) == ["b"])
    #expect(names(try file.apply(to: table(["a:0": [1]])).table) == ["b:0"])
  }

  @Test func expressionsMatchWholeNames() throws {
    let file = try rules("rename: [{from: 'a.b', to: 'c'}]")
    #expect(
      names(try file.apply(to: table(["a.b": [1], "a.bc": [1], "xa.b": [1]])).table)
        == ["c", "a.bc", "xa.b"])
  }

  @Test func twoNamesCanBeExchanged() throws {
    let file = try rules("rename: [{from: a, to: b}, {from: b, to: a}]")
    #expect(
      try listing(file.apply(to: table(["a": [1], "b": [1]])).table) == [
        "b 1 [0]", "a 1 [10]",
      ])
  }

  @Test func aNameMayStayAsItIs() throws {
    let file = try rules("rename: [{from: '(.*)', to: '$1'}]")
    #expect(names(try file.apply(to: table(["a": [1]])).table) == ["a"])
  }

  @Test func transposesReverseTheAxesUnlessToldOtherwise() throws {
    let file = try rules("transpose: [{match: a}, {match: b, axes: [1, 2, 0]}]")
    #expect(
      try listing(file.apply(to: table(["a": [2, 3], "b": [1, 2, 3]])).table) == [
        "a 3×2 [0, 3, 1, 4, 2, 5]", "b 2×3×1 [10, 11, 12, 13, 14, 15]",
      ])
  }

  @Test func transposingAScalarOrAVectorChangesNothing() throws {
    let file = try rules("transpose: [{match: '.'}]")
    #expect(
      try listing(file.apply(to: table(["a": [], "b": [3]])).table) == [
        "a scalar [0]", "b 3 [10, 11, 12]",
      ])
  }

  @Test func splitsIntoEqualPartsWhereTheTensorStood() throws {
    let file = try rules("split: [{match: '(.)qkv', axis: -1, into: ['$1q', '$1k', '$1v']}]")
    #expect(
      try listing(file.apply(to: table(["x": [1], "aqkv": [2, 3], "y": [1]])).table) == [
        "x 1 [0]", "aq 2×1 [10, 13]", "ak 2×1 [11, 14]", "av 2×1 [12, 15]", "y 1 [20]",
      ])
  }

  @Test func splitsIntoPartsOfGivenSizes() throws {
    let file = try rules("split: [{match: a, axis: 0, into: [q, k], sizes: [3, 1]}]")
    #expect(try listing(file.apply(to: table(["a": [4]])).table) == ["q 3 [0, 1, 2]", "k 1 [3]"])
  }

  @Test func aPartMayKeepTheNameOfTheWhole() throws {
    let file = try rules("split: [{match: a, axis: 0, into: [a, b]}]")
    #expect(names(try file.apply(to: table(["a": [2]])).table) == ["a", "b"])
  }

  @Test func joinsSetsOfEqualGroupsInTheOrderOfTheRule() throws {
    let file = try rules(
      #"join: [{from: ['h\.(\d)\.q', 'h\.(\d)\.k'], axis: 0, to: 'h.$1.qk'}]"#)
    let before = try table(
      ["h.1.k": [1, 2], "x": [1], "h.0.q": [2], "h.0.k": [1], "h.1.q": [2, 2]])
    #expect(
      try listing(file.apply(to: before).table) == [
        "h.1.qk 3×2 [40, 41, 42, 43, 0, 1]", "x 1 [10]", "h.0.qk 3 [20, 21, 30]",
      ])
  }

  @Test func joinsAlongTheLastAxis() throws {
    let file = try rules("join: [{from: [a, b], axis: -1, to: c}]")
    #expect(
      try listing(file.apply(to: table(["a": [2, 1], "b": [2, 2]])).table) == [
        "c 2×3 [0, 10, 11, 1, 12, 13]"
      ])
  }

  @Test func aJoinUndoesASplit() throws {
    let before = try table(["a": [2, 6]])
    let parts = try rules("split: [{match: a, axis: 1, into: [q, k, v]}]").apply(to: before).table
    let whole = try rules("join: [{from: [q, k, v], axis: 1, to: a}]").apply(to: parts).table
    #expect(try listing(whole) == listing(before))
  }

  @Test func stagesRunInTheirOrderWhateverTheFileSays() throws {
    let file = try rules(
      """
      rename: [{from: joined, to: renamed}]
      join: [{from: [first, third], axis: 0, to: joined}]
      split: [{match: whole, axis: 0, into: [first, second, third]}]
      transpose: [{match: whole}]
      """)
    let (result, report) = try file.apply(to: table(["whole": [2, 3]]))
    #expect(try listing(result) == ["renamed 2×2 [0, 3, 2, 5]", "second 1×2 [1, 4]"])
    #expect(report.rules.map(\.kind) == RuleKind.allCases)
  }

  @Test func rulesOfOneStageDoNotSeeEachOthersNames() throws {
    let text = "split: [{match: a, axis: 0, into: [b, c]}, {match: b, axis: 0, into: [d, e]}]"
    let message = printedRefusal { _ = try rules(text).apply(to: table(["a": [4]])) }
    #expect(message?.contains("the split rule 'b' (line 1, column 52) matches no tensor") == true)
  }

  @Test func reportsWhatEachRuleDid() throws {
    let file = try rules(
      """
      split: [{match: 'a(.)', axis: 0, into: ['$1b', '$1c']}]
      join:
        - {from: ['(.)b', '(.)c'], axis: 0, to: '$1'}
      """)
    let report = try file.apply(to: table(["a1": [2], "a2": [2]])).report
    #expect(report.rules.map(\.patterns) == [["a(.)"], ["(.)b", "(.)c"]])
    #expect(report.rules.map(\.line) == [1, 3])
    #expect(
      report.rules.map { $0.changes.map(\.from) } == [
        [["a1"], ["a2"]], [["1b", "1c"], ["2b", "2c"]],
      ])
    #expect(
      report.rules.map { $0.changes.map(\.to) } == [
        [["1b", "1c"], ["2b", "2c"]], [["1"], ["2"]],
      ])
  }

  @Test func keepsOtherItemsAndNotes() throws {
    var before = try table(["a": [1]])
    before.notes = ["a note"]
    before.others = [
      OtherItem(
        name: "o", type: "string", shape: nil, refusal: IngotError(.unsupported, "a string"))
    ]
    let after = try rules("rename: [{from: a, to: b}]").apply(to: before).table
    #expect(after.notes == ["a note"])
    #expect(after.others.map(\.name) == ["o"])
  }

  @Test func metadataFollowsRenamesOnly() throws {
    var before = try table(["a": [2], "s": [2], "g/a": [1], "x": [1], "y": [1]])
    for key in ["a@unit", "s@unit", "g/a@unit", "g@unit", "@top", "plain", "x@1", "y@1"] {
      before.metadata[key] = .string(key)
    }
    let file = try rules(
      """
      split: [{match: s, axis: 0, into: [s1, s2]}]
      rename: [{from: a, to: b@c}, {from: x, to: y}, {from: y, to: x}, {from: s1, to: t}]
      """)
    let metadata = try file.apply(to: before).table.metadata
    #expect(
      metadata.sorted.map { "\($0.key)=\($0.value.string ?? "")" } == [
        "@top=@top", "b@c@unit=a@unit", "g/a@unit=g/a@unit", "g@unit=g@unit", "plain=plain",
        "s@unit=s@unit", "x@1=y@1", "y@1=x@1",
      ])
  }

  @Test func theLongestRenamedPathOwnsAKey() throws {
    var before = try table(["a": [1], "a@b": [1]])
    for key in ["a@b@c", "a@x@y"] { before.metadata[key] = .null }
    let file = try rules("rename: [{from: a, to: p}, {from: a@b, to: q}]")
    #expect(try file.apply(to: before).table.metadata.sorted.map(\.key) == ["p@x@y", "q@c"])
  }

  @Test func aMovedKeyReplacesNoOther() throws {
    var before = try table(["a": [1]])
    before.metadata["a@unit"] = .null
    before.metadata["b@unit"] = .null
    let file = try rules("rename: [{from: a, to: b}]")
    #expect(
      printedRefusal { _ = try file.apply(to: before) }
        == "rules.yaml: the metadata key 'a@unit' would become 'b@unit', which is there already")
  }

  @Test(arguments: [
    (
      "rename: [{from: z, to: b}]",
      """
      rules.yaml: the rename rule 'z' (line 1, column 17) matches no tensor
      hint: the names begin with 'a', 'b', 'c'
      """
    ),
    (
      "rename:\n- {from: z, to: 1z}\n- {from: a, to: x}\n- {from: y, to: 1y}",
      """
      rules.yaml: the rename rule 'z' (line 2, column 10) matches no tensor; neither do 'y' (line 4, column 10)
      hint: the names begin with 'a', 'b', 'c'
      """
    ),
    (
      "transpose: [{match: 1z}, {match: 2z}, {match: 3z}, {match: 4z}, {match: 5z}]",
      """
      rules.yaml: the transpose rule '1z' (line 1, column 21) matches no tensor; neither do '2z' (line 1, column 34), '3z' (line 1, column 47), '4z' (line 1, column 60) and 1 more
      hint: the names begin with 'a', 'b', 'c'
      """
    ),
    (
      "rename: [{from: '[ab]', to: x}, {from: '[ac]', to: y}]",
      "rules.yaml: tensor 'a': the rename rules '[ab]' (line 1, column 17) and '[ac]' (line 1, column 40) both match"
    ),
    (
      "rename: [{from: a, to: x}, {from: a, to: x}]",
      "rules.yaml: tensor 'a': the rename rules 'a' (line 1, column 17) and 'a' (line 1, column 35) both match"
    ),
    (
      "split: [{match: a, axis: 0, into: [x, y]}, {match: '.', axis: 0, into: [u, v]}]",
      "rules.yaml: tensor 'a': the split rules 'a' (line 1, column 17) and '.' (line 1, column 52) both match"
    ),
    (
      "transpose: [{match: a}, {match: '.'}]",
      "rules.yaml: tensor 'a': the transpose rules 'a' (line 1, column 21) and '.' (line 1, column 33) both match"
    ),
    (
      "join: [{from: ['a', '[ab]'], axis: 0, to: x}]",
      "rules.yaml: tensor 'a': the join rules 'a' (line 1, column 16) and '[ab]' (line 1, column 21) both match"
    ),
    (
      "rename: [{from: '[ab]', to: x}]",
      "rules.yaml: tensor 'x': would be the name of both 'a' and 'b'"
    ),
    (
      "rename: [{from: a, to: b}]",
      "rules.yaml: tensor 'b': would be the name of both 'a' and 'b'"
    ),
    (
      "split: [{match: a, axis: 0, into: [x, b]}]",
      "rules.yaml: tensor 'b': would be the name of both part 2 of 'a' and 'b'"
    ),
    (
      "split: [{match: a, axis: 0, into: [x, x]}]",
      "rules.yaml: tensor 'x': would be the name of both part 1 of 'a' and part 2 of 'a'"
    ),
    (
      "join: [{from: [b, a], axis: 1, to: c}]",
      "rules.yaml: tensor 'c': would be the name of both the join of 'b', 'a' and 'c'"
    ),
    (
      "rename: [{from: '(x?)a', to: '$1'}]",
      "rules.yaml: tensor 'a': the rename rule '(x?)a' (line 1, column 17) makes an empty name"
    ),
    (
      "transpose: [{match: a, axes: [0, 2, 1]}]",
      "rules.yaml: tensor 'a': the transpose rule 'a' (line 1, column 21) orders 3 axes, the shape 2×3 has 2"
    ),
    (
      "split: [{match: a, axis: 2, into: [x, y]}]",
      "rules.yaml: tensor 'a': the split rule 'a' (line 1, column 17) needs axis 2, the shape 2×3 has 2 axes"
    ),
    (
      "split: [{match: a, axis: -3, into: [x, y]}]",
      "rules.yaml: tensor 'a': the split rule 'a' (line 1, column 17) needs axis -3, the shape 2×3 has 2 axes"
    ),
    (
      "split: [{match: d, axis: 0, into: [x, y]}]",
      "rules.yaml: tensor 'd': the split rule 'd' (line 1, column 17) needs axis 0, the shape scalar has 0 axes"
    ),
    (
      "split: [{match: a, axis: 1, into: [x, y]}]",
      "rules.yaml: tensor 'a': the split rule 'a' (line 1, column 17) cuts axis 1 of 2×3 into 2 equal parts, 3 is not divisible by 2"
    ),
    (
      "split: [{match: a, axis: -1, into: [x, y], sizes: [1, 1]}]",
      "rules.yaml: tensor 'a': the split rule 'a' (line 1, column 17) cuts axis 1 of 2×3 into 1 + 1, which is not 3"
    ),
    (
      "split: [{match: a, axis: 1, into: [x, y], sizes: [9223372036854775807, 9223372036854775807]}]",
      "rules.yaml: tensor 'a': the split rule 'a' (line 1, column 17) cuts axis 1 of 2×3 into 9223372036854775807 + 9223372036854775807, which is not 3"
    ),
    (
      "join: [{from: [a, z], axis: 0, to: x}]",
      """
      rules.yaml: the join rule 'z' (line 1, column 19) matches no tensor
      hint: the names begin with 'a', 'b', 'c'
      """
    ),
    (
      #"join: [{from: ['h(\d)q', 'h(\d)k'], axis: 0, to: x}]"#,
      "rules.yaml: tensor 'h1q': the join rule 'h(\\d)k' (line 1, column 26) matches nothing to join with, $1 = '1'"
    ),
    (
      #"join: [{from: ['h\dq', 'h0k'], axis: 0, to: x}]"#,
      "rules.yaml: tensor 'h1q': the join rule 'h\\dq' (line 1, column 16) matches 'h0q' with the same groups"
    ),
    (
      "join: [{from: [a, b], axis: 0, to: x}]",
      "rules.yaml: tensor 'a': the join rule 'a' (line 1, column 16) joins 2×3 with 2×1 of 'b', they differ not only in axis 0"
    ),
    (
      "join: [{from: [a, d], axis: 0, to: x}]",
      "rules.yaml: tensor 'a': the join rule 'a' (line 1, column 16) joins 2×3 with scalar of 'd', they differ not only in axis 0"
    ),
    (
      "join: [{from: [a, b], axis: 2, to: x}]",
      "rules.yaml: tensor 'a': the join rule 'a' (line 1, column 16) needs axis 2, the shape 2×3 has 2 axes"
    ),
    (
      "join: [{from: [a, w], axis: 0, to: x}]",
      "rules.yaml: tensor 'a': the join rule 'a' (line 1, column 16) joins uint8 with uint16 of 'w'"
    ),
  ])
  func refusesWhatDoesNotFitTheTable(text: String, message: String) throws {
    var before = try table([
      "a": [2, 3], "b": [2, 1], "c": [2, 2], "d": [], "h0q": [1], "h0k": [1], "h1q": [1],
    ])
    try before.append("w", Tensor(.uint16, [2, 3], Array(repeating: 0, count: 12)))
    let file = try rules(text)
    let error = #expect(throws: IngotError.self) { try file.apply(to: before) }
    #expect(error?.errorClass == .malformed)
    #expect(printedRefusal { _ = try file.apply(to: before) } == message)
  }

  @Test func readsNoTensor() throws {
    struct Unreadable: ByteSource {
      let byteCount = 4
      func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
        throw IngotError(.io, "was read")
      }
    }
    var before = TensorTable()
    for name in ["a", "b", "c", "d"] {
      let tensor = try Tensor(elementType: .uint8, shape: Shape([2, 2]), source: Unreadable())
      try before.append(name, tensor)
    }
    let file = try rules(
      """
      transpose: [{match: a}]
      split: [{match: b, axis: 0, into: [b1, b2]}]
      join: [{from: [c, d], axis: 0, to: e}]
      rename: [{from: a, to: f}]
      """)
    #expect(names(try file.apply(to: before).table) == ["f", "b1", "b2", "e"])
  }

  @Test func aTensorThatCannotBeReadStaysSo() throws {
    let obstacle = IngotError(.unsupported, "an encoding")
    var before = TensorTable()
    for name in ["a", "b", "c", "d", "e"] {
      try before.append(
        name, Tensor(elementType: .uint8, shape: Shape([2, 2]), obstacle: obstacle))
    }
    let file = try rules(
      """
      transpose: [{match: a}]
      split: [{match: b, axis: 0, into: [b1, b2]}]
      join: [{from: [c, d], axis: 0, to: cd}]
      rename: [{from: e, to: f}]
      """)
    let after = try file.apply(to: before).table
    #expect(names(after) == ["a", "b1", "b2", "cd", "f"])
    #expect(after.entries.allSatisfy { $0.tensor.obstacle == obstacle })
  }

  @Test func tiedTensorsStayTied() throws {
    var before = TensorTable()
    for name in ["a", "b"] {
      try before.append(
        name,
        Tensor(
          elementType: .uint8, shape: Shape([2, 1]), source: ArraySource([1, 2]),
          storage: StorageIdentity("shared")))
    }
    let file = try rules("transpose: [{match: '.'}]\nrename: [{from: b, to: c}]")
    #expect(try file.apply(to: before).table.aliasTargets() == [nil, 0])
  }

  @Test func namesTheRuleWhereAViewIsRefused() throws {
    var before = TensorTable()
    try before.append("a", Tensor(.float4E2M1FN, [2, 2], [0, 0]))
    let file = try rules("transpose: [{match: a}]")
    let error = #expect(throws: IngotError.self) { try file.apply(to: before) }
    #expect(error?.errorClass == .unsupported)
    #expect(error?.file == "rules.yaml")
    #expect(error?.tensor == "a")
    #expect(error?.message.hasPrefix("the transpose rule 'a' (line 1, column 21): ") == true)
  }

  @Test func saysSoWhereThereAreNoTensorsAtAll() {
    #expect(
      printedRefusal { _ = try rules("transpose: [{match: a}]").apply(to: TensorTable()) } == """
        rules.yaml: the transpose rule 'a' (line 1, column 21) matches no tensor
        hint: there are no tensors
        """)
  }

  @Test func boundsTheNamesThatRulesMeet() throws {
    let name = String(repeating: "a", count: 4097)
    let before = try table(["x": [1], name: [1]])
    let error = #expect(throws: IngotError.self) {
      try rules("rename: [{from: x, to: y}]").apply(to: before)
    }
    #expect(error?.errorClass == .limit)
    #expect(error?.message == "a name of 4097 bytes is above the 4096 that rules are applied to")
  }

  @Test func boundsTheNamesThatRulesMake() throws {
    let file = try rules(
      "rename: [{from: '(.*)', to: '\(String(repeating: "$1", count: 2000))'}]")
    let before = try table(["aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd": [1]])
    let error = #expect(throws: IngotError.self) { try file.apply(to: before) }
    #expect(error?.errorClass == .limit)
    #expect(
      error?.message
        == "the rename rule '(.*)' (line 1, column 17) makes a name of 80000 bytes, above 65535")
  }
}
