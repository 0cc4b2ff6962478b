internal import Tensors

extension Architecture {
  /// ALBERT: "A Lite BERT for Self-supervised Learning", arXiv 1909.11942.
  static let albert = Architecture(
    name: "albert",
    summary: "ALBERT: BERT whose layers share their weights, with narrow embeddings",
    parameters: [
      .count("vocabulary"), .count("positions"), .count("types"), .count("embedding_width"),
      .count("width"), .count("layers"), .count("groups", default: 1),
      .count("group_layers", default: 1), .count("heads"),
      .count("feed_forward", default: "4 * width"), .activation(default: .geluTanh),
      .real("norm_epsilon", default: 1e-12),
      .word("head", ["none", "masked", "pretraining", "classifier"], default: "none"),
      .flag("pooler", default: "head != 'masked'"), .count("labels", default: 2),
    ] + Parameter.maskedHead,
    inputs: [.tokens, .mask, .types, .positions],
    steps: [
      .block("embedding", .embedding, output: "x", embedding),
      .postNormLayers(sharesWeights: true),
      .state("x", series: "hidden"),
      .when("pooler", Step.pooler),
      .when("head == 'none'", [.result("x", name: "last_hidden_state")]),
      .when("head == 'none' && pooler", [.result("pooled", name: "pooler_output")]),
      .when("head == 'masked'", Step.maskedHead(inner: "embedding_width")),
      .when(
        "head == 'pretraining'",
        Step.maskedHead(inner: "embedding_width", result: "prediction_logits") + [
          .linear("sentence_order", "pooled", from: "width", to: 2, as: .classifier, into: "order"),
          .result("order", name: "sop_logits"),
        ]),
      .when("head == 'classifier'", Step.classifier()),
    ],
    conventions: [huggingFace, kerasHub],
    dialects: [
      Dialect(
        name: "huggingface", recognition: .init(key: "model_type", values: ["albert"]),
        keys: huggingFaceKeys
      ).closed(
        Dialect.UnreadKey.bert
          + Dialect.UnreadKey.harmless(
            "down_scale_factor", "gap_size", "net_structure_type", "num_memory_blocks",
            "layers_to_keep")),
      Dialect(
        name: "keras_hub",
        recognition: .init(
          key: "class_name", values: ["AlbertBackbone", "AlbertMaskedLM", "AlbertTextClassifier"]),
        keys: Dialect.Key.kerasHubEncoder + [
          .backbone("types", "num_segments", absent: .integer(2)),
          .backbone("embedding_width", "embedding_dim"),
          .backbone("groups", "num_groups", absent: .integer(1)),
          .backbone("group_layers", "num_inner_repetitions", absent: .integer(1)),
          .head(
            "class_name",
            [
              "AlbertBackbone": "none", "AlbertMaskedLM": "masked",
              "AlbertTextClassifier": "classifier",
            ]),
          .fixed("activation", .word("gelu_tanh")), .fixed("norm_epsilon", .real(1e-12)),
          .fixed("head_norm_epsilon", .real(1e-5)), .fixed("pooler", .flag(true)),
          .key("labels", "config.num_classes"),
        ]),
    ],
    requirements: [
      .headsDivideWidth,
      .init(
        condition: "groups == 1 && group_layers == 1",
        message: "several groups of layers, or several layers in one, are not known here"),
      .init(
        condition: "pooler || head == 'none' || head == 'masked'",
        message: "'head' is made on the pooler, and 'pooler' is false"),
    ])

  /// Everything is added in the narrow width, and made wide at the end.
  private static let embedding: [Step] =
    [
      .embedding(
        "tokens", of: "input_ids", rows: "vocabulary", width: "embedding_width", into: "x"),
      .embedding(
        "types", of: "token_type_ids", rows: "types", width: "embedding_width",
        as: .typeEmbedding, into: "t"),
      .add("x", "t", into: "x"),
    ] + Step.learnedPositions(width: "embedding_width") + [
      .norm("norm", .layer, "x", width: "embedding_width", into: "x"),
      .linear(
        "projection", "x", from: "embedding_width", to: "width", as: .embeddingProjection,
        into: "x"),
    ]

