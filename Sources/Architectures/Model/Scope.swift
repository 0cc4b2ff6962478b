internal import Tensors

/// Where in a description a walk is: the names around, the loop variables and what they make true.
public struct Scope: Sendable {
  /// The names of the blocks and turns around as roles have them: `layers`, `3`, `attention`.
  public private(set) var path: [String] = []
  /// The same with the turns that share their weights, which roles do not tell apart.
  public private(set) var place: [String] = []
  /// The same with loop variables in braces: `layers`, `{layer}`, `attention`.
  public private(set) var pattern: [String] = []
  /// The loop variables.
  public private(set) var variables: [String: Int] = [:]
  /// What weights here count as.
  public private(set) var component = Component.other
  /// The path of the outermost turn of a loop around: `layers.3`.
  public private(set) var layer: String?
  /// The values that formulas here are evaluated with.
  public private(set) var environment: Environment
  /// How many turns the loops around have together.
  private var turnsAround = 1

  init(_ environment: Environment) { self.environment = environment }

  /// The name of the state that an operation or block of this name gives here.
  public func state(_ name: String) -> String { (place + [name]).joined(separator: ".") }

  func entering(_ block: Step.Block) -> Scope {
    var scope = self
    scope.path.append(block.name)
    scope.place.append(block.name)
    scope.pattern.append(block.name)
    scope.component = block.component
    return scope
  }

  /// The scope of one member of the steps inside an operation, of one expert of a mixture.
  package func entering(_ inner: InnerSteps, turn: Int) -> Scope {
    var scope = self
    scope.enter(inner.name, variable: inner.variable, turn: turn, sharesWeights: false)
    scope.component = inner.component
    return scope
  }

  func entering(_ loop: Step.Loop, turn: Int) -> Scope {
    var scope = self
    scope.enter(
      loop.name, variable: loop.variable, turn: turn, sharesWeights: loop.sharesWeights)
    return scope
  }

  private mutating func enter(_ name: String, variable: String, turn: Int, sharesWeights: Bool) {
    variables[variable] = turn
    environment = environment.binding([variable: turn])
    if layer == nil { layer = (path + [name, "\(turn)"]).joined(separator: ".") }
    path.append(name)
    place += [name, "\(turn)"]
    pattern.append(name)
    if !sharesWeights {
      path.append("\(turn)")
      pattern.append("{\(variable)}")
    }
  }
}

/// What a walk comes upon, loops unrolled and branches taken.
public enum Visit: Sendable {
  case operation(Operation)
  /// A block whose steps are done.
  case end(Step.Block)
  case state(String, series: String)
  case result(String, name: String)
}

extension Scope {
  /// Visits everything that `steps` do, in order.
  ///
  /// - Throws: what formulas and `visit` throw; `limit` for loops above 10,000 turns.
  public func walk(_ steps: [Step], _ visit: (Visit, Scope) throws -> Void) throws {
    for step in steps {
      switch step {
      case .operation(let operation): try visit(.operation(operation), self)
      case .block(let block):
        try entering(block).walk(block.steps, visit)
        try visit(.end(block), self)
      case .loop(let loop):
        let (count, inside) = try turns(loop.count, of: loop.name, most: Self.mostLayers)
        for turn in 0..<count { try inside.entering(loop, turn: turn).walk(loop.steps, visit) }
      case .branch(let branch):
        try walk(environment.holds(branch.condition) ? branch.then : branch.otherwise, visit)
      case .state(let value, let series): try visit(.state(value, series: series), self)
      case .result(let value, let name): try visit(.result(value, name: name), self)
      }
    }
  }

  /// How many turns a loop or a mixture of experts has, and the scope that knows of them.
  ///
  /// - Throws: `limit` where they, times the turns of the loops around, are above `most`.
  func turns(
    _ formula: Expression, of name: String, most: Int
  ) throws -> (count: Int, inside: Scope) {
    let count = try environment.count(formula)
    let (product, overflow) = turnsAround.multipliedReportingOverflow(by: max(count, 1))
    guard !overflow, product <= most else {
      throw IngotError(.limit, "\(count) \(name) are above \(most / turnsAround)")
    }
    var inside = self
    inside.turnsAround = product
    return (count, inside)
  }

  /// Ten times the deepest published model; a configuration of a line that asks for more must not take
  /// seconds and a gigabyte.
  private static let mostLayers = 10_000
  /// Experts are alike but for their number, and cost less; no published model has a quarter of it.
  static let mostExperts = 100_000
}
