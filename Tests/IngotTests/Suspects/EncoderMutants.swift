import Foundation
import Ingot
import TestSupport
import Tensors
import Testing

/// Mistakes in BERT, RoBERTa and ViT.
extension SuspectTests {
  static func encoderMutants() throws -> [Mutant] {
    let bert = try subject("bert")
    let roberta = try subject("roberta")
    let vit = try subject("vit")
    let layer = "encoder.layer."
    return [
      Mutant(
        mistake: "gamma and beta exchanged", model: bert, state: "trace/layers.1.attention_norm",
        component: .norms, cause: "layers.1.attention_norm: gamma and beta are exchanged",
        repair: .rules,
        change: exchange(
          "1.attention.output.LayerNorm.weight", "1.attention.output.LayerNorm.bias")),
      Mutant(
        mistake: "gamma and beta of the embedding", model: bert, state: "hidden/0",
        component: .embedding, cause: "embedding.norm: gamma and beta are exchanged",
        repair: .rules,
        change: exchange("embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias")),
      Mutant(
        mistake: "q and k exchanged", model: bert, state: "trace/layers.0.attention",
        component: .attention,
        cause: "layers.*.attention: query and key are exchanged, in 2 layers", repair: .rules,
        change: exchange("self.query", "self.key")),
      Mutant(
        mistake: "value transposed", model: bert, state: "trace/layers.1.attention",
        component: .attention, cause: "layers.1.attention.value: the matrix is transposed",
        repair: .rules, change: transpose(layer + "1.attention.self.value.weight")),
      Mutant(
        mistake: "ε of other norms", model: bert, state: "hidden/0",
        component: .embedding,
        cause: "another ε of the norms: norm_epsilon is 1e-05, 1e-12 agrees", repair: .setting,
        settings: [("norm_epsilon", "1e-5")]),
      Mutant(
        mistake: "tanh GELU", model: bert, state: "trace/layers.0.feed_forward",
        component: .feedForward,
        cause: "another activation function: activation is gelu_tanh, gelu agrees",
        repair: .setting, settings: [("activation", "gelu_tanh")]),
      Mutant(
        mistake: "layers exchanged", model: bert, state: "trace/layers.0.attention",
        component: .attention, cause: "layers: layers 0 and 1 are exchanged, in 2 layers",
        repair: .rules, change: exchange("layer.0.", "layer.1.")),
      Mutant(
        mistake: "pooler transposed", model: bert, state: "output/pooler_output",
        component: .pooler, cause: "pooler: the matrix is transposed", repair: .rules,
        change: transpose("pooler.dense.weight")),
      Mutant(
        mistake: "positions without the offset of 2", model: roberta, state: "hidden/0",
        component: .embedding,
        cause: "embedding.positions: positions are shifted: each stands 2 rows too early",
        repair: .rules,
        change: reorder(["embeddings.position_embeddings.weight"], [1, 0], sizes: [2, 21])),
      Mutant(
        mistake: "key transposed", model: roberta, state: "trace/layers.0.attention",
        component: .attention, cause: "layers.0.attention.key: the matrix is transposed",
        repair: .rules, change: transpose(layer + "0.attention.self.key.weight")),
      Mutant(
        mistake: "patches' height and width exchanged", model: vit, state: "hidden/0",
        component: .embedding,
        cause: "embedding.patches: height and width of the patches are exchanged", repair: .none
      ) { tensors in
        let name = "embeddings.patch_embeddings.projection.weight"
        tensors[name] = try #require(tensors[name]).transposed([0, 1, 3, 2])
      },
      Mutant(
        mistake: "v and q exchanged", model: vit, state: "trace/layers.1.attention",
        component: .attention, cause: "layers.1.attention: query and value are exchanged",
        repair: .rules,
        change: exchange("1.attention.attention.query", "1.attention.attention.value")),
      Mutant(
        mistake: "gamma and beta exchanged, final norm", model: vit,
        state: "output/last_hidden_state", component: .norms,
        cause: "final_norm: gamma and beta are exchanged", repair: .rules,
        change: exchange("layernorm.weight", "layernorm.bias")),
    ]
  }
}
