public import Architectures
public import Tensors

/// What leads to one state of a pass, back to states that are known to be right: done again with other
/// weights or parameters at the cost of these few operations, however deep in the model they lie.
public struct ForwardReplay: Sendable {
  /// The operations that are done, in order, those of experts one by one.
  public let operations: [PlacedOperation]
  private let pass: ForwardPass
  private let inputs: ModelInputs
  /// The names of the inputs.
  private let given: [ExactString]
  private let route: Route
  private let memory: Memory

  /// What the instructions before the route made and its own read.
  private enum Memory: Sendable {
    case float64([Int: Numbers<Double>], isCausal: Bool)
    case float32([Int: Numbers<Float>], isCausal: Bool)
  }

  /// Prepares to repeat the way to a state; runs the model up to there, once.
  ///
  /// - Parameters:
  ///   - target: The number of the state, counted from 0 as `ForwardPass.run` shows them.
  ///   - known: The numbers of states whose values are right.
  /// - Throws: what `ForwardPass.run` throws.
  public init(
    _ pass: ForwardPass, _ inputs: [ExactString: Tensor], to target: Int, from known: Set<Int>
  ) throws {
    let pass = try pass.given(inputs.keys)
    self.pass = pass
    given = Array(inputs.keys)
    self.inputs = try ModelInputs(inputs, pass.model)
    let routes = try ForwardRoutes(pass.model, inputs)
    let plan = routes.plan
    route = try routes.route(to: target, from: known)
    operations = try routes.operations(of: route).flatMap { try $0.unfolded() }
    memory =
      switch pass.precision {
      case .float64:
        try Self.remember(route, plan, pass, self.inputs) { .float64($0, isCausal: $1) }
      case .float32:
        try Self.remember(route, plan, pass, self.inputs) { .float32($0, isCausal: $1) }
      }
  }

  private static func remember<Scalar: Real>(
    _ route: Route, _ plan: Plan, _ pass: ForwardPass, _ inputs: ModelInputs,
    _ wrap: ([Int: Numbers<Scalar>], Bool) -> Memory
  ) throws -> Memory {
    var evaluation = Evaluation<Scalar>(
      inputs, WeightReader(pass.weights, jobs: pass.jobs), jobs: pass.jobs)
    var values: [Int: Numbers<Scalar>] = [:]
    for (index, instruction) in plan.instructions.enumerated() {
      guard index <= route.lastRemembered else { break }
      _ = try evaluation.carryOut(instruction, index) { _ in true }
      if route.remembered.contains(index), let output = instruction.visit.output {
        values[index] = try evaluation.value(output)
      }
    }
    return wrap(values, evaluation.isCausal)
  }

  /// What the state becomes.
  ///
  /// - Parameters:
  ///   - model: The same model with other values of its parameters, or nil.
  ///   - weights: Gives the weight of a role.
  /// - Throws: `unsupported` for a model that does other things; what evaluation throws.
  public func state(
    model: Model? = nil, weights: @escaping ForwardPass.WeightSource
  ) throws -> StateValue {
    let plan = try Plan(model.map { try $0.given(given) } ?? pass.model)
    guard plan.instructions.count == route.instructionCount else {
      throw IngotError(.unsupported, "a model that does other things")
    }
    switch memory {
    case .float64(let values, let isCausal): return try state(plan, weights, values, isCausal)
    case .float32(let values, let isCausal): return try state(plan, weights, values, isCausal)
    }
  }

  private func state<Scalar: Real>(
    _ plan: Plan, _ weights: @escaping ForwardPass.WeightSource,
    _ values: [Int: Numbers<Scalar>], _ isCausal: Bool
  ) throws -> StateValue {
    var evaluation = Evaluation<Scalar>(
      inputs, WeightReader(weights, jobs: pass.jobs), jobs: pass.jobs)
    evaluation.isCausal = isCausal
    var states: [StateValue] = []
    for index in (route.instructions.union(route.remembered)).sorted() {
      let instruction = plan.instructions[index]
      if let value = values[index], let output = instruction.visit.output {
        evaluation.give(output, value)
      } else {
        _ = try evaluation.carryOut(instruction, index) { state in
          if index == route.target { states.append(state.value) }
          return true
        }
      }
    }
    guard states.indices.contains(route.stateOfTarget) else {
      throw IngotError(.internal, "the replay does not come to its state")
    }
    return states[route.stateOfTarget]
  }
}
