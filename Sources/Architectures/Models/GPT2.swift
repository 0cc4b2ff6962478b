internal import Tensors

extension Architecture {
  /// GPT-2: "Language Models are Unsupervised Multitask Learners" (2019).
  static let gpt2 = Architecture(
    name: "gpt2",
    summary: "GPT-2: decoder, learned positions, pre-norm, GELU (tanh), tied head",
    parameters: [
      .count("vocabulary"), .count("positions"), .count("width"), .count("layers"),
      .count("heads"), .count("feed_forward", default: "4 * width"),
      .activation(default: .geluTanh),
      .real("norm_epsilon", default: 1e-5), .flag("bias", default: true),
      .flag("scaled_scores", default: true), .flag("scores_by_layer", default: false),
      .flag("cross_attention", default: false), .flag("reads_encoder", default: "cross_attention"),
      .word("head", ["language", "none"], default: "language"), .flag("tied_head", default: true),
    ],
    inputs: [
      .tokens, .mask,
      .init(name: "position_ids", kind: .ids, size: "positions", isOptional: true),
      .encoderStates, .encoderMask,
    ],
    steps: [
      .block(
        "embedding", .embedding, output: "x",
        [
          .embedding("tokens", of: "input_ids", rows: "vocabulary", width: "width", into: "x"),
          .operation(
            .positions(
              .init(
                name: "positions", input: "x", rows: "positions", width: "width", output: "p"))),
          .add("x", "p", into: "x"),
        ]),
      .layers([
        .state("x", series: "hidden"),
        .norm("attention_norm", .layer, "x", bias: "bias", into: "h"),
        AttentionPart(bias: "bias", isCausal: true, scale: scoreScale).step,
        .add("x", "h", into: "x"),
        .when("cross_attention && reads_encoder", crossAttentionSteps),
        .norm("feed_forward_norm", .layer, "x", bias: "bias", into: "h"),
        .feedForward(bias: "bias"),
        .add("x", "h", into: "x"),
      ]),
      .norm("final_norm", .layer, "x", bias: "bias", into: "x"),
      .state("x", series: "hidden"),
      .result("x", name: "last_hidden_state"),
      .when("head == 'language'", Step.languageHead()),
    ],
    conventions: [huggingFace, nanoGPT, kerasHub, gguf],
    dialects: [
      Dialect(
        name: "huggingface", recognition: .init(key: "model_type", values: ["gpt2"]),
        keys: [
          .key("vocabulary", "vocab_size", absent: .integer(50257)),
          .key("positions", "n_positions", "max_position_embeddings", absent: .integer(1024)),
          .key("width", "n_embd", "hidden_size", absent: .integer(768)),
          .key("layers", "n_layer", "num_hidden_layers", absent: .integer(12)),
          .key("heads", "n_head", "num_attention_heads", absent: .integer(12)),
          .key("feed_forward", "n_inner"),
          .key("cross_attention", "add_cross_attention", absent: .flag(false)),
          .key("scaled_scores", "scale_attn_weights", absent: .flag(true)),
          .key("scores_by_layer", "scale_attn_by_inverse_layer_idx", absent: .flag(false)),
          .activation("activation_function", absent: .geluTanh),
          .key("norm_epsilon", "layer_norm_epsilon", absent: .real(1e-5)),
          .key("tied_head", "tie_word_embeddings", absent: .flag(true)),
          .key(
            "head", "architectures.0",
            meaning: ["GPT2LMHeadModel": .word("language"), "GPT2Model": .word("none")]),
        ]
      ).closed(
        // The order of the same products, and what one class of two heads makes of a sequence.
        Dialect.UnreadKey.harmless(
          "reorder_and_upcast_attn", "n_ctx", "summary_type", "summary_use_proj",
          "summary_activation", "summary_proj_to_labels", "summary_first_dropout",
          "summary_last_dropout")),
      Dialect(
        name: "keras_hub",
        recognition: .init(
          key: "class_name", values: ["GPT2Backbone", "GPT2CausalLM"]),
        keys: [
          .backbone("vocabulary", "vocabulary_size"),
          .backbone("positions", "max_sequence_length", absent: .integer(1024)),
          .backbone("width", "hidden_dim"), .backbone("layers", "num_layers"),
          .backbone("heads", "num_heads"), .backbone("feed_forward", "intermediate_dim"),
        ]),
      Dialect(
        name: "gguf", recognition: .init(key: "general.architecture", values: ["gpt2"]),
        keys: [
          .key("positions", "gpt2.context_length"), .key("width", "gpt2.embedding_length"),
          .key("layers", "gpt2.block_count"), .key("heads", "gpt2.attention.head_count"),
          .key("feed_forward", "gpt2.feed_forward_length"),
          .key("norm_epsilon", "gpt2.attention.layer_norm_epsilon"),
        ]),
    ],
    requirements: [.headsDivideWidth])

  /// Megatron's ways to keep scores small in half precision.
  private static let scoreScale: Expression =
    "(scaled_scores ? 1 / sqrt(width / heads) : 1.0) / (scores_by_layer ? layer + 1 : 1)"

