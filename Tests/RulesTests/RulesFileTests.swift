import Foundation
import TestSupport
import Testing

@testable import Rules
@testable import Tensors

/// What a rules file may say, and the text of every refusal.
@Suite struct RulesFileTests {
  @Test func readsEveryKindOfRule() throws {
    let file = try rules(
      #"""
      transpose:
        - match: 'a'
        - {match: b, axes: [2, 0, 1]}
      split:
        - match: 'h\.(\d+)\.qkv'
          axis: -1
          into: ['h.$1.q', 'h.$1.k', 'h.$1.v']
          sizes: [4, 2, 2]
      join:
        - from: ['(.*)\.gate', '(.*)\.up']
          axis: 0
          to: '$1.gate_up'
      rename:
        - from: 'layers/(?<layer>\d+)/(kernel|bias)'
          to: 'h.${layer}.$2.$$'
      """#)
    #expect(file.path == "rules.yaml")
    #expect(file.transposes.map(\.axes) == [nil, [2, 0, 1]])
    #expect(file.splits.map(\.axis) == [-1])
    #expect(file.splits.map(\.sizes) == [[4, 2, 2]])
    #expect(file.splits.map(\.parts.count) == [3])
    #expect(file.joins.map { $0.patterns.map(\.text) } == [[#"(.*)\.gate"#, #"(.*)\.up"#]])
    #expect(file.renames.map(\.pattern.groups) == [["layer", nil]])
    #expect(file.renames.map(\.pattern.position) == [TextPosition(line: 14, column: 11)])
  }

  @Test func readsTheSameRulesFromJSON() throws {
    let file = try rules(#"{"rename":[{"from":"h\\.(\\d+)","to":"layer.$1"}],"transpose":[]}"#)
    #expect(names(try file.apply(to: table(["h.7": [1]])).table) == ["layer.7"])
  }

  @Test func acceptsAFileWithoutRules() throws {
    let before = try table(["a": [1]])
    #expect(names(try rules("{}").apply(to: before).table) == ["a"])
    #expect(try rules("rename: []").apply(to: before).report.rules.isEmpty)
  }

  @Test(arguments: [
    (
      "- a",
      """
      rules.yaml: line 1, column 1: expected a mapping, found a list
      hint: a rules file has the keys transpose, split, join, rename
      """
    ),
    (
      "~",
      """
      rules.yaml: line 1, column 1: expected a mapping, found nothing
      hint: a rules file has the keys transpose, split, join, rename
      """
    ),
    (
      "renames: []",
      """
      rules.yaml: line 1, column 1: a rules file has no key 'renames'
      hint: did you mean 'rename'?
      """
    ),
    (
      "permissions: []",
      """
      rules.yaml: line 1, column 1: a rules file has no key 'permissions'
      hint: a rules file has the keys transpose, split, join, rename
      """
    ),
    (
      "rename: {from: a, to: b}",
      "rules.yaml: line 1, column 9: expected a list of rename rules, found a mapping"
    ),
    ("split:", "rules.yaml: line 1, column 7: expected a list of split rules, found nothing"),
    (
      "rename:\n  - a",
      """
      rules.yaml: line 2, column 5: expected a mapping, found the text 'a'
      hint: a rename rule has the keys from, to
      """
    ),
    (
      "rename:\n  - {form: a, to: b}",
      """
      rules.yaml: line 2, column 6: a rename rule has no key 'form'
      hint: did you mean 'from'?
      """
    ),
    (
      "transpose:\n  - {match: a, permutation: [0]}",
      """
      rules.yaml: line 2, column 16: a transpose rule has no key 'permutation'
      hint: a transpose rule has the keys match, axes
      """
    ),
    ("rename:\n  - from: a", "rules.yaml: line 2, column 5: a rename rule needs the key 'to'"),
    (
      "split:\n  - {match: a, into: [b, c]}",
      "rules.yaml: line 2, column 5: a split rule needs the key 'axis'"
    ),
    (
      "join:\n  - {from: [a, b], to: c}",
      "rules.yaml: line 2, column 5: a join rule needs the key 'axis'"
    ),
    ("transpose: [{}]", "rules.yaml: line 1, column 13: a transpose rule needs the key 'match'"),
    (
      "rename: [{from: [a], to: b}]",
      "rules.yaml: line 1, column 17: expected a regular expression, found a list"
    ),
    (
      "rename: [{from: 1, to: b}]",
      """
      rules.yaml: line 1, column 17: expected a regular expression, found 1
      hint: put quotes around it
      """
    ),
    (
      "rename: [{from: a, to: no}]",
      """
      rules.yaml: line 1, column 24: expected a name, found no
      hint: put quotes around it
      """
    ),
    (
      "rename:\n- from: a\n  to:",
      "rules.yaml: line 3, column 6: expected a name, found nothing"
    ),
    (
      "rename: [{from: '(', to: b}]",
      "rules.yaml: line 1, column 17: '(' is not a regular expression: expected ')'"
    ),
    (
      "rename: [{from: '(a)', to: '$2'}]",
      "rules.yaml: line 1, column 28: there is no group '2', the pattern has 1 group"
    ),
    (
      "rename: [{from: 'a', to: '${layer}'}]",
      "rules.yaml: line 1, column 26: there is no group 'layer', the pattern has no groups"
    ),
    (
      "rename: [{from: '(a)(b)', to: '$0'}]",
      "rules.yaml: line 1, column 31: there is no group '0', the pattern has 2 groups"
    ),
    (
      "rename: [{from: '(a)', to: 'b$'}]",
      """
      rules.yaml: line 1, column 28: '$' in 'b$' names no group
      hint: groups are $1 to $9, ${10} or ${name}; $$ is a dollar sign
      """
    ),
    (
      "rename: [{from: '(?<x>a)', to: '$x'}]",
      """
      rules.yaml: line 1, column 32: '$' in '$x' names no group
      hint: groups are $1 to $9, ${10} or ${name}; $$ is a dollar sign
      """
    ),
    (
      "rename: [{from: '(a)', to: '${1'}]",
      """
      rules.yaml: line 1, column 28: '$' in '${1' names no group
      hint: groups are $1 to $9, ${10} or ${name}; $$ is a dollar sign
      """
    ),
    (
      "transpose: [{match: a, axes: [0, 2]}]",
      "rules.yaml: line 1, column 30: the axes [0, 2] are not each of 0 to 1 once"
    ),
    (
      "transpose: [{match: a, axes: [0, 0]}]",
      "rules.yaml: line 1, column 30: the axes [0, 0] are not each of 0 to 1 once"
    ),
    (
      "transpose: [{match: a, axes: \(Array(0..<65))}]",
      "rules.yaml: line 1, column 30: 65 axes, a tensor has at most 64"
    ),
    (
      "transpose: [{match: a, axes: [x]}]",
      "rules.yaml: line 1, column 31: expected the number of an axis, found the text 'x'"
    ),
    (
      "split: [{match: a, axis: 64, into: [b, c]}]",
      "rules.yaml: line 1, column 26: expected an axis from -64 to 63, found 64"
    ),
    (
      "split: [{match: a, axis: 0, into: [b]}]",
      "rules.yaml: line 1, column 35: a split needs at least 2 names, found 1"
    ),
    (
      "split: [{match: a, axis: 0, into: [b, c], sizes: [1]}]",
      "rules.yaml: line 1, column 50: 1 sizes for 2 names"
    ),
    (
      "split: [{match: a, axis: 0, into: [b, c], sizes: [1, 0]}]",
      "rules.yaml: line 1, column 54: expected a size above 0, found 0"
    ),
    (
      "join: [{from: [a], axis: 0, to: b}]",
      "rules.yaml: line 1, column 15: a join needs at least 2 regular expressions, found 1"
    ),
    (
      "join: [{from: a, axis: 0, to: b}]",
      "rules.yaml: line 1, column 15: expected a list of regular expressions, found the text 'a'"
    ),
    (
      "join: [{from: ['(a)', 'b'], axis: 0, to: b}]",
      "rules.yaml: line 1, column 23: the groups of a join's expressions must be the same, '(a)' has an unnamed one and 'b' has none"
    ),
    (
      "join: [{from: ['(?<x>a)(b)', '(a)(?<x>b)'], axis: 0, to: b}]",
      "rules.yaml: line 1, column 30: the groups of a join's expressions must be the same, '(?<x>a)(b)' has x, an unnamed one and '(a)(?<x>b)' has an unnamed one, x"
    ),
  ])
  func refusesWhatIsNotARule(text: String, message: String) {
    #expect(refusal(parsing: text) == message)
    let error = #expect(throws: IngotError.self) { try rules(text) }
    #expect(error?.errorClass == .malformed)
  }

  @Test(arguments: [
    (
      String(repeating: "a", count: 4097),
      "line 1, column 17: a pattern of 4097 bytes is above 4096"
    ),
    (
      String(repeating: "(", count: 33) + String(repeating: ")", count: 33),
      "line 1, column 17: a pattern with 33 brackets is above 32"
    ),
  ])
  func boundsPatterns(pattern: String, message: String) {
    let error = #expect(throws: IngotError.self) {
      try rules("rename: [{from: '\(pattern)', to: b}]")
    }
    #expect(error?.errorClass == .limit)
    #expect(error?.message == message)
  }

  @Test func boundsNewNames() {
    let error = #expect(throws: IngotError.self) {
      try rules("rename: [{from: a, to: '\(String(repeating: "b", count: 4097))'}]")
    }
    #expect(error?.errorClass == .limit)
    #expect(error?.message == "line 1, column 24: a name of 4097 bytes is above 4096")
  }

  @Test func acceptsPatternsAtTheBounds() throws {
    let brackets = String(repeating: "(", count: 32) + String(repeating: ")", count: 32)
    #expect(throws: Never.self) { try rules("rename: [{from: '\(brackets)', to: b}]") }
    let long = String(repeating: "a", count: 4096)
    #expect(throws: Never.self) { try rules("rename: [{from: '\(long)', to: b}]") }
  }

  @Test func readsAFileByItsPath() throws {
    try Places.withTemporaryFolder { folder in
      let path = folder.appending(path: "r.yaml").filePath
      try "rename: [{from: a, to: b}]".write(toFile: path, atomically: true, encoding: .utf8)
      #expect(try RulesFile(contentsOf: path).path == path)
      let absent = folder.appending(path: "absent.yaml").filePath
      let error = #expect(throws: IngotError.self) { try RulesFile(contentsOf: absent) }
      #expect(error?.errorClass == .unreadable)
      #expect(error?.file == absent)
    }
  }

  @Test func aFileAboveTheBoundIsRefusedUnread() throws {
    try Places.withTemporaryFolder { folder in
      let path = folder.appending(path: "r.yaml").filePath
      try Data().write(to: URL(filePath: path))
      let handle = try #require(FileHandle(forWritingAtPath: path))
      try handle.truncate(atOffset: 67_108_865)
      try handle.close()
      let error = try #require(throws: IngotError.self) { try RulesFile(contentsOf: path) }
      #expect(error.message == "67108865 bytes are above the 67108864 of a rules file")
      #expect(error.errorClass == .limit)
    }
  }

  /// Schema and parser name the same keys, and require the same ones.
  @Test func agreesWithItsSchema() throws {
    let path = Places.project.appending(path: "schemas/rules.schema.json").filePath
    let file = try InputFile(path: path)
    let schema = try JSONScanner.parse(file.bytes(at: 0, count: file.byteCount, "the schema"))
    let kinds = try #require(schema["properties"]?.object)
    #expect(kinds.map(\.key) == RuleKind.allCases.map(\.rawValue))
    #expect(schema["additionalProperties"] == .boolean(false))
    for kind in RuleKind.allCases {
      let rule = try #require(schema["properties"]?[ExactString(kind.rawValue)]?["items"])
      #expect(rule["additionalProperties"] == .boolean(false))
      #expect(rule["required"]?.array?.compactMap(\.string?.text) == kind.requiredKeys)
      #expect(
        Set(rule["properties"]?.object?.map(\.key.text) ?? [])
          == Set(kind.requiredKeys + kind.optionalKeys))
    }
    let example = try #require(schema["examples"]?.array?.first)
    #expect(throws: Never.self) { try rules(example.text()) }
  }
}
