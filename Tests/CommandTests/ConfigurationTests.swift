import Foundation
import TestSupport
import Testing

/// What a configuration says and nothing reads, as a user meets it.
@Suite struct ConfigurationTests {
  /// GPT-2's fixture with another member in its configuration.
  private func withMember<Result>(
    _ member: String, _ body: (String) throws -> Result
  ) throws -> Result {
    try Places.withTemporaryFolder { folder in
      let source = URL(filePath: Places.fixture("models/gpt2"))
      let text = try String(contentsOf: source.appending(path: "config.json"), encoding: .utf8)
      try Data(text.replacing("{", with: "{ \(member),", maxReplacements: 1).utf8).write(
        to: folder.appending(path: "config.json"))
      try FileManager.default.copyItem(
        at: source.appending(path: "model.safetensors"),
        to: folder.appending(path: "model.safetensors"))
      return try body(folder.filePath)
    }
  }

  private static let golden = Places.fixture("models/gpt2/golden.npz")

  @Test func `a key that is not known is a note, and an error under --strict`() throws {
    try withMember(#""residual_scale": 2.5"#) { model in
      let note = "note: config.json: the key 'residual_scale' is not known"
      let commands = [
        ["validate", model], ["params", model], ["verify", model, "--golden", Self.golden],
        ["generate", model, "--tokens", "5", "--max-new", "1"],
        ["convert", model, "out.npz", "--names", "keras_hub", "--dry-run"],
      ]
      for command in commands {
        let run = try CommandRun.run(CommandRun.ingot, command)
        #expect(run.status == 0, "\(command[0])")
        #expect(run.diagnosticLines.contains(note), "\(command[0]): \(run.diagnostics)")
        let strict = try CommandRun.run(CommandRun.ingot, command + ["--strict"])
        #expect(strict.status == 69, "\(command[0])")
        #expect(strict.diagnostics.contains("--strict: config.json: the key 'residual_scale'"))
      }
      let inspect = try CommandRun.ingot("inspect", model)
      #expect(inspect.status == 0)
      #expect(inspect.diagnosticLines.contains(note))
      let json = try CommandRun.ingot("validate", model, "--json")
      #expect(json.output.contains("the key 'residual_scale' is not known"))
    }
  }

  @Test func `a value that is not computed is refused by what computes and maps`() throws {
    try withMember(#""is_causal": false"#) { model in
      let refusal =
        "config.json: 'is_causal' is false, and what is computed is: decoders see no later positions"
      for command in [
        ["verify", model, "--golden", Self.golden],
        ["golden", model, "--inputs", Self.golden, "--output", model + "/out.npz"],
        ["generate", model, "--tokens", "5"],
        ["convert", model, "out.npz", "--names", "keras_hub", "--dry-run"],
      ] {
        let run = try CommandRun.run(CommandRun.ingot, command)
        #expect(run.status == 69, "\(command[0])")
        #expect(run.diagnostics.contains(refusal), "\(command[0]): \(run.diagnostics)")
      }
      for command in [["validate", model], ["params", model], ["inspect", model]] {
        let run = try CommandRun.run(CommandRun.ingot, command)
        #expect(run.status == 0, "\(command[0])")
        #expect(run.diagnosticLines.contains("note: \(refusal)"), "\(command[0])")
      }
    }
  }

  @Test func `a value that changes the weights is refused by what counts`() throws {
    try withMember(#""pruned_heads": {"0": [1]}"#) { model in
      for command in [["validate", model], ["params", model + "/config.json"]] {
        let run = try CommandRun.run(CommandRun.ingot, command)
        #expect(run.status == 69, "\(command[0])")
        #expect(run.diagnostics.contains("'pruned_heads' is "), "\(command[0])")
      }
    }
  }
}
