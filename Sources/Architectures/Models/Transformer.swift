internal import Tensors

extension Architecture {
  /// The encoder-decoder of "Attention Is All You Need", arXiv 1706.03762, and its usual variants.
  ///
  /// The paper has post-norm without final norms, sinusoids, and one table for source, target and
  /// logits; code in use mostly has final norms, many have pre-norm.
  static let transformer = Architecture(
    name: "transformer",
    summary: "Transformer (2017): encoder-decoder, sinusoidal or learned positions, ReLU",
    parameters: [
      .count("vocabulary"), .count("decoder_vocabulary", default: "vocabulary"),
      .count("positions"), .count("width"), .count("encoder_layers"),
      .count("decoder_layers", default: "encoder_layers"), .count("heads"),
      .count("feed_forward", default: "4 * width"), .activation(default: .relu),
      .real("norm_epsilon", default: 1e-5), .flag("norm_first", default: false),
      .flag("norm_unbiased", default: false), .flag("norm_bias", default: true),
      .word("residual", ["input", "normed"], default: "input"),
      .flag("final_norm", default: true), .flag("bias", default: true),
      .flag("attention_bias", default: "bias"), .flag("feed_forward_bias", default: "bias"),
      .word("embedding", ["shared", "separate", "none"], default: "shared"),
      .flag("scaled_embedding", default: false),
      .word("position_embedding", ["sinusoidal", "learned", "stored"], default: "sinusoidal"),
      Parameter(
        "head", .word, default: "embedding == 'none' ? 'none' : 'language'",
        words: ["language", "none"]),
      .flag("tied_head", default: false), .flag("head_bias", default: false),
    ],
    inputs: [
      Input.tokens.when("embedding != 'none'"),
      .init(
        name: "inputs_embeds", kind: .features, size: "width", condition: "embedding == 'none'"),
      .mask,
      .init(
        name: "decoder_input_ids", kind: .ids, size: "decoder_vocabulary",
        condition: "embedding != 'none'"),
      .init(
        name: "decoder_inputs_embeds", kind: .features, size: "width",
        condition: "embedding == 'none'"),
      .decoderMask,
    ],
    steps: [
      .when(
        "embedding == 'none'", [.scale("inputs_embeds", by: 1, into: "x")],
        otherwise: [.block("embedding", .embedding, output: "x", tokens("input_ids", "x"))]),
      .block(
        "encoder", .other, output: "x",
        [
          .layers(
            count: "encoder_layers",
            [.state("x", series: "encoder_hidden")]
              + sublayer("attention_norm", "x", isAttention: true) { attention($0) }
              + sublayer("feed_forward_norm", "x") { feedForward($0) }),
          .when("final_norm", [norm("final_norm", "x", into: "x")]),
          .state("x", series: "encoder_hidden"),
        ]),
      .result("x", name: "encoder_last_hidden_state"),
      .when(
        "embedding == 'none'", [.scale("decoder_inputs_embeds", by: 1, into: "y")],
        otherwise: targetTokens),
      .block(
        "decoder", .other, output: "y",
        [
          .layers(
            count: "decoder_layers",
            [.state("y", series: "decoder_hidden")]
              + sublayer("attention_norm", "y", isAttention: true) {
                attention($0, isCausal: true, mask: "decoder_attention_mask")
              }
              + sublayer("cross_attention_norm", "y", isAttention: true) {
                attention(
                  $0, "cross_attention", component: .crossAttention, memory: "x")
              }
              + sublayer("feed_forward_norm", "y") { feedForward($0) }),
          .when("final_norm", [norm("final_norm", "y", into: "y")]),
          .state("y", series: "decoder_hidden"),
        ]),
      .when(
        "head == 'none'", [.result("y", name: "last_hidden_state")],
        otherwise: [
          .when(
            "embedding == 'separate'", [head(tiedTo: "target_embedding.tokens.weight")],
            otherwise: [head(tiedTo: "embedding.tokens.weight")]),
          .result("logits", name: "logits"),
        ]),
    ],
    conventions: [torch, tutorial], dialects: [],
    requirements: [
      .headsDivideWidth,
      .init(
        condition: "embedding != 'none' || head == 'none'",
        message: "'head' needs a vocabulary, and 'embedding' is none"),
      .init(
        condition: "embedding == 'separate' || decoder_vocabulary == vocabulary",
        message: "'decoder_vocabulary' is not 'vocabulary', and 'embedding' is not separate"),
    ])

