internal import Tensors

extension Architecture {
  /// DeepSeek-V2: multi-head latent attention, and experts beside shared ones after the first layers;
  /// arXiv 2405.04434.
  static let deepSeekV2 = Architecture(
    name: "deepseek_v2",
    summary: "DeepSeek-V2: multi-head latent attention, routed and shared experts, RMS norm",
    parameters: [
      .count("vocabulary"), .count("positions"), .count("width"), .count("layers"),
      .count("heads"), .count("query_rank", default: 0, minimum: 0), .count("key_rank"),
      .count("unturned_size"), .count("rotary_size"), .count("value_size"),
      .count("dense_layers", default: 0, minimum: 0), .count("feed_forward"), .count("experts"),
      .count("active_experts"), .count("shared_experts", minimum: 0),
      .count("expert_feed_forward"),
      .word("routing", ["greedy", "group_limited_greedy"], default: "greedy"),
      .count("expert_groups", default: 1), .count("active_expert_groups", default: "expert_groups"),
      .real("expert_scale", default: 1), .activation(default: .silu),
      .real("norm_epsilon", default: 1e-6), .flag("attention_bias", default: false),
      .flag("feed_forward_bias", default: false),
    ] + RotaryScaling.parameters + [
      .word("head", ["language", "none"], default: "language"), .flag("tied_head", default: false),
    ],
    inputs: LlamaKin.inputs,
    steps: [
      .block("embedding", .embedding, output: "x", LlamaKin.embedding(scale: nil)),
      .layers([
        .state("x", series: "hidden"),
        .norm("attention_norm", .rms, "x", into: "h"),
        .block("attention", .attention, output: "h", attention),
        .add("x", "h", into: "x"),
        .norm("feed_forward_norm", .rms, "x", into: "h"),
        .when(
          "layer < dense_layers",
          [
            .block(
              "feed_forward", .feedForward, output: "h", Step.gated(bias: "feed_forward_bias"))
          ],
          otherwise: mixture),
        .add("x", "h", into: "x"),
      ]),
      .norm("final_norm", .rms, "x", into: "x"),
      .state("x", series: "hidden"),
      .result("x", name: "last_hidden_state"),
      .when("head == 'language'", Step.languageHead()),
    ],
    conventions: [huggingFace],
    dialects: [dialect],
    requirements: [
      .init(
        condition: "active_experts <= experts",
        message: "there are more 'active_experts' than 'experts'"),
      .init(
        condition: "routing == 'greedy' || experts % expert_groups == 0",
        message: "'expert_groups' does not divide 'experts'"),
      .init(
        condition: "routing == 'greedy' || active_expert_groups <= expert_groups",
        message: "there are more 'active_expert_groups' than 'expert_groups'"),
    ]
  ).withoutIdleSpellings()

