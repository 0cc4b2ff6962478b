import Foundation
import TestSupport
import Testing

/// `ingot params` as a user meets it.
@Suite struct ParamsTests {
  private static let gpt2 = Places.fixture("models/gpt2")

  private func withConfiguration<Result>(
    _ json: String, _ body: (String) throws -> Result
  ) throws -> Result {
    try Places.withTemporaryFolder { folder in
      let path = folder.appending(path: "gpt2.json").filePath
      try Data(json.utf8).write(to: URL(filePath: path))
      return try body(path)
    }
  }

  private static let small = """
    {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "vocab_size": 50257,
     "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12}
    """

  @Test func `GPT-2 small at a glance`() throws {
    let run = try withConfiguration(Self.small) { try CommandRun.ingot("params", $0) }
    #expect(run.status == 0)
    #expect(run.diagnostics == "")
    #expect(
      run.output == """
        gpt2: 124,439,808 parameters

          embedding     39,383,808  31.6 %  ██████████████████████████████▋
          attention     28,348,416  22.8 %  ██████████████████████
          feed_forward  56,669,184  45.5 %  ████████████████████████████████████████████
          norms             38,400   0.0 %  ▏

          layers.0–11  7,087,872  each

          tied              38,597,376  used twice, counted once
          weight decay     124,318,464  in tensors of two and more dimensions
          no weight decay      121,344  in the rest

        "non-embedding parameters", as counted by
          ingot           85,056,000  without token, position, type tables, tied head
          kaplan_2020     85,056,000  without token and position tables and any head
          hoffmann_2022  124,439,808  everything, embeddings too
          nanogpt        123,653,376  without the position table
          transformers    85,056,000  without the weights of nn.Embedding modules

        12·l·d² with l = 12, d = 768, and what it leaves out
          12·l·d²        84,934,656
          biases            +82,944
          norms             +38,400
          ─────────────────────────
          non_embedding  85,056,000
          a layer: 12·d² + 13·d; the estimate is 99.9 % of it

        a forward pass of batch 1, sequence 1024
          attention_projections  58.0 GFLOPs
          attention_scores       38.7 GFLOPs
          feed_forward            116 GFLOPs
          logits                 79.0 GFLOPs
          forward                 292 GFLOPs
          forward per token       285 MFLOPs
          training per token      854 MFLOPs
          scores count every pair; without the masked ones forward is 272 GFLOPs
          6·N with N = 85,056,000: 510 MFLOPs per token; scores add s/(6d) = 22.2 %

        memory in float32
          weights             498 MB
          kv_cache           75.5 MB
          activations         209 MB  the most that is alive at once
          inference           782 MB  weights, cache and activations
          gradients           498 MB
          optimizer           996 MB  AdamW in float32
          saved_activations   1.5 GB  all outputs, for the backward pass
          training           3.49 GB  weights and the three above

        """)
  }

  /// The report as JSON.
  private func report(_ arguments: String...) throws -> [String: Any] {
    let run = try CommandRun.run(CommandRun.ingot, ["params"] + arguments + ["--json"])
    #expect(run.status == 0, "\(run.diagnostics)")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
  }

  private func number(_ report: [String: Any], _ path: String...) -> Int? {
    var value: Any? = report
    for key in path { value = (value as? [String: Any])?[key] }
    return value as? Int
  }

  @Test func `batch, sequence and element type change cost and memory, not counts`() throws {
    try withConfiguration(Self.small) { path in
      let one = try report(path)
      let other = try report(path, "--batch", "4", "--sequence", "512", "--dtype", "bfloat16")
      #expect(number(one, "parameters", "total") == number(other, "parameters", "total"))
      let (b, s, d) = (4, 512, 768)
      #expect(
        number(other, "flops", "forward")
          == 12 * (24 * b * s * d * d + 4 * b * s * s * d) + 2 * b * s * d * 50257)
      #expect(number(other, "memory", "weights") == 2 * 124_439_808)
      #expect(number(other, "memory", "kv_cache") == 2 * 2 * 12 * b * s * d)
      #expect(number(one, "estimate", "unexplained") == 0)
    }
  }

  @Test func `a value of --set goes before the configuration's`() throws {
    try withConfiguration(Self.small) { path in
      let report = try report(
        path, "--set", "layers=24", "--set", "width=1024", "--set", "heads=16")
      #expect(number(report, "parameters", "total") == 354_823_168)
      let layers = (report["configuration"] as? [String: Any])?["layers"] as? [String: Any]
      #expect(layers?["source"] as? String == "--set")
    }
  }

  @Test func `masks in a file are buffers and no parameters`() throws {
    let report = try report(Places.fixture("models/gpt2-bare"))
    #expect(number(report, "parameters", "total") == 11_488)
    #expect(number(report, "parameters", "buffers") == 3 * (23 * 23 + 1))
  }

  @Test func `a checkpoint of an unknown architecture is counted all the same`() throws {
    let path = Places.fixture("npz/savez.npz")
    let report = try report(path)
    #expect(report["architecture"] is NSNull)
    #expect(report["estimate"] is NSNull)
    #expect(report["flops"] is NSNull)
    let run = try CommandRun.ingot("inspect", path, "--json")
    let inspection = try #require(
      try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    #expect(number(report, "parameters", "total") == number(inspection, "totals", "elements"))
    let text = try CommandRun.ingot("params", path)
    #expect(text.status == 0)
    #expect(text.output.hasPrefix("unknown architecture: "))
    #expect(text.diagnostics.hasPrefix("note: counted from the file alone: "))
  }

  @Test(arguments: [
    (["MODEL", "--architecture", "gpt3"], 69, "unknown architecture 'gpt3'"),
    (["MODEL", "--sequence", "24"], 65, "24 positions are above the 23"),
    (["MODEL", "--sequence", "0"], 64, "a batch and a sequence of 1 or more"),
    (["MODEL", "--batch=-1"], 64, "a batch and a sequence of 1 or more"),
    (["MODEL", "--batch", "9223372036854775807"], 65, "exceeds 2^63"),
    (["MODEL", "--dtype", "float31"], 64, "unknown element type 'float31'"),
    (["absent.json"], 66, "No such file"), (["MODEL", "--set", "depth=3"], 64, "'depth'"),
  ])
  func `what makes no sense is one line`(
    arguments: [String], status: Int32, message: String
  ) throws {
    let words = arguments.map { $0 == "MODEL" ? Self.gpt2 : $0 }
    let run = try CommandRun.run(CommandRun.ingot, ["params"] + words)
    #expect(run.status == status, "\(run.diagnostics)")
    #expect(run.output == "")
    #expect(run.diagnosticLines.first?.contains(message) ?? false, "\(run.diagnostics)")
  }

  @Test(arguments: [
    (#"{"model_type": "gpt9"}"#, 69, "'gpt9' is no architecture"),
    (#"{"hello": 1}"#, 69, "does not say of which architecture"),
    (#"{"model_type": "gpt2", "n_layer": -1}"#, 65, "expected 1 or more, found -1"),
    (#"{"model_type": "gpt2", "n_embd": 1000000000, "n_head": 1}"#, 65, "exceeds 2^63"),
    (#"["#, 65, "JSON"),
  ])
  func `a configuration of no use is one line`(
    json: String, status: Int32, message: String
  ) throws {
    let run = try withConfiguration(json) { try CommandRun.ingot("params", $0) }
    #expect(run.status == status, "\(run.diagnostics)")
    #expect(run.output == "")
    #expect(run.diagnosticLines.first?.contains(message) ?? false, "\(run.diagnostics)")
  }
}
