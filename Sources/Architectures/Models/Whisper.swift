internal import Tensors

extension Architecture {
  /// Whisper: "Robust Speech Recognition via Large-Scale Weak Supervision", arXiv 2212.04356.
  static let whisper = Architecture(
    name: "whisper",
    summary: "Whisper: encoder of sound behind two convolutions, decoder of text; pre-norm, GELU",
    parameters: [
      .count("vocabulary"), .count("channels", default: 80), .count("encoder_positions"),
      .count("decoder_positions"), .count("width"), .count("encoder_layers"),
      .count("decoder_layers", default: "encoder_layers"), .count("heads"),
      .count("decoder_heads", default: "heads"), .count("feed_forward", default: "4 * width"),
      .count("decoder_feed_forward", default: "feed_forward"), .activation(default: .gelu),
      .real("norm_epsilon", default: 1e-5),
      .word("head", ["language", "none"], default: "language"), .flag("tied_head", default: true),
    ],
    inputs: [
      .init(
        name: "input_features", kind: .frames, size: "channels", length: "2 * encoder_positions"),
      .decoderTokens, .decoderMask,
    ],
    steps: [
      .block("encoder", .other, output: "x", encoder),
      .result("x", name: "encoder_last_hidden_state"),
      .block("decoder", .other, output: "y", decoder),
      .when(
        "head == 'none'", [.result("y", name: "last_hidden_state")],
        otherwise: Step.languageHead("y", table: "decoder.embedding.tokens.weight")),
    ],
    conventions: [huggingFace, openAI, kerasHub],
    dialects: [huggingFaceDialect, kerasHubDialect],
    requirements: [
      .headsDivideWidth,
      .init(
        condition: "width % decoder_heads == 0",
        message: "'decoder_heads' does not divide 'width'"),
    ])

  /// The positions are sinusoids, stored, and not trained.
  private static let encoder: [Step] = [
    .block(
      "embedding", .embedding, output: "x",
      [
        convolution("first", "input_features", from: "channels", stride: 1),
        .activation("x", "'gelu'", into: "x"),
        convolution("second", "x", from: "width", stride: 2),
        .activation("x", "'gelu'", into: "x"),
        .operation(
          .positions(
            .init(
              name: "positions", input: "x", rows: "encoder_positions", width: "width",
              isFrozen: true, output: "p"))),
        .add("x", "p", into: "x"),
      ]),
    .layers(
      count: "encoder_layers",
      [
        .state("x", series: "encoder_hidden"),
        .norm("attention_norm", .layer, "x", into: "h"),
        AttentionPart(keyBias: false, mask: nil).step,
        .add("x", "h", into: "x"),
        .norm("feed_forward_norm", .layer, "x", into: "h"),
        .feedForward(),
        .add("x", "h", into: "x"),
      ]),
    .norm("final_norm", .layer, "x", into: "x"), .state("x", series: "encoder_hidden"),
  ]

  private static func convolution(
    _ name: String, _ input: String, from inputs: Expression, stride: Expression
  ) -> Step {
    .operation(
      .convolution(
        .init(
          name: "\(name)_convolution", input: input, inputs: inputs, outputs: "width", kernel: 3,
          stride: stride, padding: 1, output: "x")))
  }

  private static let decoder: [Step] = [
    .block(
      "embedding", .embedding, output: "y",
      [
        .embedding(
          "tokens", of: "decoder_input_ids", rows: "vocabulary", width: "width", into: "y")
      ] + Step.learnedPositions(rows: "decoder_positions", value: "y")),
    .layers(
      count: "decoder_layers",
      [
        .state("y", series: "decoder_hidden"),
        .norm("attention_norm", .layer, "y", into: "h"),
        AttentionPart(
          heads: "decoder_heads", keyBias: false, isCausal: true, mask: "decoder_attention_mask"
        ).step,
        .add("y", "h", into: "y"),
        .norm("cross_attention_norm", .layer, "y", into: "h"),
        AttentionPart(
          name: "cross_attention", component: .crossAttention, memory: "x",
          heads: "decoder_heads", keyBias: false, mask: nil
        ).step,
        .add("y", "h", into: "y"),
        .norm("feed_forward_norm", .layer, "y", into: "h"),
        .feedForward(inner: "decoder_feed_forward"),
        .add("y", "h", into: "y"),
      ]),
    .norm("final_norm", .layer, "y", into: "y"), .state("y", series: "decoder_hidden"),
  ]

