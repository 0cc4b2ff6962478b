internal import Tensors

extension Architecture {
  /// T5: "Exploring the Limits of Transfer Learning", arXiv 1910.10683; the gated v1.1 after arXiv
  /// 2002.05202.
  static let t5 = Architecture(
    name: "t5",
    summary: "T5: encoder-decoder, RMS norms, relative position biases, no other biases",
    parameters: [
      .count("vocabulary"), .count("width"), .count("encoder_layers"),
      .count("decoder_layers", default: "encoder_layers"), .count("heads"),
      .count("head_size", default: "width / heads"), .count("feed_forward"),
      .flag("gated", default: false), .activation(default: .relu),
      .real("norm_epsilon", default: 1e-6), .count("relative_buckets", default: 32),
      .count("relative_distance", default: 128),
      .word("head", ["language", "none", "encoder"], default: "language"),
      .flag("tied_head", default: true), .flag("scaled_head", default: "tied_head"),
    ],
    inputs: [
      .tokens, .mask, .decoderTokens.when("head != 'encoder'"),
      .decoderMask.when("head != 'encoder'"),
    ],
    steps: [
      .block(
        "embedding", .embedding, output: "x",
        [.embedding("tokens", of: "input_ids", rows: "vocabulary", width: "width", into: "x")]),
      .block("encoder", .other, output: "x", encoder),
      .when(
        "head == 'encoder'", [.result("x", name: "last_hidden_state")],
        otherwise: [
          .result("x", name: "encoder_last_hidden_state"),
          .block(
            "embedding", .embedding, output: "y",
            [
              .embedding(
                "tokens", of: "decoder_input_ids", rows: "vocabulary", width: "width", into: "y")
            ]),
          .block("decoder", .other, output: "y", decoder),
          .when(
            "head == 'none'", [.result("y", name: "last_hidden_state")],
            otherwise: [
              // The table is as wide as the features, which makes tied logits too large.
              .when("scaled_head", [.scale("y", by: "1 / sqrt(width)", into: "y")])
            ] + Step.languageHead("y")),
        ]),
    ],
    conventions: [t5HuggingFace, t5KerasHub, t5GGUF],
    dialects: [
      Dialect(
        name: "huggingface", recognition: .init(key: "model_type", values: ["t5"]),
        keys: [
          .key("vocabulary", "vocab_size", absent: .integer(32128)),
          .key("width", "d_model", "hidden_size", absent: .integer(512)),
          .key("head_size", "d_kv", "head_dim", absent: .integer(64)),
          .key("feed_forward", "d_ff", absent: .integer(2048)),
          .key("encoder_layers", "num_layers", "num_hidden_layers", absent: .integer(6)),
          .key("decoder_layers", "num_decoder_layers"),
          .key("heads", "num_heads", "num_attention_heads", absent: .integer(8)),
          .key("relative_buckets", "relative_attention_num_buckets", absent: .integer(32)),
          .key("relative_distance", "relative_attention_max_distance", absent: .integer(128)),
          .key("norm_epsilon", "layer_norm_epsilon", absent: .real(1e-6)),
          .key(
            "gated", "is_gated_act", "feed_forward_proj",
            meaning: [
              "relu": .flag(false), "gelu": .flag(false), "gelu_new": .flag(false),
              "silu": .flag(false), "gated-gelu": .flag(true), "gated-relu": .flag(true),
              "gated-silu": .flag(true),
            ], absent: .flag(false)),
          // 'gated-gelu' was written before the word for the approximation was there.
          .key(
            "activation", "dense_act_fn", "feed_forward_proj",
            meaning: Activation.words.merging([
              "gated-gelu": .word("gelu_tanh"), "gated-relu": .word("relu"),
              "gated-silu": .word("silu"),
            ]) { one, _ in one }, absent: .word("relu")),
          .key("tied_head", "tie_word_embeddings"), .key("scaled_head", "scale_decoder_outputs"),
          .head(
            "architectures.0",
            [
              "T5ForConditionalGeneration": "language", "T5WithLMHeadModel": "language",
              "T5Model": "none", "T5EncoderModel": "encoder",
            ]),
        ]
      ).closed(Dialect.UnreadKey.harmless("n_positions", "dropout_rate")),
      Dialect(
        name: "keras_hub", recognition: .init(key: "class_name", values: ["T5Backbone"]),
        keys: [
          .backbone(
            "head", "tie_embedding_weights",
            meaning: ["true": .word("none"), "false": .word("language")], absent: .word("none"))
        ] + t5KerasHubKeys),
      Dialect(
        name: "keras_hub_task", recognition: .init(key: "class_name", values: ["T5Seq2SeqLM"]),
        keys: [.fixed("head", .word("language"))] + t5KerasHubKeys),
      Dialect(
        name: "gguf", recognition: .init(key: "general.architecture", values: ["t5"]),
        keys: t5GGUFKeys("t5") + [.key("decoder_layers", "t5.decoder_block_count")]),
      Dialect(
        name: "gguf_encoder",
        recognition: .init(key: "general.architecture", values: ["t5encoder"]),
        keys: t5GGUFKeys("t5encoder") + [.fixed("head", .word("encoder"))]),
    ],
    requirements: [])

