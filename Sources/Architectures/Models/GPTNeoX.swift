internal import Tensors

extension Architecture {
  /// GPT-NeoX and Pythia: attention and feed-forward side by side, rotary positions on part of a head;
  /// arXiv 2204.06745, 2304.01373.
  static let gptNeoX = Architecture(
    name: "gpt_neox",
    summary: "GPT-NeoX: decoder, parallel attention and feed-forward, partly rotary positions",
    parameters: [
      .count("vocabulary"), .count("positions"), .count("width"), .count("layers"),
      .count("heads"), .count("head_size", default: "width / heads"), .count("feed_forward"),
      .activation(default: .gelu), .real("norm_epsilon", default: 1e-5),
      .flag("attention_bias", default: true), .flag("parallel", default: true),
      .real("rotary_fraction", default: 1),
    ] + RotaryScaling.parameters + [
      .word("head", ["language", "none"], default: "language"), .flag("tied_head", default: false),
    ],
    inputs: LlamaKin.inputs,
    steps: [
      .block("embedding", .embedding, output: "x", LlamaKin.embedding(scale: nil)),
      .layers([
        .state("x", series: "hidden"),
        .norm("attention_norm", .layer, "x", into: "h"),
        AttentionPart(output: "a", bias: "attention_bias", isCausal: true, rotary: rotary).step,
        .when("!parallel", [.add("x", "a", into: "x")]),
        .norm("feed_forward_norm", .layer, "x", into: "h"),
        .feedForward(),
        .when("parallel", [.add("h", "a", into: "h")]),
        .add("x", "h", into: "x"),
      ]),
      .norm("final_norm", .layer, "x", into: "x"),
      .state("x", series: "hidden"),
      .result("x", name: "last_hidden_state"),
      .when("head == 'language'", Step.languageHead()),
    ],
    conventions: [huggingFace, kerasHub],
    dialects: [
      Dialect(
        name: "huggingface", recognition: .init(key: "model_type", values: ["gpt_neox"]),
        keys: [
          .key("vocabulary", "vocab_size", absent: .integer(50432)),
          .key("positions", "max_position_embeddings", absent: .integer(2048)),
          .key("width", "hidden_size", absent: .integer(6144)),
          .key("layers", "num_hidden_layers", absent: .integer(44)),
          .key("heads", "num_attention_heads", absent: .integer(64)),
          .key("feed_forward", "intermediate_size", absent: .integer(24576)),
          .activation("hidden_act", absent: .gelu),
          .key("norm_epsilon", "layer_norm_eps", absent: .real(1e-5)),
          .key("attention_bias", "attention_bias", absent: .flag(true)),
          .key("parallel", "use_parallel_residual", absent: .flag(true)),
          .key(
            "rotary_fraction", "rope_parameters.partial_rotary_factor",
            "rope_scaling.partial_rotary_factor", "rotary_pct",
            absent: .real(0.25)),
          .key("tied_head", "tie_word_embeddings", absent: .flag(false)),
          .key(
            "head", "architectures.0",
            meaning: ["GPTNeoXForCausalLM": .word("language"), "GPTNeoXModel": .word("none")]),
        ] + RotaryScaling.huggingFace().filter { $0.parameter != "rotary_base" } + [
          .key(
            "rotary_base", "rope_parameters.rope_theta", "rope_scaling.rope_theta", "rope_theta",
            "rotary_emb_base",
            absent: .real(10000))
        ]
      ).closed(
        Dialect.UnreadKey.rotary + [
          .only("head_dim", ["null"], computed: "a head has width / heads components")
        ]),
      // Keras Hub has no switch for the exact GELU that transformers uses, nor for sequential layers.
      Dialect(
        name: "keras_hub",
        recognition: .init(key: "class_name", values: ["GPTNeoXBackbone", "GPTNeoXCausalLM"]),
        keys: [
          .backbone("vocabulary", "vocabulary_size"), .backbone("positions", "max_sequence_length"),
          .backbone("width", "hidden_dim"), .backbone("layers", "num_layers"),
          .backbone("heads", "num_heads"), .backbone("feed_forward", "intermediate_dim"),
          .backbone("norm_epsilon", "layer_norm_epsilon", absent: .real(1e-5)),
          .backbone("rotary_fraction", "rotary_percentage", absent: .real(0.25)),
          .backbone("rotary_base", "rotary_max_wavelength", absent: .real(10000)),
          .fixed("activation", .word("gelu_tanh")),
          .fixed("tied_head", .flag(true)),
          .fixed("parallel", .flag(true)),
        ]),
    ],
    requirements: [
      .headsFillWidth,
      .init(
        condition: "floor(head_size * rotary_fraction) % 2 == 0",
        message: "'rotary_fraction' of 'head_size' is odd, and components turn in pairs"),
    ])

