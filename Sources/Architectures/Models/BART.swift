internal import Tensors

extension Architecture {
  /// BART: "Denoising Sequence-to-Sequence Pre-training", arXiv 1910.13461.
  static let bart = Architecture(
    name: "bart",
    summary: "BART: encoder-decoder, learned positions behind two spare rows, post-norm, GELU",
    parameters: [
      .count("vocabulary"), .count("positions"),
      .count("position_offset", default: 2, minimum: 0), .count("width"),
      .count("encoder_layers"), .count("decoder_layers", default: "encoder_layers"),
      .count("heads"), .count("decoder_heads", default: "heads"),
      .count("feed_forward", default: "4 * width"),
      .count("decoder_feed_forward", default: "feed_forward"), .activation(default: .gelu),
      .real("norm_epsilon", default: 1e-5), .flag("scaled_embedding", default: false),
      .word("head", ["language", "none"], default: "language"),
      .flag("tied_head", default: true), .flag("head_bias", default: false),
    ],
    inputs: [.tokens, .mask, .decoderTokens, .decoderMask],
    steps: [
      embedded("input_ids", into: "x"),
      .block(
        "encoder", .other, output: "x",
        embedding("x") + [
          .layers(
            count: "encoder_layers",
            [
              .state("x", series: "encoder_hidden"),
              AttentionPart(input: "x").step,
              .add("x", "h", into: "x"),
              .norm("attention_norm", .layer, "x", into: "x"),
              .feedForward(input: "x"),
              .add("x", "h", into: "x"),
              .norm("feed_forward_norm", .layer, "x", into: "x"),
            ]),
          .state("x", series: "encoder_hidden"),
        ]),
      .result("x", name: "encoder_last_hidden_state"),
      embedded("decoder_input_ids", into: "y"),
      .block(
        "decoder", .other, output: "y",
        embedding("y") + [
          .layers(
            count: "decoder_layers",
            [
              .state("y", series: "decoder_hidden"),
              AttentionPart(
                input: "y", heads: "decoder_heads", isCausal: true, mask: "decoder_attention_mask"
              ).step,
              .add("y", "h", into: "y"),
              .norm("attention_norm", .layer, "y", into: "y"),
              AttentionPart(
                name: "cross_attention", component: .crossAttention, input: "y", memory: "x",
                heads: "decoder_heads"
              ).step,
              .add("y", "h", into: "y"),
              .norm("cross_attention_norm", .layer, "y", into: "y"),
              .feedForward(input: "y", inner: "decoder_feed_forward"),
              .add("y", "h", into: "y"),
              .norm("feed_forward_norm", .layer, "y", into: "y"),
            ]),
          .state("y", series: "decoder_hidden"),
        ]),
      .when(
        "head == 'none'", [.result("y", name: "last_hidden_state")],
        otherwise: [
          .operation(
            .linear(
              .init(
                name: "head", input: "y", inputs: "width", outputs: "vocabulary",
                bias: "head_bias", purpose: .head,
                tie: .init(when: "tied_head", to: "embedding.tokens.weight"),
                biasIsBuffer: true, output: "logits"))),
          .result("logits", name: "logits"),
        ]),
    ],
    conventions: [bartHuggingFace, bartKerasHub],
    dialects: [
      Dialect(
        name: "huggingface", recognition: .init(key: "model_type", values: ["bart"]),
        keys: [
          .key("vocabulary", "vocab_size", absent: .integer(50265)),
          .key("positions", "max_position_embeddings", absent: .integer(1024)),
          .key("width", "d_model", "hidden_size", absent: .integer(1024)),
          .key("encoder_layers", "encoder_layers", "num_hidden_layers", absent: .integer(12)),
          .key("decoder_layers", "decoder_layers", absent: .integer(12)),
          .key(
            "heads", "encoder_attention_heads", "num_attention_heads", absent: .integer(16)),
          .key("decoder_heads", "decoder_attention_heads", absent: .integer(16)),
          .key("feed_forward", "encoder_ffn_dim", absent: .integer(4096)),
          .key("decoder_feed_forward", "decoder_ffn_dim", absent: .integer(4096)),
          .activation("activation_function", absent: .gelu),
          .key("scaled_embedding", "scale_embedding", absent: .flag(false)),
          .key("tied_head", "tie_word_embeddings"),
          .head(
            "architectures.0",
            ["BartModel": "none", "BartForConditionalGeneration": "language"]),
          .key(
            "head_bias", "architectures.0",
            meaning: ["BartModel": .flag(false), "BartForConditionalGeneration": .flag(true)]),
        ]
      ).closed(),
      Dialect(
        name: "keras_hub",
        recognition: .init(key: "class_name", values: ["BartBackbone", "BartSeq2SeqLM"]),
        keys: [
          .backbone("vocabulary", "vocabulary_size"),
          .backbone("positions", "max_sequence_length", absent: .integer(1024)),
          .backbone("width", "hidden_dim"), .backbone("encoder_layers", "num_layers"),
          .backbone("heads", "num_heads"), .backbone("feed_forward", "intermediate_dim"),
          .head("class_name", ["BartBackbone": "none", "BartSeq2SeqLM": "language"]),
          .fixed("position_offset", .integer(0)), .fixed("activation", .word("gelu")),
          .fixed("norm_epsilon", .real(1e-5)),
        ]),
    ],
    requirements: [
      .headsDivideWidth,
      .init(
        condition: "width % decoder_heads == 0",
        message: "'decoder_heads' does not divide 'width'"),
    ])

