import Foundation
import Tensors
import TestSupport
import Testing

/// Real reports against the schemas that describe them.
@Suite(.enabled(if: Places.python != nil, "INGOT_PYTHON names no Python with jsonschema"))
struct SchemaTests {
  private static let validator = """
    import json, sys, jsonschema
    schema = json.load(open(sys.argv[1]))
    jsonschema.Draft202012Validator.check_schema(schema)
    for report in sys.argv[2:]:
        jsonschema.Draft202012Validator(schema).validate(json.load(open(report)))
    """

  @Test(arguments: [
    ("inspect", ["inspect", "FIXTURE"]), ("inspect", ["inspect", "--stats", "FIXTURE"]),
    ("inspect", ["inspect", "OTHERS"]), ("digest", ["digest", "FIXTURE"]),
    ("digest", ["digest", "FIXTURE", "--check", "MANIFEST"]),
    ("diff", ["diff", "FIXTURE", "FIXTURE"]),
    ("diff", ["diff", "FIXTURE", "OTHER", "--rtol", "0.1"]),
    ("convert", ["convert", "FIXTURE", "OUT.npz", "--dtype", "float16"]),
    ("convert", ["convert", "FIXTURE", "OUT2.npz", "--dry-run", "--rules", "RULES"]),
    ("convert", ["convert", "MODEL", "OUT3.npz", "--names", "nanogpt"]),
    ("error", ["convert", "MODEL", "OUT4.npz", "--names", "nanogpt", "--exclude", "*wpe*"]),
    ("validate", ["validate", "MODEL", "--expect-parameters", "7"]),
    ("verify", ["verify", "MODEL", "--golden", "GOLDEN"]),
    ("verify", ["verify", "MODEL", "--golden", "GOLDEN", "--set", "norm_epsilon=1e-3"]),
    ("verify", ["verify", "MODEL", "--against", "MODEL"]),
    ("error", ["verify", "MODEL", "--golden", "OTHER"]),
    ("checks-report", ["verify", "--manifest", "CHECKS"]),
    ("generate", ["generate", "MODEL", "--tokens", "1,2", "--stop", "8"]),
    ("golden-report", ["golden", "MODEL", "--inputs", "GOLDEN", "--output", "OUT5.npz"]),
    ("params", ["params", "MODEL"]), ("params", ["params", "MODEL/config.json", "--batch", "3"]),
    ("params", ["params", "FIXTURE"]), ("error", ["params", "MODEL", "--sequence", "99999"]),
    ("formats", ["formats"]), ("architectures", ["architectures"]),
    ("architecture", ["architectures", "gpt2"]),
    ("error", ["inspect", "absent"]), ("error", ["nonsense"]),
  ])
  func reportsFitTheirSchemas(schema: String, arguments: [String]) throws {
    let python = try #require(Places.python)
    try Places.withTemporaryFolder { folder in
      let fixture = Places.fixture("demo/tiny-transformer.h5")
      let manifest = folder.appending(path: "manifest").filePath
      try Data(try CommandRun.ingot("digest", fixture).output.utf8).write(
        to: URL(filePath: manifest))
      let rules = folder.appending(path: "rules.yaml").filePath
      try Data("rename: [{from: 'model_weights/(.*)', to: '$1'}]\n".utf8).write(
        to: URL(filePath: rules))
      // One check that holds, one that does not, one that cannot be made.
      let checks = folder.appending(path: "checks.yaml").filePath
      let model = Places.fixture("models/gpt2")
      try Data(
        "checks: [{path: \(model), golden: \(model)/golden.npz, parameters: 7, digest: absent}]"
          .utf8
      ).write(to: URL(filePath: checks))
      let words = arguments.map { word in
        word.hasPrefix("OUT")
          ? folder.appending(path: word).filePath
          : [
            "FIXTURE": fixture, "MANIFEST": manifest, "RULES": rules,
            "MODEL": Places.fixture("models/gpt2"),
            "GOLDEN": Places.fixture("models/gpt2/golden.npz"), "CHECKS": checks,
            "MODEL/config.json": Places.fixture("models/gpt2/config.json"),
            "OTHER": Places.fixture("npz/savez.npz"),
            "OTHERS": Places.fixture("hdf5/others_v0.h5"),
          ][word] ?? word
      }
      let run = try CommandRun.run(CommandRun.ingot, words + ["--json"])
      let report = folder.appending(path: "report.json")
      try Data(run.output.utf8).write(to: report)
      let check = try CommandRun.run(
        python,
        [
          "-c", Self.validator,
          Places.project.appending(path: "schemas/\(schema).schema.json").filePath, report.filePath,
        ])
      #expect(check.status == 0, "\(check.diagnostics.suffix(1500))\n\(run.output.prefix(1500))")
    }
  }

