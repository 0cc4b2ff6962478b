/// What a model may do: a closed set, so that every walk (shapes, counts, cost, evaluation, JSON) says
/// what it makes of each.
///
/// Values have names; an operation reads values and gives its `output` a value, new or instead of the
/// old one. Activations are `[batch, sequence, features]` unless an operation says otherwise.
public enum Operation: Sendable, Hashable {
  case embedding(Embedding)
  case positions(Positions)
  case sinusoids(Sinusoids)
  case patches(Patches)
  case convolution(Convolution)
  case prefix(Prefix)
  case linear(Linear)
  case norm(Norm)
  case rotary(Rotary)
  case relativeBias(RelativeBias)
  case attention(Attention)
  case activation(Activate)
  case combine(Combine)
  case scale(Scale)
  case softCap(SoftCap)
  case slice(Slice)
  case concatenate(Concatenate)
  case firstPosition(FirstPosition)
  case experts(Experts)

  /// Looks up the rows of a table: ids `[batch, sequence]` → `[batch, sequence, width]`.
  public struct Embedding: Sendable, Hashable {
    /// The name of the table in roles.
    public var name: String
    /// The input with the ids.
    public var input: String
    /// The rows of the table.
    public var rows: Expression
    /// The width of the table.
    public var width: Expression
    /// What its weights are for.
    public var purpose = Weight.Purpose.tokenEmbedding
    /// Whether the table is another one.
    public var tie: Weight.Tie?
    /// The value that it makes.
    public var output: String
  }

  /// A learned row for each position: → `[sequence, width]`, to be added.
  public struct Positions: Sendable, Hashable {
    /// How positions are numbered.
    public enum Numbering: String, Sendable, Hashable, CaseIterable {
      /// 0, 1, 2 …, or the input `position_ids` where it is given.
      case sequence
      /// RoBERTa: visible tokens are counted from `offset`, hidden ones have row `offset − 1`.
      case visibleTokens = "visible_tokens"
    }

    /// The name in roles.
    public var name: String
    /// The value whose positions are numbered.
    public var input: String
    /// The rows of the table.
    public var rows: Expression
    /// The size of the last axis.
    public var width: Expression
    /// How positions are numbered.
    public var numbering = Numbering.sequence
    /// The row of the first position.
    public var offset: Expression = 0
    /// The input with the mask, for `visibleTokens`.
    public var mask: String?
    /// Whether the table is stored but computed (DistilBERT's sinusoids are trained, so not there).
    public var isFrozen: Expression = false
    /// Whether the table is a buffer: used, but neither trained nor counted.
    public var weightIsBuffer = false
    /// The value that it makes.
    public var output: String
  }

  /// The sinusoidal positions of "Attention Is All You Need" §3.5: row p, column 2i
  /// sin(p / 10000^(2i/width)), column 2i+1 the cosine: → `[sequence, width]`.
  public struct Sinusoids: Sendable, Hashable {
    /// The value whose positions are numbered.
    public var input: String
    /// The size of the last axis.
    public var width: Expression
    /// The value that it makes.
    public var output: String
  }

  /// Cuts pictures `[batch, channels, height, width]` into patches and maps each:
  /// → `[batch, patches, width]`, a convolution whose stride is its kernel.
  public struct Patches: Sendable, Hashable {
    /// The name in roles.
    public var name: String
    /// The value that it reads.
    public var input: String
    /// The channels of a picture.
    public var channels: Expression
    /// The height and the width of a patch.
    public var patch: Expression
    /// The size of the last axis.
    public var width: Expression
    /// Whether there is a bias.
    public var bias: Expression = true
    /// The value that it makes.
    public var output: String
  }

  /// A convolution along the sequence: `[batch, sequence, inputs]` → `[batch, steps, outputs]`, where
  /// steps is (sequence + 2 · padding − kernel) / stride + 1, rounded down; W is `[outputs, inputs,
  /// kernel]`, and what lies outside of the sequence is 0.
  public struct Convolution: Sendable, Hashable {
    /// The name in roles.
    public var name: String
    /// The value that it reads.
    public var input: String
    /// The features that it reads.
    public var inputs: Expression
    /// The features that it makes.
    public var outputs: Expression
    /// How many positions of the input each position of the output sees.
    public var kernel: Expression
    /// How many positions of the input lie between what neighbours of the output see.
    public var stride: Expression = 1
    /// How many zeros stand before the sequence, and behind it.
    public var padding: Expression = 0
    /// Whether there is a bias.
    public var bias: Expression = true
    /// The value that it makes.
    public var output: String
  }