  private static func tokens(_ input: String, _ value: String) -> [Step] {
    [
      .embedding("tokens", of: input, rows: "vocabulary", width: "width", into: value),
      .when("scaled_embedding", [.scale(value, by: "sqrt(width)", into: value)]),
    ] + positions(value)
  }

  /// A stored table of sinusoids is read rather than computed: most are rounded to float32.
  private static func positions(_ value: String) -> [Step] {
    [
      .when(
        "position_embedding == 'learned'", Step.learnedPositions(value: value),
        otherwise: [
          .when(
            "position_embedding == 'stored'",
            [
              .operation(
                .positions(
                  .init(
                    name: "sinusoids", input: value, rows: "positions", width: "width",
                    weightIsBuffer: true, output: "p")))
            ],
            otherwise: [
              .operation(.sinusoids(.init(input: value, width: "width", output: "p")))
            ]), .add(value, "p", into: value),
        ])
    ]
  }

  /// The target's tokens come from the source's table or from one of their own, the positions from one.
  private static let targetTokens: [Step] = [
    .when(
      "embedding == 'separate'",
      [
        .block(
          "target_embedding", .embedding, output: "y",
          [
            .embedding(
              "tokens", of: "decoder_input_ids", rows: "decoder_vocabulary", width: "width",
              into: "y"),
            .when("scaled_embedding", [.scale("y", by: "sqrt(width)", into: "y")]),
          ]),
        .block("embedding", .embedding, output: "y", positions("y")),
      ],
      otherwise: [
        .block("embedding", .embedding, output: "y", tokens("decoder_input_ids", "y"))
      ])
  ]

  private static func norm(_ name: String, _ value: String, into output: String) -> Step {
    .when(
      "norm_unbiased", [.norm(name, .bessel, value, bias: "norm_bias", into: output)],
      otherwise: [.norm(name, .layer, value, bias: "norm_bias", into: output)])
  }

  /// A part with its norm and its addition to `value`: behind the addition (the paper), before the
  /// part, or, in a widespread tutorial's attention, before both.
  private static func sublayer(
    _ name: String, _ value: String, isAttention: Bool = false, _ part: (String) -> Step
  ) -> [Step] {
    let before = [norm(name, value, into: "h"), part("h"), .add(value, "h", into: value)]
    let beforeBoth = [norm(name, value, into: value), part(value), .add(value, "h", into: value)]
    return [
      .when(
        "norm_first",
        isAttention ? [.when("residual == 'normed'", beforeBoth, otherwise: before)] : before,
        otherwise: [part(value), .add(value, "h", into: value), norm(name, value, into: value)])
    ]
  }

  private static func attention(
    _ input: String, _ name: String = "attention", component: Component = .attention,
    memory: String? = nil, isCausal: Expression = false, mask: String = "attention_mask"
  ) -> Step {
    AttentionPart(
      name: name, component: component, input: input, memory: memory, bias: "attention_bias",
      isCausal: isCausal, mask: mask
    ).step
  }

  private static func feedForward(_ input: String) -> Step {
    .feedForward(input: input, bias: "feed_forward_bias")
  }

  private static func head(tiedTo table: String) -> Step {
    .linear(
      "head", "y", from: "width", to: "decoder_vocabulary", bias: "head_bias", as: .head,
      tie: .init(when: "tied_head", to: table), into: "logits")
  }

