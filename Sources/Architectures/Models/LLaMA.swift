internal import Tensors

extension Architecture {
  /// LLaMA: "Open and Efficient Foundation Language Models", arXiv 2302.13971; with grouped key heads
  /// as in Llama 2 and 3, arXiv 2307.09288, 2407.21783.
  static let llama = llamaKin(
    "llama",
    summary: "LLaMA: decoder, rotary positions, RMS norm, grouped key heads, gated SiLU",
    parameters: [
      .flag("attention_bias", default: false), .flag("feed_forward_bias", default: false),
    ],
    bias: "attention_bias", outputBias: "attention_bias",
    mixer: .block("feed_forward", .feedForward, output: "h", Step.gated(bias: "feed_forward_bias")),
    conventions: [
      LlamaKin.huggingFace,
      LlamaKin.kerasHub(
        "llama", norm: "llama_layer_norm", hasLlama3: true
      ).fixing(plain).fixing(["head_size": "width / heads"]),
      LlamaKin.gguf(rotaryPairs: true), LlamaKin.meta.fixing(plain),
    ],
    dialects: [
      LlamaKin.huggingFace(
        "llama", class: "Llama", positions: 2048,
        [
          .key("feed_forward", "intermediate_size", absent: .integer(11008)),
          .key("key_heads", "num_key_value_heads"), .key("head_size", "head_dim"),
          .key("attention_bias", "attention_bias", absent: .flag(false)),
          .key("feed_forward_bias", "mlp_bias", absent: .flag(false)),
        ]),
      LlamaKin.kerasHub(
        ["LlamaBackbone", "Llama3Backbone", "LlamaCausalLM", "Llama3CausalLM"],
        [
          .backbone(
            "rope_scaling", "rope_frequency_adjustment_factor",
            meaning: ["null": .word("none")], formula: "'llama3'", absent: .word("none")),
          .backbone("rope_factor", "rope_frequency_adjustment_factor"),
          .backbone("rope_low_frequency_factor", "rope_low_freq_factor"),
          .backbone("rope_high_frequency_factor", "rope_high_freq_factor"),
          .backbone("rope_original_positions", "rope_pretraining_sequence_length"),
          .backbone("tied_head", "tie_word_embeddings", absent: .flag(false)),
        ]),
      LlamaKin.gguf(
        "llama", absent: ["llama.expert_count", "llama.attention.sliding_window"]),
    ])

  /// LLaMA as it was published.
  private static let plain: KeyValuePairs<String, Expression> = [
    "attention_bias": false, "feed_forward_bias": false,
  ]
}

extension Architecture {
  /// A decoder as LLaMA is: RMS norms before attention and before what mixes features, rotary positions
  /// on all of a head, grouped key heads, and a head after the last norm.
  ///
  /// - Parameters:
  ///   - embeddingScale: What the rows of the token table are multiplied by.
  ///   - normOffset: What is added to the scales of norms.
  ///   - bias: Whether query, key and value have biases.
  ///   - mixer: What follows attention in a layer: from `h` to `h`.
  static func llamaKin(
    _ name: String, summary: String, parameters: [Parameter] = [],
    activation: Activation = .silu, epsilon: Expression = 1e-6, tiedHead: Expression = false,
    embeddingScale: Expression? = nil, normOffset: Expression = 0, bias: Expression = false,
    outputBias: Expression = false, window: Expression = 0, mixer: Step,
    conventions: [Convention], dialects: [Dialect],
    requirements: [Architecture.Requirement] = []
  ) -> Architecture {
    Architecture(
      name: name, summary: summary,
      parameters: LlamaKin.parameters(activation, epsilon: epsilon, tiedHead: tiedHead)
        + parameters,
      inputs: LlamaKin.inputs,
      steps: [
        .block("embedding", .embedding, output: "x", LlamaKin.embedding(scale: embeddingScale)),
        .layers([
          .state("x", series: "hidden"),
          .norm("attention_norm", .rms, "x", offset: normOffset, into: "h"),
          AttentionPart(
            keyHeads: "key_heads", queryWidth: "heads * head_size",
            keyWidth: "key_heads * head_size", bias: bias, outputBias: outputBias, isCausal: true,
            window: window, rotary: LlamaKin.rotary
          ).step,
          .add("x", "h", into: "x"),
          .norm("feed_forward_norm", .rms, "x", offset: normOffset, into: "h"),
          mixer,
          .add("x", "h", into: "x"),
        ]),
        .norm("final_norm", .rms, "x", offset: normOffset, into: "x"),
        .state("x", series: "hidden"),
        .result("x", name: "last_hidden_state"),
        .when("head == 'language'", Step.languageHead()),
      ],
      conventions: conventions, dialects: dialects,
      requirements: [.keyHeadsDivideHeads] + requirements
    ).withoutIdleSpellings()
  }