  private static let t5KerasHubKeys: [Dialect.Key] = [
    .backbone("vocabulary", "vocabulary_size"), .backbone("width", "hidden_dim"),
    .backbone("encoder_layers", "num_layers"), .backbone("heads", "num_heads"),
    .backbone("head_size", "key_value_dim"), .backbone("feed_forward", "intermediate_dim"),
    .backbone("gated", "use_gated_activation", absent: .flag(true)),
    .backbone("activation", "activation", meaning: Activation.words, absent: .word("relu")),
    .backbone("norm_epsilon", "layer_norm_epsilon", absent: .real(1e-6)),
    .backbone("tied_head", "tie_embedding_weights", absent: .flag(true)),
    .fixed("relative_buckets", .integer(32)), .fixed("relative_distance", .integer(128)),
  ]

  private static func t5GGUFKeys(_ name: String) -> [Dialect.Key] {
    [
      .key("vocabulary", "\(name).vocab_size"), .key("width", "\(name).embedding_length"),
      .key("feed_forward", "\(name).feed_forward_length"),
      .key("encoder_layers", "\(name).block_count"),
      .key("heads", "\(name).attention.head_count"),
      .key("head_size", "\(name).attention.key_length"),
      .key("norm_epsilon", "\(name).attention.layer_norm_rms_epsilon"),
      .key("relative_buckets", "\(name).attention.relative_buckets_count"),
    ]
  }

  /// The scores are not scaled: the initialisation of q does it.
  private static func attention(
    _ name: String = "attention", component: Component = .attention, memory: String? = nil,
    isCausal: Expression = false, mask: String, bias: String? = nil
  ) -> Step {
    AttentionPart(
      name: name, component: component, memory: memory, queryWidth: "heads * head_size",
      keyWidth: "heads * head_size", bias: false, isCausal: isCausal, mask: mask, scale: 1,
      positionBias: bias
    ).step
  }

  private static let feedForward = Step.block(
    "feed_forward", .feedForward, output: "h",
    [
      .when(
        "gated", Step.gated(),
        otherwise: [
          .linear(
            "up", "h", from: "width", to: "feed_forward", bias: false, as: .feedForwardUp,
            into: "u"),
          .activation("u", into: "u"),
          .linear(
            "down", "u", from: "feed_forward", to: "width", bias: false, as: .feedForwardDown,
            into: "h"),
        ])
    ])

  private static func relativeBias(_ value: String, isBidirectional: Expression) -> Step {
    .operation(
      .relativeBias(
        .init(
          name: "relative_positions", queries: value, keys: value, heads: "heads",
          buckets: "relative_buckets", farthest: "relative_distance",
          isBidirectional: isBidirectional, output: "bias")))
  }

