import Foundation
import Ingot
import TestSupport
import Tensors
import Testing

/// Mistakes in LLaMA.
extension SuspectTests {
  static func llamaMutants() throws -> [Mutant] {
    let llama = try subject("llama")
    let tied = try subject("llama-tied")
    let layers = "model.layers."
    func heads(_ words: [(String, heads: Int)]) -> Change {
      pairs(
        (0..<2).flatMap { layer in
          words.map { ("\(layers)\(layer).self_attn.\($0)_proj.weight", heads: $1) }
        })
    }
    return [
      Mutant(
        mistake: "heads in rotary pairs", model: llama, state: "trace/layers.0.attention",
        component: .attention,
        cause: "layers.*.attention: rows of the heads lie in rotary pairs, not halves, in 2 layers",
        repair: .none, change: heads([("q", heads: 4), ("k", heads: 2)])),
      Mutant(
        mistake: "keys in rotary pairs", model: llama, state: "trace/layers.0.attention",
        component: .attention,
        cause:
          "layers.*.attention.key: rows of the heads lie in rotary pairs, not halves, in 2 layers",
        repair: .none, change: heads([("k", heads: 2)])),
      Mutant(
        mistake: "keys in pairs by the queries' heads", model: try wideLlama(),
        state: "trace/layers.0.attention.key", component: .attention,
        cause:
          "layers.*.attention.key: rows of the heads lie in rotary pairs, not halves, by the 4 heads of queries, not the 2 of keys, in 2 layers",
        repair: .none, change: heads([("k", heads: 4)])),
      Mutant(
        mistake: "all in pairs by the queries' heads", model: try wideLlama(),
        state: "output/logits", component: nil,
        cause:
          "layers.*.attention: rows of the heads lie in rotary pairs, not halves; those of keys lie in rotary pairs, not halves, by the 4 heads of queries, not the 2 of keys, in 2 layers",
        repair: .none, kept: "output/logits", change: heads([("q", heads: 4), ("k", heads: 4)])),
      Mutant(
        mistake: "k and v exchanged", model: llama, state: "trace/layers.1.attention",
        component: .attention, cause: "layers.1.attention: key and value are exchanged",
        repair: .rules, change: exchange("1.self_attn.k_proj", "1.self_attn.v_proj")),
      Mutant(
        mistake: "gate and up exchanged", model: llama, state: "trace/layers.0.feed_forward",
        component: .feedForward,
        cause: "layers.*.feed_forward: gate and up are exchanged, in 2 layers", repair: .rules,
        change: exchange("gate_proj", "up_proj")),
      Mutant(
        mistake: "output transposed", model: llama, state: "trace/layers.1.attention",
        component: .attention, cause: "layers.1.attention.output: the matrix is transposed",
        repair: .rules, change: transpose(layers + "1.self_attn.o_proj.weight")),
      Mutant(
        mistake: "ε of another library", model: llama, state: "trace/layers.0.attention_norm",
        component: .norms, cause: "another ε of the norms: norm_epsilon is 1e-05, 1e-06 agrees",
        repair: .setting, settings: [("norm_epsilon", "1e-5")]),
      Mutant(
        mistake: "another rotary base", model: llama, state: "trace/layers.0.attention",
        component: .attention,
        cause: "another base of the rotary angles: rotary_base is 500000.0, 10000.0 agrees",
        repair: .setting, settings: [("rotary_base", "500000")]),
      Mutant(
        mistake: "a head of its own taken for a tied one", model: llama, state: "output/logits",
        component: .head,
        cause: "whether the head is the table of tokens: tied_head is true, false agrees",
        repair: .setting, settings: [("tied_head", "true")]),
      Mutant(
        mistake: "a tied head untied", model: tied, state: "output/logits", component: .head,
        cause: "whether the head is the table of tokens: tied_head is false, true agrees",
        repair: .setting, settings: [("tied_head", "false")]
      ) { tensors in
        tensors["lm_head.weight"] = try #require(tensors["model.embed_tokens.weight"])
          .mapped { 0.5 - $0 }
      },
      Mutant(
        mistake: "a square head transposed", model: try squareHead(), state: "trace/head",
        component: .head, cause: "head: the matrix is transposed", repair: .rules,
        change: transpose("lm_head.weight")),
      Mutant(
        mistake: "layers sorted as text", model: try twelveLayers(),
        state: "trace/layers.2.attention_norm", component: .norms,
        cause:
          "layers: layers lie in the order of their numbers as text (0, 1, 10, 11 …), in 10 layers",
        repair: .rules
      ) { tensors in
        let good = tensors
        let order = (0..<12).sorted { "\($0)" < "\($1)" }
        for name in good.keys {
          for (index, layer) in order.enumerated() where name.contains(".h.\(index).") {
            tensors[name] = good[name.replacing(".h.\(index).", with: ".h.\(layer).")]
          }
        }
      },
      Mutant(
        mistake: "1 added to norms", model: llama, state: "trace/layers.0.attention_norm",
        component: .norms, cause: "1 was added to the norm's scale, in 2 layers", repair: .none,
        change: { tensors in
          try map(tensors.keys.filter { $0.contains("norm") }) { $0 + 1 }(&tensors)
        }),
      Mutant(
        mistake: "1 missing from norms", model: try subject("gemma"),
        state: "trace/layers.0.attention_norm", component: .norms,
        cause: "1 was added to the norm's scale, in 2 layers", repair: .none,
        change: { tensors in
          // As llama.cpp stores them.
          try map(tensors.keys.filter { $0.contains("norm") }) { $0 + 1 }(&tensors)
        }),
      Mutant(
        mistake: "1 taken from one norm", model: try subject("gemma"),
        state: "trace/layers.1.feed_forward_norm", component: .norms,
        cause: "layers.1.feed_forward_norm: 1 is missing from the norm's scale", repair: .none,
        change: map(["model.layers.1.post_attention_layernorm.weight"]) { $0 - 1 }),
    ]
  }
}
