internal import Tensors

extension Architecture {
  /// ViT: "An Image is Worth 16x16 Words", arXiv 2010.11929.
  static let vit = Architecture(
    name: "vit",
    summary: "ViT: encoder of picture patches behind a class token, pre-norm, GELU; classifier",
    parameters: [
      .count("image_height"), .count("image_width"), .count("patch"),
      .count("channels", default: 3), .count("width"), .count("layers"), .count("heads"),
      .count("feed_forward", default: "4 * width"), .activation(default: .gelu),
      .real("norm_epsilon", default: 1e-12), .flag("attention_bias", default: true),
      .word("head", ["none", "classifier"], default: "none"),
      .flag("pooler", default: "head == 'none'"), .count("pooled_width", default: "width"),
      Parameter(
        "pooler_activation", .word, default: "'tanh'",
        words: Activation.allCases.map { ExactString($0.rawValue) }), .count("labels", default: 2),
    ],
    inputs: [.init(name: "pixel_values", kind: .pixels, size: "channels")],
    steps: [
      .block(
        "embedding", .embedding, output: "x",
        [
          .operation(
            .patches(
              .init(
                name: "patches", input: "pixel_values", channels: "channels", patch: "patch",
                width: "width", output: "x"))),
          .operation(
            .prefix(.init(name: "class_token", input: "x", width: "width", output: "x"))),
        ]
          + Step.learnedPositions(
            rows: "(image_height / patch) * (image_width / patch) + 1")),
      .layers([
        .state("x", series: "hidden"),
        .norm("attention_norm", .layer, "x", into: "h"),
        AttentionPart(bias: "attention_bias", outputBias: true, mask: nil).step,
        .add("x", "h", into: "x"),
        .norm("feed_forward_norm", .layer, "x", into: "h"),
        .feedForward(),
        .add("x", "h", into: "x"),
      ]),
      // transformers' last hidden state of ViT is what enters the final norm.
      .state("x", series: "hidden"),
      .norm("final_norm", .layer, "x", into: "x"),
      .when("pooler", Step.pooler(width: "pooled_width", function: "pooler_activation")),
      .when("head == 'none'", [.result("x", name: "last_hidden_state")]),
      .when("head == 'none' && pooler", [.result("pooled", name: "pooler_output")]),
      .when(
        "head == 'classifier'",
        [.operation(.firstPosition(.init(input: "x", output: "first")))]
          + Step.classifier("first")),
    ],
    conventions: [vitHuggingFace, vitKerasHub],
    dialects: [
      Dialect(
        name: "huggingface", recognition: .init(key: "model_type", values: ["vit"]),
        keys: [
          .key("image_height", "image_size.0", "image_size", absent: .integer(224)),
          .key("image_width", "image_size.1", "image_size", absent: .integer(224)),
          .key("patch", "patch_size", absent: .integer(16)),
          .key("channels", "num_channels", absent: .integer(3)),
          .key("width", "hidden_size", absent: .integer(768)),
          .key("layers", "num_hidden_layers", absent: .integer(12)),
          .key("heads", "num_attention_heads", absent: .integer(12)),
          .key("feed_forward", "intermediate_size", absent: .integer(3072)),
          .activation("hidden_act", absent: .gelu),
          .key("norm_epsilon", "layer_norm_eps", absent: .real(1e-12)),
          .key("attention_bias", "qkv_bias", absent: .flag(true)),
          .key("pooled_width", "pooler_output_size"),
          .key("pooler_activation", "pooler_act", meaning: Activation.words), .labels,
          .head(
            "architectures.0", ["ViTModel": "none", "ViTForImageClassification": "classifier"]),
        ]
      ).closed(
        [
          .only(
            "head_dim", ["null"], computed: "a head has width / heads components",
            changesWeights: true)
        ] + Dialect.UnreadKey.harmless("encoder_stride", "tie_word_embeddings")),
      Dialect(
        name: "keras_hub",
        recognition: .init(key: "class_name", values: ["ViTBackbone", "ViTImageClassifier"]),
        keys: [
          .backbone("image_height", "image_shape.0"), .backbone("image_width", "image_shape.1"),
          .backbone("channels", "image_shape.2"), .backbone("patch", "patch_size.0"),
          .backbone("width", "hidden_dim"), .backbone("layers", "num_layers"),
          .backbone("heads", "num_heads"), .backbone("feed_forward", "mlp_dim"),
          .backbone("norm_epsilon", "layer_norm_epsilon", absent: .real(1e-6)),
          .backbone("attention_bias", "use_mha_bias", absent: .flag(true)),
          .head("class_name", ["ViTBackbone": "none", "ViTImageClassifier": "classifier"]),
          .fixed("activation", .word("gelu")), .fixed("pooler", .flag(false)),
          .key("labels", "config.num_classes"),
        ]),
    ],
    requirements: [
      .headsDivideWidth,
      .init(
        condition: "image_height % patch == 0 && image_width % patch == 0",
        message: "'patch' does not divide 'image_height' and 'image_width'"),
    ])

