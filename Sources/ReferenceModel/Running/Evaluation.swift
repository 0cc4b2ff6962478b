internal import Architectures
internal import Tensors

/// One forward pass under way: the values that are still needed, by their names in the description.
struct Evaluation<Scalar: Real> {
  private(set) var inputs: ModelInputs
  let weights: WeightReader
  let jobs: Int
  /// The number of the first position of what is fed in, where earlier ones are cached.
  private(set) var start = 0
  /// Keys and values of earlier positions, by the path of their attention; nil without a cache.
  var cache: KeyValueCache<Scalar>?
  /// Weights that stay in memory from step to step; nil where each is let go after its operation.
  var memory: WeightMemory?
  /// What the first step settled, by instruction.
  private var kept: [Int: Numbers<Scalar>] = [:]

  private var values: [String: Numbers<Scalar>] = [:]
  /// What the operation at hand reads for the last time, or overwrites.
  private var released: Set<String> = []
  private var hiddenStates: [String: Int] = [:]
  /// Whether some attention kept the order of positions: then position i predicts token i + 1.
  var isCausal = false

  init(_ inputs: ModelInputs, _ weights: WeightReader, jobs: Int) {
    self.inputs = inputs
    self.weights = weights
    self.jobs = jobs
    takeFeatures()
  }

  private mutating func takeFeatures() {
    values = inputs.reals.mapValues { input in
      Numbers(shape: input.shape, elements: input.elements.map { Scalar($0) })
    }
  }

  /// Goes on with the positions after the `start` that are cached.
  mutating func advance(_ inputs: ModelInputs, start: Int) {
    self.inputs = inputs
    self.start = start
    hiddenStates = [:]
    takeFeatures()
  }

  /// Does everything in `plan` until `observe` has seen enough; what the first step settled is not
  /// done again.
  mutating func run(_ plan: Plan, _ observe: (State) throws -> Bool) throws {
    for (index, instruction) in plan.instructions.enumerated() {
      guard start == 0 || instruction.isStepped else {
        if let output = instruction.visit.output, let result = kept[index] {
          values[output] = result
        }
        continue
      }
      guard try carryOut(instruction, index, observe) else { return }
    }
  }

  /// Does one instruction and lets go of what nothing reads any more; false where `observe` has seen
  /// enough.
  mutating func carryOut(
    _ instruction: Plan.Instruction, _ index: Int, _ observe: (State) throws -> Bool
  ) throws -> Bool {
    let scope = instruction.scope
    released = instruction.releases
    defer { release() }
    switch instruction.visit {
    case .operation(let operation):
      let path = scope.state(operation.name ?? operation.output)
      let result = try Tensors.naming(tensor: ExactString(path)) { try evaluate(operation, scope) }
      // What is overwritten is read for the last time too.
      release()
      values[operation.output] = result
      if cache != nil, instruction.isKept { kept[index] = result }
      guard operation.name != nil else { return true }
      return try observe(
        state(.trace, "trace/\(path)", scope, scope.component(of: operation), result))
    case .end(let block):
      let name = "trace/\(scope.state(block.name))"
      return try observe(state(.trace, name, scope, block.component, value(block.output)))
    case .state(let value, let series):
      let number = hiddenStates[series, default: 0]
      hiddenStates[series] = number + 1
      let name = "\(series)/\(number)"
      return try observe(state(.hidden, name, scope, scope.component, self.value(value)))
    case .result(let value, let name):
      let result = try self.value(value)
      let component: Component = name == "logits" ? .head : scope.component
      guard try observe(state(.output, "output/\(name)", scope, component, result)) else {
        return false
      }
      guard name == "logits", let labels = inputs.integers["labels"] else { return true }
      return try observe(
        state(.output, "output/loss", scope, .head, loss(result, labels)))
    }
  }

  private mutating func release() {
    for name in released { values[name] = nil }
    released = []
  }

  /// Gives a value what an operation made of it in another pass.
  mutating func give(_ name: String, _ value: Numbers<Scalar>) { values[name] = value }

