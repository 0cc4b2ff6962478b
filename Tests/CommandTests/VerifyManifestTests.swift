import Foundation
import Tensors
import TestSupport
import Testing

/// `verify --manifest` and `verify --against`, and what the documentation says of them.
@Suite struct VerifyManifestTests {
  private static let page = "docs/continuous-integration.md"

  /// What stands in the page's block of that name.
  private static func block(_ name: String) throws -> String {
    let text = try String(
      contentsOf: Places.project.appending(path: page), encoding: .utf8)
    let start = try #require(text.firstRange(of: "<!-- \(name): begin"))
    let fence = try #require(text[start.upperBound...].firstRange(of: "```yaml\n"))
    let end = try #require(text[fence.upperBound...].firstRange(of: "```\n"))
    return String(text[fence.upperBound..<end.lowerBound])
  }

  /// A folder such as the page describes.
  private func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    try Places.withTemporaryFolder { folder in
      for name in ["models", "goldens", "digests", "out"] {
        try FileManager.default.createDirectory(
          at: folder.appending(path: name), withIntermediateDirectories: false)
      }
      let model = folder.appending(path: "models/gpt2").filePath
      try FileManager.default.copyItem(atPath: Places.fixture("models/gpt2"), toPath: model)
      try FileManager.default.moveItem(
        atPath: "\(model)/golden.npz", toPath: folder.appending(path: "goldens/gpt2.npz").filePath)
      let digest = try CommandRun.ingot("digest", model)
      try Data(digest.output.utf8).write(to: folder.appending(path: "digests/gpt2.txt"))
      for (name, options) in [
        ("gpt2.weights.h5", ["--names", "keras_hub", "--layout", "keras"]),
        ("gpt2.npz", ["--names", "nanogpt"]), ("half.safetensors", ["--dtype", "float16"]),
      ] {
        let path = folder.appending(path: "out/\(name)").filePath
        let run = try CommandRun.run(CommandRun.ingot, ["convert", model, path] + options)
        #expect(run.status == 0, "\(run.diagnostics)")
      }
      try Data(try Self.block("checks.yaml").utf8).write(
        to: folder.appending(path: "checks.yaml"))
      return try body(folder)
    }
  }

  /// The line of the page's workflow that verifies, as it stands there.
  private func workflowArguments() throws -> [String] {
    let workflow = try Self.block("workflow")
    let line = try #require(
      workflow.split(separator: "\n").first {
        $0.drop { $0 == " " }.hasPrefix("ingot verify ")
      })
    return line.split(separator: " ").dropFirst().map(String.init)
  }

  @Test func `the documentation's list holds of such files, by the workflow's own line`() throws {
    try withFolder { folder in
      let run = try CommandRun.run(CommandRun.ingot, workflowArguments(), in: folder)
      #expect(run.status == 0, "\(run.output)\(run.diagnostics)")
      let lines = run.output.split(separator: "\n")
      #expect(lines.count == 5 + 3 * 2 + 1 + 1)
      #expect(lines.dropLast().allSatisfy { $0.hasPrefix("✓ ") })
      #expect(lines.last == "ok: 12 checks")
      #expect(
        lines.contains { $0.hasPrefix("✓ out/half.safetensors  against models/gpt2: 41 states, ") })
      #expect(run.diagnostics == "")
      for name in ["verify.xml", "verify.json"] {
        #expect(FileManager.default.fileExists(atPath: folder.appending(path: name).filePath))
      }
    }
  }

  @Test func `failures and refusals are counted, reported and annotated`() throws {
    try withFolder { folder in
      try Data("damaged".utf8).write(to: folder.appending(path: "out/other.npz"))
      let model = folder.appending(path: "models/gpt2/config.json")
      let text = try String(contentsOf: model, encoding: .utf8)
      try Data(text.replacing("gelu_new", with: "gelu").utf8).write(to: model)
      let run = try CommandRun.run(
        "/usr/bin/env",
        ["GITHUB_ACTIONS=true", CommandRun.ingot] + (try workflowArguments()), in: folder)
      #expect(run.status == 65)
      let lines = run.output.split(separator: "\n")
      #expect(
        lines.contains {
          $0.hasPrefix(
            "✗ models/gpt2  golden goldens/gpt2.npz: first divergence: trace/layers.0.feed_forward (layers.0, feed_forward): "
          )
        })
      // What was converted before says which activation it has.
      #expect(
        lines.contains {
          $0.hasPrefix(
            "! out/gpt2.npz  against models/gpt2: out/gpt2.npz: the configurations contradict")
        })
      #expect(lines.contains { $0.hasPrefix("! out/other.npz  finite: out/other.npz: ") })
      #expect(lines.last == "NOT ok: of 14 checks 1 do not hold (✗), 3 could not be made (!)")
      let marks = lines.filter { $0.hasPrefix("✗ ") || $0.hasPrefix("! ") }
      #expect(
        run.diagnosticLines.filter { $0.hasPrefix("::error title=ingot verify::") }.count
          == marks.count)
      let junit = try String(
        contentsOf: folder.appending(path: "verify.xml"), encoding: .utf8)
      #expect(
        junit.contains("<testsuite name=\"checks.yaml\" tests=\"14\" failures=\"1\" errors=\"3\""))
      #expect(
        junit.contains("<testcase classname=\"models/gpt2\" name=\"golden goldens/gpt2.npz\">"))
      #expect(junit.contains("<testcase classname=\"models/gpt2\" name=\"finite\"/>"))
      #expect(junit.contains("<error type=\"malformed\" message=\"out/other.npz: "))
      // Every failing state is told, with the tolerance.
      #expect(junit.contains("output/logits: "))
      let json = try JSONScanner.parse(
        Array(try Data(contentsOf: folder.appending(path: "verify.json"))))
      #expect(json["ok"] == .boolean(false))
      #expect(json["totals"]?["refused"] == JSON(3))
    }
  }

  @Test func `a manifest that is none leaves an error in the report`() throws {
    try Places.withTemporaryFolder { folder in
      let manifest = folder.appending(path: "checks.yaml").filePath
      let junit = folder.appending(path: "verify.xml").filePath
      try Data("checks: [{path: a, fit: true}]".utf8).write(to: URL(filePath: manifest))
      let run = try CommandRun.ingot(
        "verify", "--manifest", manifest, "--report", "junit=\(junit)")
      #expect(run.status == 65)
      #expect(
        run.diagnosticLines == [
          "ingot: \(manifest): line 1, column 20: a check has no key 'fit'",
          "hint: did you mean 'fits'?",
        ])
      #expect(try String(contentsOfFile: junit, encoding: .utf8).contains("errors=\"1\""))
    }
  }

  @Test func `against another checkpoint the text says to which precision`() throws {
    try withFolder { folder in
      let exact = try CommandRun.run(
        CommandRun.ingot, ["verify", "out/gpt2.weights.h5", "--against", "models/gpt2"], in: folder)
      #expect(exact.status == 0, "\(exact.diagnostics)")
      #expect(
        exact.output.contains(
          "against: models/gpt2, to the precision of float64 (both store the same types)\ninputs: seed 0, attention_mask 3×23, input_ids 3×23\n"
        ))
      let half = try CommandRun.run(
        CommandRun.ingot,
        [
          "verify", "out/half.safetensors", "--against", "models/gpt2", "--seed", "3", "--sequence",
          "4",
        ],
        in: folder)
      #expect(half.status == 0, "\(half.diagnostics)")
      #expect(
        half.output.contains(
          "to the precision of float16 ('embedding.positions.weight' is stored as float16 and as float32)\ninputs: seed 3, attention_mask 3×4, input_ids 3×4\n"
        ))
      let strict = try CommandRun.run(
        CommandRun.ingot,
        [
          "verify", "out/half.safetensors", "--against", "models/gpt2", "--rtol", "1e-6", "--atol",
          "0",
        ],
        in: folder)
      #expect(strict.status == 1)
      #expect(strict.output.hasSuffix("\nNOT ok\n"))
    }
  }

  @Test(arguments: [
    (["a"], "give one of --golden, --against and --manifest"),
    (["a", "--golden", "b", "--against", "c"], "give one of --golden, --against and --manifest"),
    (["--golden", "b"], "Missing expected argument '<path>'"),
    (["a", "--manifest", "b"], "--manifest names the checkpoints itself"),
    (["a", "--golden", "b", "--seed", "1"], "--seed and --sequence are for --against"),
    (["--manifest", "b", "--sequence", "1"], "--seed and --sequence are for --against"),
    (["a", "--against", "b", "--sequence", "0"], "--sequence takes a number from 1 on"),
    (
      ["--manifest", "b", "--rtol", "1"],
      "with --manifest, models, precision and tolerances are said in it"
    ),
    (
      ["--manifest", "b", "--set", "heads=1"],
      "with --manifest, models, precision and tolerances are said in it"
    ),
    (
      ["--manifest", "b", "--precision", "float32"],
      "with --manifest, models, precision and tolerances are said in it"
    ),
  ])
  func `options that make no sense together are refused`(
    arguments: [String], message: String
  ) throws {
    let run = try CommandRun.run(CommandRun.ingot, ["verify"] + arguments)
    #expect(run.status == 64)
    #expect(run.diagnosticLines.first == "ingot: \(message)")
  }

  /// Python's reader of YAML knows what ours refuses, so ours reads all that matters of the workflow.
  @Test func `the workflow keeps the report whatever comes of the checks`() throws {
    let workflow = try Self.block("workflow")
    let steps = workflow.components(separatedBy: "      - ")
    let keep = try #require(steps.last)
    #expect(keep.contains("if: always()"))
    for argument in try workflowArguments() {
      guard let equals = argument.firstIndex(of: "=") else { continue }
      #expect(keep.contains(argument[argument.index(after: equals)...]))
    }
  }
}
