import Testing

@testable import Architectures

@Suite struct EstimateAccountTests {
  private typealias Term = EstimateAccount.Term

  private func account(_ model: Model) throws -> EstimateAccount {
    try #require(try EstimateAccount(model, ParameterCounts(model)))
  }

  private func terms(_ account: EstimateAccount) -> [Term: Int] {
    Dictionary(uniqueKeysWithValues: account.explained.map { ($0.term, $0.elements) })
  }

  @Test(arguments: [
    (12, 768, 12, 84_934_656, 125_226_240), (24, 1536, 16, 679_477_248, 760_300_032),
    (32, 4096, 32, 6_442_450_944, 6_658_404_352),
    (96, 12288, 96, 173_946_175_488, 174_604_259_328),
  ])
  func `rows of GPT-3's table 2_1 by the GPT-2 formula`(
    layers: Int, width: Int, heads: Int, estimate: Int, total: Int
  ) throws {
    let model = try Configurations.gpt2(
      layers: layers, width: width, heads: heads, positions: 2048)
    let account = try account(model)
    #expect(account.value == estimate)
    #expect(try ParameterCounts(model).total == total)
    #expect(account.layers == layers)
    #expect(account.unexplained == 0)
    #expect(
      terms(account) == [.biases: 9 * width * layers, .norms: (4 * layers + 2) * width])
    #expect(account.perLayer == "12·d² + 13·d")
    #expect(account.reason == nil)
  }

  @Test func `LLaMA 7B has 12_06·d² a layer`() throws {
    let model = try Samples.gated(
      width: 4096, layers: 32, heads: 32, keyHeads: 32, headSize: 128, feedForward: 11008,
      vocabulary: 32000)
    #expect(try ParameterCounts(model).total == 6_738_415_616)
    let account = try account(model)
    #expect(account.perLayer == "12.06·d² + 2·d")
    #expect(account.unexplained == 0)
    let square = 4096 * 4096
    #expect(
      terms(account) == [
        .norms: 65 * 4096, .gates: 32 * 11008 * 4096, .untiedHead: 32000 * 4096,
        .feedForwardWidth: 32 * (2 * 11008 * 4096 - 8 * square),
      ])
  }

  @Test func `fewer key heads and another head size are terms of their own`() throws {
    let account = try account(Samples.gated())
    // d 16, four query heads and two key heads of 6.
    #expect(
      terms(account) == [
        .attentionWidth: 2 * 4 * (16 * 24 - 256), .keyHeads: -2 * 2 * 16 * 12,
        .feedForwardWidth: 2 * (2 * 16 * 24 - 8 * 256), .gates: 2 * 16 * 24,
        .norms: 5 * 16, .untiedHead: 50 * 16,
      ])
    #expect(account.unexplained == 0)
  }

  @Test func `cross-attention makes 16·d² of a decoder layer`() throws {
    let account = try account(Samples.translator())
    #expect(account.layers == 5)
    #expect(account.value == 12 * 5 * 64)
    #expect(
      terms(account) == [
        .crossAttention: 3 * 4 * 64,
        .biases: 5 * (4 * 8 + 32 + 8) + 3 * 4 * 8,
      ])
    #expect(account.perLayer.hasSuffix(" on average"))
    #expect(account.reason == Term.crossAttention.reason)
  }

  @Test func `experts beyond the first, shared ones and the router are named`() throws {
    let account = try account(Samples.mixture())
    let expert = 3 * 16 * 24
    let terms = terms(account)
    #expect(terms[.experts] == 2 * 4 * expert)
    #expect(terms[.sharedExperts] == 2 * expert)
    #expect(terms[.router] == 2 * 5 * 16)
    #expect(terms[.gates] == 2 * 16 * 24)
    #expect(account.unexplained == 0)
    #expect(account.reason == Term.experts.reason)
  }

  @Test func `layers that share weights are counted once`() throws {
    let account = try account(Samples.shared())
    #expect(account.layers == 4)
    #expect(account.value == 12 * 4 * 64)
    #expect(terms(account) == [.sharedLayers: -12 * 3 * 64])
    #expect(account.unexplained == 0)
    #expect(account.reason == Term.sharedLayers.reason)
    #expect(account.perLayer == "12·d²")
  }

  @Test func `a weight that no term names stays unexplained, with its role`() throws {
    var architecture = SampleArchitectures.shared
    architecture.steps.insert(
      .linear("mystery", "inputs_embeds", from: "width", to: 3, bias: false, as: .other, into: "z"),
      at: 0)
    let model = try Configurations.model(
      architecture, ["width": .integer(8), "layers": .integer(4), "heads": .integer(2)])
    let account = try account(model)
    #expect(account.unexplained == 24)
    #expect(account.unexplainedRoles == ["mystery.weight"])
  }

  @Test func `without transformer layers there is no estimate`() throws {
    var architecture = SampleArchitectures.shared
    architecture.steps = [
      .linear("dense", "inputs_embeds", from: "width", to: 3, as: .classifier, into: "z"),
      .result("z", name: "logits"),
    ]
    let model = try Configurations.model(
      architecture, ["width": .integer(8), "layers": .integer(1), "heads": .integer(1)])
    #expect(try EstimateAccount(model, ParameterCounts(model)) == nil)
  }

  @Test func `Mixtral 8x7B uses 12_9 of its 46_7 billion`() throws {
    let model = try Configurations.model(
      #require(Architecture.named("mixtral")),
      [
        "vocabulary": .integer(32000), "width": .integer(4096), "layers": .integer(32),
        "heads": .integer(32), "key_heads": .integer(8), "feed_forward": .integer(14336),
        "experts": .integer(8), "active_experts": .integer(2),
      ])
    let counts = try ParameterCounts(model)
    #expect(counts.total == 46_702_792_704)
    #expect(counts.active == 12_879_925_248)
    #expect(try account(model).reason == Term.experts.reason)
  }

  @Test func `DeepSeek-V2-Lite's projections through ranks are one term`() throws {
    let model = try Configurations.model(
      #require(Architecture.named("deepseek_v2")),
      [
        "vocabulary": .integer(102_400), "width": .integer(2048), "layers": .integer(27),
        "heads": .integer(16), "key_rank": .integer(512), "unturned_size": .integer(128),
        "rotary_size": .integer(64), "value_size": .integer(128), "dense_layers": .integer(1),
        "feed_forward": .integer(10944), "experts": .integer(64), "active_experts": .integer(6),
        "shared_experts": .integer(2), "expert_feed_forward": .integer(1408),
      ])
    #expect(try ParameterCounts(model).total == 15_706_484_224)
    let account = try account(model)
    let (d, heads) = (2048, 16)
    let attention = d * heads * 192 + d * (512 + 64) + 512 * heads * 256 + heads * 128 * d
    #expect(terms(account)[.factoredProjections] == 27 * (attention - 4 * d * d))
    #expect(terms(account)[.sharedExperts] == 26 * 3 * 2 * 1408 * d)
    #expect(terms(account)[.experts] == 26 * 63 * 3 * 1408 * d)
    #expect(account.unexplained == 0)
  }

  @Test(arguments: Architecture.all + SampleArchitectures.all)
  func `nothing is unexplained in any architecture`(architecture: Architecture) throws {
    for (what, model) in Configurations.variants(of: architecture) {
      let model = try model.get()
      let counts = try ParameterCounts(model)
      let account = try #require(try EstimateAccount(model, counts))
      #expect(account.unexplained == 0, "\(architecture.name) with \(what)")
      #expect(
        account.value + account.explained.reduce(0) { $0 + $1.elements } == counts.nonEmbedding,
        "\(architecture.name) with \(what)")
    }
  }
}
