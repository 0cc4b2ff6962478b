internal import Ingot
internal import TensorFormats
internal import TestSupport

/// Documents that people write, and the text inside of formats.
extension FuzzTarget {
  static let texts: [FuzzTarget] = [
    FuzzTarget("json", seeds: { try FuzzSeed.fixtures([".json"]) }) { bytes in
      let value = try JSONScanner.parse(bytes)
      for layout in [JSON.Layout.compact, .indented, .fitted] {
        let again = try promised("what was written is JSON") {
          try JSONScanner.parse(value.bytes(layout))
        }
        guard again == value else { throw FuzzFinding("\(layout): \(again.text())") }
      }
      let canonical = value.canonicalText()
      let again = try promised("the canonical text is JSON") {
        try JSONScanner.parse(canonical).decodingReals()
      }
      guard again.canonicalText() == canonical else {
        throw FuzzFinding("canonical: \(again.text())")
      }
    },
    FuzzTarget("rules", seeds: { RulesFuzzing.seeds() }) { bytes in
      let rules = try RulesFile(parsing: bytes, path: "rules.yaml")
      let table = try RulesFuzzing.table()
      let (result, _) = try rules.apply(to: table)
      _ = try promised("what rules make can be read") { try DigestManifest(of: result, jobs: 1) }
    },
    FuzzTarget("rules-pattern", seeds: { RulesFuzzing.patternSeeds() }) { bytes in
      // A quoted scalar takes any text; quotes are doubled.
      let text = String(decoding: bytes, as: UTF8.self)
        .split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
      let rules = try RulesFile(
        parsing: Array("rename:\n  - from: '\(text)'\n    to: 'new'\n".utf8), path: "rules.yaml")
      _ = try rules.apply(to: try RulesFuzzing.table())
    },
    FuzzTarget("configuration", seeds: { try FuzzSeed.fixtures(["config.json"]) }) { bytes in
      let document = try ConfigurationDocument(JSONScanner.parse(bytes), name: "config.json")
      let candidates = try ModelReading.candidates(Architecture.all, [document])
      guard candidates.count == 1 else { return }
      try ModelFuzzing.check(
        candidates[0], try ModelReading.given(candidates[0], [document], Configuration()))
    },
    FuzzTarget("architecture", seeds: { ModelFuzzing.seeds() }) { bytes in
      let architecture = try Architecture(parsing: bytes)
      let again = try promised("what was written is a description") {
        try Architecture(parsing: architecture.json.bytes())
      }
      guard again == architecture else { throw FuzzFinding("written: \(again.json.text())") }
      try ModelFuzzing.check(architecture, Configuration())
    },
    FuzzTarget("manifest", seeds: { try ManifestFuzzing.seeds() }) { bytes in
      let (manifest, total) = try DigestManifest.parse(String(decoding: bytes, as: UTF8.self))
      let text = manifest.text
      let again = try promised("what was written is a manifest") {
        try DigestManifest.parse(text).manifest
      }
      guard again == manifest, manifest.difference(from: again, total: nil).isEmpty else {
        throw FuzzFinding("written: \(text)")
      }
      _ = manifest.difference(from: manifest, total: total)
    },
  ]
}

private enum RulesFuzzing {
  /// Names of a few characters: Swift's expressions match by backtracking, which is exponential in
  /// their length, and rules deserve the trust of a script of one's own (`RulesFile`).
  static func table() throws -> TensorTable {
    var table = TensorTable()
    for (name, shape) in [
      ("h.0.qkv", [6, 2]), ("h.1.qkv", [6, 2]), ("a", [4]), ("b/k", [2, 3, 2]),
    ] {
      let count = shape.reduce(1, *)
      try table.append(ExactString(name), Tensor(.uint8, shape, (0..<count).map { UInt8($0) }))
    }
    table.metadata["b/k@axis"] = JSON(1)
    return table
  }

  static func seeds() -> [FuzzSeed] {
    [
      "transpose:\n  - match: 'b/.*'\n    axes: [1, 0, 2]\n",
      "split:\n  - match: 'h\\.(\\d+)\\.qkv'\n    axis: 0\n"
        + "    into: ['h.$1.q', 'h.$1.k', 'h.$1.v']\n",
      "split:\n  - match: 'h\\.(?<layer>\\d)\\.qkv'\n    axis: -2\n"
        + "    into: ['q.${layer}', 'r.${layer}']\n    sizes: [2, 4]\n",
      "join:\n  - from: ['h\\.(0)\\.qkv', 'h\\.(1)\\.qkv']\n    axis: 1\n    to: 'all'\n",
      "{\"rename\": [{\"from\": \"a\", \"to\": \"c\"}, {\"from\": \"b/(.)\", \"to\": \"a$$$1\"}]}",
    ].enumerated().map { FuzzSeed(name: "rules-\($0)", bytes: Array($1.utf8)) }
  }

  static func patternSeeds() -> [FuzzSeed] {
    [
      "h\\.(\\d+)\\.qkv", "(?<name>a|b/k)", "[a-z&&[^x]]+", "(?i)A", "\\p{L}", "a{1,3}?", "^.*+$",
      "(?=h).*", "\\x{61}", "(a)\\1?",
    ].enumerated().map { FuzzSeed(name: "pattern-\($0)", bytes: Array($1.utf8)) }
  }
}

private enum ModelFuzzing {
  /// Builds the model and counts it.
  static func check(_ architecture: Architecture, _ configuration: Configuration) throws {
    do {
      let model = try Model(architecture, configuration)
      _ = try ParametersReport(model).json
    } catch let error as IngotError where error.errorClass == .usage {
      // A value that is missing is asked for.
    }
  }

  static func seeds() -> [FuzzSeed] {
    Architecture.all.map { FuzzSeed(name: $0.name, bytes: $0.json.bytes()) }
  }
}

private enum ManifestFuzzing {
  static func seeds() throws -> [FuzzSeed] {
    try FuzzSeed.fixtures([".digest"], largest: 4 << 10)
  }
}
