import Foundation
import Ingot
import Tensors
import TestSupport
import Testing

/// Every mistake that conversions are known to make is injected into good checkpoints: it is seen first
/// where it was made, named, and undone by the rules or the setting that the report gives.
@Suite struct SuspectTests {
  /// A good checkpoint with a mistake made in it.
  struct Mutant: Sendable {
    let mistake: String
    let model: Subject
    /// The state that must be the first to differ, and its component.
    let state: String
    let component: Component?
    /// What must be named.
    let cause: String
    /// What must undo it.
    let repair: Repair
    var settings: [(String, String)] = []
    /// Which states of the golden are kept; all where nil.
    var kept: String?
    var change: Change = { _ in }
  }

  typealias Change = @Sendable (inout [String: Tensor]) throws -> Void

  enum Repair: Sendable {
    case rules, setting, none
  }

  /// A checkpoint and its golden.
  struct Subject: Sendable {
    let fixture: ModelFixture
    var name: String { goldenOfOurs == nil ? fixture.folder : fixture.folder + "*" }
    /// Settings and changes that make another good model of the fixture, where it is none itself.
    var settings: [(String, String)] = []
    var change: Change = { _ in }
    var inputs: Change?
    /// What our own pass computes from that.
    var goldenOfOurs: String? = nil
  }

  private static func subject(_ folder: String) throws -> Subject {
    Subject(fixture: try ModelFixture.named(folder))
  }

  // MARK: Mistakes

