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
}
