import Foundation
import TestSupport
import Tensors
import Testing

@testable import Architectures

/// Encoders and encoder-decoders: published counts, and fixtures by their names and shapes.
@Suite struct EncoderTests {
  // MARK: Published counts

  struct Published: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let architecture: String
    let configuration: String
    let count: Int

    init(_ name: String, _ architecture: String, _ configuration: String, _ count: Int) {
      testDescription = name
      self.architecture = architecture
      self.configuration = configuration
      self.count = count
    }
  }

  static let published = [
    Published(
      "BERT base", "bert", #""model_type":"bert","architectures":["BertModel"]"#, 109_482_240),
    Published(
      "BERT base, pre-training", "bert",
      #""model_type":"bert","architectures":["BertForPreTraining"]"#, 110_106_428),
    Published(
      "BERT base, masked", "bert", #""model_type":"bert","architectures":["BertForMaskedLM"]"#,
      109_514_298),
    Published(
      "RoBERTa base", "roberta",
      #""model_type":"roberta","max_position_embeddings":514,"type_vocab_size":1"#, 124_645_632),
    Published(
      "RoBERTa base, masked", "roberta",
      #""model_type":"roberta","max_position_embeddings":514,"type_vocab_size":1,"architectures":["RobertaForMaskedLM"]"#,
      124_697_433),
    Published("DistilBERT base", "distilbert", #""model_type":"distilbert""#, 66_362_880),
    Published(
      "ViT-B/16", "vit",
      #""model_type":"vit","architectures":["ViTForImageClassification"],"num_labels":1000"#,
      86_567_656),
    Published(
      "ViT-B/16, backbone", "vit",
      #""architecture":"vit","image_height":224,"image_width":224,"patch":16,"width":768,"layers":12,"heads":12,"pooler":false"#,
      85_798_656),
    Published("T5 small", "t5", #""model_type":"t5""#, 60_506_624),
    Published(
      "BART base", "bart",
      #""model_type":"bart","architectures":["BartForConditionalGeneration"],"d_model":768,"encoder_layers":6,"decoder_layers":6,"encoder_ffn_dim":3072,"decoder_ffn_dim":3072,"encoder_attention_heads":12,"decoder_attention_heads":12"#,
      139_420_416),
    Published(
      "Transformer base", "transformer",
      #""architecture":"transformer","vocabulary":37000,"width":512,"encoder_layers":6,"heads":8,"final_norm":false,"tied_head":true"#,
      63_082_496),
  ]

  @Test(arguments: published)
  func `counts what is published`(model: Published) throws {
    let document = try ConfigurationDocument(
      JSONScanner.parse(Array("{\(model.configuration)}".utf8)), name: "config.json")
    let architecture = try #require(Architecture.named(model.architecture))
    #expect(
      try document.recognized(among: Architecture.all).map(\.architecture.name) == [
        model.architecture
      ])
    #expect(
      try Self.count(Model(architecture, document.configuration(for: architecture))) == model.count)
  }

  private static func count(_ model: Model) -> Int {
    model.weights.filter { $0.tiedTo == nil && !$0.weight.isBuffer }
      .reduce(0) { $0 + $1.shape.elementCount }
  }

  // MARK: Fixtures

  struct Fixture: Sendable, CustomTestStringConvertible {
    let folder: String
    let architecture: String
    let convention: String
    let count: Int?
    var testDescription: String { folder }
  }

  /// The rows of `models.tsv` of these architectures whose tensors lie in safetensors.
  static let fixtures: [Fixture] = {
    let path = Places.fixture("models/models.tsv")
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
    let rows = text.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
    let column = rows.first?.firstIndex(of: "parameters")
    return rows.dropFirst().compactMap { fields in
      guard fields.count > 2,
        ["bert", "roberta", "distilbert", "vit", "t5", "bart", "transformer"].contains(fields[1]),
        FileManager.default.fileExists(
          atPath: Places.fixture("models/\(fields[0])/model.safetensors"))
      else { return nil }
      return Fixture(
        folder: fields[0], architecture: fields[1], convention: fields[2],
        count: column.flatMap { $0 < fields.count ? Int(fields[$0]) : nil })
    }
  }()

  @Test(arguments: fixtures)
  func `reads a fixture as its model`(fixture: Fixture) throws {
    let table = try Self.table("models/\(fixture.folder)/model.safetensors")
    let documents = try ["config.json", "native.json"].compactMap {
      name -> ConfigurationDocument? in
      let path = Places.fixture("models/\(fixture.folder)/\(name)")
      guard FileManager.default.fileExists(atPath: path) else { return nil }
      return try ConfigurationDocument(JSONScanner.parse(Self.bytes(path)), name: name)
    }
    let reading = try ModelReading.read(table, as: Architecture.all, documents: documents)
    #expect(reading.model.architecture.name == fixture.architecture)
    #expect(reading.convention.name == fixture.convention)
    #expect(reading.unexpected.isEmpty)
    for (stored, name) in reading.tensors {
      guard let name else {
        #expect(stored.isTied, "\(reading.name(of: stored)) is missing")
        continue
      }
      #expect(table[name]?.shape == stored.shape, "\(name)")
    }
    if let count = fixture.count { #expect(Self.count(reading.model) == count) }
  }

  private static func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: path)))
  }

  /// The names and shapes of a safetensors header; the elements are not there.
  private static func table(_ path: String) throws -> TensorTable {
    let bytes = try bytes(Places.fixture(path))
    let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = try JSONScanner.parse(Array(bytes[8..<8 + length]))
    var table = TensorTable()
    for member in header.object ?? [] where member.key != "__metadata__" {
      let shape = member.value["shape"]?.array?.compactMap(\.integer).map { Int($0) } ?? []
      try table.append(
        member.key,
        Tensor(
          elementType: .float32, shape: Shape(shape), obstacle: IngotError(.internal, "not read")))
    }
    return table
  }
}