  /// The schema of manifests takes what the command takes, and refuses what it refuses.
  @Test(arguments: [
    (#"{"checks": [{"path": "absent", "finite": true}]}"#, true),
    (#"{"checks": [{"path": ["absent", "b*"], "golden": ["c"], "rtol": 1e-3, "atol": 0}]}"#, true),
    (
      #"{"checks": [{"path": "absent", "against": "b", "seed": 1, "sequence": 2, "precision": "float32"}]}"#,
      true
    ),
    (
      #"{"checks": [{"path": "absent", "fits": true, "config": "c", "architecture": "a", "set": {"b": 1}}]}"#,
      true
    ),
    (#"{"checks": [{"path": "absent", "digest": "d", "parameters": 1}]}"#, true),
    (#"{"checks": []}"#, false), (#"{"tests": []}"#, false), (#"{}"#, false), (#"[]"#, false),
    (#"{"checks": [{"finite": true}]}"#, false),
    (#"{"checks": [{"path": "a"}]}"#, false),
    (#"{"checks": [{"path": [], "finite": true}]}"#, false),
    (#"{"checks": [{"path": "a", "finite": false}]}"#, false),
    (#"{"checks": [{"path": "a", "finite": true, "rtol": 1}]}"#, false),
    (#"{"checks": [{"path": "a", "golden": "b", "seed": 1}]}"#, false),
    (#"{"checks": [{"path": "a", "golden": "b", "rtol": -1}]}"#, false),
    (#"{"checks": [{"path": "a", "golden": "b", "precision": "float16"}]}"#, false),
    (#"{"checks": [{"path": "a", "against": "b", "sequence": 0}]}"#, false),
    (#"{"checks": [{"path": "a", "parameters": 0}]}"#, false),
    (#"{"checks": [{"path": "a", "fits": true, "more": 1}]}"#, false),
  ])
  func manifestsFitTheirSchema(text: String, isTaken: Bool) throws {
    let python = try #require(Places.python)
    try Places.withTemporaryFolder { folder in
      let manifest = folder.appending(path: "checks.json").filePath
      try Data(text.utf8).write(to: URL(filePath: manifest))
      let schema = Places.project.appending(path: "schemas/checks.schema.json").filePath
      let check = try CommandRun.run(python, ["-c", Self.validator, schema, manifest])
      #expect((check.status == 0) == isTaken, "\(check.diagnostics.suffix(500))")
      // A manifest that is taken comes as far as the checkpoint, which is missing.
      let run = try CommandRun.ingot("verify", "--manifest", manifest)
      #expect(run.status == (isTaken ? 66 : 65), "\(run.output)\(run.diagnostics)")
    }
  }

  @Test func `every built-in architecture fits the schema of architectures`() throws {
    let python = try #require(Places.python)
    let list = try CommandRun.ingot("architectures", "--json")
    let json = try JSONScanner.parse(Array(list.output.utf8))
    let names = (json["architectures"]?.array ?? []).compactMap { $0["name"]?.string }
    #expect(names.contains("gpt2"))
    try Places.withTemporaryFolder { folder in
      let files = try names.map { name in
        let file = folder.appending(path: "\(name).json")
        let run = try CommandRun.ingot("architectures", name.text, "--json")
        try Data(run.output.utf8).write(to: file)
        return file.filePath
      }
      let schema = Places.project.appending(path: "schemas/architecture.schema.json").filePath
      let check = try CommandRun.run(python, ["-c", Self.validator, schema] + files)
      #expect(check.status == 0, "\(check.diagnostics.suffix(1500))")
    }
  }
}
