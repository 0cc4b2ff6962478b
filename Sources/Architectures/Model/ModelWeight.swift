public import Tensors

/// A weight of a model: its role, its shape and what it is for.
public struct ModelWeight: Sendable {
  /// The role, unique in the model: `layers.3.attention.query.weight`.
  public let role: String
  /// The loop variables.
  public let variables: [String: Int]
  private let common: Common

  /// What a weight has in common with those of the other experts of its layer.
  ///
  /// Thousands of weights differ in nothing else, and each copy of one would count a reference to each
  /// of these values.
  private final class Common: Sendable {
    let pattern: String
    let shape: Shape
    let weight: Weight
    let component: Component
    let layer: String?
    let tiedTo: String?
    let isFrozen: Bool

    init(
      pattern: String, shape: Shape, weight: Weight, component: Component, layer: String?,
      tiedTo: String?, isFrozen: Bool
    ) {
      self.pattern = pattern
      self.shape = shape
      self.weight = weight
      self.component = component
      self.layer = layer
      self.tiedTo = tiedTo
      self.isFrozen = isFrozen
    }
  }

  fileprivate init(
    role: String, pattern: String, variables: [String: Int], shape: Shape, weight: Weight,
    component: Component, layer: String?, tiedTo: String?, isFrozen: Bool
  ) {
    self.role = role
    self.variables = variables
    common = Common(
      pattern: pattern, shape: shape, weight: weight, component: component, layer: layer,
      tiedTo: tiedTo, isFrozen: isFrozen)
  }

  /// The same weight of another turn.
  fileprivate init(_ weight: ModelWeight, role: String, variables: [String: Int]) {
    self.role = role
    self.variables = variables
    common = weight.common
  }

  /// The role with loop variables in braces: `layers.{layer}.attention.query.weight`.
  public var pattern: String { common.pattern }
  /// The canonical shape.
  public var shape: Shape { common.shape }
  /// What the description says of it.
  public var weight: Weight { common.weight }
  /// What it is counted as.
  public var component: Component { common.component }
  /// The path of the layer it lies in.
  public var layer: String? { common.layer }
  /// The role of the weight that it is, where it is tied.
  public var tiedTo: String? { common.tiedTo }
  /// Whether training leaves it as it is.
  public var isFrozen: Bool { common.isFrozen }
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
      let content = operation.content
      for weight in content.weights { try add(weight, content, scope) }
      guard let inner = content.inner else { return }
      let (count, inside) = try scope.turns(inner.count, of: inner.name, most: Scope.mostExperts)
      guard count > 0 else { return }
      let first = inside.entering(inner, turn: 0)
      let start = weights.count
      try collect(inner.steps, in: first)
      let template = Array(weights[start...])
      let isUniform =
        !inner.steps.weightsMention(inner.variable)
        && template.allSatisfy { $0.variables.count == first.variables.count }
      for expert in 1..<max(1, count) {
        let turn = inside.entering(inner, turn: expert)
        // Hundreds of experts are alike but for their number.
        if isUniform {
          try add(template, of: first, in: turn)
        } else {
          try collect(inner.steps, in: turn)
        }
      }
    }
  }

  /// Adds the weights of one turn once more for another.
  private mutating func add(
    _ template: [ModelWeight], of first: Scope, in turn: Scope
  ) throws {
    let beginning = first.path.joined(separator: ".").utf8.count
    let path = turn.path.joined(separator: ".")
    for weight in template {
      let role = path + Substring(weight.role.utf8.dropFirst(beginning))
      guard roles.insert(role).inserted else { continue }
      guard weights.count < Limits.tensors else { throw Self.tooMany }
      weights.append(ModelWeight(weight, role: role, variables: turn.variables))
    }
  }

  private static let tooMany = IngotError(.limit, "more than \(Limits.tensors) weights")

  private mutating func add(
    _ weight: Weight, _ operation: some ModelOperation, _ scope: Scope
  ) throws {
    let environment = scope.environment
    guard try environment.holds(weight.condition) else { return }
    let names = (operation.roleName.map { [$0] } ?? []) + [weight.name]
    let role = (scope.path + names).joined(separator: ".")
    // Layers that share their weights come by again.
    guard roles.insert(role).inserted else { return }
    guard weights.count < Limits.tensors else { throw Self.tooMany }
    let shape = try Tensors.naming(tensor: ExactString(role)) {
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
    _ weight: Weight, _ operation: some ModelOperation, _ scope: Scope
  ) -> Component {
    if let inner = operation.inner { return inner.component }
    return switch weight.purpose {
    case .norm: .norms
    case .tokenEmbedding, .positionEmbedding, .typeEmbedding, .classToken, .patchEmbedding,
      .embeddingProjection:
      .embedding
    case .pooler: .pooler
    case .head, .headTransform: .head
    case .classifier: .classifier
    case .convolution, .query, .key, .value, .attentionOutput, .relativePositions, .feedForwardUp,
      .feedForwardGate, .feedForwardDown, .router, .other:
      scope.component
    }
  }
}
