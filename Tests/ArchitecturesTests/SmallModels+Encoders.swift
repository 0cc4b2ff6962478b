@testable import Architectures

/// Small sizes of encoders and encoder-decoders, no two equal by accident; of some twice, as one
/// convention has them and as another.
enum SmallEncoderModels {
  /// What has no default, and what has one that would make two sizes equal.
  static let sizes: [(architecture: String, values: [String: Value])] = [
    ("bert", text.merging(["types": .integer(3), "labels": .integer(7)]) { $1 }),
    ("roberta", text.merging(["types": .integer(3), "labels": .integer(7)]) { $1 }),
    (
      "roberta",
      text.merging([
        "types": .integer(0), "position_offset": .integer(0), "pooler": .flag(false),
      ]) { $1 }
    ),
    ("distilbert", text.merging(["labels": .integer(7)]) { $1 }),
    ("vit", counts(pictures)), ("t5", counts(relative)), ("bart", counts(stacks)),
    (
      "bart",
      counts([
        "vocabulary": 41, "positions": 23, "position_offset": 0, "width": 12, "encoder_layers": 3,
        "heads": 3, "feed_forward": 22,
      ])
    ),
    ("transformer", counts(twoStacks)),
    (
      "transformer",
      counts(twoStacks).merging([
        "decoder_vocabulary": .integer(41), "embedding": .word("separate"),
      ]) { $1 }
    ),
  ]

  private static let text = counts([
    "vocabulary": 61, "positions": 23, "width": 20, "layers": 3, "heads": 5, "feed_forward": 36,
  ])
  private static let pictures = [
    "image_height": 8, "image_width": 12, "patch": 4, "channels": 3, "width": 20, "layers": 2,
    "heads": 5, "feed_forward": 36, "labels": 7,
  ]
  private static let relative = [
    "vocabulary": 41, "width": 14, "encoder_layers": 2, "decoder_layers": 3, "heads": 3,
    "head_size": 4, "feed_forward": 22, "relative_buckets": 8, "relative_distance": 11,
  ]
  private static let stacks = [
    "vocabulary": 41, "positions": 23, "width": 12, "encoder_layers": 2, "decoder_layers": 3,
    "heads": 3, "decoder_heads": 2, "feed_forward": 22, "decoder_feed_forward": 18,
  ]
  private static let twoStacks = [
    "vocabulary": 37, "positions": 17, "width": 12, "encoder_layers": 2, "decoder_layers": 3,
    "heads": 3, "feed_forward": 20,
  ]

  private static func counts(_ values: [String: Int]) -> [String: Value] {
    values.mapValues(Value.integer)
  }
}
