import Tensors
import Testing

@testable import Architectures

@Suite struct CostTests {
  private typealias Term = ForwardCost.Term

  private func terms(_ cost: ForwardCost) -> [Term: Int] {
    Dictionary(uniqueKeysWithValues: cost.terms.map { ($0.term, $0.flops) })
  }

  @Test func `GPT-2 small at 1024 tokens by the full-square convention`() throws {
    let model = try Configurations.gpt2(layers: 12, width: 768, heads: 12)
    let cost = try ForwardCost(model, batch: 1, sequence: 1024)
    // nanoGPT's transformer_sizing: every score, masked or not, and the logits.
    #expect(cost.forward == 291_648_307_200)
    let (s, d) = (1024, 768)
    #expect(cost.forward == 12 * (24 * s * d * d + 4 * s * s * d) + 2 * s * d * 50257)
    #expect(terms(cost)[.logits] == 2 * s * d * 50257)
    #expect(terms(cost)[.embedding] == 0)
    #expect(cost.visibleForward == cost.forward - 12 * 4 * d * (s * s - s * (s + 1) / 2))
    #expect(cost.forwardPerToken == 284_812_800)
    // 6·N over the matrices of the layers, times 1 + s/(6d), and the logits.
    let matrices = 6.0 * 84_934_656
    #expect(
      cost.trainingPerToken == matrices + matrices * 1024 / (6 * 768) + 6 * 768 * 50257)
  }

  @Test func `grouped heads, a gate and batches`() throws {
    let cost = try ForwardCost(Samples.gated(), batch: 3, sequence: 5)
    let (rows, d, q, k, f) = (15, 16, 24, 12, 24)
    #expect(
      terms(cost) == [
        .embedding: 0, .attentionProjections: 2 * 2 * rows * (2 * d * q + 2 * d * k),
        .attentionScores: 2 * 4 * 3 * 5 * 5 * q, .feedForward: 2 * 2 * rows * 3 * d * f,
        .logits: 2 * rows * d * 50,
      ])
  }

  @Test(arguments: [0, 1, 2, 3, 5, 9])
  func `visible pairs are counted as if one by one`(window: Int) throws {
    let cost = try ForwardCost(Samples.gated(window: window), batch: 1, sequence: 5)
    let visible = (0..<5).reduce(0) { sum, query in
      sum + (0..<5).filter { $0 <= query && (window == 0 || $0 > query - window) }.count
    }
    #expect(cost.forward - cost.visibleForward == 2 * 4 * 24 * (25 - visible))
  }

  @Test func `a token pays for its active experts, the router and the shared one`() throws {
    let cost = try ForwardCost(Samples.mixture(), batch: 1, sequence: 7)
    let expert = 2 * 7 * 3 * 16 * 24
    let terms = terms(cost)
    #expect(terms[.experts] == 2 * 2 * expert)
    #expect(terms[.router] == 2 * 2 * 7 * 16 * 5)
    #expect(terms[.feedForward] == 2 * expert)
  }

  @Test func `cross-attention stands apart`() throws {
    let cost = try ForwardCost(Samples.translator(), batch: 2, sequence: 3)
    #expect(terms(cost)[.crossAttentionProjections] == 3 * 8 * 6 * 64)
    #expect(terms(cost)[.crossAttentionScores] == 3 * 4 * 2 * 9 * 8)
    #expect(terms(cost)[.attentionProjections] == 5 * 8 * 6 * 64)
    // Only the decoder's own scores are masked.
    #expect(cost.forward - cost.visibleForward == 3 * 4 * 2 * 8 * (9 - 6))
  }

  @Test func `layers that share weights work each time`() throws {
    let cost = try ForwardCost(Samples.shared(), batch: 1, sequence: 3)
    #expect(cost.forward == 4 * (24 * 3 * 64 + 4 * 9 * 8))
  }

  @Test func `sound has a length of its own, and its convolutions are counted`() throws {
    let whisper = try #require(Architecture.named("whisper"))
    let model = try Configurations.model(
      whisper, SmallModels.sizes["whisper", default: [:]].mapValues(Value.integer))
    let cost = try ForwardCost(model, batch: 3, sequence: 5)
    // 14 frames of 10 channels and then of 12 features; every second one goes on.
    #expect(terms(cost)[.convolutions] == 3 * 2 * (14 * 10 * 12 * 3 + 7 * 12 * 12 * 3))
    #expect(terms(cost)[.crossAttentionScores] == 3 * 3 * 4 * 5 * 7 * 12)
    #expect(cost.tokens == 15)
    #expect(try model.usualSequence == 7)
  }

  @Test func `memory of GPT-2 small`() throws {
    let model = try Configurations.gpt2(layers: 12, width: 768, heads: 12)
    let counts = try ParameterCounts(model)
    let half = try MemoryEstimate(
      model, counts, batch: 2, sequence: 100, elementType: .bfloat16)
    #expect(half.weights == 2 * 124_439_808)
    #expect(half.cache == 2 * 2 * 12 * 2 * 100 * 768)
    #expect(half.optimizer == 12 * 124_439_808)
    #expect(half.gradients == 2 * 124_439_808)
    let single = try MemoryEstimate(
      model, counts, batch: 2, sequence: 100, elementType: .float32)
    #expect(single.optimizer == 8 * 124_439_808)
    // The logits and what they are made of outweigh everything in the layers.
    #expect(single.activations == 4 * 200 * (50257 + 768))
    #expect(single.inference == single.weights + single.cache + single.activations)
  }

  @Test func `the peak of activations is the sum of what is alive`() throws {
    // Four shared layers of width 8, two heads, sequence 3: up and its activation have 4·8 features.
    let model = try Samples.shared()
    let counts = try ParameterCounts(model)
    let memory = try MemoryEstimate(
      model, counts, batch: 1, sequence: 3, elementType: .float32)
    // relu: the 96 elements before and after it. Attention: q, k, v, output and 18 scores are 114.
    #expect(memory.activations == 4 * 192)
    // Each layer: q, k, v, a, h and h again of 24, up and relu of 96, scores of 18.
    #expect(memory.savedActivations == 4 * 4 * (6 * 24 + 2 * 96 + 18))
    #expect(memory.cache == 0)
    #expect(counts.total == 12 * 64)
  }

  @Test func `the cache has key heads only and ends at the window`() throws {
    let counts = try ParameterCounts(Samples.gated())
    for (window, kept) in [(0, 5), (2, 2), (9, 5)] {
      let memory = try MemoryEstimate(
        Samples.gated(window: window), counts, batch: 3, sequence: 5, elementType: .float16)
      #expect(memory.cache == 2 * 2 * 2 * 3 * kept * 12)
    }
  }

  @Test func `a decoder caches its own keys and the encoder's, an encoder none`() throws {
    let model = try Samples.translator()
    let memory = try MemoryEstimate(
      model, ParameterCounts(model), batch: 2, sequence: 3, elementType: .float32)
    #expect(memory.cache == 4 * 3 * 2 * (2 * 2 * 3 * 8))
  }

  @Test func `a sequence above the position table is refused`() throws {
    let model = try Configurations.gpt2(layers: 1, width: 8, heads: 2, positions: 16)
    #expect {
      try ForwardCost(model, batch: 1, sequence: 17)
    } throws: {
      "\($0)" == "embedding.positions: 17 positions are above the 16 that the table has rows for"
    }
    #expect(try model.usualSequence == 16)
  }

  @Test func `numbers above 2^63 are errors and no traps`() throws {
    let model = try Configurations.gpt2(
      layers: 1, width: 1_000_000_000, heads: 1, positions: 1, vocabulary: 2)
    #expect(throws: IngotError.self) { try ForwardCost(model, batch: 1 << 40, sequence: 1) }
    #expect(throws: IngotError.self) {
      try ParameterCounts(
        Configurations.gpt2(
          layers: 3, width: 1_000_000_000, heads: 1, positions: 1, vocabulary: 2))
    }
    #expect(throws: IngotError.self) {
      try ForwardCost(Samples.gated(), batch: .max, sequence: 1)
    }
    #expect(throws: IngotError.self) {
      try ForwardCost(Samples.gated(), batch: 1, sequence: .max)
    }
  }

  @Test(arguments: Architecture.all + SampleArchitectures.all)
  func `every architecture's cost adds up`(architecture: Architecture) throws {
    for (what, model) in Configurations.variants(of: architecture) {
      let model = try model.get()
      let sequence = try min(model.usualSequence, 7)
      let cost = try ForwardCost(model, batch: 2, sequence: sequence)
      #expect(cost.forward > 0, "\(what)")
      #expect(cost.forward == cost.terms.reduce(0) { $0 + $1.flops }, "\(what)")
      #expect((0...cost.forward).contains(cost.visibleForward), "\(what)")
      // Everything is in proportion to the batch.
      let once = try ForwardCost(model, batch: 1, sequence: sequence)
      #expect(2 * once.forward == cost.forward, "\(what)")
      let memory = try MemoryEstimate(
        model, ParameterCounts(model), batch: 2, sequence: sequence, elementType: .float32)
      #expect(memory.activations > 0 && memory.activations <= memory.savedActivations, "\(what)")
    }
  }
}
