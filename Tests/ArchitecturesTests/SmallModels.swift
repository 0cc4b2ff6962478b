import Tensors

@testable import Architectures

/// Configurations of every architecture so small that a test can look at each weight, with no two
/// sizes equal by accident.
enum SmallModels {
  /// What has no default, and what has one that would make two sizes equal.
  static let sizes: [String: [String: Int]] = [
    "gpt2": decoder.merging(["positions": 23]) { $1 },
    "llama": grouped, "mistral": grouped, "qwen2": grouped,
    "mixtral": grouped.merging(["experts": 3]) { $1 },
    "gemma": grouped.merging(["head_size": 10]) { $1 },
    "gemma2": grouped.merging(["head_size": 10]) { $1 },
    // A quarter of a head turns, in pairs.
    "gpt_neox": decoder.merging(["width": 32]) { $1 },
    "opt": decoder.merging(["positions": 23, "embedding_width": 14]) { $1 },
    "bloom": decoder,
    "deepseek_v2": decoder.merging([
      "query_rank": 22, "key_rank": 26, "unturned_size": 10, "rotary_size": 4, "value_size": 12,
      "dense_layers": 1, "experts": 5, "active_experts": 2, "shared_experts": 2,
      "expert_feed_forward": 7,
    ]) { $1 },
    "bert": text.merging(["types": 3, "labels": 7]) { $1 },
    "roberta": text.merging(["types": 3, "labels": 7]) { $1 },
    "albert": text.merging(["embedding_width": 14, "types": 3, "labels": 7]) { $1 },
    "distilbert": text.merging(["labels": 7]) { $1 },
    "vit": [
      "image_height": 8, "image_width": 12, "patch": 4, "channels": 3, "width": 20, "layers": 2,
      "heads": 5, "feed_forward": 36, "labels": 7,
    ],
    "t5": [
      "vocabulary": 41, "width": 14, "encoder_layers": 2, "decoder_layers": 3, "heads": 3,
      "head_size": 4, "feed_forward": 22, "relative_buckets": 8, "relative_distance": 11,
    ],
    "bart": [
      "vocabulary": 41, "positions": 23, "width": 12, "encoder_layers": 2, "decoder_layers": 3,
      "heads": 3, "decoder_heads": 2, "feed_forward": 22, "decoder_feed_forward": 18,
    ],
    "whisper": [
      "vocabulary": 41, "channels": 10, "encoder_positions": 7, "decoder_positions": 23,
      "width": 12,
      "encoder_layers": 2, "decoder_layers": 3, "heads": 3, "decoder_heads": 2, "feed_forward": 22,
      "decoder_feed_forward": 18,
    ],
    "transformer": [
      "vocabulary": 37, "positions": 17, "width": 12, "encoder_layers": 2, "decoder_layers": 3,
      "heads": 3, "feed_forward": 20,
    ],
  ]

  private static let text = [
    "vocabulary": 61, "positions": 23, "width": 20, "layers": 3, "heads": 5, "feed_forward": 36,
  ]

  private static let decoder = [
    "vocabulary": 61, "width": 24, "layers": 3, "heads": 4, "feed_forward": 34,
  ]

  private static let grouped = decoder.merging(["key_heads": 2]) { $1 }

  /// Values that open or close a branch and are neither flags nor words, or that a convention requires.
  private static let turning: [String: [[String: Value]]] = [
    "opt": [
      ["embedding_width": .integer(24)],
      ["embedding_width": .integer(24), "position_offset": .integer(0)],
    ],
    "bloom": [["feed_forward": .integer(96)]],
    "bart": [
      [
        "position_offset": .integer(0), "decoder_layers": .integer(2), "decoder_heads": .integer(3),
        "decoder_feed_forward": .integer(22),
      ]
    ],
    "t5": [
      [
        "decoder_layers": .integer(2), "relative_buckets": .integer(32),
        "relative_distance": .integer(128),
      ],
      [
        "decoder_layers": .integer(2), "relative_buckets": .integer(32),
        "relative_distance": .integer(128), "gated": .flag(true), "tied_head": .flag(false),
      ],
    ],
    "whisper": [
      [
        "decoder_layers": .integer(2), "decoder_heads": .integer(3),
        "decoder_feed_forward": .integer(22),
      ],
      ["feed_forward": .integer(48), "decoder_feed_forward": .integer(48)],
    ],
    "bert": [["causal": .flag(true), "cross_attention": .flag(true)]],
    "roberta": [
      ["types": .integer(0), "position_offset": .integer(0), "pooler": .flag(false)],
      ["causal": .flag(true), "cross_attention": .flag(true)],
    ],
    "deepseek_v2": [
      ["query_rank": .integer(0)], ["dense_layers": .integer(0)], ["shared_experts": .integer(0)],
    ],
  ]

  /// The small sizes; then the same with each flag the other way, with each other word that decides on
  /// weights, and with what else opens a branch.
  static func configurations(of architecture: Architecture) -> [Configuration] {
    guard let sizes = sizes[architecture.name]?.mapValues(Value.integer) else { return [] }
    var variants: [[String: Value]] = [[:]]
    for parameter in architecture.parameters {
      switch parameter.kind {
      case .flag: variants += [[parameter.name: .flag(true)], [parameter.name: .flag(false)]]
      case .word: variants += parameter.words.map { [parameter.name: .word($0)] }
      case .count, .real, .counts: break
      }
    }
    variants += turning[architecture.name] ?? []
    return variants.map { Configuration(sizes.merging($0) { $1 }) }.filter { configuration in
      // What requirements refuse is no model.
      (try? Model(architecture, configuration)) != nil
    }
  }

  /// Those of the small models that a convention can hold.
  static func models(
    of architecture: Architecture, in convention: Convention
  ) throws -> [Model] {
    try configurations(of: architecture).map { try Model(architecture, $0) }.filter { model in
      try convention.requirements.allSatisfy { try model.environment.holds($0.condition) }
    }
  }
}

extension Configuration {
  init(_ values: [String: Value]) {
    self.init()
    for (name, value) in values { self[name] = Entry(value, source: "test") }
  }
}
