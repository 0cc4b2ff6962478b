internal import Tensors

/// Walks through everything that a model does with the shapes of its values.
///
/// No weight is read. That every operation finds the sizes that it asks for is checked on the way, so
/// this is also the test of a description and of a configuration: the counts of FLOPs and memory, the
/// forward pass and descriptions that users write all go through it.
public struct ShapeWalk {
  /// Something that happens on the way.
  public enum Event: Sendable {
    /// An operation.
    case operation(Application)
    /// A value goes to the user.
    case result(value: String, name: String)
  }

  /// An operation with the shapes of what it reads and gives.
  public struct Application: Sendable {
    /// The operation.
    public let operation: Operation
    /// Where it stands.
    public let scope: Scope
    /// The shapes of the values that it reads, in the order of its formula.
    public let inputs: [[Int]]
    /// The shape of its output.
    public let output: [Int]
    /// How many times it is done to each token: 1, or the number of active experts around.
    public let repetitions: Int
  }

  private let model: Model
  /// The shapes of the values by name, as they are at this point of the walk.
  public private(set) var shapes: [String: [Int]]

  /// Begins with the shapes of the inputs, by their canonical names.
  public init(_ model: Model, inputs: [String: [Int]]) {
    self.model = model
    shapes = inputs
  }

  /// Begins with whole inputs for so many sequences of one length; pictures have the model's own size.
  ///
  /// - Throws: `malformed` for a model with no inputs that this says enough about.
  public init(_ model: Model, batch: Int, sequence: Int) throws {
    var inputs: [String: [Int]] = [:]
    let environment = model.environment
    for input in model.architecture.inputs where try environment.holds(input.condition) {
      // What may be left out need not be there, but masks are checked against their keys.
      let length = try input.length.map(environment.count) ?? sequence
      switch input.kind {
      case .ids, .mask: inputs[input.name] = [batch, length]
      case .pixels:
        inputs[input.name] = [
          batch, try environment.count(input.size), try environment.count("image_height"),
          try environment.count("image_width"),
        ]
      case .features, .frames:
        inputs[input.name] = [batch, length, try environment.count(input.size)]
      }
    }
    self.init(model, inputs: inputs)
  }

  /// Goes through the whole model; `visit` is called after each step.
  ///
  /// - Throws: `malformed` naming the operation where sizes do not fit together; what `visit` throws.
  public mutating func run(_ visit: (Event) throws -> Void = { _ in }) throws {
    try checkTies()
    try run(model.architecture.steps, in: model.scope, repetitions: 1, visit)
  }

  /// A weight that is another one must have its shape.
  private func checkTies() throws {
    for tie in model.weights {
      guard let role = tie.tiedTo else { continue }
      // The other comes first, and is mostly the very first.
      guard let shape = model.weights.first(where: { $0.role == role })?.shape else {
        throw IngotError(.malformed, "\(tie.role) is tied to '\(role)', which is no weight")
      }
      guard shape == tie.shape else {
        throw IngotError(
          .malformed, "\(tie.role) of \(tie.shape) is tied to \(role), which is \(shape)")
      }
    }
  }

  private mutating func run(
    _ steps: [Step], in scope: Scope, repetitions: Int, _ visit: (Event) throws -> Void
  ) throws {
    try scope.walk(steps) { step, scope in
      switch step {
      case .operation(let operation):
        if case .experts(let experts) = operation {
          try run(experts, in: scope, repetitions: repetitions, visit)
        }
        let inputs = try operation.reads.map { try shape(of: $0, for: operation, scope) }
        let output = try output(of: operation, inputs, scope)
        shapes[operation.output] = output
        try visit(
          .operation(
            Application(
              operation: operation, scope: scope, inputs: inputs, output: output,
              repetitions: repetitions)))
      case .state(let value, let series):
        guard shapes[value] != nil else {
          throw IngotError(.malformed, "a state of '\(series)' is '\(value)', which is no value")
        }
      case .result(let value, let name):
        guard shapes[value] != nil else {
          throw IngotError(.malformed, "the result '\(name)' is '\(value)', which is no value")
        }
        try visit(.result(value: value, name: name))
      case .end(let block):
        guard shapes[block.output] != nil else {
          let path = scope.state(block.name)
          throw IngotError(.malformed, "\(path) ends in '\(block.output)', which is no value")
        }
      }
    }
  }

  /// One expert stands for all: they have the same steps and each sees some of the tokens.
  private mutating func run(
    _ experts: Operation.Experts, in scope: Scope, repetitions: Int,
    _ visit: (Event) throws -> Void
  ) throws {
    let active = try scope.environment.count(experts.active)
    let (product, overflow) = repetitions.multipliedReportingOverflow(by: active)
    guard !overflow else { throw IngotError(.malformed, "the number of experts exceeds 2^63") }
    try run(
      experts.steps, in: scope.entering(experts, expert: 0), repetitions: product, visit)
  }

  private func shape(
    of value: String, for operation: Operation, _ scope: Scope
  ) throws -> [Int] {
    guard let shape = shapes[value] else {
      throw Self.failure(operation, scope, "reads '\(value)', which no step before it gives")
    }
    return shape
  }