  /// Queries and keys and values come from ranks; a part of each query head turns with its position,
  /// and one turned key part serves all heads.
  private static let attention: [Step] = [
    .when(
      "query_rank > 0",
      [
        .linear(
          "query_down", "h", from: "width", to: "query_rank", bias: "attention_bias", as: .query,
          into: "q"),
        .norm("query_norm", .rms, "q", width: "query_rank", epsilon: 1e-6, into: "q"),
        .linear(
          "query_up", "q", from: "query_rank", to: "heads * (unturned_size + rotary_size)",
          bias: false, as: .query, into: "q"),
      ],
      otherwise: [
        .linear(
          "query", "h", from: "width", to: "heads * (unturned_size + rotary_size)", bias: false,
          as: .query, into: "q")
      ]),
    .operation(
      .slice(.init(input: "q", groups: "heads", start: 0, count: "unturned_size", output: "qn"))),
    .operation(
      .slice(
        .init(
          input: "q", groups: "heads", start: "unturned_size", count: "rotary_size", output: "qr"))),
    turn("qr", heads: "heads"),
    .operation(.concatenate(.init(left: "qn", right: "qr", groups: "heads", output: "q"))),
    .linear(
      "key_value_down", "h", from: "width", to: "key_rank + rotary_size", bias: "attention_bias",
      as: .key, into: "c"),
    .operation(.slice(.init(input: "c", start: "key_rank", count: "rotary_size", output: "kr"))),
    turn("kr", heads: 1),
    .operation(.slice(.init(input: "c", start: 0, count: "key_rank", output: "c"))),
    .norm("key_value_norm", .rms, "c", width: "key_rank", epsilon: 1e-6, into: "c"),
    .linear(
      "key_value_up", "c", from: "key_rank", to: "heads * (unturned_size + value_size)",
      bias: false, as: .value, into: "c"),
    .operation(
      .slice(.init(input: "c", groups: "heads", start: 0, count: "unturned_size", output: "k"))),
    .operation(
      .slice(
        .init(
          input: "c", groups: "heads", start: "unturned_size", count: "value_size", output: "v"))),
    .operation(
      .concatenate(
        .init(left: "k", right: "kr", groups: "heads", sharesRight: true, output: "k"))),
    .operation(
      .attention(
        .init(
          query: "q", key: "k", value: "v", heads: "heads", keyHeads: "heads", isCausal: true,
          mask: "attention_mask", scale: scoreScale, output: "a"))),
    .linear(
      "output", "a", from: "heads * value_size", to: "width", bias: "attention_bias",
      as: .attentionOutput, into: "h"),
  ]

  /// With scaled angles, what YaRN would multiply turned components by is on all of the score instead.
  private static let scoreScale: Expression = {
    let stretch = "max(1, 0.1 * rope_mscale_all_dim * log(rope_factor) + 1)"
    let scaled = "rope_scaling != 'none' && rope_mscale_all_dim != 0 ? \(stretch) * \(stretch) : 1"
    return Expression(stringLiteral: "(\(scaled)) / sqrt(unturned_size + rotary_size)")
  }()

  private static func turn(_ value: String, heads: Expression) -> Step {
    .operation(
      .rotary(
        .init(
          input: value, heads: heads, headSize: "rotary_size", dimensions: "rotary_size",
          base: "rotary_base", order: .pairs, scaling: RotaryScaling.operand, output: value)))
  }

  private static let mixture: [Step] = [
    .operation(
      .experts(
        .init(
          name: "experts", input: "h", width: "width", count: "experts", active: "active_experts",
          normalizes: false,
          groups: "routing == 'greedy' ? 1 : expert_groups",
          activeGroups: "routing == 'greedy' ? 1 : active_expert_groups",
          steps: Step.gated(output: "e", inner: "expert_feed_forward"), result: "e", output: "m"))),
    .when(
      "shared_experts > 0",
      [
        .block(
          "shared_experts", .feedForward, output: "h",
          Step.gated(
            inner: "shared_experts * expert_feed_forward", bias: "feed_forward_bias")),
        .scale("m", by: "expert_scale", into: "m"),
        .add("m", "h", into: "h"),
      ], otherwise: [.scale("m", by: "expert_scale", into: "h")]),
  ]

