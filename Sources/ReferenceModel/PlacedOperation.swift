public import Architectures

/// An operation at its place in a model, loops unrolled and branches taken.
public struct PlacedOperation: Sendable {
  /// What is done.
  public let operation: Operation
  /// Where.
  public let scope: Scope

  /// The role of the weight of that name; nil where the model has none.
  ///
  /// - Throws: what formulas throw.
  public func role(_ name: String) throws -> String? {
    guard let weight = operation.weights.first(where: { $0.name == name }),
      try scope.environment.holds(weight.condition)
    else { return nil }
    return try WeightReader.role(weight, of: operation, scope)
  }

  /// The roles of all its weights.
  ///
  /// - Throws: what formulas throw.
  public var roles: [String] {
    get throws { try operation.weights.compactMap { try role($0.name) } }
  }

  /// The part of the model that it counts as.
  public var component: Component { scope.component(of: operation) }

  /// Its path without the numbers of the loops around: `layers.{layer}.attention.query`.
  public var pattern: String {
    (scope.pattern + [operation.name ?? operation.output]).joined(separator: ".")
  }

  /// It, and of a mixture of experts what every expert does.
  func unfolded() throws -> [PlacedOperation] {
    guard let inner = operation.inner else { return [self] }
    var all = [self]
    for turn in 0..<(try scope.environment.count(inner.count)) {
      try scope.entering(inner, turn: turn).walk(inner.steps) { visit, scope in
        guard case .operation(let operation) = visit else { return }
        all += try PlacedOperation(operation: operation, scope: scope).unfolded()
      }
    }
    return all
  }
}

extension Model {
  /// Everything that the model does, in order.
  ///
  /// - Throws: what formulas throw.
  public var placedOperations: [PlacedOperation] {
    get throws {
      try Plan(self).instructions.flatMap { instruction in
        guard case .operation(let operation) = instruction.visit else {
          return [PlacedOperation]()
        }
        return try PlacedOperation(operation: operation, scope: instruction.scope).unfolded()
      }
    }
  }
}