  private static let rotary = Operation.Rotary(
    input: "", heads: 0, headSize: "head_size", dimensions: "floor(head_size * rotary_fraction)",
    base: "rotary_base", scaling: RotaryScaling.operand, output: "")

  private static let fused = ["query", "key", "value"].map { "layers.{layer}.attention.\($0)" }

  /// Query, key and value are fused head by head.
  private static let huggingFace = Convention(
    name: "huggingface", prefix: "gpt_neox.", prefixCondition: "head == 'language'",
    spellings: [
      Spelling.one("embedding.tokens.weight", "embed_in.weight"),
      Spelling.both("layers.{layer}.attention_norm", "layers.{layer}.input_layernorm"),
      Spelling.both(
        fused, "layers.{layer}.attention.query_key_value", [.interleaveHeads("heads")],
        biasLayout: [.interleaveHeads("heads")]),
      Spelling.both("layers.{layer}.attention.output", "layers.{layer}.attention.dense"),
      Spelling.both(
        "layers.{layer}.feed_forward_norm", "layers.{layer}.post_attention_layernorm"),
      Spelling.both("layers.{layer}.feed_forward.up", "layers.{layer}.mlp.dense_h_to_4h"),
      Spelling.both("layers.{layer}.feed_forward.down", "layers.{layer}.mlp.dense_4h_to_h"),
      Spelling.both("final_norm", "final_layer_norm"),
      Spelling.one("head.weight", "embed_out.weight", isOuter: true),
    ].flatMap { $0 },
    buffers: [
      "layers.{layer}.attention.bias", "layers.{layer}.attention.masked_bias",
      "layers.{layer}.attention.rotary_emb.inv_freq", "rotary_emb.inv_freq",
    ].map { NameTemplate($0) })

  /// `[width, heads, 3 · head_size]`, and the output projection an ordinary matrix.
  private static let kerasHub: Convention = {
    let path = "layers/gpt_neo_x_decoder{layer:suffix}"
    let attention = "\(path)/_self_attention_layer"
    return Convention(
      name: "keras_hub", prefix: "layers/gpt_neo_x_backbone/",
      spellings: [
        KerasHub.reversibleEmbedding,
        Spelling.keras("layers.{layer}.attention_norm", "\(path)/_self_attention_layer_norm", []),
        [
          Spelling(
            fused.map { $0 + ".weight" }, "\(attention)/_qkv_dense/vars/0",
            [
              .interleaveHeads("heads"), .transpose,
              .reshape(["width", "heads", "3 * head_size"]),
            ]),
          Spelling(
            fused.map { $0 + ".bias" }, "\(attention)/_qkv_dense/vars/1",
            [.interleaveHeads("heads"), .reshape(["heads", "3 * head_size"])]),
        ],
        Spelling.keras("layers.{layer}.attention.output", "\(attention)/_output_dense"),
        Spelling.keras("layers.{layer}.feed_forward_norm", "\(path)/_feedforward_layer_norm", []),
        Spelling.keras(
          "layers.{layer}.feed_forward.up", "\(path)/_feedforward_intermediate_dense"),
        Spelling.keras("layers.{layer}.feed_forward.down", "\(path)/_feedforward_output_dense"),
        Spelling.keras("final_norm", "layers/layer_normalization", []),
      ].flatMap { $0 },
      layerNames: .kerasHub(
        ["gpt_neo_x"],
        [
          .decoder(
            "gpt_neo_x_decoder{layer:suffix}",
            parts: LayerNames.decoder.merging(["qkv_dense": "query_key_value"]) { $1 }),
          .plain("layer_normalization", "layer_norm"),
        ], copies: [LayerNames.tokens])
    ).fixing([
      "attention_bias": true, "parallel": true, "rope_scaling": "'none'", "tied_head": true,
    ])
  }()
}
