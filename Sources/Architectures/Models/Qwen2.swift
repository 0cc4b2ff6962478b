internal import Tensors

extension Architecture {
  /// Qwen2 and Qwen2.5: LLaMA with biases of query, key and value, arXiv 2407.10671.
  static let qwen2 = llamaKin(
    "qwen2", summary: "Qwen2: LLaMA with biases of query, key and value",
    parameters: [
      .flag("windowed", default: false), .count("window", default: 0, minimum: 0),
      .count("window_from", default: 0, minimum: 0),
    ] + Parameter.layerWindows, bias: true, outputBias: false,
    window: LlamaKin.window("windowed ? window : 0", when: "layer >= window_from"),
    mixer: .block("feed_forward", .feedForward, output: "h", Step.gated()),
    conventions: [
      LlamaKin.huggingFace,
      LlamaKin.kerasHub(
        "qwen", norm: "qwen_layer_norm"
      ).fixing(["head_size": "width / heads"]),
      // llama.cpp turns this one's heads in halves, so that rows stay where they are.
      LlamaKin.gguf(rotaryPairs: false),
    ],
    dialects: [
      LlamaKin.huggingFace(
        "qwen2", class: "Qwen2", positions: 32768, vocabulary: 151936,
        [
          .key("feed_forward", "intermediate_size", absent: .integer(22016)),
          .key("key_heads", "num_key_value_heads", absent: .integer(32)),
          .key("head_size", "head_dim"),
          .key("windowed", "use_sliding_window", absent: .flag(false)),
          .key(
            "window", "sliding_window", meaning: ["null": .integer(0)], absent: .integer(4096)),
          .key("window_from", "max_window_layers", absent: .integer(28)),
          .listedLayers, .layerWindows,
        ]),
      LlamaKin.kerasHub(
        ["QwenBackbone", "QwenCausalLM"],
        [
          .backbone("tied_head", "tie_word_embeddings", absent: .flag(true)),
          .backbone("windowed", "use_sliding_window_attention", absent: .flag(false)),
          .backbone(
            "window", "sliding_window_size", meaning: ["null": .integer(0)],
            absent: .integer(32768)),
        ]),
      LlamaKin.gguf("qwen2"),
    ], requirements: [.listsEveryLayer])
}
