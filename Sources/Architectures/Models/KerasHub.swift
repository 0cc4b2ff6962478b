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

/// Keras Hub's layers by their own names.
extension LayerNames {
  /// The attention of Keras and of Keras Hub's own classes.
  fileprivate static let attention = [
    "query_dense": "query", "key_dense": "key", "value_dense": "value",
    "output_dense": "attention_output",
  ]
  /// What most layers after the class `TransformerDecoder` are called.
  static let decoder = attention.merging([
    "self_attention_layer": "self_attention", "cross_attention_layer": "cross_attention",
  ]) { $1 }

  /// A model of these layers after the embedding.
  ///
  /// - Parameters:
  ///   - folders: What the backbone is called in a task.
  ///   - token: The path of the layer with the token table, and its name.
  ///   - copies: What a task's head shares, under the names that it has there.
  static func kerasHub(
    _ folders: [String],
    token: (path: String, name: String) = ("reversible_embedding", "token_embedding"),
    _ layers: [Layer], heads: [Layer] = [], scale: String = "gamma", copies: [String]
  ) -> LayerNames {
    LayerNames(
      layers: [.plain(token.path, token.name)] + layers, outerLayers: heads,
      prefixes: folders.map { "\($0)_backbone/" }, scale: scale, copies: copies)
  }

  /// The token table, which a task holds once more.
  static let tokens = "token_embedding/token_embedding/embeddings"
}

extension LayerNames.Layer {
  static func plain(_ path: String, _ name: String) -> Self {
    .init(path: "layers/\(path)", name: name)
  }

  static func encoder(
    _ path: String = "transformer_encoder{layer:suffix}",
    _ name: String = "transformer_layer_{layer}"
  ) -> Self {
    .init(path: "layers/\(path)", name: name, parts: LayerNames.attention)
  }

  static func decoder(
    _ path: String = "transformer_decoder{layer:suffix}",
    _ name: String = "transformer_layer_{layer}",
    parts: [String: String] = LayerNames.decoder
  ) -> Self {
    .init(path: "layers/\(path)", name: name, parts: parts)
  }
}
