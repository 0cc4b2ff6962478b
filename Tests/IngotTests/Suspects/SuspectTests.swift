import Foundation
import Ingot
import TestSupport
import Tensors
import Testing

/// Every mistake that conversions are known to make is injected into good checkpoints: it is seen first
/// where it was made, named, and undone by the rules or the setting that the report gives.
@Suite struct SuspectTests {
  static func mutants() throws -> [Mutant] {
    try gpt2Mutants() + llamaMutants() + encoderMutants() + encoderDecoderMutants()
      + otherMutants() + coarseMutants()
  }

  /// The golden of a model, in a file of its own where it is of our own making.
  private func golden(_ subject: Subject, _ folder: URL) throws -> String {
    guard let name = subject.goldenOfOurs else { return subject.fixture.golden }
    let path = folder.appending(path: name + ".npz").filePath
    guard !FileManager.default.fileExists(atPath: path) else { return path }
    let inputs = try Checkpoint.changed(subject.fixture.golden) { tensors in
      tensors = tensors.filter {
        ["input/input_ids", "input/attention_mask"].contains($0.key)
      }
      try subject.inputs?(&tensors)
    }
    _ = try GoldenRecording(
      subject.fixture.changed(settings: subject.settings, subject.change), inputs: inputs
    ).write(to: path)
    return path
  }

  private func source(
    _ mutant: Mutant, settings: [(String, String)]? = nil,
    afterwards: Change = { _ in }
  ) throws -> ModelSource {
    try mutant.model.fixture.changed(
      settings: mutant.model.settings + (settings ?? mutant.settings)
    ) { tensors in
      try mutant.model.change(&tensors)
      try mutant.change(&tensors)
      try afterwards(&tensors)
    }
  }

