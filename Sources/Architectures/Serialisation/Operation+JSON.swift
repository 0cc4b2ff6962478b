internal import Tensors

/// The operations by the keys of their steps.
///
/// The two switches make the compiler ask for the form of every new operation.
enum OperationKind: String, CaseIterable {
  case embedding
  case positions
  case sinusoids
  case patches
  case convolution
  case prefix
  case linear
  case norm
  case rotary
  case relativeBias = "relative_bias"
  case attention
  case activation
  case combine
  case scale
  case softCap = "soft_cap"
  case slice
  case concatenate
  case firstPosition = "first_position"
  case experts

  init(_ operation: Operation) {
    self =
      switch operation {
      case .embedding: .embedding
      case .positions: .positions
      case .sinusoids: .sinusoids
      case .patches: .patches
      case .convolution: .convolution
      case .prefix: .prefix
      case .linear: .linear
      case .norm: .norm
      case .rotary: .rotary
      case .relativeBias: .relativeBias
      case .attention: .attention
      case .activation: .activation
      case .combine: .combine
      case .scale: .scale
      case .softCap: .softCap
      case .slice: .slice
      case .concatenate: .concatenate
      case .firstPosition: .firstPosition
      case .experts: .experts
      }
  }

  /// The operation before its fields are read.
  var blank: Operation {
    switch self {
    case .embedding: .embedding(.blank)
    case .positions: .positions(.blank)
    case .sinusoids: .sinusoids(.blank)
    case .patches: .patches(.blank)
    case .convolution: .convolution(.blank)
    case .prefix: .prefix(.blank)
    case .linear: .linear(.blank)
    case .norm: .norm(.blank)
    case .rotary: .rotary(.blank)
    case .relativeBias: .relativeBias(.blank)
    case .attention: .attention(.blank)
    case .activation: .activation(.blank)
    case .combine: .combine(.blank)
    case .scale: .scale(.blank)
    case .softCap: .softCap(.blank)
    case .slice: .slice(.blank)
    case .concatenate: .concatenate(.blank)
    case .firstPosition: .firstPosition(.blank)
    case .experts: .experts(.blank)
    }
  }
}

