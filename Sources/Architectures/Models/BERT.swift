internal import Tensors

extension Architecture {
  /// BERT: "Pre-training of Deep Bidirectional Transformers", arXiv 1810.04805.
  static let bert = Architecture(
    name: "bert",
    summary: "BERT: encoder, learned positions and token types, post-norm, GELU; pooler and heads",
    parameters: [
      .count("vocabulary"), .count("positions"), .count("types"), .count("width"),
      .count("layers"), .count("heads"), .count("feed_forward", default: "4 * width"),
      .activation(default: .gelu), .real("norm_epsilon", default: 1e-12),
      .word(
        "head", ["none", "masked", "pretraining", "classifier"], default: "none"),
      .flag("pooler", default: "head != 'masked'"), .count("labels", default: 2),
    ] + Parameter.maskedHead + Parameter.decoder,
    inputs: [.tokens, .mask, .types, .positions, .encoderStates, .encoderMask],
    steps: [
      .block(
        "embedding", .embedding, output: "x",
        [.embedding("tokens", of: "input_ids", rows: "vocabulary", width: "width", into: "x")]
          + Step.tokenTypes + Step.learnedPositions() + [.norm("norm", .layer, "x", into: "x")]),
      .postNormLayers(isCausal: "causal", hasCrossAttention: true),
      .state("x", series: "hidden"),
      .when("pooler", Step.pooler),
      .when("head == 'none'", [.result("x", name: "last_hidden_state")]),
      .when("head == 'none' && pooler", [.result("pooled", name: "pooler_output")]),
      .when("head == 'masked'", Step.maskedHead()),
      .when(
        "head == 'pretraining'",
        Step.maskedHead(result: "prediction_logits") + [
          .linear("next_sentence", "pooled", from: "width", to: 2, as: .classifier, into: "next"),
          .result("next", name: "seq_relationship_logits"),
        ]),
      .when("head == 'classifier'", Step.classifier()),
    ],
    conventions: [bertHuggingFace, bertKerasHub, bertGGUF],
    dialects: [
      Dialect(
        name: "huggingface", recognition: .init(key: "model_type", values: ["bert"]),
        keys: Dialect.Key.bert + Dialect.Key.decoder + [
          .key("norm_epsilon", "layer_norm_eps", absent: .real(1e-12)),
          .head(
            "architectures.0",
            [
              "BertModel": "none", "BertForMaskedLM": "masked",
              "BertForPreTraining": "pretraining", "BertForSequenceClassification": "classifier",
              "BertLMHeadModel": "masked",
            ]),
        ]
      ).closed(Dialect.UnreadKey.bert),
      Dialect(
        name: "keras_hub",
        recognition: .init(
          key: "class_name", values: ["BertBackbone", "BertMaskedLM", "BertTextClassifier"]),
        keys: Dialect.Key.kerasHubEncoder + [
          .backbone("types", "num_segments", absent: .integer(2)),
          .head(
            "class_name",
            ["BertBackbone": "none", "BertMaskedLM": "masked", "BertTextClassifier": "classifier"]),
          .fixed("activation", .word("gelu_tanh")), .fixed("head_activation", .word("gelu")),
          .fixed("norm_epsilon", .real(1e-12)), .fixed("head_norm_epsilon", .real(1e-5)),
          .fixed("pooler", .flag(true)), .key("labels", "config.num_classes"),
        ]),
      Dialect(
        name: "gguf", recognition: .init(key: "general.architecture", values: ["bert"]),
        keys: [
          .key("positions", "bert.context_length"), .key("width", "bert.embedding_length"),
          .key("layers", "bert.block_count"), .key("heads", "bert.attention.head_count"),
          .key("feed_forward", "bert.feed_forward_length"),
          .key("norm_epsilon", "bert.attention.layer_norm_epsilon"),
          .key("types", "tokenizer.ggml.token_type_count"),
          .fixed("head", .word("none")), .fixed("pooler", .flag(false)),
        ]),
    ],
    requirements: [
      .headsDivideWidth,
      .init(
        condition: "pooler || head == 'none' || head == 'masked'",
        message: "'head' is made on the pooler, and 'pooler' is false"),
      .crossAttentionIsCausal,
    ])

