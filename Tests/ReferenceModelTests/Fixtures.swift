import Foundation
import TensorFormats
import TestSupport
import Tensors
import Testing

@testable import Architectures
@testable import ReferenceModel

/// A tiny model that its own library wrote, with what that library computes from it.
struct ModelFixture: Sendable, CustomTestStringConvertible {
  let folder: String
  let architecture: String

  var testDescription: String { folder }

  /// Every folder with a golden whose architecture is described.
  static let all: [ModelFixture] = {
    let table = try? String(contentsOfFile: Places.fixture("models/models.tsv"), encoding: .utf8)
    return (table ?? "").split(separator: "\n").dropFirst().compactMap { line in
      let fields = line.split(separator: "\t").map(String.init)
      guard fields.count > 1, Architecture.named(fields[1]) != nil else { return nil }
      let fixture = ModelFixture(folder: fields[0], architecture: fields[1])
      let files = ["golden.npz", "model.safetensors"].map(fixture.path)
      return files.allSatisfy(FileManager.default.fileExists) ? fixture : nil
    }
  }()

  init(folder: String, architecture: String) {
    self.folder = folder
    self.architecture = architecture
  }

  func path(_ name: String) -> String { Places.fixture("models/\(folder)/\(name)") }

  /// The model and its weights.
  func opened() throws -> (model: Model, weights: CanonicalWeights) {
    let table = try SafetensorsFormat().read(input("model.safetensors"))
    let documents = try ["native.json", "gguf.json", "config.json"].compactMap { name in
      guard let bytes = FileManager.default.contents(atPath: path(name)) else {
        return ConfigurationDocument?.none
      }
      return try ConfigurationDocument(JSONScanner.parse(Array(bytes)), name: name)
    }
    let reading = try ModelReading.read(table, as: Architecture.all, documents: documents)
    #expect(reading.model.architecture.name == architecture)
    return (reading.model, CanonicalWeights(table, reading))
  }

  func pass(_ precision: Precision = .float64, jobs: Int = 2) throws -> ForwardPass {
    let (model, weights) = try opened()
    return ForwardPass(model, precision: precision, jobs: jobs) { try weights.tensor(role: $0) }
  }

  func golden() throws -> Golden { Golden(try NPZFormat().read(input("golden.npz"))) }

  private func input(_ name: String) throws -> FormatInput {
    FormatInput(path: path(name), source: try InputFile(path: path(name)))
  }
}

/// What a library recorded.
struct Golden {
  var inputs: [ExactString: Tensor] = [:]
  /// Outputs, hidden states and finer ones.
  var states: [ExactString: (shape: [Int], elements: [Double])] = [:]

  init(_ table: TensorTable) {
    for entry in table.entries {
      if entry.name.hasPrefix("input/") {
        inputs[entry.name.removingPrefix("input/") ?? ""] = entry.tensor
      } else if let elements: [Double] = try? WeightReader.elements(of: entry.tensor, jobs: 1) {
        states[entry.name] = (entry.tensor.shape.dimensions, elements)
      }
    }
  }

  /// Which positions of a state's sequence count: those that no mask hides.
  func visible(_ name: String, _ shape: [Int]) throws -> [Bool]? {
    guard shape.count >= 2, let batch = shape.first else { return nil }
    let isDecoder =
      inputs.keys.contains { $0.hasPrefix("decoder_") }
      && !name.contains("encoder") || name.contains("decoder")
    guard let mask = inputs[isDecoder ? "decoder_attention_mask" : "attention_mask"],
      mask.shape.dimensions == [batch, shape[1]]
    else { return nil }
    return try WeightReader.integers(of: mask).map { $0 != 0 }
  }

  /// max |a − b| / max(1, max |b|) over the positions that count.
  func maxRelative(_ state: State) throws -> Double {
    guard let (shape, expected) = states[state.name] else { return .nan }
    guard shape == state.value.shape else { return .infinity }
    let visible = try visible(state.name, shape)
    let width = expected.count / max(1, visible?.count ?? 1)
    var (largest, scale) = (0.0, 1.0)
    for (index, (a, b)) in zip(state.value.doubles, expected).enumerated() {
      if let visible, !visible[index / width] { continue }
      // NaN must not pass: a comparison with it is false.
      largest = abs(a - b) <= largest ? largest : abs(a - b)
      scale = max(scale, abs(b))
    }
    return largest / scale
  }
}
