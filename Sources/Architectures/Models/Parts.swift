/// Parts that models share, so that a description says only what is its own.
extension Step {
  static func embedding(
    _ name: String, of input: String, rows: Expression, width: Expression,
    as purpose: Weight.Purpose = .tokenEmbedding, tie: Weight.Tie? = nil, into output: String
  ) -> Step {
    .operation(
      .embedding(
        .init(
          name: name, input: input, rows: rows, width: width, purpose: purpose, tie: tie,
          output: output)))
  }

  static func linear(
    _ name: String, _ input: String, from inputs: Expression, to outputs: Expression,
    bias: Expression = true, as purpose: Weight.Purpose, tie: Weight.Tie? = nil,
    into output: String
  ) -> Step {
    .operation(
      .linear(
        .init(
          name: name, input: input, inputs: inputs, outputs: outputs, bias: bias, purpose: purpose,
          tie: tie, output: output)))
  }

  static func norm(
    _ name: String, _ kind: Operation.Norm.Kind, _ input: String, width: Expression = "width",
    epsilon: Expression = "norm_epsilon", bias: Expression? = nil, offset: Expression = 0,
    into output: String
  ) -> Step {
    .operation(
      .norm(
        .init(
          name: name, kind: kind, input: input, width: width, epsilon: epsilon,
          bias: bias ?? (kind == .rms ? false : true), offset: offset, output: output)))
  }

  static func add(_ left: String, _ right: String, into output: String) -> Step {
    .operation(.combine(.init(kind: .add, left: left, right: right, output: output)))
  }

  static func multiply(_ left: String, _ right: String, into output: String) -> Step {
    .operation(.combine(.init(kind: .multiply, left: left, right: right, output: output)))
  }

  static func scale(_ input: String, by factor: Expression, into output: String) -> Step {
    .operation(.scale(.init(input: input, factor: factor, output: output)))
  }

  static func activation(
    _ input: String, _ function: Expression = "activation", into output: String
  ) -> Step {
    .operation(.activation(.init(input: input, function: function, output: output)))
  }

  static func block(
    _ name: String, _ component: Component, output: String, _ steps: [Step]
  ) -> Step {
    .block(.init(name: name, component: component, output: output, steps: steps))
  }

  static func layers(
    name: String = "layers", count: Expression = "layers", _ steps: [Step]
  ) -> Step {
    .loop(.init(name: name, variable: "layer", count: count, steps: steps))
  }

  static func when(_ condition: Expression, _ then: [Step], otherwise: [Step] = []) -> Step {
    .branch(.init(condition: condition, then: then, otherwise: otherwise))
  }
}

/// How a model's attention differs from the plainest.
struct AttentionPart {
  var name = "attention"
  var component = Component.attention
  var input = "h"
  /// Where keys and values come from; nil for `input`.
  var memory: String?
  var output = "h"
  var width: Expression = "width"
  var heads: Expression = "heads"
  var keyHeads: Expression?
  /// The width of all query heads together, and of all key heads.
  var queryWidth: Expression = "width"
  var keyWidth: Expression = "width"
  var bias: Expression = true
  var keyBias: Expression?
  var outputBias: Expression?
  var isCausal: Expression = false
  var mask: String? = "attention_mask"
  var window: Expression = 0
  var scale: Expression?
  var softCap: Expression = 0
  var positionBias: String?
  var alibi: Expression = false
  /// Rotary positions for query and key: all but the values' names.
  var rotary: Operation.Rotary?

  /// Projections, rotary positions, attention, output projection.
  var step: Step {
    let source = memory ?? input
    var steps: [Step] = [
      .linear("query", input, from: width, to: queryWidth, bias: bias, as: .query, into: "q"),
      .linear(
        "key", source, from: width, to: keyWidth, bias: keyBias ?? bias, as: .key, into: "k"),
      .linear("value", source, from: width, to: keyWidth, bias: bias, as: .value, into: "v"),
    ]
    if let rotary {
      var (query, key) = (rotary, rotary)
      (query.input, query.heads, query.output) = ("q", heads, "q")
      (key.input, key.heads, key.output) = ("k", keyHeads ?? heads, "k")
      steps += [.operation(.rotary(query)), .operation(.rotary(key))]
    }
    steps += [
      .operation(
        .attention(
          .init(
            query: "q", key: "k", value: "v", heads: heads, keyHeads: keyHeads ?? heads,
            isCausal: isCausal, mask: mask, window: window, scale: scale, softCap: softCap,
            bias: positionBias, alibi: alibi, output: "a"))),
      .linear(
        "output", "a", from: queryWidth, to: width, bias: outputBias ?? bias,
        as: .attentionOutput, into: output),
    ]
    return .block(name, component, output: output, steps)
  }
}

extension Step {
  /// Up, activation, down.
  static func feedForward(
    _ name: String = "feed_forward", input: String = "h", output: String = "h",
    width: Expression = "width", inner: Expression = "feed_forward", bias: Expression = true,
    activation: Expression = "activation"
  ) -> Step {
    .block(
      name, .feedForward, output: output,
      [
        .linear("up", input, from: width, to: inner, bias: bias, as: .feedForwardUp, into: "u"),
        .activation("u", activation, into: "u"),
        .linear(
          "down", "u", from: inner, to: width, bias: bias, as: .feedForwardDown, into: output),
      ])
  }

  /// down(activation(gate(x)) · up(x)); arXiv 2002.05202.
  static func gated(
    input: String = "h", output: String = "h", width: Expression = "width",
    inner: Expression = "feed_forward", bias: Expression = false,
    activation: Expression = "activation"
  ) -> [Step] {
    [
      .linear("gate", input, from: width, to: inner, bias: bias, as: .feedForwardGate, into: "g"),
      .activation("g", activation, into: "g"),
      .linear("up", input, from: width, to: inner, bias: bias, as: .feedForwardUp, into: "u"),
      .multiply("g", "u", into: "u"),
      .linear("down", "u", from: inner, to: width, bias: bias, as: .feedForwardDown, into: output),
    ]
  }

  /// Logits of a language model over `x`, tied to the token table where the flag says so.
  static func languageHead(
    _ input: String = "x", bias: Expression = false, table: String = "embedding.tokens.weight",
    width: Expression = "width"
  ) -> [Step] {
    [
      .linear(
        "head", input, from: width, to: "vocabulary", bias: bias, as: .head,
        tie: .init(when: "tied_head", to: table), into: "logits"),
      .result("logits", name: "logits"),
    ]
  }
}

extension Architecture.Input {
  /// Token ids below the vocabulary.
  static let tokens = Architecture.Input(name: "input_ids", kind: .ids, size: "vocabulary")
  /// Which tokens are visible; all where it is left out.
  static let mask = Architecture.Input(
    name: "attention_mask", kind: .mask, size: 2, isOptional: true)
}

extension Architecture.Requirement {
  /// Heads divide the width.
  static let headsDivideWidth = Architecture.Requirement(
    condition: "width % heads == 0", message: "'heads' does not divide 'width'")
  /// All heads together are as wide as the model.
  static let headsFillWidth = Architecture.Requirement(
    condition: "heads * head_size == width", message: "'heads' times 'head_size' is not 'width'")
  /// Key heads divide query heads.
  static let keyHeadsDivideHeads = Architecture.Requirement(
    condition: "heads % key_heads == 0", message: "'key_heads' does not divide 'heads'")
}