  private static let vitHuggingFace = Convention(
    name: "huggingface", prefix: "vit.", prefixCondition: "head != 'none'",
    spellings: [
      Spelling.one("embedding.class_token.weight", "embeddings.cls_token"),
      Spelling.both("embedding.patches", "embeddings.patch_embeddings.projection"),
      Spelling.one(
        "embedding.positions.weight", "embeddings.position_embeddings",
        [.reshape([1, "(image_height / patch) * (image_width / patch) + 1", "width"])]),
      Spelling.both("layers.{layer}.attention_norm", "encoder.layer.{layer}.layernorm_before"),
      Spelling.both(
        "layers.{layer}.attention.query", "encoder.layer.{layer}.attention.attention.query"),
      Spelling.both(
        "layers.{layer}.attention.key", "encoder.layer.{layer}.attention.attention.key"),
      Spelling.both(
        "layers.{layer}.attention.value", "encoder.layer.{layer}.attention.attention.value"),
      Spelling.both(
        "layers.{layer}.attention.output", "encoder.layer.{layer}.attention.output.dense"),
      Spelling.both("layers.{layer}.feed_forward_norm", "encoder.layer.{layer}.layernorm_after"),
      Spelling.both("layers.{layer}.feed_forward.up", "encoder.layer.{layer}.intermediate.dense"),
      Spelling.both("layers.{layer}.feed_forward.down", "encoder.layer.{layer}.output.dense"),
      Spelling.both("final_norm", "layernorm"),
      Spelling.both("pooler", "pooler.dense"),
      Spelling.both("classifier", "classifier", isOuter: true),
    ].flatMap { $0 })

  private static let vitKerasHub = Convention(
    name: "keras_hub", prefix: "layers/vi_t_backbone/", prefixCondition: "head != 'none'",
    spellings: [
      Spelling.one(
        "embedding.class_token.weight", "layers/vi_t_patching_and_embedding/vars/0"),
      // A kernel of Keras is [height, width, inputs, outputs].
      Spelling.keras(
        "embedding.patches", "layers/vi_t_patching_and_embedding/patch_embedding",
        [.permute([2, 3, 1, 0])]),
      Spelling.one(
        "embedding.positions.weight",
        "layers/vi_t_patching_and_embedding/position_embedding/vars/0"),
      Spelling.kerasViTBlock,
      Spelling.keras("final_norm", "layers/vi_t_encoder/layer_norm", []),
      Spelling.keras("classifier", "layers/dense", isOuter: true),
    ].flatMap { $0 },
    requirements: [
      .init(condition: "!pooler", message: "it has no pooler, and this model has one"),
      .init(
        condition: "attention_bias",
        message: "without biases of q, k and v it has none of the output either"),
    ])
}

extension Spelling {
  fileprivate static let kerasViTBlock: [Spelling] = {
    let block = "layers/vi_t_encoder/encoder_layers/vi_t_encoder_block{layer:suffix}"
    return [
      keras("layers.{layer}.attention_norm", block + "/layer_norm_1", []),
      kerasAttention("layers.{layer}.attention", block + "/mha"),
      keras("layers.{layer}.feed_forward_norm", block + "/layer_norm_2", []),
      keras("layers.{layer}.feed_forward.up", block + "/mlp/dense_1"),
      keras("layers.{layer}.feed_forward.down", block + "/mlp/dense_2"),
    ].flatMap { $0 }
  }()
}