  fileprivate static func failure(
    _ operation: Operation, _ scope: Scope, _ message: String
  ) -> IngotError {
    let name = operation.name ?? operation.kind
    return IngotError(.malformed, "\(scope.state(name)): \(message)")
  }
}

extension ShapeWalk {
  /// The shape of what an operation gives.
  private func output(
    of operation: Operation, _ inputs: [[Int]], _ scope: Scope
  ) throws -> [Int] {
    let check = Check(operation: operation, scope: scope)
    let count = scope.environment.count
    let input = inputs[0]
    switch operation {
    case .embedding(let it):
      try check.rank(input, 2, it.input, "[batch, sequence]")
      return input + [try count(it.width)]
    case .positions(let it):
      try check.rank(input, atLeast: 2, it.input)
      let (rows, offset) = (try count(it.rows), try count(it.offset))
      guard input[1] <= rows - offset else {
        throw check.failure(
          "\(input[1]) positions are above the \(max(0, rows - offset)) that the table has rows for"
        )
      }
      return [input[1], try count(it.width)]
    case .sinusoids(let it):
      try check.rank(input, atLeast: 2, it.input)
      return [input[1], try count(it.width)]
    case .patches(let it):
      try check.rank(input, 4, it.input, "[batch, channels, height, width]")
      try check.equal(input[1], try count(it.channels), "channels", it.input)
      let patch = try count(it.patch)
      guard patch > 0, input[2] % patch == 0, input[3] % patch == 0 else {
        throw check.failure("patches of \(patch) do not divide pictures of \(input[2])×\(input[3])")
      }
      return [input[0], (input[2] / patch) * (input[3] / patch), try count(it.width)]
    case .convolution(let it):
      try check.rank(input, 3, it.input, "[batch, sequence, features]")
      try check.equal(input[2], try count(it.inputs), "features", it.input)
      let (kernel, stride, padding) = try (count(it.kernel), count(it.stride), count(it.padding))
      let length = try padding.multiplied(by: 2, "the padding").adding(input[1], "the length")
      guard kernel > 0, stride > 0, kernel <= length else {
        throw check.failure(
          "a kernel of \(kernel) at every step of \(stride) finds no place in the \(length) "
            + "positions of '\(it.input)'")
      }
      return [input[0], (length - kernel) / stride + 1, try count(it.outputs)]
    case .prefix(let it):
      try check.rank(input, 3, it.input, "[batch, sequence, features]")
      try check.equal(input[2], try count(it.width), "features", it.input)
      return [input[0], input[1] + 1, input[2]]
    case .linear(let it):
      try check.features(input, try count(it.inputs), it.input)
      return input.dropLast() + [try count(it.outputs)]
    case .norm(let it):
      try check.features(input, try count(it.width), it.input)
      return input
    case .rotary(let it):
      try check.rank(input, 3, it.input, "[batch, sequence, features]")
      let size = try count(it.headSize)
      let features = try size.multiplied(by: try count(it.heads), "the width of all heads")
      try check.equal(input[2], features, "features", it.input)
      let dimensions = try count(it.dimensions)
      guard dimensions <= size, dimensions % 2 == 0 else {
        throw check.failure(
          "\(dimensions) of the \(size) components of a head cannot turn in pairs")
      }
      return input
    case .relativeBias(let it):
      try check.rank(input, atLeast: 2, it.queries)
      try check.rank(inputs[1], atLeast: 2, it.keys)
      return [try count(it.heads), input[1], inputs[1][1]]
    case .attention(let it): return try attention(it, inputs, check)
    case .activation, .scale, .softCap: return input
    case .combine(let it):
      return try check.broadcast(input, inputs[1], it.left, it.right)
    case .slice(let it):
      try check.rank(input, atLeast: 1, it.input)
      let (groups, start, length) = (try count(it.groups), try count(it.start), try count(it.count))
      let size = try check.group(input, groups, it.input)
      guard start <= size, length <= size - start else {
        throw check.failure(
          "takes components \(start) to \(start + length) of the \(size) in a group of '\(it.input)'"
        )
      }
      return input.dropLast() + [groups * length]
    case .concatenate(let it):
      guard input.dropLast() == inputs[1].dropLast(), let left = input.last,
        let right = inputs[1].last
      else {
        throw check.failure(
          "joins '\(it.left)' of \(Check.text(input)) and '\(it.right)' of \(Check.text(inputs[1]))"
        )
      }
      let groups = try count(it.groups)
      _ = try check.group(input, groups, it.left)
      guard !it.sharesRight else {
        let all = try right.multiplied(by: groups, "the width of all groups")
        return input.dropLast() + [try left.adding(all, "the joined width")]
      }
      _ = try check.group(inputs[1], groups, it.right)
      return input.dropLast() + [try left.adding(right, "the joined width")]
    case .firstPosition(let it):
      try check.rank(input, 3, it.input, "[batch, sequence, features]")
      guard input[1] > 0 else { throw check.failure("'\(it.input)' has no first position") }
      return [input[0], input[2]]
    case .experts(let it):
      try check.features(input, try count(it.width), it.input)
      guard let result = shapes[it.result] else {
        throw check.failure("an expert ends in '\(it.result)', which is no value")
      }
      guard result.dropLast() == input.dropLast() else {
        throw check.failure(
          "an expert makes \(Check.text(result)) of '\(it.input)', which is \(Check.text(input))")
      }
      return result
    }
  }

