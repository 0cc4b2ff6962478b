import TestSupport
import Testing

@testable import Rules
@testable import Tensors

/// What rules refuse of a table, each with its text.
@Suite struct ApplicationRefusalTests {
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