  /// Puts one learned vector `[1, 1, width]` before the sequence.
  public struct Prefix: Sendable, Hashable {
    /// The name in roles.
    public var name: String
    /// The value that it reads.
    public var input: String
    /// The size of the last axis.
    public var width: Expression
    /// The value that it makes.
    public var output: String
  }

  /// x·Wᵀ + b over the last axis; W is `[outputs, inputs]`.
  public struct Linear: Sendable, Hashable {
    /// The name in roles.
    public var name: String
    /// The value that it reads.
    public var input: String
    /// The features that it reads.
    public var inputs: Expression
    /// The features that it makes.
    public var outputs: Expression
    /// Whether there is a bias.
    public var bias: Expression = true
    /// What its weights are for.
    public var purpose: Weight.Purpose
    /// Whether W is another weight (a tied head).
    public var tie: Weight.Tie?
    /// Whether the bias is a buffer: used, but neither trained nor counted.
    public var biasIsBuffer = false
    /// The value that it makes.
    public var output: String
  }

  /// Normalises over the last axis.
  public struct Norm: Sendable, Hashable {
    /// Which norm.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
      /// (x − mean) / sqrt(variance + ε) · weight + bias; arXiv 1607.06450.
      case layer
      /// x / sqrt(mean(x²) + ε) · weight; arXiv 1910.07467.
      case rms
      /// Tutorial code: (x − mean) / (std + ε) with Bessel's correction in std.
      case bessel
    }

