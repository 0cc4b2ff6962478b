internal import Tensors

extension Architecture {
  /// OPT: "Open Pre-trained Transformer Language Models", arXiv 2205.01068.
  static let opt = Architecture(
    name: "opt",
    summary: "OPT: decoder, learned positions from row 2, pre-norm or post-norm, ReLU, tied head",
    parameters: [
      .count("vocabulary"), .count("positions"), .count("position_offset", default: 2, minimum: 0),
      .count("width"), .count("layers"), .count("heads"), .count("feed_forward"),
      .count("embedding_width", default: "width"), .activation(default: .relu),
      .real("norm_epsilon", default: 1e-5), .flag("bias", default: true),
      .flag("norm_weights", default: true), .flag("norm_first", default: true),
      .flag("final_norm", default: true),
      .word("head", ["language", "none"], default: "language"), .flag("tied_head", default: true),
    ],
    inputs: [.tokens, .mask],
    steps: [
      .block(
        "embedding", .embedding, output: "x",
        [
          .embedding(
            "tokens", of: "input_ids", rows: "vocabulary", width: "embedding_width", into: "x"),
          .when(
            "embedding_width != width",
            [
              .linear(
                "projection", "x", from: "embedding_width", to: "width", bias: false,
                as: .embeddingProjection, into: "x")
            ]),
          positions,
          .add("x", "p", into: "x"),
        ]),
      .layers([
        .state("x", series: "hidden"),
        .when(
          "norm_first",
          [
            .norm("attention_norm", .layer, "x", into: "h"),
            AttentionPart(bias: "bias", isCausal: true).step,
            .add("x", "h", into: "x"),
            .norm("feed_forward_norm", .layer, "x", into: "h"),
            .feedForward(bias: "bias"),
            .add("x", "h", into: "x"),
          ],
          otherwise: [
            AttentionPart(input: "x", bias: "bias", isCausal: true).step,
            .add("x", "h", into: "x"),
            .norm("attention_norm", .layer, "x", into: "x"),
            .feedForward(input: "x", bias: "bias"),
            .add("x", "h", into: "x"),
            .norm("feed_forward_norm", .layer, "x", into: "x"),
          ]),
      ]),
      .when("norm_first && final_norm", [.norm("final_norm", .layer, "x", into: "x")]),
      .when(
        "embedding_width != width",
        [
          .linear(
            "head_projection", "x", from: "width", to: "embedding_width", bias: false,
            as: .embeddingProjection, into: "x")
        ]),
      .state("x", series: "hidden"),
      .result("x", name: "last_hidden_state"),
      .when("head == 'language'", Step.languageHead(width: "embedding_width")),
    ],
    conventions: [huggingFace, kerasHub],
    dialects: [
      Dialect(
        name: "huggingface", recognition: .init(key: "model_type", values: ["opt"]),
        keys: [
          .key("vocabulary", "vocab_size", absent: .integer(50272)),
          .key("positions", "max_position_embeddings", absent: .integer(2048)),
          .key("width", "hidden_size", absent: .integer(768)),
          .key("layers", "num_hidden_layers", absent: .integer(12)),
          .key("heads", "num_attention_heads", absent: .integer(12)),
          .key("feed_forward", "ffn_dim", absent: .integer(3072)),
          .key("embedding_width", "word_embed_proj_dim"),
          .activation("activation_function", absent: .relu),
          .key("bias", "enable_bias", absent: .flag(true)),
          .key("norm_weights", "layer_norm_elementwise_affine", absent: .flag(true)),
          .key("norm_first", "do_layer_norm_before", absent: .flag(true)),
          .key(
            "final_norm", "_remove_final_layer_norm",
            meaning: ["true": .flag(false), "false": .flag(true)], absent: .flag(true)),
          .key("tied_head", "tie_word_embeddings", absent: .flag(true)),
          .key(
            "head", "architectures.0",
            meaning: ["OPTForCausalLM": .word("language"), "OPTModel": .word("none")]),
        ]
      ).closed(),
      Dialect(
        name: "keras_hub",
        recognition: .init(key: "class_name", values: ["OPTBackbone", "OPTCausalLM"]),
        keys: [
          .backbone("vocabulary", "vocabulary_size"),
          .backbone("positions", "max_sequence_length", absent: .integer(2048)),
          .fixed("position_offset", .integer(0)),
          .backbone("width", "hidden_dim"),
          .backbone("layers", "num_layers"), .backbone("heads", "num_heads"),
          .backbone("feed_forward", "intermediate_dim"),
        ]),
    ],
    requirements: [
      .headsDivideWidth,
      .init(condition: "norm_weights", message: "norms without weights are not known here"),
    ])

