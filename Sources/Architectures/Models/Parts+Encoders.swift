internal import Tensors

/// Parts that encoders share.
extension Step {
  /// Layers as the Transformer of 2017 has them: each part's norm stands behind its addition.
  ///
  /// - Parameter hasCrossAttention: Whether there is attention over an encoder's states, in models with
  ///   the flags of `Parameter.decoder`.
  static func postNormLayers(
    sharesWeights: Bool = false, isCausal: Expression = false, hasCrossAttention: Bool = false
  ) -> Step {
    let crossAttention: [Step] = [
      AttentionPart(
        name: "cross_attention", component: .crossAttention, input: "x",
        memory: "encoder_hidden_states", mask: "encoder_attention_mask"
      ).step,
      .add("x", "h", into: "x"),
      .norm("cross_attention_norm", .layer, "x", into: "x"),
    ]
    let attention: [Step] = [
      .state("x", series: "hidden"),
      AttentionPart(input: "x", isCausal: isCausal).step,
      .add("x", "h", into: "x"),
      .norm("attention_norm", .layer, "x", into: "x"),
    ]
    let feedForward: [Step] = [
      .feedForward(input: "x"),
      .add("x", "h", into: "x"),
      .norm("feed_forward_norm", .layer, "x", into: "x"),
    ]
    let between =
      hasCrossAttention ? [Step.when("cross_attention && reads_encoder", crossAttention)] : []
    return .loop(
      .init(
        name: "layers", variable: "layer", count: "layers", sharesWeights: sharesWeights,
        steps: attention + between + feedForward))
  }

  /// The first position through a dense layer and tanh: `pooled`.
  static let pooler = pooler(width: "width", function: "'tanh'")

  /// The same to another width, and with another function.
  static func pooler(width: Expression, function: Expression) -> [Step] {
    [
      .operation(.firstPosition(.init(input: "x", output: "pooled"))),
      .linear("pooler", "pooled", from: "width", to: width, as: .pooler, into: "pooled"),
      .activation("pooled", function, into: "pooled"),
    ]
  }

  /// Dense layer, activation, norm, and logits over a table of `inner` columns.
  static func maskedHead(inner: Expression = "width", result: String = "logits") -> [Step] {
    [
      .linear("head_transform", "x", from: "width", to: inner, as: .headTransform, into: "y"),
      .activation("y", "head_activation", into: "y"),
      .norm("head_norm", .layer, "y", width: inner, epsilon: "head_norm_epsilon", into: "y"),
      .linear(
        "head", "y", from: inner, to: "vocabulary", as: .head,
        tie: .init(when: "tied_head", to: "embedding.tokens.weight"), into: "logits"),
      .result("logits", name: result),
    ]
  }

  /// Logits for classes.
  static func classifier(_ input: String = "pooled") -> [Step] {
    [
      .linear("classifier", input, from: "width", to: "labels", as: .classifier, into: "logits"),
      .result("logits", name: "logits"),
    ]
  }

  /// A learned row for each position, added to `x`.
  static func learnedPositions(
    numbering: Operation.Positions.Numbering = .sequence, offset: Expression = 0,
    width: Expression = "width", rows: Expression = "positions", value: String = "x"
  ) -> [Step] {
    [
      .operation(
        .positions(
          .init(
            name: "positions", input: value, rows: rows, width: width, numbering: numbering,
            offset: offset, mask: numbering == .visibleTokens ? "attention_mask" : nil,
            output: "p"))),
      .add(value, "p", into: value),
    ]
  }
}

extension Parameter {
  /// What masked language models have between the features and the logits: in Keras Hub it is not the
  /// function and the epsilon of the layers.
  static let maskedHead: [Parameter] = [
    Parameter(
      "head_activation", .word, default: "activation",
      words: Activation.allCases.map { ExactString($0.rawValue) }),
    .real("head_norm_epsilon", default: "norm_epsilon"), .flag("tied_head", default: true),
  ]
}

extension Architecture.Input {
  static let positions = Architecture.Input(
    name: "position_ids", kind: .ids, size: "positions", isOptional: true)
  static let types = Architecture.Input(
    name: "token_type_ids", kind: .ids, size: "types", condition: "types > 0", isOptional: true)
}

extension Spelling {
  /// Weight and bias of a norm; TensorFlow's old names for them are still about in old checkpoints.
  static func norm(_ role: String, _ name: String, isOuter: Bool = false) -> [Spelling] {
    [
      Spelling(
        [role + ".weight"], name + ".weight", isOuter: isOuter, aliases: [name + ".gamma"]),
      Spelling([role + ".bias"], name + ".bias", isOuter: isOuter, aliases: [name + ".beta"]),
    ]
  }

