/// How Keras Hub's layers spell and lay out weights in Keras 3's HDF5 files: paths of attributes, then
/// `vars/0`, `vars/1`. Kernels lie as [inputs, outputs]; attention's have the heads as an axis.
enum KerasHub {
  /// A `Dense` layer of a role.
  static func dense(_ role: String, _ path: String) -> [Spelling] {
    pair(role, path, [.transpose])
  }

  /// A projection from the width to heads, `[width, heads, head_size]`, and its bias.
  static func toHeads(
    _ role: String, _ path: String, heads: Expression, size: Expression = "head_size"
  ) -> [Spelling] {
    pair(role, path, [.transpose, .reshape(["width", heads, size])], [.reshape([heads, size])])
  }

  /// A projection from heads to the width, `[heads, head_size, width]`, and its bias.
  static func fromHeads(
    _ role: String, _ path: String, heads: Expression = "heads", size: Expression = "head_size"
  ) -> [Spelling] {
    pair(role, path, [.transpose, .reshape([heads, size, "width"])])
  }

  /// The scale of a norm and its bias, both as they are.
  static func norm(_ role: String, _ path: String) -> [Spelling] { pair(role, path, []) }

  /// The token table, and the head where it is untied: one layer that embeds there and back.
  static let reversibleEmbedding: [Spelling] = [
    Spelling(["embedding.tokens.weight"], "layers/reversible_embedding/vars/0"),
    Spelling(["head.weight"], "layers/reversible_embedding/vars/1", [.transpose]),
  ]

  /// The four projections of an attention layer; the names of its attributes begin with `mark`.
  static func attention(
    _ path: String, mark: String = "", keyHeads: Expression = "heads",
    size: Expression = "head_size", output: ([Spelling])? = nil
  ) -> [Spelling] {
    let role = "layers.{layer}.attention"
    let to = { (word: String, heads: Expression) in
      toHeads("\(role).\(word)", "\(path)/\(mark)\(word)_dense", heads: heads, size: size)
    }
    return to("query", "heads") + to("key", keyHeads) + to("value", keyHeads)
      + (output ?? fromHeads("\(role).output", "\(path)/\(mark)output_dense", size: size))
  }

  /// A layer of Keras Hub's `TransformerDecoder`, which GPT-2 and OPT are made of.
  static let transformerDecoder: [Spelling] = {
    let path = "layers/transformer_decoder{layer:suffix}"
    return [
      norm("layers.{layer}.attention_norm", "\(path)/_self_attention_layer_norm"),
      attention("\(path)/_self_attention_layer", size: "width / heads"),
      norm("layers.{layer}.feed_forward_norm", "\(path)/_feedforward_layer_norm"),
      dense("layers.{layer}.feed_forward.up", "\(path)/_feedforward_intermediate_dense"),
      dense("layers.{layer}.feed_forward.down", "\(path)/_feedforward_output_dense"),
    ].flatMap { $0 }
  }()

  private static func pair(
    _ role: String, _ path: String, _ layout: [LayoutStep], _ biasLayout: [LayoutStep] = []
  ) -> [Spelling] {
    [
      Spelling(["\(role).weight"], "\(path)/vars/0", layout),
      Spelling(["\(role).bias"], "\(path)/vars/1", biasLayout),
    ]
  }
}
