internal import Tensors

/// Reads rules from a YAML document, naming line and column of whatever does not fit.
enum RulesDecoder {
  static func rules(in document: YAMLNode, path: String) throws -> RulesFile {
    let kinds = RuleKind.allCases.map { ExactString($0.rawValue) }
    let file = try YAMLFields(document, of: "a rules file", required: [], optional: kinds)
    return RulesFile(
      path: path,
      transposes: try list(.transpose, in: file, transpose),
      splits: try list(.split, in: file, split),
      joins: try list(.join, in: file, join),
      renames: try list(.rename, in: file, rename))
  }

  private static func list<Rule>(
    _ kind: RuleKind, in file: YAMLFields, _ decode: (YAMLFields) throws -> Rule
  ) throws -> [Rule] {
    try file[ExactString(kind.rawValue)]?.list(of: "\(kind.rawValue) rules").map {
      try decode(
        YAMLFields(
          $0, of: "a \(kind.rawValue) rule", required: kind.requiredKeys.map { ExactString($0) },
          optional: kind.optionalKeys.map { ExactString($0) }))
    } ?? []
  }

  private static func transpose(_ fields: YAMLFields) throws -> TransposeRule {
    let axes = try fields["axes"].map { list in
      let axes = try list.list(of: "axes").map { try $0.integer("the number of an axis") }
      guard axes.count <= Limits.rank else {
        throw IngotError(
          .malformed, "\(list.position): \(axes.count) axes, a tensor has at most \(Limits.rank)")
      }
      guard axes.sorted() == Array(axes.indices) else {
        throw IngotError(
          .malformed,
          "\(list.position): the axes \(axes) are not each of 0 to \(axes.count - 1) once")
      }
      return axes
    }
    return TransposeRule(
      pattern: try pattern(fields.value("match"), of: .transpose), axes: axes)
  }

  private static func split(_ fields: YAMLFields) throws -> SplitRule {
    let pattern = try pattern(fields.value("match"), of: .split)
    let into = try fields.value("into")
    let parts = try into.list(of: "names").map { try template($0, pattern) }
    guard parts.count >= 2 else {
      throw IngotError(
        .malformed, "\(into.position): a split needs at least 2 names, found \(parts.count)")
    }
    let sizes = try fields["sizes"].map { list in
      let sizes = try list.list(of: "sizes").map { size in
        let value = try size.integer("a size")
        guard value > 0 else { throw size.mismatch(expected: "a size above 0") }
        return value
      }
      guard sizes.count == parts.count else {
        throw IngotError(
          .malformed, "\(list.position): \(sizes.count) sizes for \(parts.count) names")
      }
      return sizes
    }
    return SplitRule(pattern: pattern, axis: try axis(fields), parts: parts, sizes: sizes)
  }

  private static func join(_ fields: YAMLFields) throws -> JoinRule {
    let from = try fields.value("from")
    let patterns = try from.list(of: "regular expressions").map { try pattern($0, of: .join) }
    guard patterns.count >= 2, let first = patterns.first else {
      throw IngotError(
        .malformed,
        "\(from.position): a join needs at least 2 regular expressions, found \(patterns.count)")
    }
    for pattern in patterns where pattern.groups != first.groups {
      throw IngotError(
        .malformed,
        "\(pattern.position): the groups of a join's expressions must be the same, '\(first.text.escapedForDisplay())' has \(first.groupList) and '\(pattern.text.escapedForDisplay())' has \(pattern.groupList)"
      )
    }
    return JoinRule(
      patterns: patterns, axis: try axis(fields), name: try template(fields.value("to"), first))
  }

  private static func rename(_ fields: YAMLFields) throws -> RenameRule {
    let pattern = try pattern(fields.value("from"), of: .rename)
    return RenameRule(pattern: pattern, name: try template(fields.value("to"), pattern))
  }

  private static func pattern(_ node: YAMLNode, of kind: RuleKind) throws -> Pattern {
    try Pattern(try node.text("a regular expression"), kind: kind, position: node.position)
  }

  private static func template(_ node: YAMLNode, _ pattern: Pattern) throws -> NameTemplate {
    try NameTemplate(
      try node.text("a name"), groups: pattern.groups, position: node.position)
  }

  private static func axis(_ fields: YAMLFields) throws -> Int {
    let node = try fields.value("axis")
    let axis = try node.integer("the number of an axis")
    guard (-Limits.rank..<Limits.rank).contains(axis) else {
      throw node.mismatch(expected: "an axis from -\(Limits.rank) to \(Limits.rank - 1)")
    }
    return axis
  }
}

extension Pattern {
  /// The groups in a message.
  fileprivate var groupList: String {
    groups.isEmpty ? "none" : groups.map { $0 ?? "an unnamed one" }.joined(separator: ", ")
  }
}