    /// The name in roles.
    public var name: String
    /// Which kind it is.
    public var kind: Kind
    /// The value that it reads.
    public var input: String
    /// The size of the last axis.
    public var width: Expression
    /// What keeps the division from 0.
    public var epsilon: Expression
    /// Whether there is a bias.
    public var bias: Expression = true
    /// What is added to the stored weight before use (1 in Gemma).
    public var offset: Expression = 0
    /// The value that it makes.
    public var output: String
  }

  /// Rotary positions on a value `[batch, sequence, heads · head_size]`; arXiv 2104.09864.
  ///
  /// Positions are 0, 1, 2 …, or the input `position_ids` where it is given.
  public struct Rotary: Sendable, Hashable {
    /// Which components of a head turn together.
    public enum Order: String, Sendable, Hashable, CaseIterable {
      /// Component i with i + dims/2.
      case halves
      /// Component 2i with 2i + 1.
      case pairs
    }

    /// How the angles of long contexts are made; the word is a parameter's value.
    public struct Scaling: Sendable, Hashable {
      /// `none`, `linear`, `dynamic`, `llama3`, `yarn`, or another way (`RotaryScaling`) that the
      /// forward pass lacks.
      public var kind: Expression
      /// What it is scaled by.
      public var factor: Expression
      /// Where wavelengths begin to be scaled.
      public var lowFrequencyFactor: Expression
      /// Where wavelengths cease to be left alone.
      public var highFrequencyFactor: Expression
      /// The positions that the model was first trained for.
      public var originalPositions: Expression
      /// Pairs that turn at least so often over these positions keep their angles, in YaRN.
      public var betaFast: Expression = 32
      /// Pairs that turn at most so often are scaled whole, in YaRN.
      public var betaSlow: Expression = 1
      /// Whether YaRN's bounds between such pairs are whole numbers of pairs.
      public var truncates: Expression = true
      /// What turned components are multiplied by, in YaRN; 0 where it follows from the factor.
      public var attentionFactor: Expression = 0
      /// How much the logarithm of the factor counts in that; 0 is not told.
      public var mscale: Expression = 0
      /// How much it counts in what scores are multiplied by, which turned components are then not.
      public var mscaleAllDimensions: Expression = 0
    }

    /// The value that it reads.
    public var input: String
    /// The number of heads.
    public var heads: Expression
    /// The components of a head.
    public var headSize: Expression
    /// How many components of each head turn, counted from the first.
    public var dimensions: Expression
    /// The base of the angles.
    public var base: Expression
    /// Which components of a head turn together.
    public var order = Order.halves
    /// How angles of long contexts are made; nil for none.
    public var scaling: Scaling?
    /// The value that it makes.
    public var output: String
  }

  /// T5's learned bias for each head and bucket of distances: → `[heads, queries, keys]`, to be
  /// added to attention scores; arXiv 1910.10683 §2.1.
  public struct RelativeBias: Sendable, Hashable {
    /// The name in roles.
    public var name: String
    /// The values whose positions are compared.
    public var queries: String
    /// The value whose positions are asked for.
    public var keys: String
    /// The number of heads.
    public var heads: Expression
    /// The number of buckets.
    public var buckets: Expression
    /// The distance from which all share a bucket.
    public var farthest: Expression
    /// Whether keys may lie after queries.
    public var isBidirectional: Expression
    /// The value that it makes.
    public var output: String
  }

  /// softmax(scale · q·kᵀ + biases + masks)·v, head by head.
  public struct Attention: Sendable, Hashable {
    /// `[batch, queries, heads · head_size]`.
    public var query: String
    /// `[batch, keys, key_heads · head_size]`.
    public var key: String
    /// `[batch, keys, key_heads · value_size]`.
    public var value: String
    /// The number of heads.
    public var heads: Expression
    /// The number of key and value heads.
    public var keyHeads: Expression
    /// Whether a query sees only keys at and before its position.
    public var isCausal: Expression
    /// The input that marks visible keys with 1, where it is given.
    public var mask: String?
    /// How many keys, itself included, a query sees at most; 0 is all.
    public var window: Expression = 0
    /// What scores are multiplied by; nil is 1/√head_size.
    public var scale: Expression?
    /// Scores become cap · tanh(scores / cap); 0 is not.
    public var softCap: Expression = 0
    /// A value to add to the scores.
    public var bias: String?
    /// Whether ALiBi's slopes are added; arXiv 2108.12409.
    public var alibi: Expression = false
    /// The value that it makes.
    public var output: String
  }

  /// An activation function, element by element.
  public struct Activate: Sendable, Hashable {
    /// The value that it reads.
    public var input: String
    /// A word: one of `Activation`.
    public var function: Expression
    /// The value that it makes.
    public var output: String
  }

  /// Two values into one, element by element, a smaller one repeated.
  public struct Combine: Sendable, Hashable {
    /// How.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
      case add
      case multiply
    }

    /// Which kind it is.
    public var kind: Kind
    /// The first value.
    public var left: String
    /// The second value.
    public var right: String
    /// The value that it makes.
    public var output: String
  }

  /// Every element times a number.
  public struct Scale: Sendable, Hashable {
    /// The value that it reads.
    public var input: String
    /// What it is scaled by.
    public var factor: Expression
    /// The value that it makes.
    public var output: String
  }

  /// cap · tanh(x / cap); a cap of 0 leaves x as it is.
  public struct SoftCap: Sendable, Hashable {
    /// The value that it reads.
    public var input: String
    /// The bound.
    public var cap: Expression
    /// The value that it makes.
    public var output: String
  }

  /// Part of the last axis, of each of `groups` equal parts the same.
  public struct Slice: Sendable, Hashable {
    /// The value that it reads.
    public var input: String
    /// The equal parts that it is done to.
    public var groups: Expression = 1
    /// The first component.
    public var start: Expression
    /// How many.
    public var count: Expression
    /// The value that it makes.
    public var output: String
  }

  /// Two values joined along the last axis, group by group.
  public struct Concatenate: Sendable, Hashable {
    /// The first value.
    public var left: String
    /// The second value.
    public var right: String
    /// The equal parts that it is done to.
    public var groups: Expression = 1
    /// Whether the right value is one group, which joins every group of the left one.
    public var sharesRight = false
    /// The value that it makes.
    public var output: String
  }

  /// The features of the first position: `[batch, sequence, f]` → `[batch, f]`.
  public struct FirstPosition: Sendable, Hashable {
    /// The value that it reads.
    public var input: String
    /// The value that it makes.
    public var output: String
  }

  /// A mixture of experts: a router scores `count` experts per token, the best `active` are applied
  /// and summed by their softmax weights.
  public struct Experts: Sendable, Hashable {
    /// The name of the group in roles; experts are `NAME.{expert}`.
    public var name: String
    /// The value that it reads.
    public var input: String
    /// The size of the last axis.
    public var width: Expression
    /// How many.
    public var count: Expression
    /// How many are applied to a token.
    public var active: Expression
    /// Whether the chosen experts' weights are made to sum to 1.
    public var normalizes: Expression = true
    /// How many groups of neighbours there are; 1 where any expert may be chosen.
    public var groups: Expression = 1
    /// How many of them a token's experts come from: those whose best expert scores highest.
    public var activeGroups: Expression = 1
    /// What one expert does with `input`, ending in `result`.
    public var steps: [Step]
    /// The value of an expert's steps that counts.
    public var result: String
    /// The value that it makes.
    public var output: String
  }
}

