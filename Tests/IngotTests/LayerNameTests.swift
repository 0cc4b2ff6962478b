import Foundation
import Ingot
import Tensors
import TestSupport
import Testing

/// Keras Hub's models in Keras's legacy whole-model files, by `keras-legacy-names.tsv`: what Keras calls
/// each tensor there, and what it calls the same one in `.weights.h5`.
@Suite struct LayerNameTests {
  struct Model: Sendable, CustomTestStringConvertible {
    let folder: String
    let kind: String
    var rows: [(legacy: String, own: String, shape: [Int])] = []

    var testDescription: String { "\(kind) of \(folder)" }

    /// A backbone's configuration is the folder's, a task's has it inside.
    func document() throws -> ConfigurationDocument {
      let path = Places.fixture("models/\(folder)/config.json")
      let backbone = try JSONScanner.parse(Array(Data(contentsOf: URL(filePath: path))))
      return try ConfigurationDocument(
        kind.hasSuffix("Backbone")
          ? backbone
          : [
            "class_name": .string(kind), "config": ["backbone": backbone, "num_classes": JSON(7)],
          ], name: "@model_config")
    }

    func reading(_ name: (Self) -> [String]) throws -> ModelReading {
      var seen: Set<String> = []
      let entries = try zip(name(self), rows).compactMap { name, row in
        guard seen.insert(name).inserted else { return TensorTable.Entry?.none }
        let shape = try Shape(row.shape)
        let bytes = [UInt8](repeating: 0, count: 4 * shape.elementCount)
        return TensorTable.Entry(
          name: ExactString(name),
          tensor: try Tensor(elementType: .float32, shape: shape, source: ArraySource(bytes)))
      }
      return try ModelReading.read(
        TensorTable().replacingEntries(entries), as: Architecture.all, documents: [document()])
    }
  }

  static let models: [Model] = {
    let path = Places.fixture("models/keras-legacy-names.tsv")
    let table = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    var models: [Model] = []
    for line in table.split(separator: "\n").dropFirst() {
      let fields = line.split(separator: "\t").map(String.init)
      if models.last?.folder != fields[0] || models.last?.kind != fields[1] {
        models.append(Model(folder: fields[0], kind: fields[1]))
      }
      models[models.count - 1].rows.append(
        (fields[2], fields[3], fields[4].split(separator: ",").compactMap { Int($0) }))
    }
    return models
  }()

  @Test func `all are there`() { #expect(Self.models.count == 33) }

  @Test(arguments: models)
  func `each tensor is told as the same weight`(_ model: Model) throws {
    let legacy = try model.reading { $0.rows.map(\.legacy) }
    let own = try model.reading { $0.rows.map(\.own) }
    #expect(legacy.convention.name == "keras_hub")
    #expect(legacy.model.architecture.name == own.model.architecture.name)
    #expect(legacy.unexpected == [])
    #expect(own.unexpected == [])
    let names = Dictionary(model.rows.map { (ExactString($0.legacy), ExactString($0.own)) }) {
      first, _ in first
    }
    #expect(legacy.tensors.count == own.tensors.count)
    for (one, other) in zip(legacy.tensors, own.tensors) {
      #expect(one.stored.name == other.stored.name)
      #expect(one.name.flatMap { names[$0] } == other.name, "\(one.stored.name)")
      #expect(one.name != nil || one.stored.isTied, "\(one.stored.name)")
    }
  }

  @Test func `a file of Keras becomes what the library converted`() throws {
    try Places.withTemporaryFolder { folder in
      var options = ConvertOptions()
      options.names = "huggingface"
      options.syncsResult = false
      let path = folder.appending(path: "model.safetensors").filePath
      let source = Places.fixture("models/keras-legacy/gpt2.h5")
      let report = try Conversion(source: source, destination: path, options: options).run()
      let copies = report.names?.respelling.rows.filter { $0.remark == .buffer }.flatMap(\.from)
      #expect(
        copies?.filter { !$0.hasPrefix("optimizer") }
          == ["model_weights/token_embedding/token_embedding/embeddings"])
      let expected = Places.fixture("models/gpt2/model.safetensors")
      #expect(
        try Fingerprinting(Checkpoint(path: path)).manifest()
          == Fingerprinting(Checkpoint(path: expected)).manifest())
    }
  }

  @Test func `a functional model is refused with what can be done`() throws {
    let checkpoint = try Checkpoint(path: Places.fixture("demo/tiny-transformer.h5"))
    let error = #expect(throws: IngotError.self) {
      try ModelSource(checkpoint, ModelOptions())
    }
    #expect(error?.errorClass == .unsupported)
    #expect(
      error?.message
        == "the architecture cannot be told: a Functional model of Keras has the names that its maker gave its layers"
    )
    #expect(
      error?.hint
        == "--architecture FILE takes a description with these names (schemas/architecture.md)")
  }
}