  private func attention(
    _ it: Operation.Attention, _ inputs: [[Int]], _ check: Check
  ) throws -> [Int] {
    let (query, key, value) = (inputs[0], inputs[1], inputs[2])
    for (shape, name) in [(query, it.query), (key, it.key), (value, it.value)] {
      try check.rank(shape, 3, name, "[batch, sequence, features]")
      try check.equal(shape[0], query[0], "sequences", name)
    }
    try check.equal(value[1], key[1], "positions", it.value)
    let count = check.scope.environment.count
    let (heads, keyHeads) = (try count(it.heads), try count(it.keyHeads))
    guard keyHeads > 0, heads > 0, heads % keyHeads == 0 else {
      throw check.failure("\(keyHeads) key heads do not divide \(heads) heads")
    }
    let size = try check.group(query, heads, it.query)
    let keySize = try check.group(key, keyHeads, it.key)
    guard size == keySize else {
      throw check.failure(
        "a head of '\(it.query)' has \(size) components, one of '\(it.key)' \(keySize)")
    }
    let valueSize = try check.group(value, keyHeads, it.value)
    if let mask = it.mask {
      guard model.architecture.inputs.contains(where: { $0.name == mask }) else {
        throw check.failure("the mask '\(mask)' is no input")
      }
      if let shape = shapes[mask] {
        guard shape == [key[0], key[1]] else {
          throw check.failure(
            "the mask '\(mask)' is \(Check.text(shape)) for keys of \(Check.text(key))")
        }
      }
    }
    if let bias = it.bias {
      _ = try check.broadcast([query[0], heads, query[1], key[1]], inputs[3], "scores", bias)
    }
    return [
      query[0], query[1], try heads.multiplied(by: valueSize, "the width of all heads"),
    ]
  }

  /// The checks that operations share, each an error that names the operation and the value.
  private struct Check {
    let operation: Operation
    let scope: Scope

    func failure(_ message: String) -> IngotError { ShapeWalk.failure(operation, scope, message) }

    static func text(_ shape: [Int]) -> String {
      shape.isEmpty ? "scalar" : shape.map(String.init).joined(separator: "×")
    }

    func rank(_ shape: [Int], _ rank: Int, _ value: String, _ form: String) throws {
      guard shape.count == rank else {
        throw failure("expects '\(value)' as \(form), it is \(Self.text(shape))")
      }
    }

    func rank(_ shape: [Int], atLeast rank: Int, _ value: String) throws {
      guard shape.count >= rank else {
        throw failure("'\(value)' is \(Self.text(shape)), which has too few axes")
      }
    }

    func equal(_ found: Int, _ expected: Int, _ what: String, _ value: String) throws {
      guard found == expected else {
        throw failure("expects \(expected) \(what), '\(value)' has \(found)")
      }
    }

    func features(_ shape: [Int], _ expected: Int, _ value: String) throws {
      guard let last = shape.last else { throw failure("'\(value)' has no features") }
      try equal(last, expected, "features", value)
    }

    /// The size of each of `groups` equal parts of the last axis.
    func group(_ shape: [Int], _ groups: Int, _ value: String) throws -> Int {
      guard let last = shape.last, groups > 0, last % groups == 0 else {
        throw failure("\(groups) parts do not divide '\(value)' of \(Self.text(shape))")
      }
      return last / groups
    }

    /// The shape of two values element by element: axes are equal from the last on, or 1, or absent.
    func broadcast(
      _ left: [Int], _ right: [Int], _ leftName: String, _ rightName: String
    ) throws -> [Int] {
      var result = left.count >= right.count ? left : right
      let smaller = left.count >= right.count ? right : left
      for (index, size) in zip(result.indices.reversed(), smaller.reversed()) {
        if result[index] == 1 { result[index] = size }
        guard size == 1 || size == result[index] else {
          throw failure(
            "'\(leftName)' of \(Self.text(left)) and '\(rightName)' of \(Self.text(right)) do not "
              + "go together")
        }
      }
      return result
    }
  }
}

extension Model {
  /// The sequence that counts of cost take where none is asked for: what the position tables have
  /// rows for, else what the configuration calls its positions, at most 2,048.
  public var usualSequence: Int {
    get throws {
      if let positions = try mostPositions { return positions }
      let positions = try? environment.count("positions")
      return max(1, min(positions ?? 2048, 2048))
    }
  }

  /// The positions that its tables have rows for; nil where positions are computed.
  public var mostPositions: Int? {
    get throws {
      var rows: Int?
      try scope.walk(architecture.steps) { visit, scope in
        guard case .operation(.positions(let positions)) = visit else { return }
        let count = max(
          try scope.environment.count(positions.rows)
            - (try scope.environment.count(positions.offset)), 1)
        rows = min(rows ?? count, count)
      }
      return rows
    }
  }
}