  private static func transpose(_ names: String...) -> Change {
    { tensors in
      for name in names { tensors[name] = try #require(tensors[name]).transposed([1, 0]) }
    }
  }

  /// Every pair of tensors whose names have one or the other text.
  private static func exchange(_ one: String, _ other: String) -> Change {
    { tensors in
      let names = tensors.keys.filter { $0.contains(one) }
      #expect(!names.isEmpty)
      for name in names {
        let partner = name.replacing(one, with: other)
        let (first, second) = (try #require(tensors[name]), try #require(tensors[partner]))
        tensors[name] = second
        tensors[partner] = first
      }
    }
  }

  /// Parts along an axis in another order.
  private static func reorder(
    _ names: [String], axis: Int = 0, _ order: [Int], sizes: [Int]? = nil
  ) -> Change {
    { tensors in
      for name in names {
        let tensor = try #require(tensors[name])
        let length = tensor.shape.dimensions[axis]
        let sizes = sizes ?? order.map { _ in length / order.count }
        let starts = sizes.indices.map { sizes[..<$0].reduce(0, +) }
        tensors[name] = try Tensor.concatenated(
          order.map { try tensor.sliced(axis: axis, range: starts[$0]..<starts[$0] + sizes[$0]) },
          axis: axis)
      }
    }
  }

  /// Rows of heads from rotary halves to pairs, as Meta's files and llama.cpp's have them.
  private static func pairs(_ names: [(String, heads: Int)]) -> Change {
    { tensors in
      for (name, heads) in names {
        let tensor = try #require(tensors[name])
        let (rows, columns) = (tensor.shape.dimensions[0], tensor.shape.dimensions[1])
        let half = rows / heads / 2
        tensors[name] = try tensor.reshaped(to: Shape([heads, 2, half, columns]))
          .transposed([0, 2, 1, 3]).reshaped(to: tensor.shape)
      }
    }
  }

  private static func map(
    _ names: [String], _ change: @escaping @Sendable (Double) -> Double
  ) -> Change {
    { tensors in
      for name in names { tensors[name] = try #require(tensors[name]).mapped(change) }
    }
  }

  private static func byteSwapped(_ tensor: Tensor) throws -> Tensor {
    try Tensor(
      elementType: tensor.elementType, shape: tensor.shape,
      source: ByteSwapped(tensor.source, wordWidth: 4))
  }

  private static func all(_ changes: Change...) -> Change {
    { tensors in for change in changes { try change(&tensors) } }
  }

  // MARK: Models

  static func mutants() throws -> [Mutant] {
    try gpt2Mutants() + llamaMutants() + encoderMutants() + encoderDecoderMutants()
      + otherMutants() + coarseMutants()
  }

  private static func gpt2Mutants() throws -> [Mutant] {
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

  private static func llamaMutants() throws -> [Mutant] {
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

  private static func encoderMutants() throws -> [Mutant] {
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

  private static func encoderDecoderMutants() throws -> [Mutant] {
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

  private static func otherMutants() throws -> [Mutant] {
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

  /// Goldens that have no finer states, or outputs alone.
  private static func coarseMutants() throws -> [Mutant] {
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

  // MARK: Models that no fixture is

  /// Values near 0 from a seed.
  private static func random(_ shape: [Int], seed: UInt64, around center: Double = 0) throws
    -> Tensor
  {
    var generator = SeededGenerator(seed: seed)
    let shape = try Shape(shape)
    let numbers = (0..<shape.elementCount).map { _ in
      center + Double.random(in: -0.5...0.5, using: &generator)
    }
    return try Tensor.floats(numbers, shape)
  }

  /// Heads of 8, so that keys of 2 heads can be cut into 4.
  private static func wideLlama() throws -> Subject {
    var subject = Subject(
      fixture: try ModelFixture.named("llama"), settings: [("head_size", "8")],
      goldenOfOurs: "wide")
    subject.change = { tensors in
      for layer in 0..<2 {
        for (index, (word, shape)) in [
          ("q", [32, 24]), ("k", [16, 24]), ("v", [16, 24]), ("o", [24, 32]),
        ].enumerated() {
          tensors["model.layers.\(layer).self_attn.\(word)_proj.weight"] = try random(
            shape, seed: UInt64(10 * layer + index))
        }
      }
    }
    return subject
  }

  /// As many tokens as features.
  private static func squareHead() throws -> Subject {
    var subject = Subject(
      fixture: try ModelFixture.named("llama"), settings: [("vocabulary", "24")],
      goldenOfOurs: "square")
    subject.change = { tensors in
      for name in ["lm_head.weight", "model.embed_tokens.weight"] {
        tensors[name] = try #require(tensors[name]).sliced(axis: 0, range: 0..<24)
      }
    }
    subject.inputs = { tensors in
      tensors["input/input_ids"] = try #require(tensors["input/input_ids"])
        .cast(to: .float32).mapped { $0.truncatingRemainder(dividingBy: 24) }.cast(to: .int64)
    }
    return subject
  }

  /// So many layers that their order as text is another.
  private static func twelveLayers() throws -> Subject {
    var subject = Subject(
      fixture: try ModelFixture.named("gpt2"), settings: [("layers", "12")],
      goldenOfOurs: "twelve")
    subject.change = { tensors in
      for (name, tensor) in tensors {
        for layer in 3..<12 where name.contains(".h.\(layer % 3).") {
          tensors[name.replacing(".h.\(layer % 3).", with: ".h.\(layer).")] = try tensor.mapped {
            $0 * (1 + 0.02 * Double(layer))
          }
        }
      }
    }
    return subject
  }

  // MARK: The table

  /// The golden of a model, in a file of its own where it is of our own making.
  private func golden(_ subject: Subject, _ folder: URL) throws -> String {
    guard let name = subject.goldenOfOurs else { return subject.fixture.golden }
    let path = folder.appending(path: name + ".npz").filePath
    guard !FileManager.default.fileExists(atPath: path) else { return path }
    let inputs = try Checkpoint.changed(subject.fixture.golden) { tensors in
      tensors = tensors.filter {
        ["input/input_ids", "input/attention_mask"].contains($0.key)
      }
      try subject.inputs?(&tensors)
    }
    _ = try GoldenRecording(
      subject.fixture.changed(settings: subject.settings, subject.change), inputs: inputs
    ).write(to: path)
    return path
  }

  private func source(
    _ mutant: Mutant, settings: [(String, String)]? = nil,
    afterwards: Change = { _ in }
  ) throws -> ModelSource {
    try mutant.model.fixture.changed(
      settings: mutant.model.settings + (settings ?? mutant.settings)
    ) { tensors in
      try mutant.model.change(&tensors)
      try mutant.change(&tensors)
      try afterwards(&tensors)
    }
  }

  /// Whether the checkpoint agrees with its golden once what the report advises is done.
  private func isRepaired(_ mutant: Mutant, _ suspect: Suspect, _ golden: Golden) throws -> Bool {
    if let setting = suspect.setting {
      let parts = setting.split(separator: "=").map(String.init)
      let report = try Verification(
        source(mutant, settings: [(parts[0], parts[1])]), golden
      ).report()
      // A second copy that is no longer used still has other bytes.
      return report.firstDivergence == nil && !report.states.isEmpty
    }
    guard let rules = suspect.rules else { return false }
    let file = try RulesFile(parsing: Array(rules.utf8), path: "rules.yaml")
    let source = try source(mutant) { tensors in
      var table = TensorTable()
      for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
        try table.append(name, tensor)
      }
      let (repaired, _) = try file.apply(to: table)
      tensors = Dictionary(
        uniqueKeysWithValues: repaired.entries.map { ($0.name, $0.tensor) })
    }
    return try Verification(source, golden).report().isOK
  }

  @Test func `every mistake is caught, placed, named and undone`() throws {
    let mutants = try Self.mutants()
    #expect(Set(mutants.map(\.model.fixture.architecture)).count >= 4)
    var rows: [[String]] = []
    var named = 0
    try Places.withTemporaryFolder { folder in
      for mutant in mutants {
        let path = try golden(mutant.model, folder)
        let golden = try Golden(
          Checkpoint.changed(path) { tensors in
            tensors = tensors.filter {
              $0.key.hasPrefix("input/") || $0.key.hasPrefix(mutant.kept ?? "")
            }
            if mutant.kept != nil { tensors["output/loss"] = nil }
          })
        let report = try Verification(source(mutant), golden).report()
        let row = "\(mutant.model.name): \(mutant.mistake)"
        let isCaught = !report.isOK
        #expect(isCaught, "\(row)")
        let first = report.firstDivergence
        #expect(first?.name == mutant.state, "\(row)")
        #expect(first?.component == mutant.component, "\(row)")
        #expect(first?.worst ?? 0 > 10, "\(row): too near to the tolerance to rely on")
        let suspect = report.suspects.first
        let isNamed = suspect?.cause == mutant.cause
        if isNamed { named += 1 }
        #expect(isNamed, "\(row): named is \(report.suspects.map(\.cause))")
        #expect(report.suspects.count <= 2, "\(row): \(report.suspects.map(\.cause))")
        let repair: String
        switch mutant.repair {
        case .rules, .setting:
          #expect((suspect?.setting != nil) == (mutant.repair == .setting), "\(row)")
          let isUndone = try suspect.map { try isRepaired(mutant, $0, golden) } ?? false
          #expect(isUndone, "\(row): \(suspect?.rules ?? suspect?.setting ?? "no repair")")
          repair = (mutant.repair == .rules ? "rules" : "setting") + (isUndone ? " ✓" : " ✗")
        case .none:
          #expect(suspect?.rules == nil && suspect?.setting == nil, "\(row)")
          repair = ""
        }
        rows.append([
          mutant.model.name, mutant.mistake, (first?.name ?? "not seen"),
          (isNamed ? "✓ " : "✗ ") + (suspect?.cause ?? "nothing named"), repair,
        ])
      }
    }
    let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
    for row in rows {
      print(
        zip(row, widths + [0]).map {
          $0.padding(toLength: max($1, $0.count), withPad: " ", startingAt: 0)
        }
        .joined(separator: "  "))
    }
    print("\(named) of \(mutants.count) mistakes named, models marked * have goldens of our own")
    #expect(Double(named) >= 0.9 * Double(mutants.count))
  }

  // MARK: Nothing to name

  @Test(arguments: ["gpt2", "llama", "bert", "t5-v1_1", "mixtral", "gemma"])
  func `a good checkpoint has no suspects`(folder: String) throws {
    let fixture = try ModelFixture.named(folder)
    let report = try Verification(fixture.source(), Golden(path: fixture.golden)).report()
    #expect(report.isOK)
    #expect(report.suspects.isEmpty)
  }

  @Test(arguments: [
    ("gpt2", "transformer.h.1.mlp.c_fc.weight", "trace/layers.1.feed_forward"),
    ("llama", "model.layers.0.self_attn.q_proj.weight", "trace/layers.0.attention"),
    ("bert", "encoder.layer.1.attention.output.LayerNorm.weight", "trace/layers.1.attention_norm"),
    ("mixtral", "model.layers.1.block_sparse_moe.gate.weight", "trace/layers.1.feed_forward"),
    ("t5-v1_1", "lm_head.weight", "output/logits"),
  ])
  func `other damage is placed, and no mistake is blamed for it`(
    folder: String, name: String, state: String
  ) throws {
    let fixture = try ModelFixture.named(folder)
    for size in [1e-6, 1e-3, 1] {
      var generator = SeededGenerator(seed: 7)
      let source = try fixture.changed { tensors in
        tensors[name] = try #require(tensors[name]).mapped {
          $0 + size * Double.random(in: -1...1, using: &generator)
        }
      }
      let report = try Verification(source, Golden(path: fixture.golden)).report()
      #expect(!report.isOK)
      #expect(report.firstDivergence?.name == state)
      #expect(report.suspects.isEmpty, "\(report.suspects.map(\.cause))")
    }
  }
}
