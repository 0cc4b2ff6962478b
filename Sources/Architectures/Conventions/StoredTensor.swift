public import Tensors

/// A tensor that a checkpoint of a convention holds for a model.
public struct StoredTensor: Sendable {
  /// The name, without the convention's prefix.
  public let name: ExactString
  /// Other names that it may have.
  public let aliases: [ExactString]
  /// The shape in the convention's layout.
  public let shape: Shape
  /// How it is spelled and laid out.
  public let spelling: Spelling
  /// The weights in it: for each turn that is stacked, the parts that are joined.
  public let turns: [[ModelWeight]]

  /// Whether it is another tensor once more, and need not be there.
  public var isTied: Bool { turns[0][0].tiedTo != nil }

  /// Whether it takes part in the computation and is no parameter.
  public var isBuffer: Bool { turns[0][0].weight.isBuffer }
}

extension Convention {
  /// The tensors that a checkpoint of this convention holds for `model`, in the model's order.
  ///
  /// - Throws: `unsupported` for a weight that has no name here, and for a model that this convention
  ///   cannot hold; `internal` for a weight with two names; what formulas throw.
  public func tensors(of model: Model) throws -> [StoredTensor] {
    for requirement in requirements {
      guard try model.environment.holds(requirement.condition) else {
        throw IngotError(
          .unsupported, "\(name) of \(model.architecture.name): \(requirement.message)")
      }
    }
    var byPattern: [String: [ModelWeight]] = [:]
    for weight in model.weights { byPattern[weight.pattern, default: []].append(weight) }
    var position: [String: Int] = [:]
    for (index, weight) in model.weights.enumerated() { position[weight.role] = index }
    var named: Set<String> = []
    var found: [(position: Int, tensor: StoredTensor)] = []
    for spelling in spellings {
      guard let first = byPattern[spelling.roles[0]],
        try model.environment.holds(spelling.condition)
      else { continue }
      for tensor in try Self.tensors(spelling, first, byPattern, model.environment) {
        for weight in tensor.turns.joined() {
          guard named.insert(weight.role).inserted else {
            throw IngotError(.internal, "\(name) names '\(weight.role)' twice")
          }
        }
        found.append((position[tensor.turns[0][0].role] ?? 0, tensor))
      }
    }
    if let unnamed = model.weights.first(where: { !named.contains($0.role) && $0.tiedTo == nil }) {
      throw IngotError(
        .unsupported, "\(name) of \(model.architecture.name) has no name for '\(unnamed.role)'")
    }
    return found.sorted { $0.position < $1.position }.map(\.tensor)
  }

  private static func tensors(
    _ spelling: Spelling, _ first: [ModelWeight], _ byPattern: [String: [ModelWeight]],
    _ environment: Environment
  ) throws -> [StoredTensor] {
    let variables = Set(spelling.name.variables)
    var others: [[String: ModelWeight]] = []
    for role in spelling.roles.dropFirst() {
      var byVariables: [String: ModelWeight] = [:]
      for weight in byPattern[role] ?? [] { byVariables[key(weight.variables)] = weight }
      others.append(byVariables)
    }
    var order: [String] = []
    var groups: [String: [[ModelWeight]]] = [:]
    for weight in first {
      let parts = others.compactMap { $0[key(weight.variables)] }
      // Parts that the model lacks are joined by another spelling.
      guard parts.count == others.count else { continue }
      let group = key(weight.variables.filter { variables.contains($0.key) })
      if groups[group] == nil { order.append(group) }
      groups[group, default: []].append([weight] + parts)
    }
    return try order.compactMap { group in
      guard let turns = groups[group], let variables = turns.first?.first?.variables else {
        return nil
      }
      let scope = environment.binding(variables)
      return StoredTensor(
        name: try spelling.name.name(variables, scope),
        aliases: try spelling.aliases.map { try $0.name(variables, scope) },
        shape: try spelling.shape(of: turns, scope), spelling: spelling, turns: turns)
    }
  }

  private static func key(_ variables: [String: Int]) -> String {
    variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
  }
}

extension NameTemplate {
  /// The name with these turns of loops, and with a configuration's values of the parameters in it.
  fileprivate func name(_ turns: [String: Int], _ environment: Environment) throws -> ExactString {
    var numbers = turns
    for name in variables where numbers[name] == nil {
      numbers[name] = try environment.count(Expression(.name(name), text: name))
    }
    return self.name(numbers)
  }
}

extension Spelling {
  /// The loop variables of the roles that the name lacks.
  var stackedVariables: [String] {
    let named = Set(name.variables)
    return NameTemplate(roles[0]).variables.filter { !named.contains($0) }
  }

  fileprivate func shape(of turns: [[ModelWeight]], _ environment: Environment) throws -> Shape {
    var shape = try StoredTensor.joined(turns[0].map(\.shape))
    for step in layout { shape = try step.applied(to: shape, environment) }
    return stackedVariables.isEmpty ? shape : try Shape([turns.count] + shape.dimensions)
  }
}