  /// The tokens, of one table for both stacks.
  private static func embedded(_ input: String, into value: String) -> Step {
    .block(
      "embedding", .embedding, output: value,
      [
        .embedding("tokens", of: input, rows: "vocabulary", width: "width", into: value),
        .when("scaled_embedding", [.scale(value, by: "sqrt(width)", into: value)]),
      ])
  }

  /// Positions and norm, each stack's own.
  private static func embedding(_ value: String) -> [Step] {
    [
      .block(
        "embedding", .embedding, output: value,
        Step.learnedPositions(
          offset: "position_offset", rows: "positions + position_offset", value: value)
          + [.norm("norm", .layer, value, into: value)])
    ]
  }

  private static let bartHuggingFace = Convention(
    name: "huggingface", prefix: "model.", prefixCondition: "head != 'none'",
    spellings: [
      Spelling.one(
        "embedding.tokens.weight", "shared.weight",
        aliases: ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"]),
      bartStack("encoder", [("attention", "self_attn")]),
      bartStack("decoder", [("attention", "self_attn"), ("cross_attention", "encoder_attn")]),
      Spelling.one("head.weight", "lm_head.weight", isOuter: true),
      [
        Spelling(
          ["head.bias"], "final_logits_bias", [.reshape([1, "vocabulary"])], isOuter: true)
      ],
    ].flatMap { $0 },
    requirements: [
      .init(
        condition: "position_offset == 2",
        message: "it has two rows of positions before the first position's, this model has not")
    ],
    adaptations: [
      .init(
        condition: "position_offset != 2", values: ["position_offset": 2],
        firstRows: positionTables, reason: "nothing reads them")
    ])

  private static let positionTables = ["encoder", "decoder"].map {
    "\($0).embedding.positions.weight"
  }

  private static func bartStack(
    _ name: String, _ parts: [(role: String, name: String)]
  ) -> [Spelling] {
    Spelling.seq2seqStack(name, parts)
      + Spelling.both("\(name).embedding.norm", "\(name).layernorm_embedding")
  }

  /// Keras Hub has no rows of positions before the first, no bias on the logits, and stacks of one size.
  private static let bartKerasHub = Convention(
    name: "keras_hub", prefix: "layers/bart_backbone/", prefixCondition: "head != 'none'",
    spellings: [
      Spelling.one("embedding.tokens.weight", "layers/reversible_embedding/vars/0"),
      Spelling.one("encoder.embedding.positions.weight", "layers/position_embedding/vars/0"),
      Spelling.keras("encoder.embedding.norm", "layers/layer_normalization", []),
      Spelling.kerasHubLayer("encoder.layers.{layer}", "layers/transformer_encoder{layer:suffix}"),
      Spelling.one("decoder.embedding.positions.weight", "layers/position_embedding_1/vars/0"),
      Spelling.keras("decoder.embedding.norm", "layers/layer_normalization_1", []),
      Spelling.kerasHubLayer(
        "decoder.layers.{layer}", "layers/transformer_decoder{layer:suffix}",
        heads: "decoder_heads"),
      Spelling.kerasAttention(
        "decoder.layers.{layer}.cross_attention",
        "layers/transformer_decoder{layer:suffix}/_cross_attention_layer", heads: "decoder_heads"
      ),
      Spelling.keras(
        "decoder.layers.{layer}.cross_attention_norm",
        "layers/transformer_decoder{layer:suffix}/_cross_attention_layer_norm", []),
    ].flatMap { $0 },
    requirements: [
      .init(
        condition: "position_offset == 0",
        message: "it has no rows of positions before the first position's, this model has"),
      .init(
        condition: "head == 'none' || tied_head && !head_bias",
        message: "its head is tied to the tokens and has no bias"),
      .equalStacks,
    ],
    adaptations: [
      .init(
        condition: "position_offset > 0", values: ["position_offset": 0],
        firstRows: positionTables, reason: "nothing reads them"),
      .init(
        condition: "head_bias", values: ["head_bias": false], zeros: ["head.bias"],
        reason: "it adds nothing to the logits"),
    ],
    layerNames: .kerasHub(
      ["bart"],
      [
        .plain("position_embedding", "encoder_position_embedding"),
        .plain("layer_normalization", "encoder_embeddings_layer_norm"),
        .encoder("transformer_encoder{layer:suffix}", "transformer_encoder_layer_{layer}"),
        .plain("position_embedding_1", "decoder_position_embedding"),
        .plain("layer_normalization_1", "decoder_embeddings_layer_norm"),
        .decoder("transformer_decoder{layer:suffix}", "transformer_decoder_layer_{layer}"),
      ], copies: [LayerNames.tokens]))
}

extension Spelling {
  /// What the stacks of transformers' speech and translation models have in common.
  ///
  /// Positions, and layers with a norm beside each attention; Whisper's keys have no bias.
  static func seq2seqStack(
    _ name: String, _ parts: [(role: String, name: String)], keyBias: Bool = true
  ) -> [Spelling] {
    let layer = "\(name).layers.{layer}"
    return [
      Spelling.one("\(name).embedding.positions.weight", "\(name).embed_positions.weight"),
      parts.flatMap { part in
        let (role, stored) = ("\(layer).\(part.role)", "\(layer).\(part.name)")
        return [
          Spelling.both("\(role).query", "\(stored).q_proj"),
          keyBias
            ? Spelling.both("\(role).key", "\(stored).k_proj")
            : Spelling.one("\(role).key.weight", "\(stored).k_proj.weight"),
          Spelling.both("\(role).value", "\(stored).v_proj"),
          Spelling.both("\(role).output", "\(stored).out_proj"),
          Spelling.both("\(role)_norm", "\(stored)_layer_norm"),
        ].flatMap { $0 }
      },
      Spelling.both("\(layer).feed_forward.up", "\(layer).fc1"),
      Spelling.both("\(layer).feed_forward.down", "\(layer).fc2"),
      Spelling.both("\(layer).feed_forward_norm", "\(layer).final_layer_norm"),
    ].flatMap { $0 }
  }
}

extension Architecture.Requirement {
  /// Keras Hub's models of two stacks.
  static let equalStacks = Architecture.Requirement(
    condition:
      "encoder_layers == decoder_layers && heads == decoder_heads && feed_forward == decoder_feed_forward",
    message: "its encoder and decoder have the same sizes, this model's have not")
}
