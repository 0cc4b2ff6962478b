import TestSupport
import Tensors
import Testing

@testable import Ingot

/// Situations from public reports, in a folder that `INGOT_CASES` names; skipped where there is none.
@Suite(.enabled(if: Places.cases != nil, "INGOT_CASES names no folder"))
struct CaseTests {
  /// Settings of a configuration that change what is computed.
  static let settings = [
    "01/inverse", "01/plain", "01/unscaled", "02/gemma2-both-ways", "02/gemma2-default",
    "02/gemma2-types", "02/mistral", "02/qwen-off", "02/qwen-types", "02/qwen-upper",
    "03/bert-causal", "03/bert-model-decoder", "03/bert-plain", "03/roberta-causal",
    "18/deepseek-freq", "18/gpt2-cross", "18/llama-partial", "18/mixtral-jitter", "18/neox-tanh",
    "18/vit-poolsize", "18/whisper-scaled", "20/dynamic", "20/dynamic-by-hand", "20/kv-null-qwen",
    "20/linear-by-hand", "20/llama3", "20/old-style", "20/scaling-null", "20/theta-by-hand",
    "20/two-types", "20/yarn-by-hand", "20/yarn-mscale",
  ]

  private func source(_ name: String) throws -> ModelSource {
    let folder = try #require(Places.cases)
    return try ModelSource(path: "\(folder)/\(name)")
  }

  @Test(arguments: settings)
  func `computes what the library does`(_ name: String) throws {
    let folder = try #require(Places.cases)
    let report = try Verification(
      source(name), Golden(path: "\(folder)/\(name)/golden.npz")
    ).report()
    #expect(report.isOK)
  }

  @Test(arguments: [
    ("01/unscaled", [5, 9, 11], [46, 16, 39, 45]),
    ("02/gemma2-types", [5, 9, 11, 30, 2, 44, 8, 17], [17, 2, 45, 45]),
    ("02/qwen-types", [5, 9, 11, 30, 2, 44, 8, 17], [3, 28, 3, 59]),
  ])
  func `continues as the library does`(_ name: String, _ prompt: [Int], _ tokens: [Int]) throws {
    var generation = Generation(try source(name), prompt: prompt)
    generation.mostTokens = tokens.count
    #expect(try generation.run().tokens == tokens)
  }
}
