import Testing

@testable import Architectures

/// Models from values by hand.
enum Configurations {
  /// A model of a built-in architecture.
  static func model(_ architecture: Architecture, _ values: [String: Value]) throws -> Model {
    var configuration = Configuration()
    for (name, value) in values { configuration[name] = .init(value, source: "test") }
    return try Model(architecture, configuration)
  }

  /// GPT-2's formula with the sizes that its and GPT-3's papers vary.
  static func gpt2(
    layers: Int, width: Int, heads: Int, positions: Int = 1024, vocabulary: Int = 50257,
    _ others: [String: Value] = [:]
  ) throws -> Model {
    let sizes: [String: Value] = [
      "layers": .integer(layers), "width": .integer(width), "heads": .integer(heads),
      "positions": .integer(positions), "vocabulary": .integer(vocabulary),
    ]
    let architecture = try #require(Architecture.named("gpt2"))
    return try model(architecture, sizes.merging(others) { _, other in other })
  }

  /// Small, unequal sizes for the parameters that architectures share.
  private static let small: [String: Int] = [
    "vocabulary": 97, "decoder_vocabulary": 89, "positions": 40, "encoder_positions": 30,
    "decoder_positions": 40, "width": 32, "layers": 3,
    "encoder_layers": 2, "decoder_layers": 3, "heads": 4, "key_heads": 2, "head_size": 10,
    "feed_forward": 40, "experts": 4, "active_experts": 2, "expert_feed_forward": 20,
    "relative_buckets": 8, "relative_distance": 20, "patch": 4, "image_height": 16,
    "image_width": 12, "channels": 3, "types": 2, "labels": 5, "window": 3,
  ]

  /// Small models of an architecture: one with its defaults, then others.
  ///
  /// These have, one parameter after the other, each of its words, both flags and a count that is not
  /// the default. What the requirements refuse is left out.
  static func variants(
    of architecture: Architecture
  ) -> [(what: String, model: Result<Model, any Error>)] {
    var plain: [String: Value] = [:]
    for parameter in architecture.parameters where parameter.fallback == nil {
      switch parameter.kind {
      case .count: plain[parameter.name] = .integer(small[parameter.name] ?? 4)
      case .real: plain[parameter.name] = .real(0.5)
      case .flag: plain[parameter.name] = .flag(true)
      case .word: plain[parameter.name] = .word(parameter.words[0])
      case .counts: plain[parameter.name] = .integers([2, 2])
      }
    }
    var variants = [("defaults", Result { try model(architecture, plain) })]
    for parameter in architecture.parameters {
      let values: [Value] =
        switch parameter.kind {
        case .count: small[parameter.name].map { [.integer($0)] } ?? []
        case .flag: [.flag(true), .flag(false)]
        case .word: parameter.words.map(Value.word)
        case .real, .counts: []
        }
      for value in values {
        let changed = plain.merging([parameter.name: value]) { _, new in new }
        guard let model = try? model(architecture, changed) else { continue }
        variants.append(("\(parameter.name) = \(value)", .success(model)))
      }
    }
    return variants
  }
}