/// An activation function.
public enum Activation: String, Sendable, Hashable, CaseIterable {
  case relu
  /// x·Φ(x), with the error function.
  case gelu
  /// Its approximation with tanh: 0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))).
  case geluTanh = "gelu_tanh"
  /// x·sigmoid(1.702·x).
  case geluSigmoid = "gelu_sigmoid"
  case silu
  case tanh
}

extension Operation {
  /// The last part of its role, and of the state that it gives, where it has weights.
  public var name: String? {
    switch self {
    case .embedding(let it): it.name
    case .positions(let it): it.name
    case .patches(let it): it.name
    case .convolution(let it): it.name
    case .prefix(let it): it.name
    case .linear(let it): it.name
    case .norm(let it): it.name
    case .relativeBias(let it): it.name
    case .experts(let it): it.name
    case .sinusoids, .rotary, .attention, .activation, .combine, .scale, .softCap, .slice,
      .concatenate, .firstPosition:
      nil
    }
  }

  /// The value that it gives.
  public var output: String {
    switch self {
    case .embedding(let it): it.output
    case .positions(let it): it.output
    case .sinusoids(let it): it.output
    case .patches(let it): it.output
    case .convolution(let it): it.output
    case .prefix(let it): it.output
    case .linear(let it): it.output
    case .norm(let it): it.output
    case .rotary(let it): it.output
    case .relativeBias(let it): it.output
    case .attention(let it): it.output
    case .activation(let it): it.output
    case .combine(let it): it.output
    case .scale(let it): it.output
    case .softCap(let it): it.output
    case .slice(let it): it.output
    case .concatenate(let it): it.output
    case .firstPosition(let it): it.output
    case .experts(let it): it.output
    }
  }

  /// The weights that it reads, in the order of its formula.
  public var weights: [Weight] {
    switch self {
    case .embedding(let it):
      [Weight("weight", .table, it.purpose, [it.rows, it.width], tie: it.tie)]
    case .positions(let it):
      [
        Weight(
          "weight", .table, .positionEmbedding, [it.rows, it.width],
          isFrozen: it.weightIsBuffer ? true : it.isFrozen, isBuffer: it.weightIsBuffer)
      ]
    case .patches(let it):
      [
        Weight("weight", .matrix, .patchEmbedding, [it.width, it.channels, it.patch, it.patch]),
        Weight("bias", .bias, .patchEmbedding, [it.width], when: it.bias),
      ]
    case .convolution(let it):
      [
        Weight("weight", .matrix, .convolution, [it.outputs, it.inputs, it.kernel]),
        Weight("bias", .bias, .convolution, [it.outputs], when: it.bias),
      ]
    case .prefix(let it): [Weight("weight", .table, .classToken, [1, 1, it.width])]
    case .linear(let it):
      [
        Weight("weight", .matrix, it.purpose, [it.outputs, it.inputs], tie: it.tie),
        Weight(
          "bias", .bias, it.purpose, [it.outputs], when: it.bias,
          isFrozen: it.biasIsBuffer ? true : false, isBuffer: it.biasIsBuffer),
      ]
    case .norm(let it):
      [
        Weight("weight", .scale, .norm, [it.width]),
        Weight("bias", .bias, .norm, [it.width], when: it.bias),
      ]
    case .relativeBias(let it):
      [Weight("weight", .table, .relativePositions, [it.buckets, it.heads])]
    case .experts(let it): [Weight("router.weight", .matrix, .router, [it.count, it.width])]
    case .sinusoids, .rotary, .attention, .activation, .combine, .scale, .softCap, .slice,
      .concatenate, .firstPosition:
      []
    }
  }
}