  private static let huggingFaceKeys: [Dialect.Key] = [
    .key("vocabulary", "vocab_size", absent: .integer(30000)),
    .key("positions", "max_position_embeddings", absent: .integer(512)),
    .key("types", "type_vocab_size", absent: .integer(2)),
    .key("embedding_width", "embedding_size", absent: .integer(128)),
    .key("width", "hidden_size", absent: .integer(4096)),
    .key("layers", "num_hidden_layers", absent: .integer(12)),
    .key("groups", "num_hidden_groups", absent: .integer(1)),
    .key("group_layers", "inner_group_num", absent: .integer(1)),
    .key("heads", "num_attention_heads", absent: .integer(64)),
    .key("feed_forward", "intermediate_size", absent: .integer(16384)),
    .activation("hidden_act", absent: .geluTanh),
    .key("norm_epsilon", "layer_norm_eps", absent: .real(1e-12)),
    .key("tied_head", "tie_word_embeddings", absent: .flag(true)), .labels,
    .head(
      "architectures.0",
      [
        "AlbertModel": "none", "AlbertForMaskedLM": "masked",
        "AlbertForPreTraining": "pretraining", "AlbertForSequenceClassification": "classifier",
      ]),
  ]

  /// The one layer of the one group.
  private static let huggingFace: Convention = {
    let layer = "encoder.albert_layer_groups.0.albert_layers.0"
    return Convention(
      name: "huggingface", prefix: "albert.", prefixCondition: "head != 'none'",
      spellings: [
        Spelling.one("embedding.tokens.weight", "embeddings.word_embeddings.weight"),
        Spelling.one("embedding.positions.weight", "embeddings.position_embeddings.weight"),
        Spelling.one("embedding.types.weight", "embeddings.token_type_embeddings.weight"),
        Spelling.norm("embedding.norm", "embeddings.LayerNorm"),
        Spelling.both("embedding.projection", "encoder.embedding_hidden_mapping_in"),
        Spelling.both("layers.attention.query", "\(layer).attention.query"),
        Spelling.both("layers.attention.key", "\(layer).attention.key"),
        Spelling.both("layers.attention.value", "\(layer).attention.value"),
        Spelling.both("layers.attention.output", "\(layer).attention.dense"),
        Spelling.norm("layers.attention_norm", "\(layer).attention.LayerNorm"),
        Spelling.both("layers.feed_forward.up", "\(layer).ffn"),
        Spelling.both("layers.feed_forward.down", "\(layer).ffn_output"),
        Spelling.norm("layers.feed_forward_norm", "\(layer).full_layer_layer_norm"),
        Spelling.both("pooler", "pooler"),
        Spelling.both("head_transform", "predictions.dense", isOuter: true),
        Spelling.norm("head_norm", "predictions.LayerNorm", isOuter: true),
        Spelling.one("head.weight", "predictions.decoder.weight", isOuter: true),
        Spelling.one(
          "head.bias", "predictions.bias", isOuter: true, aliases: ["predictions.decoder.bias"]),
        Spelling.both("sentence_order", "sop_classifier.classifier", isOuter: true),
        Spelling.both("classifier", "classifier", isOuter: true),
      ].flatMap { $0 },
      buffers: [NameTemplate("embeddings.position_ids")])
  }()

  private static let kerasHub = Convention(
    name: "keras_hub", prefix: "layers/albert_backbone/", prefixCondition: "head != 'none'",
    spellings: [
      Spelling.one("embedding.tokens.weight", "layers/reversible_embedding/vars/0"),
      Spelling.one("embedding.positions.weight", "layers/position_embedding/vars/0"),
      Spelling.one("embedding.types.weight", "layers/embedding/vars/0"),
      Spelling.keras("embedding.norm", "layers/layer_normalization", []),
      Spelling.keras("embedding.projection", "layers/dense"),
      Spelling.kerasHubLayer("layers", "layers/transformer_encoder"),
      Spelling.keras("pooler", "layers/dense_1"),
      Spelling.kerasHubMaskedHead,
      Spelling.keras("classifier", "layers/dense", isOuter: true),
    ].flatMap { $0 },
    requirements: [
      .init(condition: "pooler", message: "it always has a pooler, and this model has none"),
      .init(
        condition: "head != 'pretraining'",
        message: "it has no head for the order of sentences"),
      .kerasHubTiedHead,
    ],
    layerNames: .kerasHub(
      ["albert"],
      [
        .plain("position_embedding", "position_embedding"),
        .plain("embedding", "segment_embedding"),
        .plain("layer_normalization", "embeddings_layer_norm"),
        .plain("dense", "embedding_projection"),
        .encoder("transformer_encoder", "group_0_inner_layer_0"),
        .plain("dense_1", "pooled_dense"),
      ], heads: [.plain("masked_lm_head", "mlm_head"), .plain("dense", "logits")],
      copies: ["mlm_head/token_embedding/embeddings"]))
}
