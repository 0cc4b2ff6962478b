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
        let content = operation.content
        if let inner = content.inner {
          try run(inner, in: scope, repetitions: repetitions, visit)
        }
        let inputs = try content.reads.map { try shape(of: $0, for: operation, scope) }
        let output = try content.shape(
          of: inputs,
          ShapeCheck(operation: operation, scope: scope, model: model, values: shapes))
        shapes[content.output] = output
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
    _ inner: InnerSteps, in scope: Scope, repetitions: Int, _ visit: (Event) throws -> Void
  ) throws {
    let active = try scope.environment.count(inner.active)
    let (product, overflow) = repetitions.multipliedReportingOverflow(by: active)
    guard !overflow else { throw IngotError(.malformed, "the number of experts exceeds 2^63") }
    try run(inner.steps, in: scope.entering(inner, turn: 0), repetitions: product, visit)
  }

  private func shape(
    of value: String, for operation: Operation, _ scope: Scope
  ) throws -> [Int] {
    guard let shape = shapes[value] else {
      throw ShapeCheck.failure(operation, scope, "reads '\(value)', which no step before it gives")
    }
    return shape
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
        guard case .operation(let operation) = visit,
          let count = try operation.content.mostPositions(scope.environment)
        else { return }
        rows = min(rows ?? count, count)
      }
      return rows
    }
  }
}
