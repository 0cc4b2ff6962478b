import Tensors

@testable import Architectures

/// Configurations of every architecture so small that a test can look at each weight, with no two
/// sizes equal by accident.
enum SmallModels {
  /// What has no default, and what has one that would make two sizes equal.
  static let sizes: [String: [String: Value]] = [
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

  private static let decoder: [String: Value] = [
    "vocabulary": 61, "width": 24, "layers": 3, "heads": 4, "feed_forward": 34,
  ]

  private static let grouped = decoder.merging(["key_heads": 2]) { $1 }

  /// Values that open or close a branch and are neither flags nor words.
  private static let turning: [String: [[String: Value]]] = [
    "opt": [["embedding_width": 24]],
    "deepseek_v2": [["query_rank": 0], ["dense_layers": 0], ["shared_experts": 0]],
  ]

  /// The small sizes; then the same with each flag the other way, with each other word that decides on
  /// weights, and with what else opens a branch.
  static func configurations(of architecture: Architecture) -> [Configuration] {
    guard let sizes = sizes[architecture.name] else { return [] }
    var variants: [[String: Value]] = [[:]]
    for parameter in architecture.parameters {
      switch parameter.kind {
      case .flag: variants += [[parameter.name: .flag(true)], [parameter.name: .flag(false)]]
      case .word: variants += parameter.words.map { [parameter.name: .word($0)] }
      case .count, .real, .counts: break
      }
    }
    variants += turning[architecture.name] ?? []
    // What the model needs, whatever the flags say.
    return variants.map { Configuration(sizes.merging($0) { $1 }) }.filter { configuration in
      (try? Model(architecture, configuration)) != nil
    }
  }

  /// The configurations with what a convention fixes.
  static func models(
    of architecture: Architecture, in convention: Convention
  ) throws -> [Model] {
    try configurations(of: architecture).compactMap { configuration in
      var configuration = configuration
      for (name, formula) in convention.fixes {
        let environment = try Model(architecture, configuration).environment
        configuration[name] = .init(try environment.value(of: formula), source: "convention")
      }
      return try Model(architecture, configuration)
    }
  }
}

extension Configuration {
  init(_ values: [String: Value]) {
    self.init()
    for (name, value) in values { self[name] = Entry(value, source: "test") }
  }
}

extension Value: ExpressibleByIntegerLiteral {
  init(integerLiteral value: Int) { self = .integer(value) }
}
