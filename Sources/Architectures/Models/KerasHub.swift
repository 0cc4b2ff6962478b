/// How Keras Hub's decoders spell and lay out weights in Keras 3's HDF5 files.
enum KerasHub {
  /// The token table, and the head where it is untied: one layer that embeds there and back.
  static let reversibleEmbedding: [Spelling] = [
    Spelling(["embedding.tokens.weight"], "layers/reversible_embedding/vars/0"),
    Spelling(["head.weight"], "layers/reversible_embedding/vars/1", [.transpose]),
  ]

  /// The projections of an attention layer, `[width, heads, head_size]` and back; the names of its
  /// attributes begin with `mark`.
  static func attention(
    _ path: String, mark: String = "", keyHeads: Expression = "heads", output: [Spelling]? = nil
  ) -> [Spelling] {
    let role = "layers.{layer}.attention"
    func toHeads(_ word: String, _ heads: Expression) -> [Spelling] {
      Spelling.keras(
        "\(role).\(word)", "\(path)/\(mark)\(word)_dense",
        [.transpose, .reshape(["width", heads, "head_size"])],
        biasLayout: [.reshape([heads, "head_size"])])
    }
    return toHeads("query", "heads") + toHeads("key", keyHeads) + toHeads("value", keyHeads)
      + (output
        ?? Spelling.keras(
          "\(role).output", "\(path)/\(mark)output_dense",
          [.transpose, .reshape(["heads", "head_size", "width"])]))
  }
}

extension Architecture.Requirement {
  static let kerasHubTiedHead = Architecture.Requirement(
    condition: "head != 'masked' || tied_head", message: "its head is tied to the tokens")
}