  private static let huggingFace = Convention(
    name: "huggingface", prefix: "model.", prefixCondition: "head == 'language'",
    spellings: [
      Spelling.both("encoder.embedding.first_convolution", "encoder.conv1"),
      Spelling.both("encoder.embedding.second_convolution", "encoder.conv2"),
      stack("encoder", [("attention", "self_attn")]),
      Spelling.one("decoder.embedding.tokens.weight", "decoder.embed_tokens.weight"),
      stack("decoder", [("attention", "self_attn"), ("cross_attention", "encoder_attn")]),
      Spelling.one("head.weight", "proj_out.weight", isOuter: true),
    ].flatMap { $0 })

  private static func stack(
    _ name: String, _ parts: [(role: String, name: String)]
  ) -> [Spelling] {
    Spelling.seq2seqStack(name, parts, keyBias: false)
      + Spelling.both("\(name).final_norm", "\(name).layer_norm")
  }

  private static let huggingFaceDialect = Dialect(
    name: "huggingface", recognition: .init(key: "model_type", values: ["whisper"]),
    keys: [
      .key("vocabulary", "vocab_size", absent: .integer(51865)),
      .key("channels", "num_mel_bins", absent: .integer(80)),
      .key("encoder_positions", "max_source_positions", absent: .integer(1500)),
      .key("decoder_positions", "max_target_positions", absent: .integer(448)),
      .key("width", "d_model", "hidden_size", absent: .integer(384)),
      .key("encoder_layers", "encoder_layers", "num_hidden_layers", absent: .integer(4)),
      .key("decoder_layers", "decoder_layers", absent: .integer(4)),
      .key(
        "heads", "encoder_attention_heads", "num_attention_heads", "num_key_value_heads",
        absent: .integer(6)),
      .key("decoder_heads", "decoder_attention_heads", absent: .integer(6)),
      .key("feed_forward", "encoder_ffn_dim", absent: .integer(1536)),
      .key("decoder_feed_forward", "decoder_ffn_dim", absent: .integer(1536)),
      .activation("activation_function", absent: .gelu),
      .key("tied_head", "tie_word_embeddings"),
      .head(
        "architectures.0",
        ["WhisperModel": "none", "WhisperForConditionalGeneration": "language"]),
    ]
  ).closed(
    // The code has a scale of embeddings and does not use it; masks are laid over sounds in training.
    Dialect.UnreadKey.harmless(
      "scale_embedding", "apply_spec_augment", "mask_time_prob", "mask_time_length",
      "mask_time_min_masks", "mask_feature_prob", "mask_feature_length", "mask_feature_min_masks",
      "median_filter_width", "use_weighted_layer_sum", "classifier_proj_size"))

  private static let kerasHubDialect = Dialect(
    name: "keras_hub", recognition: .init(key: "class_name", values: ["WhisperBackbone"]),
    keys: [
      .backbone("vocabulary", "vocabulary_size"),
      .backbone("channels", "num_mels", absent: .integer(80)),
      .backbone(
        "encoder_positions", "max_encoder_sequence_length", formula: "value / 2",
        absent: .integer(1500)),
      .backbone("decoder_positions", "max_decoder_sequence_length", absent: .integer(448)),
      .backbone("width", "hidden_dim"), .backbone("encoder_layers", "num_layers"),
      .backbone("heads", "num_heads"), .backbone("feed_forward", "intermediate_dim"),
      .fixed("head", .word("none")), .fixed("activation", .word("gelu")),
      .fixed("norm_epsilon", .real(1e-5)),
    ])
}

/// Whisper's names in OpenAI's own code (`whisper/model.py`), as its published `.pt` files have them.
extension Architecture {
  fileprivate static let openAI = Convention(
    name: "openai",
    spellings: [
      Spelling.both("encoder.embedding.first_convolution", "encoder.conv1"),
      Spelling.both("encoder.embedding.second_convolution", "encoder.conv2"),
      openAIStack("encoder", [("attention", "attn")], norm: "ln_post"),
      Spelling.one("decoder.embedding.tokens.weight", "decoder.token_embedding.weight"),
      openAIStack(
        "decoder", [("attention", "attn"), ("cross_attention", "cross_attn")], norm: "ln"),
    ].flatMap { $0 },
    // Stored by old versions.
    buffers: [NameTemplate("decoder.mask")]
  ).fixing([
    "feed_forward": "4 * width", "decoder_feed_forward": "4 * width", "tied_head": true,
  ])

