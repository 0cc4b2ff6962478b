import Tensors
import Testing

@testable import Architectures

/// Counts of published models, from the configurations that are published with them.
@Suite struct PublishedCountTests {
  struct Published: Sendable, CustomTestStringConvertible {
    let name: String
    let count: Int
    let configuration: String
    var testDescription: String { name }
  }

  static let decoders: [Published] = [
    Published(
      name: "GPT-2 small", count: 124_439_808,
      configuration: """
        {"model_type": "gpt2", "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 12,
         "n_positions": 1024, "vocab_size": 50257}
        """),
    Published(
      name: "GPT-2 medium", count: 354_823_168,
      configuration: """
        {"model_type": "gpt2", "n_ctx": 1024, "n_embd": 1024, "n_head": 16, "n_layer": 24,
         "n_positions": 1024, "vocab_size": 50257}
        """),
    Published(
      name: "LLaMA 7B", count: 6_738_415_616,
      configuration: """
        {"model_type": "llama", "hidden_size": 4096, "intermediate_size": 11008,
         "num_attention_heads": 32, "num_hidden_layers": 32, "rms_norm_eps": 1e-06,
         "vocab_size": 32000, "tie_word_embeddings": false}
        """),
    Published(
      name: "Llama 3 8B", count: 8_030_261_248,
      configuration: """
        {"model_type": "llama", "attention_bias": false, "hidden_size": 4096,
         "intermediate_size": 14336, "max_position_embeddings": 8192, "num_attention_heads": 32,
         "num_hidden_layers": 32, "num_key_value_heads": 8, "rms_norm_eps": 1e-05,
         "rope_scaling": null, "rope_theta": 500000.0, "vocab_size": 128256}
        """),
    Published(
      name: "Mixtral 8x7B", count: 46_702_792_704,
      configuration: """
        {"model_type": "mixtral", "hidden_size": 4096, "intermediate_size": 14336,
         "num_attention_heads": 32, "num_experts_per_tok": 2, "num_hidden_layers": 32,
         "num_key_value_heads": 8, "num_local_experts": 8, "rope_theta": 1000000.0,
         "sliding_window": null, "vocab_size": 32000}
        """),
    Published(
      name: "Gemma 2B", count: 2_506_172_416,
      configuration: """
        {"model_type": "gemma", "head_dim": 256, "hidden_act": "gelu", "hidden_size": 2048,
         "intermediate_size": 16384, "num_attention_heads": 8, "num_hidden_layers": 18,
         "num_key_value_heads": 1, "vocab_size": 256000}
        """),
    Published(
      name: "Qwen2.5 0.5B", count: 494_032_768,
      configuration: """
        {"model_type": "qwen2", "hidden_size": 896, "intermediate_size": 4864,
         "max_window_layers": 21, "num_attention_heads": 14, "num_hidden_layers": 24,
         "num_key_value_heads": 2, "sliding_window": 32768, "use_sliding_window": false,
         "tie_word_embeddings": true, "vocab_size": 151936}
        """),
    Published(
      name: "Pythia 70m", count: 70_426_624,
      configuration: """
        {"model_type": "gpt_neox", "hidden_size": 512, "intermediate_size": 2048,
         "num_attention_heads": 8, "num_hidden_layers": 6, "rotary_emb_base": 10000,
         "rotary_pct": 0.25, "use_parallel_residual": true, "vocab_size": 50304}
        """),
    Published(
      name: "BLOOM 560m", count: 559_214_592,
      configuration: """
        {"model_type": "bloom", "n_embed": 1024, "n_layer": 24, "num_attention_heads": 16,
         "vocab_size": 250880}
        """),
    Published(
      name: "OPT 125m", count: 125_239_296,
      configuration: """
        {"model_type": "opt", "do_layer_norm_before": true, "ffn_dim": 3072, "hidden_size": 768,
         "max_position_embeddings": 2048, "num_attention_heads": 12, "num_hidden_layers": 12,
         "vocab_size": 50272, "word_embed_proj_dim": 768, "_remove_final_layer_norm": false}
        """),
    Published(
      name: "DeepSeek-V2-Lite", count: 15_706_484_224,
      configuration: """
        {"model_type": "deepseek_v2", "first_k_dense_replace": 1, "hidden_size": 2048,
         "intermediate_size": 10944, "kv_lora_rank": 512, "moe_intermediate_size": 1408,
         "n_routed_experts": 64, "n_shared_experts": 2, "num_attention_heads": 16,
         "num_experts_per_tok": 6, "num_hidden_layers": 27, "q_lora_rank": null,
         "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "vocab_size": 102400,
         "rope_scaling": {"type": "yarn", "factor": 40, "mscale": 0.707,
           "original_max_position_embeddings": 4096}}
        """),
  ]

  @Test(arguments: decoders)
  func `counts a published decoder to the unit`(model: Published) throws {
    let document = try ConfigurationDocument(
      JSONScanner.parse(Array(model.configuration.utf8)), name: "config.json")
    let recognized = try document.recognized(among: Architecture.all)
    #expect(recognized.count == 1)
    let architecture = try #require(recognized.first?.architecture)
    let built = try Model(architecture, document.configuration(for: architecture))
    let count = built.weights.filter { $0.tiedTo == nil }
      .reduce(0) { $0 + $1.shape.elementCount }
    #expect(count == model.count)
  }
}