  private static let encoder: [Step] = [
    relativeBias("x", isBidirectional: true),
    .layers(
      count: "encoder_layers",
      [
        encoderState,
        .norm("attention_norm", .rms, "x", into: "h"),
        attention(mask: "attention_mask", bias: "bias"),
        .add("x", "h", into: "x"),
        .norm("feed_forward_norm", .rms, "x", into: "h"), feedForward,
        .add("x", "h", into: "x"),
      ]),
    .norm("final_norm", .rms, "x", into: "x"), encoderState,
  ]

  /// An encoder alone has but one series of states.
  private static let encoderState = Step.when(
    "head == 'encoder'", [.state("x", series: "hidden")],
    otherwise: [.state("x", series: "encoder_hidden")])

  private static let decoder: [Step] = [
    relativeBias("y", isBidirectional: false),
    .layers(
      count: "decoder_layers",
      [
        .state("y", series: "decoder_hidden"),
        .norm("attention_norm", .rms, "y", into: "h"),
        attention(isCausal: true, mask: "decoder_attention_mask", bias: "bias"),
        .add("y", "h", into: "y"),
        .norm("cross_attention_norm", .rms, "y", into: "h"),
        attention(
          "cross_attention", component: .crossAttention, memory: "x", mask: "attention_mask"),
        .add("y", "h", into: "y"),
        .norm("feed_forward_norm", .rms, "y", into: "h"), feedForward,
        .add("y", "h", into: "y"),
      ]),
    .norm("final_norm", .rms, "y", into: "y"), .state("y", series: "decoder_hidden"),
  ]