  /// A layer of Keras 3: its variables by number, matrices as [inputs, outputs].
  static func keras(
    _ role: String, _ name: String, _ layout: [LayoutStep] = [.transpose],
    biasLayout: [LayoutStep] = [], isOuter: Bool = false
  ) -> [Spelling] {
    [
      Spelling([role + ".weight"], name + "/vars/0", layout, isOuter: isOuter),
      Spelling([role + ".bias"], name + "/vars/1", biasLayout, isOuter: isOuter),
    ]
  }

  /// Keras' `MultiHeadAttention`: the heads are an axis of their own.
  static func kerasAttention(
    _ role: String, _ name: String, heads: Expression = "heads", width: Expression = "width",
    keyBias: Bool = true
  ) -> [Spelling] {
    let size = Expression(
      .binary(.over, width.node, heads.node), text: "\(width) / \(heads)")
    return ["query", "key", "value"].flatMap { part in
      let both = keras(
        "\(role).\(part)", "\(name)/\(part)_dense",
        [.transpose, .reshape([width, heads, size])], biasLayout: [.reshape([heads, size])])
      return part == "key" && !keyBias ? [both[0]] : both
    }
      + keras(
        "\(role).output", "\(name)/output_dense", [.transpose, .reshape([heads, size, width])])
  }

  /// Keras Hub's `TransformerEncoder` and what it has in common with `TransformerDecoder`.
  static func kerasHubLayer(
    _ role: String, _ name: String, heads: Expression = "heads", keyBias: Bool = true
  ) -> [Spelling] {
    [
      kerasAttention(
        "\(role).attention", "\(name)/_self_attention_layer", heads: heads, keyBias: keyBias),
      keras("\(role).attention_norm", "\(name)/_self_attention_layer_norm", []),
      keras("\(role).feed_forward.up", "\(name)/_feedforward_intermediate_dense"),
      keras("\(role).feed_forward.down", "\(name)/_feedforward_output_dense"),
      keras("\(role).feed_forward_norm", "\(name)/_feedforward_layer_norm", []),
    ].flatMap { $0 }
  }

  /// Keras Hub's head of masked language models.
  static let kerasHubMaskedHead: [Spelling] = [
    keras("head_transform", "layers/masked_lm_head/_intermediate_dense", isOuter: true),
    keras("head_norm", "layers/masked_lm_head/_intermediate_layer_norm", [], isOuter: true),
    one("head.bias", "layers/masked_lm_head/vars/0", isOuter: true),
  ].flatMap { $0 }
}

extension Dialect.Key {
  /// A value of a Keras Hub backbone, which may be part of a task.
  static func backbone(
    _ parameter: String, _ path: String, meaning meanings: [ExactString: Value] = [:],
    formula: Expression? = nil, absent: Value? = nil
  ) -> Dialect.Key {
    Dialect.Key(
      parameter: parameter, paths: ["config.\(path)", "config.backbone.config.\(path)"],
      meanings: meanings, formula: formula, absent: absent)
  }

  /// A value that an ecosystem never says, because it has no choice there.
  static func fixed(_ parameter: String, _ value: Value) -> Dialect.Key {
    Dialect.Key(parameter: parameter, paths: [], absent: value)
  }

  /// The number of classes, which Hugging Face gives by naming them; two where it says nothing.
  static let labels = Dialect.Key(
    parameter: "labels", paths: ["id2label.#", "num_labels"], absent: .integer(2))

  /// Which class is which head.
  static func head(_ path: ExactString, _ words: [ExactString: ExactString]) -> Dialect.Key {
    Dialect.Key(parameter: "head", paths: [path], meanings: words.mapValues { .word($0) })
  }
}

extension Architecture.Input {
  /// An encoder's states for a model that has none itself; without them cross-attention is left out.
  static let encoderStates = Architecture.Input(
    name: "encoder_hidden_states", kind: .features, size: "width",
    condition: "cross_attention && reads_encoder", isOptional: true, flag: "reads_encoder")
  /// Which of them are visible; all where it is left out.
  static let encoderMask = Architecture.Input(
    name: "encoder_attention_mask", kind: .mask, size: 2,
    condition: "cross_attention && reads_encoder", isOptional: true)

  /// What the decoder continues.
  static let decoderTokens = Architecture.Input(
    name: "decoder_input_ids", kind: .ids, size: "vocabulary")
  /// Which of them are visible; all where it is left out.
  static let decoderMask = Architecture.Input(
    name: "decoder_attention_mask", kind: .mask, size: 2, isOptional: true)

  /// The same input, which only some models of the architecture have.
  func when(_ condition: Expression) -> Architecture.Input {
    var input = self
    input.condition = condition
    return input
  }
}
