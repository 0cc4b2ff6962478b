extension Operation {
  /// The names of the values that it reads, in the order of its formula; masks, which may be left
  /// out, are not among them.
  package var reads: [String] {
    switch self {
    case .embedding(let it): [it.input]
    case .positions(let it): [it.input]
    case .sinusoids(let it): [it.input]
    case .patches(let it): [it.input]
    case .convolution(let it): [it.input]
    case .prefix(let it): [it.input]
    case .linear(let it): [it.input]
    case .norm(let it): [it.input]
    case .rotary(let it): [it.input]
    case .relativeBias(let it): [it.queries, it.keys]
    case .attention(let it): [it.query, it.key, it.value] + (it.bias.map { [$0] } ?? [])
    case .activation(let it): [it.input]
    case .combine(let it): [it.left, it.right]
    case .scale(let it): [it.input]
    case .softCap(let it): [it.input]
    case .slice(let it): [it.input]
    case .concatenate(let it): [it.left, it.right]
    case .firstPosition(let it): [it.input]
    case .experts(let it): [it.input]
    }
  }

  /// The name of its kind, for messages: `linear`.
  var kind: String {
    switch self {
    case .embedding: "embedding"
    case .positions: "positions"
    case .sinusoids: "sinusoids"
    case .patches: "patches"
    case .convolution: "convolution"
    case .prefix: "prefix"
    case .linear: "linear"
    case .norm: "norm"
    case .rotary: "rotary"
    case .relativeBias: "relative bias"
    case .attention: "attention"
    case .activation: "activation"
    case .combine: "combine"
    case .scale: "scale"
    case .softCap: "soft cap"
    case .slice: "slice"
    case .concatenate: "concatenate"
    case .firstPosition: "first position"
    case .experts: "experts"
    }
  }
}