  private static let fused = ["query", "key", "value"].map { "layers.{layer}.attention.\($0)" }

  /// What an encoder made, read between attention and feed-forward.
  private static let crossAttentionSteps: [Step] = [
    .norm("cross_attention_norm", .layer, "x", bias: "bias", into: "h"),
    AttentionPart(
      name: "cross_attention", component: .crossAttention, memory: "encoder_hidden_states",
      bias: "bias", mask: "encoder_attention_mask", scale: scoreScale
    ).step,
    .add("x", "h", into: "x"),
  ]

  private static let crossAttention: [Spelling] = {
    let (role, name) = ("layers.{layer}.cross_attention", "h.{layer}.crossattention")
    return Spelling.both("\(role)_norm", "h.{layer}.ln_cross_attn")
      + Spelling.both("\(role).query", "\(name).q_attn", [.transpose])
      + Spelling.both(["\(role).key", "\(role).value"], "\(name).c_attn", [.transpose])
      + Spelling.both("\(role).output", "\(name).c_proj", [.transpose])
  }()

  /// transformers keeps OpenAI's `Conv1D`: matrices lie as [inputs, outputs].
  private static let huggingFace = Convention(
    name: "huggingface", prefix: "transformer.", prefixCondition: "head == 'language'",
    spellings: [
      Spelling.one("embedding.tokens.weight", "wte.weight"),
      Spelling.one("embedding.positions.weight", "wpe.weight"),
      Spelling.both("layers.{layer}.attention_norm", "h.{layer}.ln_1"),
      Spelling.both(fused, "h.{layer}.attn.c_attn", [.transpose]),
      Spelling.both("layers.{layer}.attention.output", "h.{layer}.attn.c_proj", [.transpose]),
      crossAttention,
      Spelling.both("layers.{layer}.feed_forward_norm", "h.{layer}.ln_2"),
      Spelling.both("layers.{layer}.feed_forward.up", "h.{layer}.mlp.c_fc", [.transpose]),
      Spelling.both("layers.{layer}.feed_forward.down", "h.{layer}.mlp.c_proj", [.transpose]),
      Spelling.both("final_norm", "ln_f"),
      Spelling.one("head.weight", "lm_head.weight", isOuter: true),
    ].flatMap { $0 },
    buffers: ["h.{layer}.attn.bias", "h.{layer}.attn.masked_bias"].map { NameTemplate($0) }
  ).fixing(["bias": true])

  /// What every model has but for some of transformers'.
  private static let plain: KeyValuePairs<String, Expression> = [
    "scaled_scores": true, "scores_by_layer": false, "cross_attention": false,
  ]

  /// nanoGPT's own training code has ordinary linear layers: [outputs, inputs].
  private static let nanoGPT = Convention(
    name: "nanogpt", prefix: "transformer.", prefixCondition: true, repeatsTied: true,
    spellings: huggingFace.spellings.filter { !$0.roles[0].contains("cross_attention") }.map {
      spelling in
      var spelling = spelling
      spelling.layout = []
      return spelling
    }, buffers: huggingFace.buffers
  ).fixing(plain)

  /// llama.cpp transposes OpenAI's matrices to [outputs, inputs]; the head is written out.
  private static let gguf = Convention(
    name: "gguf",
    spellings: [
      Spelling.one("embedding.tokens.weight", "token_embd.weight"),
      Spelling.one("embedding.positions.weight", "position_embd.weight"),
      Spelling.both("layers.{layer}.attention_norm", "blk.{layer}.attn_norm"),
      Spelling.both(fused, "blk.{layer}.attn_qkv"),
      Spelling.both("layers.{layer}.attention.output", "blk.{layer}.attn_output"),
      Spelling.both("layers.{layer}.feed_forward_norm", "blk.{layer}.ffn_norm"),
      Spelling.both("layers.{layer}.feed_forward.up", "blk.{layer}.ffn_up"),
      Spelling.both("layers.{layer}.feed_forward.down", "blk.{layer}.ffn_down"),
      Spelling.both("final_norm", "output_norm"),
      Spelling.one("head.weight", "output.weight"),
    ].flatMap { $0 }
  ).fixing(["bias": true]).fixing(plain)

  /// Keras Hub's backbone: attention kernels with the heads as an axis of their own.
  private static let kerasHub = Convention(
    name: "keras_hub", prefix: "layers/gpt2_backbone/",
    spellings: Spelling.one("embedding.tokens.weight", "layers/reversible_embedding/vars/0")
      + Spelling.one("embedding.positions.weight", "layers/position_embedding/vars/0")
      + Spelling.kerasHubLayer("layers.{layer}", "layers/transformer_decoder{layer:suffix}")
      + Spelling.keras("final_norm", "layers/layer_normalization", []),
    layerNames: .kerasHub(
      ["gpt2"],
      [
        .plain("position_embedding", "position_embedding"), .decoder(),
        .plain("layer_normalization", "layer_norm"),
      ], copies: [LayerNames.tokens])
  ).fixing(["bias": true, "tied_head": true]).fixing(plain)
}
