internal import Tensors

extension Architecture {
  /// RoBERTa: "A Robustly Optimized BERT Pretraining Approach", arXiv 1907.11692.
  static let roberta = Architecture(
    name: "roberta",
    summary: "RoBERTa: BERT with positions counted over visible tokens, behind the padding's row",
    parameters: [
      .count("vocabulary"), .count("positions"), .count("types", default: 1, minimum: 0),
      .count("width"), .count("layers"), .count("heads"),
      .count("feed_forward", default: "4 * width"), .activation(default: .gelu),
      .real("norm_epsilon", default: 1e-5), .count("padding", default: 1, minimum: 0),
      .count("position_offset", default: "padding + 1", minimum: 0),
      .word("head", ["none", "masked", "classifier"], default: "none"),
      .flag("pooler", default: "head == 'none'"), .count("labels", default: 2),
    ] + Parameter.maskedHead + Parameter.decoder,
    inputs: [.tokens, .mask, .types, .positions, .encoderStates, .encoderMask],
    steps: [
      .block(
        "embedding", .embedding, output: "x",
        [
          .embedding("tokens", of: "input_ids", rows: "vocabulary", width: "width", into: "x"),
          .when("types > 0", Step.tokenTypes),
          .when(
            "position_offset > 0",
            Step.learnedPositions(numbering: .visibleTokens, offset: "position_offset"),
            otherwise: Step.learnedPositions()),
          .norm("norm", .layer, "x", into: "x"),
        ]),
      .postNormLayers(isCausal: "causal", hasCrossAttention: true),
      .state("x", series: "hidden"),
      .when("pooler", Step.pooler),
      .when("head == 'none'", [.result("x", name: "last_hidden_state")]),
      .when("head == 'none' && pooler", [.result("pooled", name: "pooler_output")]),
      .when("head == 'masked'", Step.maskedHead()),
      .when("head == 'classifier'", Step.classifierTransform("'tanh'") + Step.classifier()),
    ],
    conventions: [robertaHuggingFace, robertaKerasHub],
    dialects: [
      Dialect(
        name: "huggingface",
        recognition: .init(key: "model_type", values: ["roberta", "xlm-roberta", "camembert"]),
        keys: [
          .key("vocabulary", "vocab_size", absent: .integer(50265)),
          .key("types", "type_vocab_size", absent: .integer(2)),
          .key("padding", "pad_token_id", absent: .integer(1)),
          .key("norm_epsilon", "layer_norm_eps", absent: .real(1e-12)),
          // The head's function is written into its code.
          .fixed("head_activation", .word("gelu")),
          .head(
            "architectures.0",
            [
              "RobertaModel": "none", "RobertaForMaskedLM": "masked",
              "RobertaForSequenceClassification": "classifier", "XLMRobertaModel": "none",
              "XLMRobertaForMaskedLM": "masked",
              "XLMRobertaForSequenceClassification": "classifier", "CamembertModel": "none",
              "CamembertForMaskedLM": "masked",
              "CamembertForSequenceClassification": "classifier",
              "RobertaForCausalLM": "masked", "XLMRobertaForCausalLM": "masked",
              "CamembertForCausalLM": "masked",
            ]),
        ] + Dialect.Key.bertSizes + Dialect.Key.decoder
      ).closed(Dialect.UnreadKey.bert),
      Dialect(
        name: "keras_hub",
        recognition: .init(
          key: "class_name",
          values: ["RobertaBackbone", "RobertaMaskedLM", "RobertaTextClassifier"]),
        keys: Dialect.Key.kerasHubEncoder + [
          .head(
            "class_name",
            [
              "RobertaBackbone": "none", "RobertaMaskedLM": "masked",
              "RobertaTextClassifier": "classifier",
            ]),
          .fixed("types", .integer(0)), .fixed("position_offset", .integer(0)),
          .fixed("activation", .word("gelu")), .fixed("norm_epsilon", .real(1e-5)),
          .fixed("pooler", .flag(false)), .key("labels", "config.num_classes"),
        ]),
    ],
    requirements: [.headsDivideWidth, .crossAttentionIsCausal])

