internal import Tensors

/// How the angles of rotary positions are stretched for contexts longer than a model was trained on.
enum RotaryScaling {
  /// The ways that configurations name; the forward pass knows all but the last two.
  static let words: [ExactString] = [
    "none", "linear", "llama3", "dynamic", "yarn", "longrope", "proportional",
  ]

  static let parameters: [Parameter] = [
    .real("rotary_base", default: 10000), .word("rope_scaling", words, default: "none"),
    .real(
      "rope_factor",
      default: "rope_scaling == 'yarn' ? 1.0 * positions / rope_original_positions : 1"),
    .real("rope_low_frequency_factor", default: 1),
    .real("rope_high_frequency_factor", default: 4),
    .count("rope_original_positions", default: "positions"), .real("rope_beta_fast", default: 32),
    .real("rope_beta_slow", default: 1), .flag("rope_truncates", default: true),
    .real("rope_attention_factor", default: 0), .real("rope_mscale", default: 0),
    .real("rope_mscale_all_dim", default: 0),
  ]

  static let operand = Operation.Rotary.Scaling(
    kind: "rope_scaling", factor: "rope_factor",
    lowFrequencyFactor: "rope_low_frequency_factor",
    highFrequencyFactor: "rope_high_frequency_factor",
    // The dynamic way begins where the positions of the configuration end.
    originalPositions: "rope_scaling == 'dynamic' ? positions : rope_original_positions",
    betaFast: "rope_beta_fast", betaSlow: "rope_beta_slow", truncates: "rope_truncates",
    attentionFactor: "rope_attention_factor", mscale: "rope_mscale",
    mscaleAllDimensions: "rope_mscale_all_dim")

  /// transformers 5 writes `rope_parameters`, older ones `rope_theta` and `rope_scaling`.
  static func huggingFace(base: Double = 10000) -> [Dialect.Key] {
    func key(_ parameter: String, _ name: String) -> Dialect.Key {
      .key(parameter, "rope_parameters.\(name)", "rope_scaling.\(name)")
    }
    return [
      .key(
        "rotary_base", "rope_parameters.rope_theta", "rope_scaling.rope_theta", "rope_theta",
        absent: .real(base)),
      .key(
        "rope_scaling", "rope_parameters.rope_type", "rope_parameters.type",
        "rope_scaling.rope_type", "rope_scaling.type",
        meaning: ["default": .word("none"), "su": .word("longrope")], absent: .word("none")),
      key("rope_factor", "factor"), key("rope_low_frequency_factor", "low_freq_factor"),
      key("rope_high_frequency_factor", "high_freq_factor"),
      key("rope_original_positions", "original_max_position_embeddings"),
      key("rope_beta_fast", "beta_fast"), key("rope_beta_slow", "beta_slow"),
      key("rope_truncates", "truncate"), key("rope_attention_factor", "attention_factor"),
      key("rope_mscale", "mscale"), key("rope_mscale_all_dim", "mscale_all_dim"),
    ]
  }

  /// Keras Hub's plain factor divides positions.
  static let kerasHub: [Dialect.Key] = [
    .backbone("rotary_base", "rope_max_wavelength", absent: .real(10000)),
    .backbone(
      "rope_scaling", "rope_scaling_factor", formula: "value == 1 ? 'none' : 'linear'",
      absent: .word("none")),
    .backbone("rope_factor", "rope_scaling_factor"),
  ]
}
