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

  private static func albert(_ width: Int, _ heads: Int, _ layers: Int) -> String {
    #""model_type":"albert","hidden_size":\#(width),"num_attention_heads":\#(heads),"num_hidden_layers":\#(layers),"intermediate_size":\#(4 * width)"#
  }

  /// A configuration with two stacks of one size.
  private static func whisper(_ width: Int, _ heads: Int, _ layers: Int) -> String {
    #""model_type":"whisper","d_model":\#(width)"#
      + ["encoder", "decoder"].map { stack in
        #","\#(stack)_layers":\#(layers),"\#(stack)_attention_heads":\#(heads),"\#(stack)_ffn_dim":\#(4 * width)"#
      }.joined()
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
    // The library's own counts; the paper's table 2 says 12 M, 18 M, 60 M, 235 M.
    Published("ALBERT base", "albert", albert(768, 12, 12), 11_683_584),
    Published("ALBERT large", "albert", albert(1024, 16, 24), 17_683_968),
    Published("ALBERT xlarge", "albert", albert(2048, 16, 24), 58_724_864),
    Published("ALBERT xxlarge", "albert", albert(4096, 64, 12), 222_595_584),
    Published(
      "ALBERT base, masked", "albert",
      albert(768, 12, 12) + #","architectures":["AlbertForMaskedLM"]"#, 11_221_680),
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
    // The library's own counts, with the frozen positions of the encoder; openai/whisper says 39 M, 74 M,
    // 244 M, 769 M, 1550 M.
    Published("Whisper tiny", "whisper", #""model_type":"whisper""#, 37_760_640),
    Published("Whisper base", "whisper", whisper(512, 8, 6), 72_593_920),
    Published("Whisper small", "whisper", whisper(768, 12, 12), 241_734_912),
    Published("Whisper medium", "whisper", whisper(1024, 16, 24), 763_857_920),
    Published("Whisper large", "whisper", whisper(1280, 20, 32), 1_543_304_960),
    Published(
      "Whisper large-v3", "whisper",
      whisper(1280, 20, 32) + #","num_mel_bins":128,"vocab_size":51866"#, 1_543_490_560),
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
