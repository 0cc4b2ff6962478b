import Foundation
import Ingot
import TestSupport
import Tensors
import Testing

/// Mistakes that one model alone can have.
extension SuspectTests {
  static func otherMutants() throws -> [Mutant] {
    let mixtral = try subject("mixtral")
    let opt = try subject("opt")
    let gpt2 = try subject("gpt2")
    return [
      Mutant(
        mistake: "experts in another order", model: mixtral,
        state: "trace/layers.1.feed_forward", component: .experts,
        cause:
          "layers.1.experts: router and experts are in different orders: the experts belong to its rows 1, 2, 0",
        repair: .rules,
        change: reorder(["model.layers.1.block_sparse_moe.gate.weight"], [2, 0, 1])),
      Mutant(
        mistake: "experts exchanged in all layers", model: mixtral,
        state: "trace/layers.0.feed_forward", component: .experts,
        cause:
          "layers.*.experts: router and experts are in different orders: the experts belong to its rows 1, 0, 2, in 2 layers",
        repair: .rules, change: exchange("experts.0.", "experts.1.")),
      Mutant(
        mistake: "gate and up of experts exchanged", model: mixtral,
        state: "trace/layers.0.feed_forward", component: .experts,
        cause: "layers.*.experts.*: gate and up are exchanged, in 2 layers", repair: .rules,
        change: exchange(".w1.", ".w3.")),
      Mutant(
        mistake: "a convolution's inputs and outputs exchanged", model: try subject("whisper"),
        state: "encoder_hidden/0", component: .embedding,
        cause:
          "encoder.embedding.second_convolution: inputs and outputs of the convolution are exchanged",
        repair: .none
      ) { tensors in
        let name = "model.encoder.conv2.weight"
        tensors[name] = try #require(tensors[name]).transposed([1, 0, 2])
      },
      Mutant(
        mistake: "positions two rows late", model: opt, state: "hidden/0", component: .embedding,
        cause: "embedding.positions: positions are shifted: each stands 2 rows too late",
        repair: .rules,
        change: reorder(["model.decoder.embed_positions.weight"], [1, 0], sizes: [23, 2])),
      Mutant(
        mistake: "GELU for ReLU", model: opt, state: "trace/layers.0.feed_forward",
        component: .feedForward,
        cause: "another activation function: activation is gelu, relu agrees", repair: .setting,
        settings: [("activation", "gelu")]),
      Mutant(
        mistake: "fused q, k, v not head by head", model: try subject("bloom"),
        state: "trace/layers.0.attention", component: .attention,
        cause:
          "layers.*.attention: fused query, key and value lie one after the other, not head by head, in 2 layers",
        repair: .none
      ) { tensors in
        for name in tensors.keys.filter({ $0.contains("query_key_value") }) {
          let tensor = try #require(tensors[name])
          let rest = Array(tensor.shape.dimensions.dropFirst())
          tensors[name] = try tensor.reshaped(to: Shape([5, 3, 4] + rest))
            .transposed([1, 0, 2] + rest.indices.map { $0 + 3 }).reshaped(to: tensor.shape)
        }
      },
      Mutant(
        mistake: "fused q, k, v head by head", model: gpt2, state: "trace/layers.1.attention",
        component: .attention,
        cause:
          "layers.1.attention: fused query, key and value lie head by head, not one after the other",
        repair: .none
      ) { tensors in
        let name = "transformer.h.1.attn.c_attn."
        for (part, shape, axes) in [
          ("weight", [20, 3, 5, 4], [0, 2, 1, 3]), ("bias", [3, 5, 4], [1, 0, 2]),
        ] {
          let tensor = try #require(tensors[name + part])
          tensors[name + part] = try tensor.reshaped(to: Shape(shape)).transposed(axes)
            .reshaped(to: tensor.shape)
        }
      },
    ]
  }
}
