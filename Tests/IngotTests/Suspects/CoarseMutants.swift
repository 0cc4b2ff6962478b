import Foundation
import Ingot
import TestSupport
import Tensors
import Testing

/// Mistakes behind goldens that have no finer states, or outputs alone.
extension SuspectTests {
  static func coarseMutants() throws -> [Mutant] {
    let gpt2 = try subject("gpt2")
    let llama = try subject("llama")
    return [
      Mutant(
        mistake: "a matrix transposed, outputs alone", model: gpt2, state: "output/logits",
        component: nil, cause: "layers.1.attention.output: the matrix is transposed",
        repair: .rules, kept: "output/", change: transpose("transformer.h.1.attn.c_proj.weight")),
      Mutant(
        mistake: "q and k exchanged everywhere, outputs alone", model: gpt2,
        state: "output/logits", component: nil,
        cause: "layers.*.attention: query and key are exchanged, in 3 layers", repair: .rules,
        kept: "output/",
        change: all(
          reorder((0..<3).map { "transformer.h.\($0).attn.c_attn.weight" }, axis: 1, [1, 0, 2]),
          reorder((0..<3).map { "transformer.h.\($0).attn.c_attn.bias" }, [1, 0, 2]))),
      Mutant(
        mistake: "exact GELU, hidden states alone", model: gpt2, state: "hidden/1",
        component: nil,
        cause: "another activation function: activation is gelu, gelu_tanh agrees",
        repair: .setting, settings: [("activation", "gelu")], kept: "hidden/"),
      Mutant(
        mistake: "heads in rotary pairs, hidden states alone", model: llama, state: "hidden/1",
        component: nil,
        cause: "layers.*.attention: rows of the heads lie in rotary pairs, not halves, in 2 layers",
        repair: .none, kept: "hidden/",
        change: pairs(
          (0..<2).flatMap { layer in
            [("q", 4), ("k", 2)].map {
              ("model.layers.\(layer).self_attn.\($0)_proj.weight", heads: $1)
            }
          })),
    ]
  }
}
