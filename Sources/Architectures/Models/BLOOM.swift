internal import Tensors

extension Architecture {
  /// BLOOM: ALiBi instead of positions, a norm after the embedding; arXiv 2211.05100.
  static let bloom = Architecture(
    name: "bloom",
    summary: "BLOOM: decoder, ALiBi, embedding norm, pre-norm, GELU (tanh), tied head",
    parameters: [
      .count("vocabulary"), .count("width"), .count("layers"), .count("heads"),
      .count("head_size", default: "width / heads"),
      .count("feed_forward", default: "4 * width"), .activation(default: .geluTanh),
      .real("norm_epsilon", default: 1e-5), .flag("residual_after_norm", default: false),
      .word("head", ["language", "none"], default: "language"), .flag("tied_head", default: true),
    ],
    inputs: [.tokens, .mask],
    steps: [
      .block(
        "embedding", .embedding, output: "x",
        LlamaKin.embedding(scale: nil) + [.norm("norm", .layer, "x", into: "x")]),
      .layers([
        .state("x", series: "hidden"),
        .when("residual_after_norm", block(of: "x"), otherwise: block(of: "h")),
      ]),
      .norm("final_norm", .layer, "x", into: "x"),
      .state("x", series: "hidden"),
      .result("x", name: "last_hidden_state"),
      .when("head == 'language'", Step.languageHead()),
    ],
    conventions: [huggingFace, kerasHub],
    dialects: [
      Dialect(
        name: "huggingface", recognition: .init(key: "model_type", values: ["bloom"]),
        keys: [
          .key("vocabulary", "vocab_size", absent: .integer(250880)),
          .key("width", "n_embed", "hidden_size", absent: .integer(64)),
          .key("layers", "n_layer", "num_hidden_layers", absent: .integer(2)),
          .key("heads", "n_head", "num_attention_heads", absent: .integer(8)),
          .key("norm_epsilon", "layer_norm_epsilon", absent: .real(1e-5)),
          .key(
            "residual_after_norm", "apply_residual_connection_post_layernorm",
            absent: .flag(false)),
          .key("tied_head", "tie_word_embeddings", absent: .flag(true)),
          .key(
            "head", "architectures.0",
            meaning: ["BloomForCausalLM": .word("language"), "BloomModel": .word("none")]),
        ]
      ).closed(
        // The same sums in slices, and a training's length.
        Dialect.UnreadKey.harmless("slow_but_exact", "seq_length")),
      Dialect(
        name: "keras_hub",
        recognition: .init(key: "class_name", values: ["BloomBackbone", "BloomCausalLM"]),
        keys: [
          .backbone("vocabulary", "vocabulary_size"), .backbone("width", "hidden_dim"),
          .backbone("layers", "num_layers"), .backbone("heads", "num_heads"),
          .backbone("feed_forward", "intermediate_dim"),
          .backbone("norm_epsilon", "layer_norm_epsilon", absent: .real(1e-5)),
        ]),
    ],
    requirements: [.headsFillWidth])

  /// One layer; what norms give goes to `normed`, and so instead of `x` where residuals start there.
  private static func block(of normed: String) -> [Step] {
    [
      .norm("attention_norm", .layer, "x", into: normed),
      AttentionPart(input: normed, isCausal: true, alibi: true).step,
      .add("x", "h", into: "x"),
      .norm("feed_forward_norm", .layer, "x", into: normed),
      .feedForward(input: normed),
      .add("x", "h", into: "x"),
    ]
  }

  /// Query, key and value are fused head by head; the feed-forward is four times the width.
  private static let huggingFace = Convention(
    name: "huggingface", prefix: "transformer.", prefixCondition: "head == 'language'",
    spellings: [
      Spelling.one("embedding.tokens.weight", "word_embeddings.weight"),
      Spelling.both("embedding.norm", "word_embeddings_layernorm"),
      Spelling.both("layers.{layer}.attention_norm", "h.{layer}.input_layernorm"),
      Spelling.both(
        ["query", "key", "value"].map { "layers.{layer}.attention.\($0)" },
        "h.{layer}.self_attention.query_key_value", [.interleaveHeads("heads")],
        biasLayout: [.interleaveHeads("heads")]),
      Spelling.both("layers.{layer}.attention.output", "h.{layer}.self_attention.dense"),
      Spelling.both("layers.{layer}.feed_forward_norm", "h.{layer}.post_attention_layernorm"),
      Spelling.both("layers.{layer}.feed_forward.up", "h.{layer}.mlp.dense_h_to_4h"),
      Spelling.both("layers.{layer}.feed_forward.down", "h.{layer}.mlp.dense_4h_to_h"),
      Spelling.both("final_norm", "ln_f"),
      Spelling.one("head.weight", "lm_head.weight", isOuter: true),
    ].flatMap { $0 }
  ).fixing(["feed_forward": "4 * width"])

  private static let kerasHub: Convention = {
    let path = "layers/bloom_decoder{layer:suffix}"
    return Convention(
      name: "keras_hub", prefix: "layers/bloom_backbone/",
      spellings: [
        KerasHub.reversibleEmbedding,
        Spelling.keras("embedding.norm", "layers/layer_normalization", []),
        Spelling.keras("layers.{layer}.attention_norm", "\(path)/_pre_attention_layernorm", []),
        KerasHub.attention(
          "\(path)/_self_attention_layer", mark: "_",
          output: Spelling.keras(
            "layers.{layer}.attention.output", "\(path)/_self_attention_layer/_output_dense")),
        Spelling.keras("layers.{layer}.feed_forward_norm", "\(path)/_post_attention_layernorm", []),
        Spelling.keras("layers.{layer}.feed_forward.up", "\(path)/_mlp_intermediate_dense"),
        Spelling.keras("layers.{layer}.feed_forward.down", "\(path)/_mlp_output_dense"),
        Spelling.keras("final_norm", "layers/layer_normalization_1", []),
      ].flatMap { $0 },
      layerNames: .kerasHub(
        ["bloom"],
        [
          .plain("layer_normalization", "embedding_layernorm"),
          .decoder(
            "bloom_decoder{layer:suffix}", parts: ["self_attention_layer": "self_attention"]),
          .plain("layer_normalization_1", "final_layernorm"),
        ], copies: [LayerNames.tokens])
    ).fixing(["residual_after_norm": false, "tied_head": true])
  }()
}
