public import Tensors

/// A weight of a model: its role, its shape and what it is for.
public struct ModelWeight: Sendable {
  /// The role, unique in the model: `layers.3.attention.query.weight`.
  public let role: String
  /// The role with loop variables in braces: `layers.{layer}.attention.query.weight`.
  public let pattern: String
  /// The loop variables.
  public let variables: [String: Int]
  /// The canonical shape.
  public let shape: Shape
  /// What the description says of it.
  public let weight: Weight
  /// What it is counted as.
  public let component: Component
  /// The path of the layer it lies in.
  public let layer: String?
  /// The role of the weight that it is, where it is tied.
  public let tiedTo: String?
  /// Whether training leaves it as it is.
  public let isFrozen: Bool
}

/// Gathers the weights of a description.
struct WeightCollector {
  private let environment: Environment
  private(set) var weights: [ModelWeight] = []
  private var roles: Set<String> = []

  init(_ environment: Environment) { self.environment = environment }

  mutating func collect(_ steps: [Step]) throws { try collect(steps, in: Scope(environment)) }

  private mutating func collect(_ steps: [Step], in scope: Scope) throws {
    try scope.walk(steps) { visit, scope in
      guard case .operation(let operation) = visit else { return }
      for weight in operation.weights { try add(weight, operation, scope) }
      guard case .experts(let experts) = operation else { return }
      let (count, inside) = try scope.turns(experts.count, of: experts.name)
      for expert in 0..<count {
        try collect(experts.steps, in: inside.entering(experts, expert: expert))
      }
    }
  }

  private mutating func add(_ weight: Weight, _ operation: Operation, _ scope: Scope) throws {
    let environment = scope.environment
    guard try environment.holds(weight.condition) else { return }
    let names = (operation.name.map { [$0] } ?? []) + [weight.name]
    let role = (scope.path + names).joined(separator: ".")
    // Layers that share their weights come by again.
    guard roles.insert(role).inserted else { return }
    guard weights.count < Limits.tensors else {
      throw IngotError(.limit, "more than \(Limits.tensors) weights")
    }
    let shape = try Tensors.naming(tensor: role) {
      try Shape(weight.shape.map(environment.count))
    }
    let isTied = try weight.tie.map { try environment.holds($0.condition) } ?? false
    weights.append(
      ModelWeight(
        role: role, pattern: (scope.pattern + names).joined(separator: "."),
        variables: scope.variables, shape: shape, weight: weight,
        component: Self.component(weight, operation, scope), layer: scope.layer,
        tiedTo: isTied ? weight.tie?.role : nil,
        isFrozen: try environment.holds(weight.isFrozen)))
  }

  private static func component(
    _ weight: Weight, _ operation: Operation, _ scope: Scope
  ) -> Component {
    if case .experts = operation { return .experts }
    return switch weight.purpose {
    case .norm: .norms
    case .tokenEmbedding, .positionEmbedding, .typeEmbedding, .classToken, .patchEmbedding,
      .embeddingProjection:
      .embedding
    case .pooler: .pooler
    case .head, .headTransform: .head
    case .classifier: .classifier
    case .query, .key, .value, .attentionOutput, .relativePositions, .feedForwardUp,
      .feedForwardGate, .feedForwardDown, .router, .other:
      scope.component
    }
  }
}