  /// The first rows are of no position: they stand for padding.
  ///
  /// Keras Hub drops them, and counts padding too.
  private static let positions = Step.when(
    "position_offset > 0",
    [positions(.visibleTokens, offset: "position_offset", mask: "attention_mask")],
    otherwise: [positions(.sequence, offset: 0, mask: nil)])

  private static func positions(
    _ numbering: Operation.Positions.Numbering, offset: Expression, mask: String?
  ) -> Step {
    .operation(
      .positions(
        .init(
          name: "positions", input: "x", rows: "positions + position_offset", width: "width",
          numbering: numbering, offset: offset, mask: mask, output: "p")))
  }

  private static let huggingFace = Convention(
    name: "huggingface", prefix: "model.", prefixCondition: "head == 'language'",
    spellings: [
      Spelling.one("embedding.tokens.weight", "decoder.embed_tokens.weight"),
      Spelling.one("embedding.projection.weight", "decoder.project_in.weight"),
      Spelling.one("embedding.positions.weight", "decoder.embed_positions.weight"),
      Spelling.both("layers.{layer}.attention_norm", "decoder.layers.{layer}.self_attn_layer_norm"),
      ["query", "key", "value"].flatMap { word in
        Spelling.both(
          "layers.{layer}.attention.\(word)",
          "decoder.layers.{layer}.self_attn.\(word.prefix(1))_proj")
      },
      Spelling.both(
        "layers.{layer}.attention.output", "decoder.layers.{layer}.self_attn.out_proj"),
      Spelling.both("layers.{layer}.feed_forward_norm", "decoder.layers.{layer}.final_layer_norm"),
      Spelling.both("layers.{layer}.feed_forward.up", "decoder.layers.{layer}.fc1"),
      Spelling.both("layers.{layer}.feed_forward.down", "decoder.layers.{layer}.fc2"),
      Spelling.both("final_norm", "decoder.final_layer_norm"),
      Spelling.one("head_projection.weight", "decoder.project_out.weight"),
      Spelling.one("head.weight", "lm_head.weight", isOuter: true),
    ].flatMap { $0 },
    adaptations: [
      .init(
        condition: "position_offset != 2", values: ["position_offset": 2],
        firstRows: ["embedding.positions.weight"],
        reason: "no token but padding reads them; it counts positions over visible tokens")
    ]
  ).fixing(["position_offset": 2])

  private static let kerasHub = Convention(
    name: "keras_hub", prefix: "layers/opt_backbone/",
    spellings: ["token", "position"].map { word in
      Spelling(
        ["embedding.\(word)s.weight"],
        "layers/token_and_position_embedding/\(word)_embedding/vars/0")
    } + Spelling.kerasHubLayer("layers.{layer}", "layers/transformer_decoder{layer:suffix}")
      + Spelling.keras("final_norm", "layers/layer_normalization", []),
    adaptations: [
      .init(
        condition: "position_offset > 0", values: ["position_offset": 0],
        firstRows: ["embedding.positions.weight"],
        reason:
          "no token but padding reads them; it counts positions over padding too, which moves a text behind padding"
      )
    ],
    layerNames: .kerasHub(
      ["opt"], token: ("token_and_position_embedding", "embeddings"),
      [.decoder(), .plain("layer_normalization", "layer_norm")],
      copies: ["token_embedding/embeddings/token_embedding/embeddings"])
  ).fixing([
    "position_offset": 0, "bias": true, "norm_first": true, "final_norm": true,
    "embedding_width": "width", "tied_head": true,
  ])
}
