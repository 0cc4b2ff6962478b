import Foundation
import Ingot
import TestSupport
import Tensors
import Testing

/// Mistakes in T5, BART and the Transformer.
extension SuspectTests {
  static func encoderDecoderMutants() throws -> [Mutant] {
    let t5 = try subject("t5-v1_1")
    let bart = try subject("bart")
    let torch = try subject("transformer-torch")
    return [
      Mutant(
        mistake: "q and k exchanged", model: t5, state: "trace/encoder.layers.0.attention",
        component: .attention, cause: "encoder.layers.0.attention: query and key are exchanged",
        repair: .rules,
        change: exchange(
          "encoder.block.0.layer.0.SelfAttention.q.", "encoder.block.0.layer.0.SelfAttention.k.")),
      Mutant(
        mistake: "gate and up exchanged", model: t5, state: "trace/encoder.layers.0.feed_forward",
        component: .feedForward, cause: "gate and up are exchanged, in 5 layers", repair: .rules,
        change: exchange("wi_0", "wi_1")),
      Mutant(
        mistake: "k and v of cross-attention exchanged", model: t5,
        state: "trace/decoder.layers.2.cross_attention", component: .crossAttention,
        cause: "decoder.layers.2.cross_attention: key and value are exchanged", repair: .rules,
        change: exchange(
          "decoder.block.2.layer.1.EncDecAttention.k", "decoder.block.2.layer.1.EncDecAttention.v")),
      Mutant(
        mistake: "ReLU for GELU", model: t5, state: "trace/encoder.layers.0.feed_forward",
        component: .feedForward,
        cause: "another activation function: activation is relu, gelu_tanh agrees",
        repair: .setting, settings: [("activation", "relu")]),
      Mutant(
        mistake: "output reshaped", model: t5, state: "trace/decoder.layers.0.attention",
        component: .attention,
        cause:
          "decoder.layers.0.attention.output: the matrix was given its shape without being transposed",
        repair: .none
      ) { tensors in
        let name = "decoder.block.0.layer.0.SelfAttention.o.weight"
        let tensor = try #require(tensors[name])
        tensors[name] = try tensor.transposed([1, 0]).reshaped(to: tensor.shape)
      },
      Mutant(
        mistake: "cross-attention's output transposed", model: bart,
        state: "trace/decoder.layers.1.cross_attention", component: .crossAttention,
        cause: "decoder.layers.1.cross_attention.output: the matrix is transposed", repair: .rules,
        change: transpose("model.decoder.layers.1.encoder_attn.out_proj.weight")),
      Mutant(
        mistake: "positions without the offset of 2", model: bart, state: "encoder_hidden/0",
        component: .embedding,
        cause: "encoder.embedding.positions: positions are shifted: each stands 2 rows too early",
        repair: .rules,
        change: reorder(["model.encoder.embed_positions.weight"], [1, 0], sizes: [2, 23])),
      Mutant(
        mistake: "decoder layers exchanged", model: bart,
        state: "trace/decoder.layers.0.attention", component: .attention,
        cause: "decoder.layers: layers 0 and 2 are exchanged, in 2 layers", repair: .rules,
        change: exchange("decoder.layers.0.", "decoder.layers.2.")),
      Mutant(
        mistake: "gamma and beta exchanged", model: torch,
        state: "trace/encoder.layers.1.attention_norm", component: .norms,
        cause: "encoder.layers.1.attention_norm: gamma and beta are exchanged", repair: .rules,
        change: exchange("encoder.layers.1.norm1.weight", "encoder.layers.1.norm1.bias")),
      Mutant(
        mistake: "v, q, k in a fused matrix", model: torch,
        state: "trace/decoder.layers.1.attention", component: .attention,
        cause:
          "decoder.layers.1.attention: query, key and value lie in the order value, query, key",
        repair: .rules,
        change: reorder(
          ["weight", "bias"].map { "decoder.layers.1.self_attn.in_proj_" + $0 }, [2, 0, 1])),
    ]
  }
}
