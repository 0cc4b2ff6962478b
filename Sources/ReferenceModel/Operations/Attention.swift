internal import Architectures
internal import Tensors

extension Evaluation {
  /// softmax(scale · q·kᵀ + biases, hidden keys left out)·v, head by head.
  ///
  /// q [batch, queries, heads · size], k [batch, keys, key_heads · size], v [batch, keys, key_heads ·
  /// value_size] → [batch, queries, heads · value_size]; each key head serves heads / key_heads
  /// queries in turn.
  mutating func attention(_ it: Operation.Attention, _ scope: Scope) throws -> Numbers<Scalar> {
    let environment = scope.environment
    let (heads, keyHeads) = (try environment.count(it.heads), try environment.count(it.keyHeads))
    let query = try value(it.query)
    var (key, value) = (try value(it.key), try value(it.value))
    guard query.shape.count == 3, key.shape.count == 3, value.shape.count == 3 else {
      throw IngotError(.malformed, "attention needs [batch, sequence, features]")
    }
    guard heads > 0, keyHeads > 0, heads % keyHeads == 0, query.width % heads == 0,
      key.width == query.width / heads * keyHeads, value.width % keyHeads == 0,
      key.shape[0] == query.shape[0], value.shape[0] == query.shape[0],
      key.shape[1] == value.shape[1]
    else {
      throw IngotError(
        .malformed,
        "\(heads) heads over \(keyHeads) do not fit query \(query.shape), key \(key.shape), value \(value.shape)"
      )
    }
    let keepsOrder = try environment.holds(it.isCausal) && inputs.isCausal
    if keepsOrder {
      isCausal = true
      try extendCache(scope.place.joined(separator: "."), &key, &value)
    }
    let window = try environment.count(it.window)
    guard window == 0 || keepsOrder else {
      throw IngotError(.unsupported, "a window over positions that have no order")
    }
    let headSize = query.width / heads
    let shape = AttentionShape(
      batch: query.shape[0], queries: query.shape[1], keys: key.shape[1], heads: heads,
      keyHeads: keyHeads, headSize: headSize, valueSize: value.width / keyHeads,
      first: keepsOrder ? key.shape[1] - query.shape[1] : 0, keepsOrder: keepsOrder,
      window: window)
    let scoring = Scoring<Scalar>(
      scale: Scalar(
        try it.scale.map(environment.number) ?? 1 / Double(headSize).squareRoot()),
      softCap: Scalar(try environment.number(it.softCap)),
      bias: try it.bias.map { try bias($0, shape) },
      slopes: try environment.holds(it.alibi) ? Self.slopes(heads).map { Scalar($0) } : nil,
      isVisible: try it.mask.flatMap { try visibility($0, shape) })
    return Numbers(
      shape: [shape.batch, shape.queries, heads * shape.valueSize],
      elements: AttentionKernel.attention(
        query.elements, key.elements, value.elements, shape, scoring, jobs: jobs))
  }

  /// Puts the keys and values of earlier positions before those at hand, and keeps them all.
  private mutating func extendCache(
    _ path: String, _ key: inout Numbers<Scalar>, _ value: inout Numbers<Scalar>
  ) throws {
    guard var cache else { return }
    self.cache = nil
    if let earlier = cache.entries[path] {
      key = earlier.keys.appending(key)
      value = earlier.values.appending(value)
    }
    cache.entries[path] = .init(keys: key, values: value)
    self.cache = cache
  }

  /// The value to add to the scores: [heads, queries, keys], or one for all heads.
  private func bias(_ name: String, _ shape: AttentionShape) throws -> Numbers<Scalar> {
    let bias = try value(name)
    guard bias.shape == [shape.heads, shape.queries, shape.keys] else {
      throw IngotError(
        .malformed,
        "'\(name)' of shape \(bias.shape) does not fit \(shape.heads) heads, \(shape.queries) queries and \(shape.keys) keys"
      )
    }
    return bias
  }

  /// Which keys a mask leaves visible: [batch, keys]; nil for all.
  private func visibility(_ name: String, _ shape: AttentionShape) throws -> [Bool]? {
    guard let mask = inputs.integers[name] else { return nil }
    guard mask.shape == [shape.batch, shape.keys] else {
      throw IngotError(
        .malformed,
        "the input '\(name)' of shape \(mask.shape) does not fit \(shape.batch) × \(shape.keys) keys"
      )
    }
    return mask.elements.allSatisfy { $0 != 0 } ? nil : mask.elements.map { $0 != 0 }
  }

  /// ALiBi's slopes: powers of 2^(−8/n) for n heads; where n is no power of two, those of the power
  /// below and every other one of the power above.
  static func slopes(_ heads: Int) -> [Double] {
    func powers(_ count: Int) -> [Double] {
      (1...count).map { Elementary.pow(2, -8 * Double($0) / Double(count)) }
    }
    var below = 1
    while 2 * below <= heads { below *= 2 }
    let rest = stride(from: 0, to: 2 * below, by: 2).map { powers(2 * below)[$0] }
    return powers(below) + rest.prefix(heads - below)
  }
}

extension Numbers {
  /// Two values [batch, positions, features], one's positions after the other's.
  func appending(_ next: Numbers) -> Numbers {
    let (batch, width) = (shape[0], self.width)
    precondition(next.shape[0] == batch && next.width == width)
    let (mine, more) = (shape[1] * width, next.shape[1] * width)
    var all: [Scalar] = []
    all.reserveCapacity(batch * (mine + more))
    for row in 0..<batch {
      all += elements[row * mine..<(row + 1) * mine]
      all += next.elements[row * more..<(row + 1) * more]
    }
    return Numbers(shape: [batch, shape[1] + next.shape[1], width], elements: all)
  }
}

extension Plan {
  /// The path of the first attention that sees later positions of what is fed in pieces.
  func attentionAhead() throws -> String? {
    var stepped: Set<String> = []
    for instruction in instructions {
      guard case .operation(let operation) = instruction.visit else { continue }
      if instruction.isStepped {
        stepped.insert(operation.output)
      } else {
        stepped.remove(operation.output)
      }
      guard case .attention(let it) = operation, instruction.isStepped, stepped.contains(it.key),
        try !instruction.scope.environment.holds(it.isCausal)
      else { continue }
      return instruction.scope.place.joined(separator: ".")
    }
    return nil
  }
}
