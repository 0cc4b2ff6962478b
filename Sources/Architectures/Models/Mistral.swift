internal import Tensors

extension Architecture {
  /// Mistral 7B: LLaMA with a sliding window, arXiv 2310.06825.
  static let mistral = llamaKin(
    "mistral", summary: "Mistral: LLaMA with grouped key heads and a sliding window",
    parameters: [.count("window", default: 0, minimum: 0)], window: "window",
    mixer: .block("feed_forward", .feedForward, output: "h", Step.gated()),
    conventions: [
      LlamaKin.huggingFace,
      LlamaKin.kerasHub(
        "mistral", norm: "mistral_layer_normalization"
      ).fixing(["tied_head": false]),
      LlamaKin.gguf(rotaryPairs: true), LlamaKin.meta,
    ],
    dialects: [
      LlamaKin.huggingFace(
        "mistral", class: "Mistral", positions: 131072,
        [
          .key("feed_forward", "intermediate_size", absent: .integer(14336)),
          .key("key_heads", "num_key_value_heads", absent: .integer(8)),
          .key("head_size", "head_dim"),
          .key(
            "window", "sliding_window", meaning: ["null": .integer(0)], absent: .integer(4096)),
        ],
        unread: [
          .only(
            "layer_types", ["sliding_attention", "null"],
            computed: "every layer has the window of sliding_window")
        ]),
      LlamaKin.kerasHub(
        ["MistralBackbone", "MistralCausalLM"],
        [
          .backbone("head_size", "head_dim"),
          .backbone(
            "window", "sliding_window", meaning: ["null": .integer(0)], absent: .integer(512)),
        ]),
      // llama.cpp has one word for both; a window makes the difference.
      LlamaKin.gguf(
        "llama", present: ["llama.attention.sliding_window"], absent: ["llama.expert_count"],
        [.key("window", "llama.attention.sliding_window")]),
    ])
}
