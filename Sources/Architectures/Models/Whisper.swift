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
    conventions: [huggingFace],
    dialects: [dialect],
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
        .activation("x", into: "x"),
        convolution("second", "x", from: "width", stride: 2),
        .activation("x", into: "x"),
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

  private static let dialect = Dialect(
    name: "huggingface", recognition: .init(key: "model_type", values: ["whisper"]),
    keys: [
      .key("vocabulary", "vocab_size", absent: .integer(51865)),
      .key("channels", "num_mel_bins", absent: .integer(80)),
      .key("encoder_positions", "max_source_positions", absent: .integer(1500)),
      .key("decoder_positions", "max_target_positions", absent: .integer(448)),
      .key("width", "d_model", absent: .integer(384)),
      .key("encoder_layers", "encoder_layers", absent: .integer(4)),
      .key("decoder_layers", "decoder_layers", absent: .integer(4)),
      .key("heads", "encoder_attention_heads", absent: .integer(6)),
      .key("decoder_heads", "decoder_attention_heads", absent: .integer(6)),
      .key("feed_forward", "encoder_ffn_dim", absent: .integer(1536)),
      .key("decoder_feed_forward", "decoder_ffn_dim", absent: .integer(1536)),
      .activation("activation_function", absent: .gelu),
      .key("tied_head", "tie_word_embeddings"),
      .head(
        "architectures.0",
        ["WhisperModel": "none", "WhisperForConditionalGeneration": "language"]),
    ])
}