  private static let huggingFace = Convention(
    name: "huggingface", prefix: "model.", prefixCondition: "head == 'language'",
    spellings: [
      Spelling.one("embedding.tokens.weight", "embed_tokens.weight"),
      Spelling.one(
        "layers.{layer}.attention_norm.weight", "layers.{layer}.input_layernorm.weight"),
      [
        ("query", "q_proj"), ("query_down", "q_a_proj"), ("query_norm", "q_a_layernorm"),
        ("query_up", "q_b_proj"), ("key_value_down", "kv_a_proj_with_mqa"),
        ("key_value_norm", "kv_a_layernorm"), ("key_value_up", "kv_b_proj"), ("output", "o_proj"),
      ].flatMap { role, name in
        Spelling.both("layers.{layer}.attention.\(role)", "layers.{layer}.self_attn.\(name)")
      },
      Spelling.one(
        "layers.{layer}.feed_forward_norm.weight",
        "layers.{layer}.post_attention_layernorm.weight"),
      LlamaKin.gated("layers.{layer}.feed_forward", "layers.{layer}.mlp"),
      Spelling.one("layers.{layer}.experts.router.weight", "layers.{layer}.mlp.gate.weight"),
      LlamaKin.gated("layers.{layer}.experts.{expert}", "layers.{layer}.mlp.experts.{expert}"),
      LlamaKin.gated("layers.{layer}.shared_experts", "layers.{layer}.mlp.shared_experts"),
      Spelling.one("final_norm.weight", "norm.weight"),
      Spelling.one("head.weight", "lm_head.weight", isOuter: true),
    ].flatMap { $0 },
    buffers: ["rotary_emb.inv_freq", "layers.{layer}.self_attn.rotary_emb.inv_freq"].map {
      NameTemplate($0)
    })

  private static let dialect = Dialect(
    name: "huggingface", recognition: .init(key: "model_type", values: ["deepseek_v2"]),
    keys: [
      .key("vocabulary", "vocab_size", absent: .integer(102400)),
      .key("positions", "max_position_embeddings", absent: .integer(2048)),
      .key("width", "hidden_size", absent: .integer(4096)),
      .key("layers", "num_hidden_layers", absent: .integer(32)),
      .key("heads", "num_attention_heads", absent: .integer(32)),
      .key("query_rank", "q_lora_rank", meaning: ["null": .integer(0)], absent: .integer(1536)),
      .key("key_rank", "kv_lora_rank", absent: .integer(512)),
      .key("unturned_size", "qk_nope_head_dim", absent: .integer(128)),
      .key("rotary_size", "qk_rope_head_dim", absent: .integer(64)),
      .key("value_size", "v_head_dim", absent: .integer(128)),
      .key("dense_layers", "first_k_dense_replace", absent: .integer(0)),
      .key("feed_forward", "intermediate_size", absent: .integer(11008)),
      .key("experts", "n_routed_experts", "num_experts", absent: .integer(64)),
      .key("active_experts", "num_experts_per_tok"),
      .key(
        "shared_experts", "n_shared_experts", meaning: ["null": .integer(0)], absent: .integer(2)),
      .key("expert_feed_forward", "moe_intermediate_size", absent: .integer(1407)),
      .key("routing", "topk_method", absent: .word("greedy")),
      .key("expert_groups", "n_group", meaning: ["null": .integer(1)], absent: .integer(1)),
      .key("active_expert_groups", "topk_group"),
      .key("expert_scale", "routed_scaling_factor", absent: .real(1)),
      .activation("hidden_act", absent: .silu),
      .key("norm_epsilon", "rms_norm_eps", absent: .real(1e-6)),
      .key("attention_bias", "attention_bias", absent: .flag(false)),
      .key("feed_forward_bias", "mlp_bias", absent: .flag(false)),
      .key("tied_head", "tie_word_embeddings", absent: .flag(false)),
      .key(
        "head", "architectures.0",
        meaning: ["DeepseekV2ForCausalLM": .word("language"), "DeepseekV2Model": .word("none")]),
    ] + RotaryScaling.huggingFace()
  ).closed(
    Dialect.UnreadKey.rotary
      // Sizes that follow from others; transformers has a word for normalising what experts are weighted
      // with, and does not do it.
      + Dialect.UnreadKey.harmless(
        "head_dim", "qk_head_dim", "num_key_value_heads", "norm_topk_prob", "aux_loss_alpha",
        "seq_aux", "ep_size")
      + [
        .only("scoring_func", ["softmax"], computed: "experts are chosen by softmax"),
        .only("moe_layer_freq", ["1"], computed: "all layers behind the dense ones have experts"),
      ])
}
