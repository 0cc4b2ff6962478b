import Tensors
import Testing

@testable import Architectures

@Suite struct ParameterCountTests {
  @Test func `GPT-2 small is counted as published`() throws {
    let model = try Configurations.gpt2(layers: 12, width: 768, heads: 12)
    let counts = try ParameterCounts(model, buffers: 12_582_912)
    #expect(counts.total == 124_439_808)
    #expect(counts.trainable == 124_439_808)
    #expect(counts.embedding == 50257 * 768 + 1024 * 768)
    #expect(counts.nonEmbedding == 85_056_000)
    #expect(counts.head == 0)
    #expect(counts.tied == 50257 * 768)
    #expect(counts.active == counts.total)
    #expect(counts.buffers == 12_582_912)
    #expect(counts.byLayer.count == 12)
    #expect(counts.byLayer.allSatisfy { $0.elements == 12 * 768 * 768 + 13 * 768 })
    #expect(counts.byLayer.last?.name == "layers.11")
    #expect(counts.byComponent.reduce(0) { $0 + $1.elements } == counts.total)
    // What nanoGPT's optimizer splits, and its logs print as 123.65M.
    #expect(counts.decayed == 124_318_464)
    #expect(counts.undecayed == 121_344)
    let practices = Dictionary(
      uniqueKeysWithValues: counts.practices.map { ($0.name, $0.elements) })
    #expect(
      practices == [
        "ingot": 85_056_000, "kaplan_2020": 85_056_000, "hoffmann_2022": 124_439_808,
        "nanogpt": 123_653_376, "transformers": 85_056_000,
      ])
  }

  @Test func `an untied head is a parameter outside the embeddings`() throws {
    let model = try Configurations.gpt2(
      layers: 2, width: 8, heads: 2, positions: 16, vocabulary: 30, ["tied_head": .flag(false)])
    let counts = try ParameterCounts(model)
    #expect(counts.head == 240)
    #expect(counts.tied == 0)
    #expect(counts.embedding == 240 + 128)
    #expect(counts.nonEmbedding == 240 + 2 * (12 * 64 + 13 * 8) + 16)
    let practices = Dictionary(
      uniqueKeysWithValues: counts.practices.map { ($0.name, $0.elements) })
    #expect(practices["kaplan_2020"] == counts.nonEmbedding - 240)
    #expect(practices["transformers"] == counts.nonEmbedding)
  }

  @Test func `a token uses its active experts only`() throws {
    let counts = try ParameterCounts(Samples.mixture())
    let expert = 3 * 16 * 24
    #expect(counts.total - counts.active == 2 * (5 - 2) * expert)
    let experts = try #require(counts.byComponent.first { $0.name == "experts" })
    // Five experts, the shared one and the router, twice.
    #expect(experts.elements == 2 * (6 * expert + 5 * 16))
  }

  @Test func `more active experts than experts are refused`() throws {
    #expect {
      try ParameterCounts(Samples.mixture(active: 6))
    } throws: {
      "\($0)".contains("layers.0.experts: 6 active experts of 5")
    }
  }

  @Test(arguments: Architecture.all + SampleArchitectures.all)
  func `every count is a sum of the weights`(architecture: Architecture) throws {
    for (what, model) in Configurations.variants(of: architecture) {
      let model = try model.get()
      let counts = try ParameterCounts(model)
      let own = model.weights.filter { $0.tiedTo == nil && !$0.weight.isBuffer }
      #expect(counts.total == own.reduce(0) { $0 + $1.shape.elementCount }, "\(what)")
      #expect(counts.byComponent.reduce(0) { $0 + $1.elements } == counts.total, "\(what)")
      #expect(counts.decayed + counts.undecayed == counts.trainable, "\(what)")
      #expect(
        counts.byLayer.reduce(0) { $0 + $1.elements }
          == own.filter { $0.layer != nil }.reduce(0) { $0 + $1.shape.elementCount }, "\(what)")
      #expect(counts.practices.allSatisfy { (0...counts.total).contains($0.elements) }, "\(what)")
      #expect((0...counts.total).contains(counts.active), "\(what)")
    }
  }
}

/// The samples with small, unequal sizes.
enum Samples {
  static func gated(
    width: Int = 16, layers: Int = 2, heads: Int = 4, keyHeads: Int = 2, headSize: Int = 6,
    feedForward: Int = 24, vocabulary: Int = 50, window: Int = 0
  ) throws -> Model {
    try Configurations.model(
      SampleArchitectures.gated,
      [
        "width": .integer(width), "layers": .integer(layers), "heads": .integer(heads),
        "key_heads": .integer(keyHeads), "head_size": .integer(headSize),
        "feed_forward": .integer(feedForward), "vocabulary": .integer(vocabulary),
        "window": .integer(window),
      ])
  }

  static func mixture(active: Int = 2) throws -> Model {
    try Configurations.model(
      SampleArchitectures.mixture,
      [
        "width": .integer(16), "layers": .integer(2), "heads": .integer(4),
        "key_heads": .integer(4), "head_size": .integer(4), "feed_forward": .integer(24),
        "vocabulary": .integer(50), "experts": .integer(5), "active_experts": .integer(active),
      ])
  }

  static func translator() throws -> Model {
    try Configurations.model(
      SampleArchitectures.translator,
      [
        "width": .integer(8), "encoder_layers": .integer(2), "decoder_layers": .integer(3),
        "heads": .integer(2), "vocabulary": .integer(20),
      ])
  }

  static func shared() throws -> Model {
    try Configurations.model(
      SampleArchitectures.shared,
      ["width": .integer(8), "layers": .integer(4), "heads": .integer(2)])
  }
}