  private static let robertaHuggingFace = Convention(
    name: "huggingface", prefix: "roberta.", prefixCondition: "head != 'none'",
    spellings: Spelling.bertLayers
      + [
        Spelling.one("embedding.types.weight", "embeddings.token_type_embeddings.weight"),
        Spelling.both("pooler", "pooler.dense"),
        Spelling.both("head_transform", "lm_head.dense", isOuter: true),
        Spelling.norm("head_norm", "lm_head.layer_norm", isOuter: true),
        Spelling.one("head.weight", "lm_head.decoder.weight", isOuter: true),
        Spelling.one(
          "head.bias", "lm_head.bias", isOuter: true, aliases: ["lm_head.decoder.bias"]),
        Spelling.both("classifier_transform", "classifier.dense", isOuter: true),
        Spelling.both("classifier", "classifier.out_proj", isOuter: true),
      ].flatMap { $0 },
    buffers: [NameTemplate("embeddings.position_ids")],
    requirements: [
      .init(
        condition: "types > 0 && position_offset == padding + 1",
        message:
          "it adds a type to every token and has rows of positions for padding, this model has not")
    ],
    adaptations: [
      .init(
        condition: "position_offset != padding + 1",
        values: [
          "position_offset": "padding + 1",
          "positions": "positions - position_offset + padding + 1",
        ],
        firstRows: ["embedding.positions.weight"],
        reason: "no token but padding reads them; it counts positions over visible tokens"),
      .init(
        condition: "types == 0", values: ["types": 1], zeros: ["embedding.types.weight"],
        reason: "it adds a type to every token"),
    ])

  /// Keras Hub's own converter leaves out the rows of positions up to the padding's, and the one token
  /// type without a look at it, although fine-tuning trains it.
  private static let robertaKerasHub = Convention(
    name: "keras_hub", prefix: "layers/roberta_backbone/", prefixCondition: "head != 'none'",
    spellings: Spelling.kerasHubEncoder,
    requirements: [
      .init(
        condition: "types == 0 && position_offset == 0",
        message: "it has neither token types nor rows of positions for padding, this model has"),
      .init(
        condition: "!pooler",
        message: "it has no pooler, and this model has one; --exclude '*pooler*' leaves it out"),
      .kerasHubTiedHead,
    ],
    adaptations: [
      .init(
        condition: "position_offset > 0",
        values: ["position_offset": 0, "positions": "positions - position_offset"],
        firstRows: ["embedding.positions.weight"],
        reason:
          "no token but padding reads them; it counts positions over padding too, which moves a text behind padding"
      ),
      .init(
        condition: "types > 0", values: ["types": 0], zeros: ["embedding.types.weight"],
        folds: ["embedding.types.weight": "embedding.positions.weight"],
        reason: "it adds no type to tokens"),
    ],
    layerNames: .kerasHubEncoder("roberta", token: "embeddings")
  ).fixing(["causal": false, "cross_attention": false])
}

extension Spelling {
  /// Keras Hub's encoders with tokens and positions in one layer, and their tasks.
  static let kerasHubEncoder: [Spelling] = [
    one(
      "embedding.tokens.weight", "layers/token_and_position_embedding/token_embedding/vars/0"),
    one(
      "embedding.positions.weight",
      "layers/token_and_position_embedding/position_embedding/vars/0"),
    keras("embedding.norm", "layers/layer_normalization", []),
    kerasHubLayer("layers.{layer}", "layers/transformer_encoder{layer:suffix}"),
    kerasHubMaskedHead,
    keras("classifier_transform", "layers/dense", isOuter: true),
    keras("classifier", "layers/dense_1", isOuter: true),
  ].flatMap { $0 }
}

extension LayerNames {
  /// The same encoders by their layers' own names.
  static func kerasHubEncoder(_ folder: String, token: String) -> LayerNames {
    .kerasHub(
      [folder], token: ("token_and_position_embedding", token),
      [.plain("layer_normalization", "embeddings_layer_norm"), .encoder()],
      heads: [
        .plain("masked_lm_head", "mlm_head"), .plain("dense", "pooled_dense"),
        .plain("dense_1", "logits"),
      ], copies: ["mlm_head/\(token)/token_embedding/embeddings"])
  }
}

extension Step {
  /// A dense layer on the first position before the classifier: `pooled`.
  static func classifierTransform(_ function: Expression) -> [Step] {
    [
      .operation(.firstPosition(.init(input: "x", output: "pooled"))),
      .linear(
        "classifier_transform", "pooled", from: "width", to: "width", as: .classifier,
        into: "pooled"),
      .activation("pooled", function, into: "pooled"),
    ]
  }
}
