import Foundation
import Ingot
import TestSupport
import Tensors
import Testing

/// Mistakes in GPT-2.
extension SuspectTests {
  static func gpt2Mutants() throws -> [Mutant] {
    let gpt2 = try subject("gpt2")
    let nanoGPT = try subject("gpt2-nanogpt")
    let h = "transformer.h."
    return [
      Mutant(
        mistake: "a matrix transposed", model: gpt2, state: "trace/layers.1.attention",
        component: .attention, cause: "layers.1.attention.output: the matrix is transposed",
        repair: .rules, change: transpose(h + "1.attn.c_proj.weight")),
      Mutant(
        mistake: "all such matrices transposed", model: gpt2, state: "trace/layers.0.attention",
        component: .attention,
        cause: "layers.*.attention.output: the matrix is transposed, in 3 layers", repair: .rules,
        change: transpose(
          h + "0.attn.c_proj.weight", h + "1.attn.c_proj.weight", h + "2.attn.c_proj.weight")),
      Mutant(
        mistake: "a matrix reshaped, not transposed", model: gpt2,
        state: "trace/layers.2.feed_forward", component: .feedForward,
        cause: "layers.2.feed_forward.up: the matrix was given its shape without being transposed",
        repair: .none
      ) { tensors in
        let name = h + "2.mlp.c_fc.weight"
        let tensor = try #require(tensors[name])
        tensors[name] = try tensor.transposed([1, 0]).reshaped(to: tensor.shape)
      },
      Mutant(
        mistake: "q and k exchanged, fused", model: gpt2, state: "trace/layers.0.attention",
        component: .attention, cause: "layers.0.attention: query and key are exchanged",
        repair: .rules,
        change: all(
          reorder([h + "0.attn.c_attn.weight"], axis: 1, [1, 0, 2]),
          reorder([h + "0.attn.c_attn.bias"], [1, 0, 2]))),
      Mutant(
        mistake: "k, v, q in all layers, fused", model: gpt2, state: "trace/layers.0.attention",
        component: .attention,
        cause:
          "layers.*.attention: query, key and value lie in the order key, value, query, in 3 layers",
        repair: .rules,
        change: all(
          reorder((0..<3).map { "\(h)\($0).attn.c_attn.weight" }, axis: 1, [1, 2, 0]),
          reorder((0..<3).map { "\(h)\($0).attn.c_attn.bias" }, [1, 2, 0]))),
      Mutant(
        mistake: "v, k, q, the matrix alone", model: gpt2, state: "trace/layers.2.attention",
        component: .attention,
        cause: "layers.2.attention: query and value are exchanged, of the matrices alone",
        repair: .rules, change: reorder([h + "2.attn.c_attn.weight"], axis: 1, [2, 1, 0])),
      Mutant(
        mistake: "gamma and beta exchanged", model: gpt2,
        state: "trace/layers.2.feed_forward_norm", component: .norms,
        cause: "layers.2.feed_forward_norm: gamma and beta are exchanged", repair: .rules,
        change: exchange("2.ln_2.weight", "2.ln_2.bias")),
      Mutant(
        mistake: "gamma and beta exchanged, final norm", model: gpt2, state: "hidden/3",
        component: .norms, cause: "final_norm: gamma and beta are exchanged", repair: .rules,
        change: exchange("ln_f.weight", "ln_f.bias")),
      Mutant(
        mistake: "gamma and beta exchanged everywhere", model: gpt2,
        state: "trace/layers.0.attention_norm", component: .norms,
        cause: "gamma and beta are exchanged, in 3 layers", repair: .rules,
        change: all(
          exchange("ln_1.weight", "ln_1.bias"), exchange("ln_2.weight", "ln_2.bias"),
          exchange("ln_f.weight", "ln_f.bias"))),
      Mutant(
        mistake: "ε of another library", model: gpt2, state: "trace/layers.0.attention_norm",
        component: .norms,
        cause: "another ε of the norms: norm_epsilon is 1e-12, 1e-05 agrees", repair: .setting,
        settings: [("norm_epsilon", "1e-12")]),
      Mutant(
        mistake: "exact GELU", model: gpt2, state: "trace/layers.0.feed_forward",
        component: .feedForward,
        cause: "another activation function: activation is gelu, gelu_tanh agrees",
        repair: .setting, settings: [("activation", "gelu")]),
      Mutant(
        mistake: "positions one row late", model: gpt2, state: "hidden/0", component: .embedding,
        cause: "embedding.positions: positions are shifted: each stands 1 row too late",
        repair: .rules, change: reorder(["transformer.wpe.weight"], [1, 0], sizes: [22, 1])),
      Mutant(
        mistake: "two layers exchanged", model: gpt2, state: "trace/layers.1.attention_norm",
        component: .norms, cause: "layers: layers 1 and 2 are exchanged, in 2 layers",
        repair: .rules, change: exchange(".h.1.", ".h.2.")),
      Mutant(
        mistake: "byte order of the table", model: gpt2, state: "hidden/0", component: .embedding,
        cause: "embedding.tokens: the bytes of its values are in the other order", repair: .none
      ) { tensors in
        let name = "transformer.wte.weight"
        tensors[name] = try byteSwapped(try #require(tensors[name]))
      },
      Mutant(
        mistake: "byte order of the file", model: gpt2, state: "hidden/0", component: .embedding,
        cause: "the bytes of its values are in the other order, in 3 layers", repair: .none
      ) { tensors in tensors = try tensors.mapValues(byteSwapped) },
      Mutant(
        mistake: "a cast that overflowed", model: gpt2, state: "trace/layers.1.feed_forward",
        component: .feedForward, cause: "layers.1.feed_forward.up.weight: a cast overflowed",
        repair: .none
      ) { tensors in
        let name = h + "1.mlp.c_fc.weight"
        tensors[name] = try #require(tensors[name]).mapped { $0 * 1e5 }
          .cast(to: .float16).cast(to: .float32).mapped { $0 / 1e5 }
      },
      Mutant(
        mistake: "a cast that saturated", model: gpt2, state: "trace/layers.1.feed_forward",
        component: .feedForward, cause: "layers.1.feed_forward.up.weight: a cast overflowed",
        repair: .none
      ) { tensors in
        let name = h + "1.mlp.c_fc.weight"
        var isFirst = true
        tensors[name] = try #require(tensors[name]).mapped { value in
          defer { isFirst = false }
          return isFirst ? 448 : value
        }
      },
      Mutant(
        mistake: "q, k and v transposed each", model: nanoGPT, state: "trace/layers.1.attention",
        component: .attention, cause: "layers.1.attention: the matrices are transposed",
        repair: .none
      ) { tensors in
        let name = h + "1.attn.c_attn.weight"
        let tensor = try #require(tensors[name])
        tensors[name] = try Tensor.concatenated(
          (0..<3).map {
            try tensor.sliced(axis: 0, range: $0 * 20..<($0 + 1) * 20).transposed([1, 0])
          }, axis: 0)
      },
      Mutant(
        mistake: "tanh GELU", model: nanoGPT, state: "trace/layers.0.feed_forward",
        component: .feedForward,
        cause: "another activation function: activation is gelu_tanh, gelu agrees",
        repair: .setting, settings: [("activation", "gelu_tanh")]),
      Mutant(
        mistake: "another number of heads", model: nanoGPT, state: "trace/layers.0.attention",
        component: .attention, cause: "another number of heads: heads is 4, 5 agrees",
        repair: .setting, settings: [("heads", "4")]),
    ]
  }
}