  /// Whether the checkpoint agrees with its golden once what the report advises is done.
  private func isRepaired(_ mutant: Mutant, _ suspect: Suspect, _ golden: Golden) throws -> Bool {
    if let setting = suspect.setting {
      let parts = setting.split(separator: "=").map(String.init)
      let report = try Verification(
        source(mutant, settings: [(parts[0], parts[1])]), golden
      ).report()
      // A second copy that is no longer used still has other bytes.
      return report.firstDivergence == nil && !report.states.isEmpty
    }
    guard let rules = suspect.rules else { return false }
    let file = try RulesFile(parsing: Array(rules.utf8), path: "rules.yaml")
    let source = try source(mutant) { tensors in
      var table = TensorTable()
      for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
        try table.append(name, tensor)
      }
      let (repaired, _) = try file.apply(to: table)
      tensors = Dictionary(
        uniqueKeysWithValues: repaired.entries.map { ($0.name.text, $0.tensor) })
    }
    return try Verification(source, golden).report().isOK
  }

  @Test func `every mistake is caught, placed, named and undone`() throws {
    let mutants = try Self.mutants()
    #expect(Set(mutants.map(\.model.fixture.architecture)).count >= 4)
    var rows: [[String]] = []
    var named = 0
    try Places.withTemporaryFolder { folder in
      for mutant in mutants {
        let path = try golden(mutant.model, folder)
        let golden = try Golden(
          Checkpoint.changed(path) { tensors in
            tensors = tensors.filter {
              $0.key.hasPrefix("input/") || $0.key.hasPrefix(mutant.kept ?? "")
            }
            if mutant.kept != nil { tensors["output/loss"] = nil }
          })
        let report = try Verification(source(mutant), golden).report()
        let row = "\(mutant.model.name): \(mutant.mistake)"
        let isCaught = !report.isOK
        #expect(isCaught, "\(row)")
        let first = report.firstDivergence
        #expect(first?.name.text == mutant.state, "\(row)")
        #expect(first?.component == mutant.component, "\(row)")
        #expect(first?.worst ?? 0 > 10, "\(row): too near to the tolerance to rely on")
        let suspect = report.suspects.first
        let isNamed = suspect?.cause == mutant.cause
        if isNamed { named += 1 }
        #expect(isNamed, "\(row): named is \(report.suspects.map(\.cause))")
        #expect(report.suspects.count <= 2, "\(row): \(report.suspects.map(\.cause))")
        let repair: String
        switch mutant.repair {
        case .rules, .setting:
          #expect((suspect?.setting != nil) == (mutant.repair == .setting), "\(row)")
          let isUndone = try suspect.map { try isRepaired(mutant, $0, golden) } ?? false
          #expect(isUndone, "\(row): \(suspect?.rules ?? suspect?.setting ?? "no repair")")
          repair = (mutant.repair == .rules ? "rules" : "setting") + (isUndone ? " ✓" : " ✗")
        case .none:
          #expect(suspect?.rules == nil && suspect?.setting == nil, "\(row)")
          repair = ""
        }
        rows.append([
          mutant.model.name, mutant.mistake, (first?.name.text ?? "not seen"),
          (isNamed ? "✓ " : "✗ ") + (suspect?.cause ?? "nothing named"), repair,
        ])
      }
    }
    let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
    for row in rows {
      print(
        zip(row, widths + [0]).map {
          $0.padding(toLength: max($1, $0.count), withPad: " ", startingAt: 0)
        }
        .joined(separator: "  "))
    }
    print("\(named) of \(mutants.count) mistakes named, models marked * have goldens of our own")
    #expect(Double(named) >= 0.9 * Double(mutants.count))
  }

  @Test func `what is long is tried on its beginning`() throws {
    let model = try Self.longTexts()
    let mutant = Mutant(
      mistake: "q and k exchanged", model: model, state: "output/logits", component: nil,
      cause: "layers.*.attention.output: the matrix is transposed, in 2 layers", repair: .rules,
      change: Self.transpose(
        "model.layers.0.self_attn.o_proj.weight", "model.layers.1.self_attn.o_proj.weight"))
    try Places.withTemporaryFolder { folder in
      let golden = try Golden(
        Checkpoint.changed(golden(model, folder)) { tensors in
          tensors = tensors.filter { !$0.key.hasPrefix("trace/") && !$0.key.hasPrefix("hidden/") }
        })
      let report = try Verification(source(mutant), golden).report()
      let suspect = try #require(report.suspects.first)
      #expect(suspect.cause == mutant.cause)
      #expect(
        suspect.evidence.hasPrefix(
          "undone, output/last_hidden_state of the first 32 positions of one sequence goes from"))
      #expect(try isRepaired(mutant, suspect, golden))
    }
  }

  // MARK: Nothing to name

  @Test(arguments: ["gpt2", "llama", "bert", "t5-v1_1", "mixtral", "gemma"])
  func `a good checkpoint has no suspects`(folder: String) throws {
    let fixture = try ModelFixture.named(folder)
    let report = try Verification(fixture.source(), Golden(path: fixture.golden)).report()
    #expect(report.isOK)
    #expect(report.suspects.isEmpty)
  }

  @Test(arguments: [
    ("gpt2", "transformer.h.1.mlp.c_fc.weight", "trace/layers.1.feed_forward"),
    ("llama", "model.layers.0.self_attn.q_proj.weight", "trace/layers.0.attention"),
    ("bert", "encoder.layer.1.attention.output.LayerNorm.weight", "trace/layers.1.attention_norm"),
    ("mixtral", "model.layers.1.block_sparse_moe.gate.weight", "trace/layers.1.feed_forward"),
    ("t5-v1_1", "lm_head.weight", "output/logits"),
  ])
  func `other damage is placed, and no mistake is blamed for it`(
    folder: String, name: String, state: String
  ) throws {
    let fixture = try ModelFixture.named(folder)
    for size in [1e-6, 1e-3, 1] {
      var generator = SeededGenerator(seed: 7)
      let source = try fixture.changed { tensors in
        tensors[name] = try #require(tensors[name]).mapped {
          $0 + size * Double.random(in: -1...1, using: &generator)
        }
      }
      let report = try Verification(source, Golden(path: fixture.golden)).report()
      #expect(!report.isOK)
      #expect(report.firstDivergence?.name.text == state)
      #expect(report.suspects.isEmpty, "\(report.suspects.map(\.cause))")
    }
  }
}