  /// `torch.nn.Transformer`; what is around it has the names of PyTorch's own translation tutorial.
  private static let torch = Convention(
    name: "torch", prefix: "transformer.", prefixCondition: "embedding != 'none'",
    spellings: [
      Spelling.one(
        "embedding.tokens.weight", "src_tok_emb.embedding.weight", isOuter: true),
      Spelling.one(
        "target_embedding.tokens.weight", "tgt_tok_emb.embedding.weight", isOuter: true),
      Spelling.one(
        "embedding.positions.weight", "positional_encoding.embedding.weight", isOuter: true),
      [
        Spelling(
          ["embedding.sinusoids.weight"], "positional_encoding.pos_embedding",
          [.reshape(["positions", 1, "width"])], isOuter: true)
      ],
      torchStack("encoder", [("attention", "self_attn")]),
      torchStack("decoder", [("attention", "self_attn"), ("cross_attention", "multihead_attn")]),
      Spelling.both("head", "generator", isOuter: true),
    ].flatMap { $0 })

  private static func torchStack(
    _ name: String, _ parts: [(role: String, name: String)]
  ) -> [Spelling] {
    let layer = "\(name).layers.{layer}"
    let norms = parts.map(\.role) + ["feed_forward"]
    return [
      parts.flatMap { part in
        let fused = ["query", "key", "value"].map { "\(layer).\(part.role).\($0)" }
        return [
          Spelling(fused.map { $0 + ".weight" }, "\(layer).\(part.name).in_proj_weight"),
          Spelling(fused.map { $0 + ".bias" }, "\(layer).\(part.name).in_proj_bias"),
        ] + Spelling.both("\(layer).\(part.role).output", "\(layer).\(part.name).out_proj")
      },
      norms.enumerated().flatMap { index, part in
        Spelling.both("\(layer).\(part)_norm", "\(layer).norm\(index + 1)")
      },
      Spelling.both("\(layer).feed_forward.up", "\(layer).linear1"),
      Spelling.both("\(layer).feed_forward.down", "\(layer).linear2"),
      Spelling.both("\(name).final_norm", "\(name).norm"),
    ].flatMap { $0 }
  }

  /// The names of a widespread tutorial, its slip `fnn_norm` included.
  private static let tutorial = Convention(
    name: "tutorial", prefix: "transformer.", prefixCondition: true,
    spellings: [
      Spelling.one("embedding.tokens.weight", "wte.weight"),
      Spelling.one("embedding.positions.weight", "wpe.weight"),
      [
        Spelling(
          ["embedding.sinusoids.weight"], "wpe.pe", [.reshape([1, "positions", "width"])])
      ],
      tutorialStack("encoder", [("attention", "attention", "attention_norm")], "fnn_norm"),
      tutorialStack(
        "decoder",
        [
          ("attention", "mask_attention", "attention_norm_1"),
          ("cross_attention", "attention", "attention_norm_2"),
        ], "ffn_norm"),
      Spelling.both("head", "lm_head", isOuter: true),
    ].flatMap { $0 },
    buffers: ["decoder.layers.{layer}.mask_attention.mask"].map { NameTemplate($0) },
    requirements: [
      .init(
        condition: "embedding != 'separate'",
        message: "it has one table of tokens for both stacks, this model has two")
    ])

  private static func tutorialStack(
    _ name: String, _ parts: [(role: String, name: String, norm: String)], _ lastNorm: String
  ) -> [Spelling] {
    let layer = "\(name).layers.{layer}"
    return [
      parts.flatMap { part in
        [("query", "wq"), ("key", "wk"), ("value", "wv"), ("output", "wo")].flatMap {
          Spelling.both("\(layer).\(part.role).\($0)", "\(layer).\(part.name).\($1)")
        } + tutorialNorm("\(layer).\(part.role)_norm", "\(layer).\(part.norm)")
      },
      Spelling.both("\(layer).feed_forward.up", "\(layer).feed_forward.w1"),
      Spelling.both("\(layer).feed_forward.down", "\(layer).feed_forward.w2"),
      tutorialNorm("\(layer).feed_forward_norm", "\(layer).\(lastNorm)"),
      tutorialNorm("\(name).final_norm", "\(name).norm"),
    ].flatMap { $0 }
  }

  /// Written out by hand it has `a_2` and `b_2`; many put `torch.nn.LayerNorm` there.
  private static func tutorialNorm(_ role: String, _ name: String) -> [Spelling] {
    [
      Spelling([role + ".weight"], name + ".a_2", aliases: [name + ".weight"]),
      Spelling([role + ".bias"], name + ".b_2", aliases: [name + ".bias"]),
    ]
  }
}
