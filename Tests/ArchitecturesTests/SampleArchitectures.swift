@testable import Architectures

/// Descriptions that tests write for themselves, with what GPT-2 does not have.
enum SampleArchitectures {
  private static let sizes: [Parameter] = [
    "vocabulary", "width", "layers", "heads", "key_heads", "head_size", "feed_forward",
  ].map { .count($0) }

  private static func decoder(
    _ name: String, _ parameters: [Parameter] = [], window: Expression = 0,
    feedForward: [Step]
  ) -> Architecture {
    var part = AttentionPart(
      keyHeads: "key_heads", queryWidth: "heads * head_size", keyWidth: "key_heads * head_size",
      bias: false, isCausal: true, window: window)
    part.rotary = .init(
      input: "", heads: "heads", headSize: "head_size", dimensions: "head_size", base: 10000,
      output: "")
    return Architecture(
      name: name, summary: "",
      parameters: sizes + parameters + [
        .flag("tied_head", default: false), .real("norm_epsilon", default: 1e-5),
        .activation(default: .silu),
      ], inputs: [.tokens, .mask],
      steps: [
        .embedding("tokens", of: "input_ids", rows: "vocabulary", width: "width", into: "x"),
        .layers(
          [
            .norm("attention_norm", .rms, "x", into: "h"), part.step, .add("x", "h", into: "x"),
            .norm("feed_forward_norm", .rms, "x", into: "h"),
          ] + feedForward + [.add("x", "h", into: "x")]),
        .norm("final_norm", .rms, "x", into: "x"),
      ] + Step.languageHead(table: "tokens.weight"), conventions: [], dialects: [],
      requirements: [])
  }

  /// Grouped heads, a gate, an untied head.
  static let gated = decoder(
    "gated", [.count("window", default: 0, minimum: 0)], window: "window",
    feedForward: [.block("feed_forward", .feedForward, output: "h", Step.gated())])

  /// A mixture of gated experts beside a shared one.
  static let mixture = decoder(
    "mixture", [.count("experts"), .count("active_experts")],
    feedForward: [
      .operation(
        .experts(
          .init(
            name: "experts", input: "h", width: "width", count: "experts",
            active: "active_experts", steps: Step.gated(output: "e"), result: "e", output: "m"))),
      .block("shared", .experts, output: "s", Step.gated(output: "s")), .add("m", "s", into: "h"),
    ])

  /// An encoder and a decoder with cross-attention, in the plainest form.
  static let translator = Architecture(
    name: "translator", summary: "",
    parameters: ["vocabulary", "width", "encoder_layers", "decoder_layers", "heads"].map {
      .count($0)
    } + [
      .count("feed_forward", default: "4 * width"), .real("norm_epsilon", default: 1e-5),
      .activation(default: .relu), .flag("tied_head", default: true),
    ],
    inputs: [
      .tokens, .mask, .init(name: "decoder_input_ids", kind: .ids, size: "vocabulary"),
    ],
    steps: [
      .embedding("tokens", of: "input_ids", rows: "vocabulary", width: "width", into: "x"),
      .layers(
        name: "encoder", count: "encoder_layers",
        [AttentionPart(input: "x", output: "x").step, .feedForward(input: "x", output: "x")]),
      .embedding(
        "decoder_tokens", of: "decoder_input_ids", rows: "vocabulary", width: "width",
        tie: .init(when: true, to: "tokens.weight"), into: "y"),
      .layers(
        name: "decoder", count: "decoder_layers",
        [
          AttentionPart(input: "y", output: "y", isCausal: true, mask: nil).step,
          AttentionPart(
            name: "cross_attention", component: .crossAttention, input: "y", memory: "x",
            output: "y"
          ).step,
          .feedForward(input: "y", output: "y"),
        ]),
    ] + Step.languageHead("y", table: "tokens.weight"), conventions: [], dialects: [],
    requirements: [])

  /// Layers that share their weights, as ALBERT's do, on features.
  static let shared = Architecture(
    name: "shared", summary: "", parameters: [.count("width"), .count("layers"), .count("heads")],
    inputs: [.init(name: "inputs_embeds", kind: .features, size: "width")],
    steps: [
      .loop(
        .init(
          name: "layers", variable: "layer", count: "layers", sharesWeights: true,
          steps: [
            AttentionPart(input: "inputs_embeds", bias: false, mask: nil).step,
            .feedForward(inner: "4 * width", bias: false, activation: "'relu'"),
          ])), .result("h", name: "last_hidden_state"),
    ], conventions: [], dialects: [], requirements: [])

  static let all = [gated, mixture, translator, shared]
}