  private func state(
    _ kind: State.Kind, _ name: String, _ scope: Scope, _ component: Component,
    _ value: Numbers<Scalar>
  ) -> State {
    State(
      kind: kind, name: name, layer: scope.layer, component: component,
      value: StateValue(shape: value.shape, elements: Scalar.wrap(value.elements)))
  }

  /// The value of an operation, each of which is one function, in the file of its name in `Operations`.
  mutating func evaluate(_ operation: Operation, _ scope: Scope) throws -> Numbers<Scalar> {
    switch operation {
    case .embedding(let it): try embedding(it, operation, scope)
    case .positions(let it): try positions(it, operation, scope)
    case .sinusoids(let it): try sinusoids(it, scope)
    case .patches(let it): try patches(it, operation, scope)
    case .convolution(let it): try convolution(it, operation, scope)
    case .prefix(let it): try prefix(it, operation, scope)
    case .linear(let it): try linear(it, operation, scope)
    case .norm(let it): try norm(it, operation, scope)
    case .rotary(let it): try rotary(it, scope)
    case .relativeBias(let it): try relativeBias(it, operation, scope)
    case .attention(let it): try attention(it, scope)
    case .activation(let it): try activation(it, scope)
    case .combine(let it): try combine(it)
    case .scale(let it): try scale(it, scope)
    case .softCap(let it): try softCap(it, scope)
    case .slice(let it): try slice(it, scope)
    case .concatenate(let it): try concatenate(it, scope)
    case .firstPosition(let it): try firstPosition(it)
    case .experts(let it): try experts(it, operation, scope)
    }
  }

  /// A value that the description has made.
  func value(_ name: String) throws -> Numbers<Scalar> {
    guard let value = values[name] else {
      throw IngotError(.malformed, "the description reads '\(name)', which nothing has made")
    }
    return value
  }

  /// A value of at least two axes whose last has `width` features.
  func value(_ name: String, width: Int) throws -> Numbers<Scalar> {
    let value = try value(name)
    guard value.shape.count >= 2, value.width == width else {
      throw IngotError(
        .malformed, "expected \(width) features, '\(name)' has shape \(value.shape)")
    }
    return value
  }

  /// A value to be changed in place: taken out where nothing else reads it.
  mutating func take(_ name: String, for output: String) throws -> Numbers<Scalar> {
    let value = try value(name)
    if released.contains(name) || name == output { values[name] = nil }
    return value
  }

  /// Runs steps beside the values of the pass, as an expert does.
  mutating func result(
    of steps: [Step], named result: String, _ input: String, _ features: Numbers<Scalar>,
    _ scope: Scope
  ) throws -> Numbers<Scalar> {
    let outer = (values, released)
    defer { (values, released) = outer }
    values = [input: features]
    released = []
    try scope.walk(steps) { visit, scope in
      guard case .operation(let operation) = visit else { return }
      values[operation.output] = try evaluate(operation, scope)
    }
    return try value(result)
  }
}

extension Scope {
  /// The component of what an operation gives.
  func component(of operation: Operation) -> Component { operation.component ?? component }
}

/// Matrices that stay in memory, by role, each as the type that it is read as.
final class WeightMemory {
  private var matrices: [String: any Sendable] = [:]

  /// The matrix of that role, read by `read` where it is not there yet.
  func elements<Stored: Real>(_ role: String, _ read: () throws -> [Stored]) rethrows -> [Stored] {
    if let matrix = matrices[role] as? [Stored] { return matrix }
    let matrix = try read()
    matrices[role] = matrix
    return matrix
  }
}

/// The keys and values of the positions before, by the path of their attention.
struct KeyValueCache<Scalar: Real>: Sendable {
  /// Keys `[batch, positions, key_heads · head_size]` and values likewise.
  struct Entry: Sendable {
    var keys: Numbers<Scalar>
    var values: Numbers<Scalar>
  }

  var entries: [String: Entry] = [:]
}