extension Operation {
  /// The operation without its kind.
  var fields: any FieldMapped {
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

  /// Reads the fields of an operation of this kind.
  init(_ kind: OperationKind, json: JSON, at place: JSONPlace) throws {
    self =
      switch kind {
      case .embedding: .embedding(try .init(json: json, at: place))
      case .positions: .positions(try .init(json: json, at: place))
      case .sinusoids: .sinusoids(try .init(json: json, at: place))
      case .patches: .patches(try .init(json: json, at: place))
      case .convolution: .convolution(try .init(json: json, at: place))
      case .prefix: .prefix(try .init(json: json, at: place))
      case .linear: .linear(try .init(json: json, at: place))
      case .norm: .norm(try .init(json: json, at: place))
      case .rotary: .rotary(try .init(json: json, at: place))
      case .relativeBias: .relativeBias(try .init(json: json, at: place))
      case .attention: .attention(try .init(json: json, at: place))
      case .activation: .activation(try .init(json: json, at: place))
      case .combine: .combine(try .init(json: json, at: place))
      case .scale: .scale(try .init(json: json, at: place))
      case .softCap: .softCap(try .init(json: json, at: place))
      case .slice: .slice(try .init(json: json, at: place))
      case .concatenate: .concatenate(try .init(json: json, at: place))
      case .firstPosition: .firstPosition(try .init(json: json, at: place))
      case .experts: .experts(try .init(json: json, at: place))
      }
  }
}

extension Operation.Embedding: FieldMapped {
  static var blank: Self { .init(name: "", input: "", rows: 0, width: 0, output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.word("input", &input)
    try fields.required("rows", &rows)
    try fields.required("width", &width)
    try fields.optional("purpose", &purpose)
    try fields.optional("tie", &tie)
    try fields.word("output", &output)
  }
}

extension Operation.Positions: FieldMapped {
  static var blank: Self { .init(name: "", input: "", rows: 0, width: 0, output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.word("input", &input)
    try fields.required("rows", &rows)
    try fields.required("width", &width)
    try fields.optional("numbering", &numbering)
    try fields.optional("offset", &offset)
    try fields.optional("mask", &mask)
    try fields.optional("frozen", &isFrozen)
    try fields.optional("weight_is_buffer", &weightIsBuffer)
    try fields.word("output", &output)
  }
}

extension Operation.Sinusoids: FieldMapped {
  static var blank: Self { .init(input: "", width: 0, output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("input", &input)
    try fields.required("width", &width)
    try fields.word("output", &output)
  }
}

extension Operation.Patches: FieldMapped {
  static var blank: Self {
    .init(name: "", input: "", channels: 0, patch: 0, width: 0, output: "")
  }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.word("input", &input)
    try fields.required("channels", &channels)
    try fields.required("patch", &patch)
    try fields.required("width", &width)
    try fields.optional("bias", &bias)
    try fields.word("output", &output)
  }
}

extension Operation.Convolution: FieldMapped {
  static var blank: Self {
    .init(name: "", input: "", inputs: 0, outputs: 0, kernel: 0, output: "")
  }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.word("input", &input)
    try fields.required("inputs", &inputs)
    try fields.required("outputs", &outputs)
    try fields.required("kernel", &kernel)
    try fields.optional("stride", &stride)
    try fields.optional("padding", &padding)
    try fields.optional("bias", &bias)
    try fields.word("output", &output)
  }
}

extension Operation.Prefix: FieldMapped {
  static var blank: Self { .init(name: "", input: "", width: 0, output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.word("input", &input)
    try fields.required("width", &width)
    try fields.word("output", &output)
  }
}

extension Operation.Linear: FieldMapped {
  static var blank: Self {
    .init(name: "", input: "", inputs: 0, outputs: 0, purpose: .other, output: "")
  }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.word("input", &input)
    try fields.required("inputs", &inputs)
    try fields.required("outputs", &outputs)
    try fields.optional("bias", &bias)
    try fields.required("purpose", &purpose)
    try fields.optional("tie", &tie)
    try fields.optional("bias_is_buffer", &biasIsBuffer)
    try fields.word("output", &output)
  }
}

extension Operation.Norm: FieldMapped {
  static var blank: Self {
    .init(name: "", kind: .layer, input: "", width: 0, epsilon: 0, output: "")
  }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.required("kind", &kind)
    try fields.word("input", &input)
    try fields.required("width", &width)
    try fields.required("epsilon", &epsilon)
    try fields.optional("bias", &bias)
    try fields.optional("offset", &offset)
    try fields.word("output", &output)
  }
}

extension Operation.Rotary: FieldMapped {
  static var blank: Self {
    .init(input: "", heads: 0, headSize: 0, dimensions: 0, base: 0, output: "")
  }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("input", &input)
    try fields.required("heads", &heads)
    try fields.required("head_size", &headSize)
    try fields.required("dimensions", &dimensions)
    try fields.required("base", &base)
    try fields.optional("order", &order)
    try fields.optional("scaling", &scaling)
    try fields.word("output", &output)
  }
}

extension Operation.Rotary.Scaling: FieldMapped {
  static var blank: Self {
    .init(
      kind: "'none'", factor: 0, lowFrequencyFactor: 0, highFrequencyFactor: 0,
      originalPositions: 0)
  }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.required("kind", &kind)
    try fields.required("factor", &factor)
    try fields.required("low_frequency_factor", &lowFrequencyFactor)
    try fields.required("high_frequency_factor", &highFrequencyFactor)
    try fields.required("original_positions", &originalPositions)
    try fields.optional("beta_fast", &betaFast)
    try fields.optional("beta_slow", &betaSlow)
    try fields.optional("truncates", &truncates)
    try fields.optional("attention_factor", &attentionFactor)
    try fields.optional("mscale", &mscale)
    try fields.optional("mscale_all_dim", &mscaleAllDimensions)
  }
}

