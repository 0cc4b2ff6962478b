internal import Tensors

/// The tokens that a model's configuration gives a meaning.
struct SpecialTokens {
  /// What ends a sequence.
  private(set) var ends: [Int] = []
  /// What a decoder begins with.
  private(set) var start: Int?

  private static let endKeys: [ExactString] = ["eos_token_id", "tokenizer.ggml.eos_token_id"]
  /// The decoder's own first; an encoder-decoder without one begins as every sequence does.
  private static let startKeys: [ExactString] = [
    "decoder_start_token_id", "bos_token_id", "tokenizer.ggml.bos_token_id",
  ]

  /// Takes them from the `generation_config.json` beside a checkpoint, as transformers does, and what it
  /// leaves open from the model's configurations.
  ///
  /// - Throws: `unreadable` or `malformed` for a file of that name that is of no use.
  init(_ source: ModelSource) throws {
    var documents = source.documents
    if let file = source.checkpoint?.files.first {
      let path = ModelDocuments.beside(file, "generation_config.json")
      if InputFile.isRegularFile(path) { documents.insert(try ModelDocuments.read(path), at: 0) }
    }
    func value(_ keys: [ExactString]) -> [Int]? {
      for key in keys {
        for document in documents {
          guard let value = document.json[key] else { continue }
          if let token = value.integer { return [token] }
          if let tokens = value.array?.compactMap(\.integer), !tokens.isEmpty { return tokens }
        }
      }
      return nil
    }
    ends = value(Self.endKeys) ?? []
    start = value(Self.startKeys)?.first
  }
}
