@testable import Architectures

/// Small sizes of encoders and encoder-decoders.
extension SmallModels {
  static let encoders: [String: [String: Value]] = [
    "bert": text.merging(["types": 3, "labels": 7]) { $1 },
    "roberta": text.merging(["types": 3, "labels": 7]) { $1 },
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
    "transformer": [
      "vocabulary": 37, "positions": 17, "width": 12, "encoder_layers": 2, "decoder_layers": 3,
      "heads": 3, "feed_forward": 20,
    ],
  ]

  /// What Keras Hub's models have, and what several values decide together.
  static let encoderTurning: [String: [[String: Value]]] = [
    "roberta": [["types": 0, "position_offset": 0, "pooler": .flag(false)]],
    "bart": [
      [
        "position_offset": 0, "decoder_layers": 2, "decoder_heads": 3, "decoder_feed_forward": 22,
      ]
    ],
    "transformer": [["decoder_vocabulary": 41, "embedding": .word("separate")]],
  ]

  private static let text: [String: Value] = [
    "vocabulary": 61, "positions": 23, "width": 20, "layers": 3, "heads": 5, "feed_forward": 36,
  ]
}