  /// The same without what conventions that several architectures share say of weights that this one
  /// lacks.
  func withoutIdleSpellings() -> Architecture {
    let patterns = Set(described().weights.map(\.pattern))
    var architecture = self
    for index in conventions.indices {
      architecture.conventions[index].spellings.removeAll { !patterns.isSuperset(of: $0.roles) }
    }
    return architecture
  }
}

/// What LLaMA's kin share beside their steps.
enum LlamaKin {
  static func parameters(
    _ activation: Activation, epsilon: Expression, tiedHead: Expression
  ) -> [Parameter] {
    [
      .count("vocabulary"), .count("positions"), .count("width"), .count("layers"),
      .count("heads"), .count("key_heads", default: "heads"),
      .count("head_size", default: "width / heads"), .count("feed_forward"),
      .activation(default: activation), .real("norm_epsilon", default: epsilon),
    ] + RotaryScaling.parameters + [
      .word("head", ["language", "none"], default: "language"),
      .flag("tied_head", default: tiedHead),
    ]
  }

  static let inputs: [Architecture.Input] = [
    .tokens, .mask,
    .init(name: "position_ids", kind: .ids, size: "positions", isOptional: true),
  ]

  static func embedding(scale: Expression?) -> [Step] {
    [.embedding("tokens", of: "input_ids", rows: "vocabulary", width: "width", into: "x")]
      + (scale.map { [.scale("x", by: $0, into: "x")] } ?? [])
  }

  static let rotary = Operation.Rotary(
    input: "", heads: 0, headSize: "head_size", dimensions: "head_size", base: "rotary_base",
    scaling: RotaryScaling.operand, output: "")
}

/// LLaMA's kin in transformers.
extension LlamaKin {
  static let huggingFace = huggingFace(
    gated("layers.{layer}.feed_forward", "layers.{layer}.mlp"))

  /// - Parameter mixer: How what follows attention is spelled.
  static func huggingFace(_ mixer: [Spelling]) -> Convention {
    Convention(
      name: "huggingface", prefix: "model.", prefixCondition: "head == 'language'",
      spellings: [
        Spelling.one("embedding.tokens.weight", "embed_tokens.weight"),
        Spelling.one(
          "layers.{layer}.attention_norm.weight", "layers.{layer}.input_layernorm.weight"),
        ["query", "key", "value", "output"].flatMap { word in
          Spelling.both(
            "layers.{layer}.attention.\(word)", "layers.{layer}.self_attn.\(word.prefix(1))_proj")
        },
        Spelling.one(
          "layers.{layer}.feed_forward_norm.weight",
          "layers.{layer}.post_attention_layernorm.weight"),
        mixer,
        Spelling.one("final_norm.weight", "norm.weight"),
        Spelling.one("head.weight", "lm_head.weight", isOuter: true),
      ].flatMap { $0 },
      buffers: ["rotary_emb.inv_freq", "layers.{layer}.self_attn.rotary_emb.inv_freq"].map {
        NameTemplate($0)
      })
  }

  static func gated(_ role: String, _ name: String) -> [Spelling] {
    ["gate", "up", "down"].flatMap { Spelling.both("\(role).\($0)", "\(name).\($0)_proj") }
  }