  private static func openAIStack(
    _ name: String, _ parts: [(role: String, name: String)], norm: String
  ) -> [Spelling] {
    let (layer, block) = ("\(name).layers.{layer}", "\(name).blocks.{layer}")
    return [
      Spelling.one("\(name).embedding.positions.weight", "\(name).positional_embedding"),
      parts.flatMap { part in
        let (role, stored) = ("\(layer).\(part.role)", "\(block).\(part.name)")
        return [
          Spelling.both("\(role).query", "\(stored).query"),
          Spelling.one("\(role).key.weight", "\(stored).key.weight"),
          Spelling.both("\(role).value", "\(stored).value"),
          Spelling.both("\(role).output", "\(stored).out"),
          Spelling.both("\(role)_norm", "\(stored)_ln"),
        ].flatMap { $0 }
      },
      Spelling.both("\(layer).feed_forward.up", "\(block).mlp.0"),
      Spelling.both("\(layer).feed_forward.down", "\(block).mlp.2"),
      Spelling.both("\(layer).feed_forward_norm", "\(block).mlp_ln"),
      Spelling.both("\(name).final_norm", "\(name).\(norm)"),
    ].flatMap { $0 }
  }
}

/// Whisper's names in Keras Hub, which has the backbone alone.
extension Architecture {
  fileprivate static let kerasHub = Convention(
    name: "keras_hub", prefix: "layers/whisper_backbone/",
    spellings: [
      kerasConvolution("first", "layers/conv1d"), kerasConvolution("second", "layers/conv1d_1"),
      Spelling.one("encoder.embedding.positions.weight", "layers/position_embedding/vars/0"),
      Spelling.kerasHubLayer(
        "encoder.layers.{layer}", "layers/whisper_encoder{layer:suffix}", keyBias: false),
      Spelling.keras("encoder.final_norm", "layers/layer_normalization", []),
      ["token", "position"].map { word in
        Spelling(
          ["decoder.embedding.\(word)s.weight"],
          "layers/token_and_position_embedding/\(word)_embedding/vars/0")
      },
      Spelling.kerasHubLayer(
        "decoder.layers.{layer}", "layers/whisper_decoder{layer:suffix}", heads: "decoder_heads",
        keyBias: false),
      Spelling.kerasAttention(
        "decoder.layers.{layer}.cross_attention",
        "layers/whisper_decoder{layer:suffix}/_cross_attention_layer", heads: "decoder_heads",
        keyBias: false),
      Spelling.keras(
        "decoder.layers.{layer}.cross_attention_norm",
        "layers/whisper_decoder{layer:suffix}/_cross_attention_layer_norm", []),
      Spelling.keras("decoder.final_norm", "layers/layer_normalization_1", []),
    ].flatMap { $0 },
    requirements: [
      .init(
        condition: "head == 'none' || tied_head", message: "its head is tied to the tokens"),
      .equalStacks,
    ],
    layerNames: .kerasHub(
      ["whisper"],
      token: ("token_and_position_embedding", "decoder_token_and_position_embedding"),
      [
        .plain("conv1d", "encoder_token_embedding_conv_layer_1"),
        .plain("conv1d_1", "encoder_token_embedding_conv_layer_2"),
        .plain("position_embedding", "encoder_position_embedding"),
        .encoder("whisper_encoder{layer:suffix}", "transformer_encoder_layer_{layer}"),
        .plain("layer_normalization", "encoder_layer_norm"),
        .decoder("whisper_decoder{layer:suffix}", "transformer_decoder_layer_{layer}"),
        .plain("layer_normalization_1", "decoder_layer_norm"),
      ], copies: []))

  /// [outputs, inputs, kernel] as [kernel, inputs, outputs].
  private static func kerasConvolution(_ name: String, _ path: String) -> [Spelling] {
    Spelling.keras("encoder.embedding.\(name)_convolution", path, [.permute([2, 1, 0])])
  }
}