  private static let bertHuggingFace = Convention(
    name: "huggingface", prefix: "bert.", prefixCondition: "head != 'none'",
    spellings: Spelling.bertLayers
      + [
        Spelling.one(
          "embedding.types.weight", "embeddings.token_type_embeddings.weight"),
        Spelling.both("pooler", "pooler.dense"),
        Spelling.both("head_transform", "cls.predictions.transform.dense", isOuter: true),
        Spelling.norm("head_norm", "cls.predictions.transform.LayerNorm", isOuter: true),
        Spelling.one("head.weight", "cls.predictions.decoder.weight", isOuter: true),
        Spelling.one(
          "head.bias", "cls.predictions.bias", isOuter: true,
          aliases: ["cls.predictions.decoder.bias"]),
        Spelling.both("next_sentence", "cls.seq_relationship", isOuter: true),
        Spelling.both("classifier", "classifier", isOuter: true),
      ].flatMap { $0 },
    buffers: [NameTemplate("embeddings.position_ids")])

  /// Keras Hub and llama.cpp have encoders alone.
  private static let encoderAlone: KeyValuePairs<String, Expression> = [
    "causal": false, "cross_attention": false,
  ]

  private static let bertKerasHub = Convention(
    name: "keras_hub", prefix: "layers/bert_backbone/", prefixCondition: "head != 'none'",
    spellings: [
      Spelling.one("embedding.tokens.weight", "layers/reversible_embedding/vars/0"),
      Spelling.one("embedding.positions.weight", "layers/position_embedding/vars/0"),
      Spelling.one("embedding.types.weight", "layers/embedding/vars/0"),
      Spelling.keras("embedding.norm", "layers/layer_normalization", []),
      Spelling.kerasHubLayer("layers.{layer}", "layers/transformer_encoder{layer:suffix}"),
      Spelling.keras("pooler", "layers/dense"),
      Spelling.kerasHubMaskedHead,
      Spelling.keras("classifier", "layers/dense", isOuter: true),
    ].flatMap { $0 },
    requirements: [
      .init(condition: "pooler", message: "it always has a pooler, and this model has none"),
      .init(
        condition: "head != 'pretraining'", message: "it has no head for the next sentence"),
      .kerasHubTiedHead,
    ],
    layerNames: .kerasHub(
      ["bert"],
      [
        .plain("position_embedding", "position_embedding"),
        .plain("embedding", "segment_embedding"),
        .plain("layer_normalization", "embeddings_layer_norm"), .encoder(),
        .plain("dense", "pooled_dense"),
      ], heads: [.plain("masked_lm_head", "mlm_head"), .plain("dense", "logits")],
      copies: ["mlm_head/token_embedding/embeddings"])
  ).fixing(encoderAlone)

  /// llama.cpp's BERT is there to embed texts: it has neither pooler nor head.
  private static let bertGGUF = Convention(
    name: "gguf",
    spellings: [
      Spelling.one("embedding.tokens.weight", "token_embd.weight"),
      Spelling.one("embedding.positions.weight", "position_embd.weight"),
      Spelling.one("embedding.types.weight", "token_types.weight"),
      Spelling.both("embedding.norm", "token_embd_norm"),
      Spelling.both("layers.{layer}.attention.query", "blk.{layer}.attn_q"),
      Spelling.both("layers.{layer}.attention.key", "blk.{layer}.attn_k"),
      Spelling.both("layers.{layer}.attention.value", "blk.{layer}.attn_v"),
      Spelling.both("layers.{layer}.attention.output", "blk.{layer}.attn_output"),
      Spelling.both("layers.{layer}.attention_norm", "blk.{layer}.attn_output_norm"),
      Spelling.both("layers.{layer}.feed_forward.up", "blk.{layer}.ffn_up"),
      Spelling.both("layers.{layer}.feed_forward.down", "blk.{layer}.ffn_down"),
      Spelling.both("layers.{layer}.feed_forward_norm", "blk.{layer}.layer_output_norm"),
    ].flatMap { $0 },
    requirements: [
      .init(
        condition: "head == 'none' && !pooler", message: "llama.cpp keeps neither pooler nor head")
    ]
  ).fixing(encoderAlone)
}

