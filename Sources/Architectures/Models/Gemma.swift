internal import Tensors

extension Architecture {
  /// Gemma: LLaMA with heads wider than the width has room for, scaled embeddings and norms whose
  /// scale is one more than what is stored, arXiv 2403.08295.
  ///
  /// llama.cpp stores the norms' scales with the one added: other numbers, not another layout, so that
  /// there is no convention `gguf` here.
  static let gemma = llamaKin(
    "gemma",
    summary: "Gemma: LLaMA with free head size, scaled embeddings, norm offset, gated GELU",
    parameters: [.flag("attention_bias", default: false)], activation: .geluTanh, tiedHead: true,
    embeddingScale: "sqrt(width)", normOffset: 1, bias: "attention_bias",
    outputBias: "attention_bias",
    mixer: .block("feed_forward", .feedForward, output: "h", Step.gated()),
    conventions: [
      LlamaKin.huggingFace,
      Gemma.kerasHub(norms: ["attention_norm": "pre_attention", "feed_forward_norm": "pre_ffw"]),
    ],
    dialects: [
      LlamaKin.huggingFace(
        "gemma", class: "Gemma", positions: 8192, width: 3072, layers: 28, heads: 16,
        vocabulary: 256000, isTied: true,
        Gemma.keys(feedForward: 24576, heads: 16) + [
          // Early files say "gelu" and mean its approximation; transformers reads them so too.
          .key(
            "activation", "hidden_activation", "hidden_act",
            meaning: Activation.words.merging(["gelu": .word("gelu_tanh")]) { $1 },
            absent: .word("gelu_tanh"))
        ], unread: Dialect.UnreadKey.harmless("use_bidirectional_attention")),
      Gemma.kerasHub("GemmaBackbone", absent: ["config.use_post_ffw_norm"]),
      Gemma.kerasHub("GemmaCausalLM", absent: ["config.backbone.config.use_post_ffw_norm"]),
    ])
}

/// What Gemma and Gemma 2 share.
enum Gemma {
  static func keys(feedForward: Int, heads: Int) -> [Dialect.Key] {
    [
      .key("feed_forward", "intermediate_size", absent: .integer(feedForward)),
      .key("key_heads", "num_key_value_heads", absent: .integer(heads)),
      .key("head_size", "head_dim", absent: .integer(256)),
      .key("attention_bias", "attention_bias", absent: .flag(false)),
    ]
  }

  /// Keras Hub has the heads before the width; one class for both, `norms` by their roles in a layer.
  static func kerasHub(norms: [String: String]) -> Convention {
    let path = "layers/gemma_decoder_block{layer:suffix}"
    func projection(_ word: String, _ heads: Expression) -> Spelling {
      Spelling(
        ["layers.{layer}.attention.\(word).weight"], "\(path)/attention/\(word)_dense/vars/0",
        [.reshape([heads, "head_size", "width"]), .permute([0, 2, 1])])
    }
    return Convention(
      name: "keras_hub", prefix: "layers/gemma_backbone/",
      spellings: [
        KerasHub.reversibleEmbedding,
        norms.sorted { $0.key < $1.key }.map { role, name in
          Spelling(["layers.{layer}.\(role).weight"], "\(path)/\(name)_norm/vars/0")
        },
        [projection("query", "heads"), projection("key", "key_heads")],
        [projection("value", "key_heads")],
        [
          Spelling(
            ["layers.{layer}.attention.output.weight"], "\(path)/attention/output_dense/vars/0",
            [.transpose, .reshape(["heads", "head_size", "width"])])
        ],
        [("gate", "gating_ffw"), ("up", "gating_ffw_2"), ("down", "ffw_linear")].map {
          Spelling(
            ["layers.{layer}.feed_forward.\($0).weight"], "\(path)/\($1)/vars/0", [.transpose])
        },
        Spelling.one("final_norm.weight", "layers/rms_normalization/vars/0"),
      ].flatMap { $0 },
      layerNames: .kerasHub(
        ["gemma"],
        [
          .decoder(
            "gemma_decoder_block{layer:suffix}", "decoder_block_{layer}",
            parts: LayerNames.decoder.merging(
              ["gating_ffw": "ffw_gating", "gating_ffw_2": "ffw_gating_2"]) { $1 }),
          .plain("rms_normalization", "final_normalization"),
        ], scale: "scale", copies: [LayerNames.tokens])
    ).fixing(["attention_bias": false, "tied_head": true])
  }

  /// Keras Hub counts the gate and the other half of the feed-forward together.
  static func kerasHub(
    _ class: ExactString, present: [ExactString] = [], absent: [ExactString] = [],
    _ more: [Dialect.Key] = []
  ) -> Dialect {
    var dialect = LlamaKin.kerasHub(
      [`class`],
      [
        .backbone("head_size", "head_dim"),
        .backbone("feed_forward", "intermediate_dim", formula: "value / 2"),
      ] + more)
    dialect.recognition.present = present
    dialect.recognition.absent = absent
    return dialect
  }
}
