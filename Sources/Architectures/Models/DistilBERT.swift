internal import Tensors

extension Architecture {
  /// DistilBERT: "a distilled version of BERT", arXiv 1910.01108.
  static let distilBERT = Architecture(
    name: "distilbert",
    summary: "DistilBERT: BERT with half the layers, without token types and pooler",
    parameters: [
      .count("vocabulary"), .count("positions"), .count("width"), .count("layers"),
      .count("heads"), .count("feed_forward", default: "4 * width"),
      .activation(default: .gelu), .real("norm_epsilon", default: 1e-12),
      .word("head", ["none", "masked", "classifier"], default: "none"),
      .count("labels", default: 2),
    ] + Parameter.maskedHead,
    inputs: [.tokens, .mask, .positions],
    steps: [
      .block(
        "embedding", .embedding, output: "x",
        [.embedding("tokens", of: "input_ids", rows: "vocabulary", width: "width", into: "x")]
          + Step.learnedPositions() + [.norm("norm", .layer, "x", into: "x")]),
      .postNormLayers(),
      .state("x", series: "hidden"),
      .when("head == 'none'", [.result("x", name: "last_hidden_state")]),
      .when("head == 'masked'", Step.maskedHead()),
      .when("head == 'classifier'", Step.classifierTransform("'relu'") + Step.classifier()),
    ],
    conventions: [distilBERTHuggingFace, distilBERTKerasHub],
    dialects: [
      Dialect(
        name: "huggingface", recognition: .init(key: "model_type", values: ["distilbert"]),
        keys: [
          .key("vocabulary", "vocab_size", absent: .integer(30522)),
          .key("positions", "max_position_embeddings", absent: .integer(512)),
          .key("width", "dim", "hidden_size", absent: .integer(768)),
          .key("layers", "n_layers", "num_hidden_layers", absent: .integer(6)),
          .key("heads", "n_heads", "num_attention_heads", absent: .integer(12)),
          .key("feed_forward", "hidden_dim", absent: .integer(3072)),
          .activation("activation", absent: .gelu),
          .key("tied_head", "tie_word_embeddings"), .labels,
          .head(
            "architectures.0",
            [
              "DistilBertModel": "none", "DistilBertForMaskedLM": "masked",
              "DistilBertForSequenceClassification": "classifier",
            ]),
        ]
      ).closed(
        Dialect.UnreadKey.harmless(
          "qa_dropout", "seq_classif_dropout", "sinusoidal_pos_embds", "tie_weights_")),
      Dialect(
        name: "keras_hub",
        recognition: .init(
          key: "class_name",
          values: ["DistilBertBackbone", "DistilBertMaskedLM", "DistilBertTextClassifier"]),
        keys: Dialect.Key.kerasHubEncoder + [
          .head(
            "class_name",
            [
              "DistilBertBackbone": "none", "DistilBertMaskedLM": "masked",
              "DistilBertTextClassifier": "classifier",
            ]),
          .fixed("activation", .word("gelu")), .fixed("norm_epsilon", .real(1e-12)),
          .fixed("head_norm_epsilon", .real(1e-5)), .key("labels", "config.num_classes"),
        ]),
    ],
    requirements: [.headsDivideWidth])

  private static let distilBERTHuggingFace = Convention(
    name: "huggingface", prefix: "distilbert.", prefixCondition: "head != 'none'",
    spellings: [
      Spelling.one("embedding.tokens.weight", "embeddings.word_embeddings.weight"),
      Spelling.one("embedding.positions.weight", "embeddings.position_embeddings.weight"),
      Spelling.norm("embedding.norm", "embeddings.LayerNorm"),
      Spelling.both(
        "layers.{layer}.attention.query", "transformer.layer.{layer}.attention.q_lin"),
      Spelling.both("layers.{layer}.attention.key", "transformer.layer.{layer}.attention.k_lin"),
      Spelling.both(
        "layers.{layer}.attention.value", "transformer.layer.{layer}.attention.v_lin"),
      Spelling.both(
        "layers.{layer}.attention.output", "transformer.layer.{layer}.attention.out_lin"),
      Spelling.norm("layers.{layer}.attention_norm", "transformer.layer.{layer}.sa_layer_norm"),
      Spelling.both("layers.{layer}.feed_forward.up", "transformer.layer.{layer}.ffn.lin1"),
      Spelling.both("layers.{layer}.feed_forward.down", "transformer.layer.{layer}.ffn.lin2"),
      Spelling.norm(
        "layers.{layer}.feed_forward_norm", "transformer.layer.{layer}.output_layer_norm"),
      Spelling.both("head_transform", "vocab_transform", isOuter: true),
      Spelling.norm("head_norm", "vocab_layer_norm", isOuter: true),
      Spelling.both("head", "vocab_projector", isOuter: true),
      Spelling.both("classifier_transform", "pre_classifier", isOuter: true),
      Spelling.both("classifier", "classifier", isOuter: true),
    ].flatMap { $0 },
    buffers: [NameTemplate("embeddings.position_ids")])

  private static let distilBERTKerasHub = Convention(
    name: "keras_hub", prefix: "layers/distil_bert_backbone/", prefixCondition: "head != 'none'",
    spellings: Spelling.kerasHubEncoder, requirements: [.kerasHubTiedHead],
    layerNames: .kerasHubEncoder("distil_bert", token: "token_and_position_embedding"))
}
