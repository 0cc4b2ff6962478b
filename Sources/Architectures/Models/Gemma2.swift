internal import Tensors

extension Architecture {
  /// Gemma 2: Gemma with norms after attention and feed-forward too, soft caps and a window in every
  /// other layer, arXiv 2408.00118.
  static let gemma2 = Architecture(
    name: "gemma2",
    summary: "Gemma 2: Gemma with norms on both sides, soft caps, windows in every other layer",
    parameters: LlamaKin.parameters(.geluTanh, epsilon: 1e-6, tiedHead: true) + [
      .flag("attention_bias", default: false), .count("window", default: 0, minimum: 0),
      .real("soft_cap", default: 0), .real("head_soft_cap", default: 0),
      .flag("scales_by_head_size", default: true),
      .real("query_scalar", default: "scales_by_head_size ? head_size : width / heads"),
    ] + Parameter.layerWindows,
    inputs: LlamaKin.inputs,
    steps: [
      .block("embedding", .embedding, output: "x", LlamaKin.embedding(scale: "sqrt(width)")),
      .layers([
        .state("x", series: "hidden"),
        .norm("attention_norm", .rms, "x", offset: 1, into: "h"),
        AttentionPart(
          keyHeads: "key_heads", queryWidth: "heads * head_size",
          keyWidth: "key_heads * head_size", bias: "attention_bias", isCausal: true,
          window: LlamaKin.window("window", when: "layer % 2 == 0"),
          scale: "1 / sqrt(query_scalar)",
          softCap: "soft_cap", rotary: LlamaKin.rotary
        ).step,
        .norm("attention_post_norm", .rms, "h", offset: 1, into: "h"),
        .add("x", "h", into: "x"),
        .norm("feed_forward_norm", .rms, "x", offset: 1, into: "h"),
        .block("feed_forward", .feedForward, output: "h", Step.gated()),
        .norm("feed_forward_post_norm", .rms, "h", offset: 1, into: "h"),
        .add("x", "h", into: "x"),
      ]),
      .norm("final_norm", .rms, "x", offset: 1, into: "x"),
      .state("x", series: "hidden"),
      .result("x", name: "last_hidden_state"),
      .when(
        "head == 'language'",
        [
          .linear(
            "head", "x", from: "width", to: "vocabulary", bias: false, as: .head,
            tie: .init(when: "tied_head", to: "embedding.tokens.weight"), into: "logits"),
          .operation(.softCap(.init(input: "logits", cap: "head_soft_cap", output: "logits"))),
          .result("logits", name: "logits"),
        ]),
    ],
    conventions: [
      huggingFace,
      Gemma.kerasHub(norms: [
        "attention_norm": "pre_attention", "attention_post_norm": "post_attention",
        "feed_forward_norm": "pre_ffw", "feed_forward_post_norm": "post_ffw",
      ]),
    ],
    dialects: [
      LlamaKin.huggingFace(
        "gemma2", class: "Gemma2", positions: 8192, width: 2304, layers: 26, heads: 8,
        vocabulary: 256000, activation: .geluTanh, isTied: true,
        Gemma.keys(feedForward: 9216, heads: 4) + [
          .key("window", "sliding_window", meaning: none, absent: .integer(4096)),
          .key("soft_cap", "attn_logit_softcapping", meaning: none, absent: .real(50)),
          .key("head_soft_cap", "final_logit_softcapping", meaning: none, absent: .real(30)),
          .key("query_scalar", "query_pre_attn_scalar", absent: .integer(256)),
          .activation("hidden_activation", absent: .geluTanh), .listedLayers, .layerWindows,
        ],
        // Files have the first one's name for the activation too, which nothing reads; the code that
        // defines the results looks at masks alone.
        unread: Dialect.UnreadKey.harmless("hidden_act", "use_bidirectional_attention")),
      Gemma.kerasHub("GemmaBackbone", present: ["config.use_post_ffw_norm"], kerasKeys),
      Gemma.kerasHub(
        "GemmaCausalLM", present: ["config.backbone.config.use_post_ffw_norm"], kerasKeys),
    ],
    requirements: [.keyHeadsDivideHeads, .listsEveryLayer]
  ).withoutIdleSpellings()

  private static let none: [ExactString: Value] = ["null": .integer(0)]

  private static let kerasKeys: [Dialect.Key] = [
    .backbone("window", "sliding_window_size", meaning: none, absent: .integer(4096)),
    .backbone("soft_cap", "attention_logit_soft_cap", meaning: none),
    .backbone("head_soft_cap", "final_logit_soft_cap", meaning: none),
    .backbone("scales_by_head_size", "query_head_dim_normalize", absent: .flag(true)),
  ]

  /// Gemma's, but that "post_attention" is what it says.
  private static let huggingFace: Convention = {
    var convention = LlamaKin.huggingFace
    let norms = [
      ("attention_norm", "input"), ("attention_post_norm", "post_attention"),
      ("feed_forward_norm", "pre_feedforward"), ("feed_forward_post_norm", "post_feedforward"),
    ]
    let spellings = norms.map { role, name in
      Spelling(["layers.{layer}.\(role).weight"], "layers.{layer}.\(name)_layernorm.weight")
    }
    convention.spellings.removeAll {
      $0.roles[0].hasPrefix("layers.") && $0.roles[0].hasSuffix("_norm.weight")
    }
    convention.spellings += spellings
    return convention
  }()
}
