import Foundation
import Ingot
import TestSupport
import Testing

/// A tiny model that its own library wrote: a row of `fixtures/models/models.tsv`.
struct ModelFixture: Sendable, CustomTestStringConvertible {
  let folder: String
  let architecture: String
  let convention: String
  let parameters: Int

  var testDescription: String { folder }

  /// The weights.
  var weights: String {
    let names = ["model.safetensors", "model.weights.h5"]
    let paths = names.map { Places.fixture("models/\(folder)/\($0)") }
    return paths.first { FileManager.default.fileExists(atPath: $0) } ?? paths[0]
  }

  /// What the folder says beside `config.json`, which is found without being named.
  var options: ModelOptions {
    var options = ModelOptions()
    for name in ["native.json", "gguf.json"] {
      let path = Places.fixture("models/\(folder)/\(name)")
      if FileManager.default.fileExists(atPath: path) { options.configuration = path }
    }
    return options
  }

  private var olderConfiguration: String { Places.fixture("models/configs-4/\(folder).json") }

  /// Whether there is the configuration that transformers 4 wrote of the same model.
  var hasOlderConfiguration: Bool { FileManager.default.fileExists(atPath: olderConfiguration) }

  /// The model by that configuration, which stands for the one beside the weights.
  func olderModel() throws -> Model {
    var options = ModelOptions()
    options.configuration = olderConfiguration
    return try ModelSource(Checkpoint(path: weights), options).model
  }

  func source() throws -> ModelSource { try ModelSource(Checkpoint(path: weights), options) }

  /// Every row of an architecture that is described; some fixtures wait for their description.
  static let all: [ModelFixture] = {
    let table = try? String(contentsOfFile: Places.fixture("models/models.tsv"), encoding: .utf8)
    return (table ?? "").split(separator: "\n").dropFirst().compactMap { line in
      let fields = line.split(separator: "\t").map(String.init)
      guard fields.count > 4, let parameters = Int(fields[4]),
        Architecture.named(fields[1])?[convention: fields[2]] != nil
      else { return nil }
      return ModelFixture(
        folder: fields[0], architecture: fields[1], convention: fields[2], parameters: parameters)
    }
  }()
}
