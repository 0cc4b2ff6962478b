import Foundation
import TestSupport
import Tensors
import Testing

@testable import Architectures

/// Encoders and encoder-decoders: published counts.
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
}