  /// The keys that all kin have, but for those of `more`.
  static func huggingFace(
    _ type: ExactString, class prefix: String, positions: Int, base: Double = 10000,
    epsilon: Double = 1e-6, width: Int = 4096, layers: Int = 32, heads: Int = 32,
    vocabulary: Int = 32000, activation: Activation = .silu, isTied: Bool = false,
    _ more: [Dialect.Key], unread: [Dialect.UnreadKey] = []
  ) -> Dialect {
    let keys: [Dialect.Key] =
      [
        .key("vocabulary", "vocab_size", absent: .integer(vocabulary)),
        .key("positions", "max_position_embeddings", absent: .integer(positions)),
        .key("width", "hidden_size", absent: .integer(width)),
        .key("layers", "num_hidden_layers", absent: .integer(layers)),
        .key("heads", "num_attention_heads", absent: .integer(heads)),
        .activation("hidden_act", absent: activation),
        .key("norm_epsilon", "rms_norm_eps", absent: .real(epsilon)),
        .key("tied_head", "tie_word_embeddings", absent: .flag(isTied)),
        .key(
          "head", "architectures.0",
          meaning: ["\(prefix)ForCausalLM": .word("language"), "\(prefix)Model": .word("none")]),
      ] + RotaryScaling.huggingFace(base: base)
    return Dialect(
      name: "huggingface", recognition: .init(key: "model_type", values: [type]),
      keys: keys.filter { key in !more.contains { $0.parameter == key.parameter } } + more
    ).closed(Dialect.UnreadKey.rotary + unread)
  }
}

/// LLaMA's kin in Keras Hub.
extension LlamaKin {
  /// - Parameters:
  ///   - name: What the names of the layers begin with.
  ///   - norm: The name of the last norm.
  ///   - mark: What the names of attention's attributes begin with.
  ///   - hasLlama3: Whether angles can be scaled as Llama 3's are.
  ///   - mixer: How what follows attention is spelled, after the name of the layer; nil for dense.
  static func kerasHub(
    _ name: String, norm: String, mark: String = "_", hasLlama3: Bool = false,
    mixer: ((String) -> [Spelling])? = nil
  ) -> Convention {
    let path = "layers/\(name)_transformer_decoder{layer:suffix}"
    return Convention(
      name: "keras_hub", prefix: "layers/\(name)_backbone/",
      spellings: [
        KerasHub.reversibleEmbedding,
        Spelling.one(
          "layers.{layer}.attention_norm.weight", "\(path)/_self_attention_layernorm/vars/0"),
        KerasHub.attention("\(path)/_self_attention_layer", mark: mark, keyHeads: "key_heads"),
        Spelling.one(
          "layers.{layer}.feed_forward_norm.weight", "\(path)/_feedforward_layernorm/vars/0"),
        mixer?(path) ?? dense(path),
        Spelling.one("final_norm.weight", "layers/\(norm)/vars/0"),
      ].flatMap { $0 },
      requirements: [
        .init(
          condition: hasLlama3
            ? "rope_scaling == 'none' || rope_scaling == 'linear' || rope_scaling == 'llama3'"
            : "rope_scaling == 'none' || rope_scaling == 'linear'",
          message: hasLlama3
            ? "it scales rotary positions by a factor or as Llama 3 does, this model otherwise"
            : "it scales rotary positions by a factor, this model otherwise")
      ],
      // The names of Mixtral's experts are numbered on through the program that wrote them.
      layerNames: mixer != nil
        ? nil
        : .kerasHub(
          [name, "\(name)3"],
          [
            .decoder("\(name)_transformer_decoder{layer:suffix}"),
            .plain(norm, "sequence_output_layernorm"),
          ], scale: "scale",
          copies: [
            LayerNames.tokens, "token_embedding/token_embedding/reverse_embeddings",
          ]))
  }

  private static func dense(_ path: String) -> [Spelling] {
    [("gate", "gate"), ("up", "intermediate"), ("down", "output")].map { role, word in
      Spelling(
        ["layers.{layer}.feed_forward.\(role).weight"], "\(path)/_feedforward_\(word)_dense/vars/0",
        [.transpose])
    }
  }

  /// The second matrix of a `ReversibleEmbedding` is part of the backbone, so that a backbone has a
  /// head too.
  static func kerasHub(_ classes: [ExactString], _ more: [Dialect.Key]) -> Dialect {
    let keys: [Dialect.Key] =
      [
        .backbone("vocabulary", "vocabulary_size"), .backbone("width", "hidden_dim"),
        .backbone("layers", "num_layers"), .backbone("heads", "num_query_heads"),
        .backbone("key_heads", "num_key_value_heads"),
        .backbone("feed_forward", "intermediate_dim"),
        .backbone("norm_epsilon", "layer_norm_epsilon", absent: .real(1e-6)),
      ] + RotaryScaling.kerasHub
    return Dialect(
      name: "keras_hub", recognition: .init(key: "class_name", values: classes),
      keys: keys.filter { key in !more.contains { $0.parameter == key.parameter } } + more)
  }
}

