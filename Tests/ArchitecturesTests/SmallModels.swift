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
    "gpt_neox": decoder,
    "opt": decoder.merging(["positions": 23, "embedding_width": 14]) { $1 },
    "bloom": decoder,
    "deepseek_v2": decoder.merging([
      "query_rank": 22, "key_rank": 26, "unturned_size": 10, "rotary_size": 4, "value_size": 12,
      "dense_layers": 1, "experts": 5, "active_experts": 2, "shared_experts": 2,
      "expert_feed_forward": 7,
    ]) { $1 },
  ]

  private static let decoder = [
    "vocabulary": 61, "width": 24, "layers": 3, "heads": 4, "feed_forward": 34,
  ]

  private static let grouped = decoder.merging(["key_heads": 2]) { $1 }

  /// Values that open or close a branch and are neither flags nor words, or that a convention requires.
  private static let turning: [String: [[String: Int]]] = [
    "opt": [["embedding_width": 24], ["embedding_width": 24, "position_offset": 0]],
    "bloom": [["feed_forward": 96]],
    "deepseek_v2": [["query_rank": 0], ["dense_layers": 0], ["shared_experts": 0]],
  ]

  /// The small sizes; then the same with each flag the other way, with each other word that decides on
  /// weights, and with what else opens a branch.
  static func configurations(of architecture: Architecture) -> [Configuration] {
    var variants: [[String: Value]] = [[:]]
    for parameter in architecture.parameters {
      switch parameter.kind {
      case .flag: variants += [[parameter.name: .flag(true)], [parameter.name: .flag(false)]]
      case .word: variants += parameter.words.map { [parameter.name: .word($0)] }
      case .count, .real, .counts: break
      }
    }
    variants += (turning[architecture.name] ?? []).map { $0.mapValues(Value.integer) }
    return bases(of: architecture).flatMap { sizes in
      variants.map { Configuration(sizes.merging($0) { $1 }) }
    }.filter { configuration in
      // What requirements refuse is no model.
      (try? Model(architecture, configuration)) != nil
    }
  }

  private static func bases(of architecture: Architecture) -> [[String: Value]] {
    if let sizes = sizes[architecture.name] { return [sizes.mapValues(Value.integer)] }
    return SmallEncoderModels.sizes.filter { $0.architecture == architecture.name }.map(\.values)
  }

  /// Those of the small models that a convention can hold.
  static func models(
    of architecture: Architecture, in convention: Convention
  ) throws -> [Model] {
    try configurations(of: architecture).map { try Model(architecture, $0) }.filter { model in
      try convention.requirements.allSatisfy { try model.environment.holds($0.condition) }
        && convention.fixes.allSatisfy { name, formula in
          try model.environment.value(of: formula)
            .isEqual(to: model.environment.value(of: Expression(parsing: name)))
        }
    }
  }
}

extension Configuration {
  init(_ values: [String: Value]) {
    self.init()
    for (name, value) in values { self[name] = Entry(value, source: "test") }
  }
}
