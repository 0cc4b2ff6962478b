/// What a model may do: a closed set, each with a file in `Operations` that says what every walk
/// (shapes, counts, cost, JSON, outline) makes of it, and one with the same name in `ReferenceModel`
/// that computes it.
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
}

extension Operation {
  /// What its case wraps.
  var content: any ModelOperation {
    switch self {
    case .embedding(let it): it
    case .positions(let it): it
    case .sinusoids(let it): it
    case .patches(let it): it
    case .convolution(let it): it
    case .prefix(let it): it
    case .linear(let it): it
    case .norm(let it): it
    case .rotary(let it): it
    case .relativeBias(let it): it
    case .attention(let it): it
    case .activation(let it): it
    case .combine(let it): it
    case .scale(let it): it
    case .softCap(let it): it
    case .slice(let it): it
    case .concatenate(let it): it
    case .firstPosition(let it): it
    case .experts(let it): it
    }
  }

  /// The types of all cases, in their order: what a step in JSON may be.
  static let kinds: [any ModelOperation.Type] = [
    Embedding.self, Positions.self, Sinusoids.self, Patches.self, Convolution.self, Prefix.self,
    Linear.self, Norm.self, Rotary.self, RelativeBias.self, Attention.self, Activate.self,
    Combine.self, Scale.self, SoftCap.self, Slice.self, Concatenate.self, FirstPosition.self,
    Experts.self,
  ]
}

extension Operation {
  /// The last part of its role, and of the state that it gives, where it has weights.
  public var name: String? { content.roleName }

  /// The word of its kind: `relative_bias`.
  var word: String { type(of: content).word }

  /// The value that it gives.
  public var output: String { content.output }

  /// The weights that it reads, in the order of its formula.
  public var weights: [Weight] { content.weights }

  /// The names of the values that it reads, in the order of its formula; masks, which may be left
  /// out, are not among them.
  package var reads: [String] { content.reads }

  /// What its output counts as; nil where that is what the block around counts as.
  package var component: Component? { content.component }

  /// The steps inside it.
  package var inner: InnerSteps? { content.inner }

  /// Whether a position of its output depends on later positions of what it reads.
  ///
  /// - Throws: what formulas throw.
  package func readsAhead(_ environment: Environment) throws -> Bool {
    try content.readsAhead(environment)
  }
}