/// LLaMA's kin in llama.cpp and in Meta's own files.
extension LlamaKin {
  /// - Parameter rotaryPairs: Whether the rows of queries and keys lie in pairs, as llama.cpp has them
  ///   for LLaMA itself.
  static func gguf(
    rotaryPairs: Bool, mixer: [Spelling] = gatedGGUF
  ) -> Convention {
    func turned(_ heads: Expression) -> [LayoutStep] {
      rotaryPairs ? [.rotaryPairs(heads: heads)] : []
    }
    func projection(_ role: String, _ name: String, _ layout: [LayoutStep] = []) -> [Spelling] {
      Spelling.both(
        ["layers.{layer}.attention.\(role)"], "blk.{layer}.attn_\(name)", layout,
        biasLayout: layout)
    }
    return Convention(
      name: "gguf",
      spellings: [
        Spelling.one("embedding.tokens.weight", "token_embd.weight"),
        Spelling.one("layers.{layer}.attention_norm.weight", "blk.{layer}.attn_norm.weight"),
        projection("query", "q", turned("heads")), projection("key", "k", turned("key_heads")),
        projection("value", "v"), projection("output", "output"),
        Spelling.one("layers.{layer}.feed_forward_norm.weight", "blk.{layer}.ffn_norm.weight"),
        mixer,
        Spelling.one("final_norm.weight", "output_norm.weight"),
        Spelling.one("head.weight", "output.weight"),
      ].flatMap { $0 },
      // What llama3's stretching divides the frequencies by.
      buffers: [NameTemplate("rope_freqs.weight")])
  }

  static let gatedGGUF = ["gate", "up", "down"].flatMap {
    Spelling.both("layers.{layer}.feed_forward.\($0)", "blk.{layer}.ffn_\($0)")
  }

  static func gguf(
    _ name: ExactString, present: [ExactString] = [], absent: [ExactString] = [],
    _ more: [Dialect.Key] = []
  ) -> Dialect {
    Dialect(
      name: "gguf",
      recognition: .init(
        key: "general.architecture", values: [name], present: present, absent: absent),
      keys: [
        .key("vocabulary", "\(name).vocab_size"), .key("positions", "\(name).context_length"),
        .key("width", "\(name).embedding_length"), .key("layers", "\(name).block_count"),
        .key("heads", "\(name).attention.head_count"),
        .key("key_heads", "\(name).attention.head_count_kv"),
        .key("head_size", "\(name).attention.key_length", "\(name).rope.dimension_count"),
        .key("feed_forward", "\(name).feed_forward_length"),
        .key("norm_epsilon", "\(name).attention.layer_norm_rms_epsilon"),
        .key("rotary_base", "\(name).rope.freq_base", absent: .real(10000)),
        .key("rope_scaling", "\(name).rope.scaling.type", absent: .word("none")),
        .key("rope_factor", "\(name).rope.scaling.factor"),
        .key("rope_original_positions", "\(name).rope.scaling.original_context_length"),
      ] + more)
  }

  /// Meta's own `consolidated` files, and Mistral's.
  static let meta = Convention(
    name: "meta",
    spellings: [
      Spelling.one("embedding.tokens.weight", "tok_embeddings.weight"),
      Spelling.one(
        "layers.{layer}.attention_norm.weight", "layers.{layer}.attention_norm.weight"),
      [
        Spelling(
          ["layers.{layer}.attention.query.weight"], "layers.{layer}.attention.wq.weight",
          [.rotaryPairs(heads: "heads")]),
        Spelling(
          ["layers.{layer}.attention.key.weight"], "layers.{layer}.attention.wk.weight",
          [.rotaryPairs(heads: "key_heads")]),
      ],
      Spelling.one("layers.{layer}.attention.value.weight", "layers.{layer}.attention.wv.weight"),
      Spelling.one(
        "layers.{layer}.attention.output.weight", "layers.{layer}.attention.wo.weight"),
      Spelling.one("layers.{layer}.feed_forward_norm.weight", "layers.{layer}.ffn_norm.weight"),
      [("gate", "w1"), ("up", "w3"), ("down", "w2")].map { role, name in
        Spelling(
          ["layers.{layer}.feed_forward.\(role).weight"],
          "layers.{layer}.feed_forward.\(name).weight")
      },
      Spelling.one("final_norm.weight", "norm.weight"),
      Spelling.one("head.weight", "output.weight"),
    ].flatMap { $0 }, buffers: [NameTemplate("rope.freqs")])
}