extension Step {
  /// The type of each token, added to `x`.
  static let tokenTypes: [Step] = [
    .embedding(
      "types", of: "token_type_ids", rows: "types", width: "width", as: .typeEmbedding, into: "t"),
    .add("x", "t", into: "x"),
  ]
}

extension Spelling {
  /// What BERT and RoBERTa have in common in transformers.
  static let bertLayers: [Spelling] = [
    one("embedding.tokens.weight", "embeddings.word_embeddings.weight"),
    one("embedding.positions.weight", "embeddings.position_embeddings.weight"),
    norm("embedding.norm", "embeddings.LayerNorm"),
    both("layers.{layer}.attention.query", "encoder.layer.{layer}.attention.self.query"),
    both("layers.{layer}.attention.key", "encoder.layer.{layer}.attention.self.key"),
    both("layers.{layer}.attention.value", "encoder.layer.{layer}.attention.self.value"),
    both("layers.{layer}.attention.output", "encoder.layer.{layer}.attention.output.dense"),
    norm("layers.{layer}.attention_norm", "encoder.layer.{layer}.attention.output.LayerNorm"),
    both("layers.{layer}.feed_forward.up", "encoder.layer.{layer}.intermediate.dense"),
    both("layers.{layer}.feed_forward.down", "encoder.layer.{layer}.output.dense"),
    norm("layers.{layer}.feed_forward_norm", "encoder.layer.{layer}.output.LayerNorm"),
    bertCrossAttention,
  ].flatMap { $0 }

  private static let bertCrossAttention: [Spelling] = {
    let (role, name) = ("layers.{layer}.cross_attention", "encoder.layer.{layer}.crossattention")
    return ["query", "key", "value"].flatMap { both("\(role).\($0)", "\(name).self.\($0)") }
      + both("\(role).output", "\(name).output.dense")
      + norm("\(role)_norm", "\(name).output.LayerNorm")
  }()
}

extension Dialect.UnreadKey {
  /// What old files of BERT and its kin have.
  static let bert: [Dialect.UnreadKey] =
    [
      .only(
        "position_embedding_type", ["absolute", "null"],
        computed: "each position has a row that is added to its token", changesWeights: true)
    ]
    + harmless(
      "embedding_size", "directionality", "pooler_fc_size", "pooler_num_attention_heads",
      "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type")
}

extension Parameter {
  /// Encoders that serve as decoders.
  static let decoder: [Parameter] = [
    .flag("cross_attention", default: false), .flag("causal", default: "cross_attention"),
    .flag("reads_encoder", default: "cross_attention"),
  ]
}

extension Dialect.Key {
  /// How transformers says that an encoder serves as a decoder.
  static let decoder: [Dialect.Key] = [
    .key("causal", "is_decoder", absent: .flag(false)),
    .key("cross_attention", "add_cross_attention", absent: .flag(false)),
  ]
}

extension Architecture.Requirement {
  static let crossAttentionIsCausal = Architecture.Requirement(
    condition: "causal || !cross_attention",
    message: "'cross_attention' is for decoders, and 'causal' is false")
}

extension Dialect.Key {
  /// What BERT and RoBERTa have in common in transformers, but for numbers of their own.
  static let bert: [Dialect.Key] =
    [
      .key("vocabulary", "vocab_size", absent: .integer(30522)),
      .key("types", "type_vocab_size", absent: .integer(2)),
    ] + bertSizes

  /// The sizes of transformers' encoders.
  static let bertSizes: [Dialect.Key] = [
    .key("positions", "max_position_embeddings", absent: .integer(512)),
    .key("width", "hidden_size", absent: .integer(768)),
    .key("layers", "num_hidden_layers", absent: .integer(12)),
    .key("heads", "num_attention_heads", absent: .integer(12)),
    .key("feed_forward", "intermediate_size", absent: .integer(3072)),
    .activation("hidden_act", absent: .gelu), .key("tied_head", "tie_word_embeddings"), .labels,
  ]

  /// What Keras Hub's encoders of texts have in common.
  static let kerasHubEncoder: [Dialect.Key] = [
    .backbone("vocabulary", "vocabulary_size"),
    .backbone("positions", "max_sequence_length", absent: .integer(512)),
    .backbone("width", "hidden_dim"), .backbone("layers", "num_layers"),
    .backbone("heads", "num_heads"), .backbone("feed_forward", "intermediate_dim"),
  ]
}