extension Operation.RelativeBias: FieldMapped {
  static var blank: Self {
    .init(
      name: "", queries: "", keys: "", heads: 0, buckets: 0, farthest: 0, isBidirectional: true,
      output: "")
  }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.word("queries", &queries)
    try fields.word("keys", &keys)
    try fields.required("heads", &heads)
    try fields.required("buckets", &buckets)
    try fields.required("farthest", &farthest)
    try fields.required("bidirectional", &isBidirectional)
    try fields.word("output", &output)
  }
}

extension Operation.Attention: FieldMapped {
  static var blank: Self {
    .init(query: "", key: "", value: "", heads: 0, keyHeads: 0, isCausal: false, output: "")
  }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("query", &query)
    try fields.word("key", &key)
    try fields.word("value", &value)
    try fields.required("heads", &heads)
    try fields.required("key_heads", &keyHeads)
    try fields.required("causal", &isCausal)
    try fields.optional("mask", &mask)
    try fields.optional("window", &window)
    try fields.optional("scale", &scale)
    try fields.optional("soft_cap", &softCap)
    try fields.optional("bias", &bias)
    try fields.optional("alibi", &alibi)
    try fields.word("output", &output)
  }
}

extension Operation.Activate: FieldMapped {
  static var blank: Self { .init(input: "", function: "''", output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("input", &input)
    try fields.required("function", &function)
    try fields.word("output", &output)
  }
}

extension Operation.Combine: FieldMapped {
  static var blank: Self { .init(kind: .add, left: "", right: "", output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.required("kind", &kind)
    try fields.word("left", &left)
    try fields.word("right", &right)
    try fields.word("output", &output)
  }
}

extension Operation.Scale: FieldMapped {
  static var blank: Self { .init(input: "", factor: 0, output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("input", &input)
    try fields.required("factor", &factor)
    try fields.word("output", &output)
  }
}

extension Operation.SoftCap: FieldMapped {
  static var blank: Self { .init(input: "", cap: 0, output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("input", &input)
    try fields.required("cap", &cap)
    try fields.word("output", &output)
  }
}

extension Operation.Slice: FieldMapped {
  static var blank: Self { .init(input: "", start: 0, count: 0, output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("input", &input)
    try fields.optional("groups", &groups)
    try fields.required("start", &start)
    try fields.required("count", &count)
    try fields.word("output", &output)
  }
}

extension Operation.Concatenate: FieldMapped {
  static var blank: Self { .init(left: "", right: "", output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("left", &left)
    try fields.word("right", &right)
    try fields.optional("groups", &groups)
    try fields.optional("shares_right", &sharesRight)
    try fields.word("output", &output)
  }
}

extension Operation.FirstPosition: FieldMapped {
  static var blank: Self { .init(input: "", output: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("input", &input)
    try fields.word("output", &output)
  }
}

extension Operation.Experts: FieldMapped {
  static var blank: Self {
    .init(name: "", input: "", width: 0, count: 0, active: 0, steps: [], result: "", output: "")
  }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.word("input", &input)
    try fields.required("width", &width)
    try fields.required("count", &count)
    try fields.required("active", &active)
    try fields.optional("normalizes", &normalizes)
    try fields.optional("groups", &groups)
    try fields.optional("active_groups", &activeGroups)
    try fields.bind("expert", "steps")
    try fields.required("steps", &steps)
    try fields.word("result", &result)
    try fields.word("output", &output)
  }
}

/// A tie has `let` fields: it is made anew.
extension Weight.Tie: FieldMapped {
  static var blank: Self { .init(when: true, to: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    var (condition, role) = (condition, role)
    try fields.optional("when", &condition)
    try fields.word("to", &role)
    self = .init(when: condition, to: role)
  }
}
