public import Architectures
public import Tensors

/// What the states of a model are computed from.
public struct ForwardRoutes {
  let plan: Plan
  /// The instructions that wrote what each one reads.
  private var origins: [[Int]] = []
  /// The instruction of each state, and which of those that it shows.
  private var shown: [(instruction: Int, ordinal: Int)] = []

  /// The routes of a pass over inputs of these names.
  ///
  /// - Throws: what formulas throw.
  public init(_ model: Model, _ inputs: [ExactString: Tensor]) throws {
    plan = try Plan(model)
    var writers: [String: Int] = [:]
    for (index, instruction) in plan.instructions.enumerated() {
      let visit = instruction.visit
      origins.append(visit.reads.compactMap { writers[$0] })
      if let output = visit.output { writers[output] = index }
      let count = visit.stateCount(hasLabels: inputs["labels"] != nil)
      shown += (0..<count).map { (index, $0) }
    }
  }

  /// The operations between states that are known to be right and another.
  ///
  /// - Parameters:
  ///   - target: The number of the state, counted from 0 as `ForwardPass.run` shows them.
  ///   - known: The numbers of the states whose values are right.
  /// - Throws: `internal` for a state that there is not.
  public func operations(to target: Int, from known: Set<Int>) throws -> [PlacedOperation] {
    operations(of: try route(to: target, from: known))
  }

  func operations(of route: Route) -> [PlacedOperation] {
    route.instructions.sorted().compactMap { index in
      let instruction = plan.instructions[index]
      guard case .operation(let operation) = instruction.visit else { return nil }
      return PlacedOperation(operation: operation, scope: instruction.scope)
    }
  }

  func route(to target: Int, from known: Set<Int>) throws -> Route {
    guard shown.indices.contains(target) else {
      throw IngotError(.internal, "there is no state \(target)")
    }
    // Operations show what they write, all else what was written before.
    let right = Set(
      known.filter { shown[$0].ordinal == 0 }.flatMap { number in
        let index = shown[number].instruction
        return plan.instructions[index].visit.output == nil ? origins[index] : [index]
      })
    var route = Route(
      target: shown[target].instruction, stateOfTarget: shown[target].ordinal,
      instructionCount: plan.instructions.count)
    var open = [route.target]
    while let index = open.popLast() {
      if right.contains(index), index != route.target {
        route.remembered.insert(index)
      } else if route.instructions.insert(index).inserted {
        open += origins[index]
      }
    }
    return route
  }
}

/// Which instructions of a plan lead to a state, and what they start from.
struct Route: Sendable {
  /// The instruction that shows the state, and which of those that it shows.
  let target: Int
  let stateOfTarget: Int
  let instructionCount: Int
  /// What is done, the target included.
  var instructions: Set<Int> = []
  /// What gives the values that are known.
  var remembered: Set<Int> = []

  var lastRemembered: Int { remembered.max() ?? -1 }
}

extension Visit {
  /// How many states it shows.
  fileprivate func stateCount(hasLabels: Bool) -> Int {
    switch self {
    case .operation(let operation): operation.name == nil ? 0 : 1
    case .end, .state: 1
    case .result(_, let name): name == "logits" && hasLabels ? 2 : 1
    }
  }
}