  /// Each sublayer has a number of its own; the table of relative positions lies in the first layer,
  /// and all layers read it.
  private static let t5HuggingFace = Convention(
    name: "huggingface",
    spellings: [
      Spelling.one(
        "embedding.tokens.weight", "shared.weight",
        aliases: ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"]),
      stack("encoder", sublayers: [("attention", "SelfAttention")]),
      stack(
        "decoder",
        sublayers: [("attention", "SelfAttention"), ("cross_attention", "EncDecAttention")]),
      Spelling.one("head.weight", "lm_head.weight"),
    ].flatMap { $0 },
    // Early checkpoints have a table for cross-attention, which nothing ever read.
    buffers: [
      NameTemplate("decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight")
    ])

  private static func stack(
    _ name: String, sublayers: [(role: String, name: String)]
  ) -> [Spelling] {
    let layer = "\(name).layers.{layer}"
    let block = "\(name).block.{layer}.layer"
    let last = "\(block).\(sublayers.count)"
    let attention = sublayers.enumerated().flatMap { index, sublayer in
      [("query", "q"), ("key", "k"), ("value", "v"), ("output", "o")].flatMap { role, letter in
        Spelling.one(
          "\(layer).\(sublayer.role).\(role).weight",
          "\(block).\(index).\(sublayer.name).\(letter).weight")
      }
        + Spelling.one(
          "\(layer).\(sublayer.role)_norm.weight", "\(block).\(index).layer_norm.weight")
    }
    return [
      Spelling.one(
        "\(name).relative_positions.weight",
        "\(name).block.0.layer.0.SelfAttention.relative_attention_bias.weight"),
      attention,
      [
        Spelling(
          ["\(layer).feed_forward.up.weight"], "\(last).DenseReluDense.wi.weight", when: "!gated"),
        Spelling(
          ["\(layer).feed_forward.up.weight"], "\(last).DenseReluDense.wi_1.weight", when: "gated"
        ),
      ],
      Spelling.one("\(layer).feed_forward.gate.weight", "\(last).DenseReluDense.wi_0.weight"),
      Spelling.one("\(layer).feed_forward.down.weight", "\(last).DenseReluDense.wo.weight"),
      Spelling.one("\(layer).feed_forward_norm.weight", "\(last).layer_norm.weight"),
      Spelling.one("\(name).final_norm.weight", "\(name).final_layer_norm.weight"),
    ].flatMap { $0 }
  }

  /// All layers are of one class and numbered on from the encoder's to the decoder's; what is gated in
  /// Keras Hub is called the input, and what it is multiplied by the gate.
  private static let t5KerasHub = Convention(
    name: "keras_hub", prefix: "layers/t5_backbone/",
    spellings: KerasHub.reversibleEmbedding
      + t5KerasHubStack(
        "encoder", "layers/t5_transformer_layer{layer:suffix}", first: "",
        norm: "layers/t5_layer_norm", [("attention", "self_attention")])
      + t5KerasHubStack(
        "decoder", "layers/t5_transformer_layer{encoder_layers + layer:suffix}",
        first: "{encoder_layers:suffix}", norm: "layers/t5_layer_norm_1",
        [("attention", "self_attention"), ("cross_attention", "cross_attention")]),
    requirements: [
      .init(condition: "head != 'encoder'", message: "it has no encoder without a decoder"),
      .init(
        condition: "encoder_layers == decoder_layers",
        message: "its encoder and decoder have as many layers, this model's have not"),
    ]
  ).fixing(["relative_buckets": 32, "relative_distance": 128])

  /// The table of relative positions lies in the `first` layer.
  private static func t5KerasHubStack(
    _ name: String, _ block: String, first: String, norm: String,
    _ sublayers: [(role: String, name: String)]
  ) -> [Spelling] {
    let layer = "\(name).layers.{layer}"
    func matrix(_ role: String, _ name: String, when condition: Expression = true) -> Spelling {
      Spelling(
        ["\(layer).\(role).weight"], "\(block)/\(name)/vars/0", [.transpose], when: condition)
    }
    func scale(_ role: String, _ name: String) -> Spelling {
      Spelling(["\(role).weight"], "\(name)/vars/0")
    }
    return [
      scale(
        "\(name).relative_positions", "layers/t5_transformer_layer\(first)/self_attention"),
      matrix("feed_forward.up", "input_projector", when: "!gated"),
      matrix("feed_forward.up", "gate_projector", when: "gated"),
      matrix("feed_forward.gate", "input_projector"),
      matrix("feed_forward.down", "output_projector"),
      scale("\(layer).feed_forward_norm", "\(block)/layer_norm"),
      scale("\(name).final_norm", norm),
    ]
      + sublayers.flatMap { role, name in
        ["query", "key", "value", "output"].map {
          matrix("\(role).\($0)", "\(name)/\($0)_projector")
        }
          + [scale("\(layer).\(role)_norm", "\(block)/\(name)_layer_norm")]
      }
  }

  private static let t5GGUF = Convention(
    name: "gguf",
    spellings: [
      Spelling.one("embedding.tokens.weight", "token_embd.weight"),
      ggufStack("encoder", "enc", sublayers: [("attention", "attn")]),
      ggufStack(
        "decoder", "dec", sublayers: [("attention", "attn"), ("cross_attention", "cross_attn")]),
      Spelling.one("head.weight", "output.weight"),
    ].flatMap { $0 })

  private static func ggufStack(
    _ name: String, _ prefix: String, sublayers: [(role: String, name: String)]
  ) -> [Spelling] {
    let layer = "\(name).layers.{layer}"
    let block = "\(prefix).blk.{layer}"
    let attention = sublayers.flatMap { role, name in
      [("query", "q"), ("key", "k"), ("value", "v"), ("output", "o")].flatMap { part, letter in
        Spelling.one("\(layer).\(role).\(part).weight", "\(block).\(name)_\(letter).weight")
      } + Spelling.one("\(layer).\(role)_norm.weight", "\(block).\(name)_norm.weight")
    }
    return [
      Spelling.one("\(name).relative_positions.weight", "\(prefix).blk.0.attn_rel_b.weight"),
      attention,
      Spelling.one("\(layer).feed_forward.gate.weight", "\(block).ffn_gate.weight"),
      Spelling.one("\(layer).feed_forward.up.weight", "\(block).ffn_up.weight"),
      Spelling.one("\(layer).feed_forward.down.weight", "\(block).ffn_down.weight"),
      Spelling.one("\(layer).feed_forward_norm.weight", "\(block).ffn_norm.weight"),
      Spelling.one("\(name).final_norm.weight", "\(prefix).output_norm.weight"),
    ].flatMap { $0 }
  }
}
