internal import Tensors

/// The configurations that a checkpoint comes with, the most binding first.
enum ModelDocuments {
  /// Those of `--config`, of the file itself, and of the `config.json` beside it.
  ///
  /// - Throws: `unreadable` or `malformed` for one that cannot be used.
  static func all(_ options: ModelOptions, _ checkpoint: Checkpoint?) throws
    -> [ConfigurationDocument]
  {
    var documents: [ConfigurationDocument] = []
    if let path = options.configuration { documents.append(try read(path)) }
    guard let checkpoint else { return documents }
    documents += try checkpoint.naming { try embedded(in: checkpoint.table.metadata) }
    let path = beside(checkpoint.files[0])
    // What the user gave by name stands for the file beside.
    guard options.configuration == nil, !checkpoint.files.contains(path),
      InputFile.isRegularFile(path)
    else { return documents }
    let document = try read(path)
    if document.isModelConfiguration { documents.append(document) }
    return documents
  }

  /// What the configurations of a checkpoint say that nothing reads; nothing where they are of no known
  /// model, or cannot be read.
  static func notes(of checkpoint: Checkpoint) -> [String] {
    let documents = (try? all(ModelOptions(), checkpoint)) ?? []
    return documents.flatMap { document in
      guard let kinds = try? ModelReading.candidates(Architecture.all, [document]),
        kinds.count == 1
      else { return [String]() }
      return document.findings(for: kinds[0]).map(\.message)
    }
  }

  /// Reads a configuration file.
  static func read(_ path: String) throws -> ConfigurationDocument {
    try Tensors.naming(file: path) {
      let file = try InputFile(path: path)
      guard file.byteCount <= Limits.jsonBytes else {
        throw IngotError(.limit, "a configuration above \(Limits.jsonBytes) bytes")
      }
      let json = try JSONScanner.parse(file.bytes(at: 0, count: file.byteCount, "configuration"))
      return try ConfigurationDocument(json, name: path.fileName)
    }
  }

  /// The path of a file in the folder that holds `path`.
  static func beside(_ path: String, _ name: String = "config.json") -> String {
    String(path.dropLast(path.fileName.count)) + name
  }

  /// The key under which a conversion between conventions leaves the configuration.
  static let nativeKey: ExactString = "ingot.configuration"

  private static func embedded(in metadata: Metadata) throws -> [ConfigurationDocument] {
    var documents: [ConfigurationDocument] = []
    if let native = metadata[nativeKey] {
      let json = try native.string.map { try JSONScanner.parse(Array($0.utf8)) } ?? native
      documents.append(try ConfigurationDocument(json, name: "metadata"))
    }
    if metadata["general.architecture"] != nil {
      let members = metadata.sorted.map { JSON.Member($0.key, $0.value) }
      documents.append(try ConfigurationDocument(.object(members), name: "metadata"))
    }
    for key: ExactString in ["@model_config", "config.json"] {
      guard let text = metadata[key]?.string, text.utf8.count <= Limits.jsonBytes,
        let json = try? JSONScanner.parse(Array(text.utf8)), json.object != nil
      else { continue }
      documents.append(try ConfigurationDocument(json, name: key.text))
    }
    return documents
  }
}
