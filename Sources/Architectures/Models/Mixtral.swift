internal import Tensors

extension Architecture {
  /// Mixtral 8x7B: Mistral with eight feed-forwards in every layer, two of them for a token,
  /// arXiv 2401.04088.
  static let mixtral = llamaKin(
    "mixtral", summary: "Mixtral: Mistral with a mixture of experts in every layer",
    parameters: [
      .count("experts"), .count("active_experts", default: 2),
      .count("window", default: 0, minimum: 0),
    ], epsilon: 1e-5, window: "window",
    mixer: .operation(
      .experts(
        .init(
          name: "experts", input: "h", width: "width", count: "experts", active: "active_experts",
          steps: Step.gated(output: "e"), result: "e", output: "h"))),
    conventions: [
      LlamaKin.huggingFace(
        Spelling.one(router, "layers.{layer}.block_sparse_moe.gate.weight")
          + [("gate", "w1"), ("up", "w3"), ("down", "w2")].map { role, name in
            Spelling(
              ["\(expert).\(role).weight"],
              "layers.{layer}.block_sparse_moe.experts.{expert}.\(name).weight")
          }),
      LlamaKin.kerasHub(
        "mixtral", norm: "mixtral_layer_normalization", mark: "",
        mixer: { path in
          let block = "\(path)/_sparse_moe_block"
          let names = [("gate", 0), ("up", 1), ("down", 2)]
          return [
            Spelling([router], "\(block)/_sparse_feedforward_gate_dense/vars/0", [.transpose])
          ]
            + names.map { role, number in
              Spelling(
                ["\(expert).\(role).weight"], "\(block)/expert_bank/vars/\(number)", [.transpose])
            }
        }
      ).fixing(["head_size": "width / heads", "tied_head": false]),
      LlamaKin.gguf(
        rotaryPairs: true,
        mixer: Spelling.one(router, "blk.{layer}.ffn_gate_inp.weight")
          + ["gate", "up", "down"].map { word in
            Spelling(["\(expert).\(word).weight"], "blk.{layer}.ffn_\(word)_exps.weight")
          }),
    ],
    dialects: [
      LlamaKin.huggingFace(
        "mixtral", class: "Mixtral", positions: 131072, base: 1e6, epsilon: 1e-5,
        [
          .key("feed_forward", "intermediate_size", absent: .integer(14336)),
          .key("key_heads", "num_key_value_heads", absent: .integer(8)),
          .key("head_size", "head_dim"),
          .key("experts", "num_local_experts", "num_experts", absent: .integer(8)),
          .key("active_experts", "num_experts_per_tok", absent: .integer(2)),
          .key("window", "sliding_window", meaning: ["null": .integer(0)], absent: .integer(0)),
        ],
        unread: [
          .only(
            "layer_types", ["sliding_attention", "null"],
            computed: "every layer has the window of sliding_window")
        ]),
      LlamaKin.kerasHub(
        ["MixtralBackbone", "MixtralCausalLM"],
        [
          .backbone("experts", "num_experts"),
          .backbone("active_experts", "top_k", absent: .integer(2)),
          .backbone(
            "window", "sliding_window", meaning: ["null": .integer(0)], absent: .integer(512)),
        ]),
      LlamaKin.gguf(
        "llama", present: ["llama.expert_count"],
        [
          .key("experts", "llama.expert_count"),
          .key("active_experts", "llama.expert_used_count"),
          .key("window", "llama.attention.sliding_window"),
        ]),
    ])

  private static let router = "layers.{layer}.experts.router.weight"
  private static let expert = "layers.{layer}.experts.{expert}"
}
