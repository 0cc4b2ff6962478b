/// A weight as the description has it, before any configuration.
struct DescribedWeight {
  /// The role with loop variables in braces.
  let pattern: String
  let weight: Weight
  /// What must hold for it to exist: the branches it lies in and its own condition.
  let conditions: [Expression]
}

/// A loop as the description has it.
struct DescribedLoop {
  /// The roles' beginning up to the loop variable: `encoder.layers.{layer}`.
  let pattern: String
  let variable: String
  let count: Expression
}

extension Architecture {
  /// Every weight and every loop of the description, in all its branches.
  func described() -> (weights: [DescribedWeight], loops: [DescribedLoop]) {
    var collector = DescriptionCollector()
    collector.collect(steps, pattern: [], conditions: [])
    return (collector.weights, collector.loops)
  }
}

extension [Step] {
  /// Whether the shape or the presence of a weight depends on a variable.
  func weightsMention(_ variable: String) -> Bool {
    var collector = DescriptionCollector()
    collector.collect(self, pattern: [], conditions: [])
    return collector.weights.contains { weight in
      (weight.weight.shape + weight.conditions + [weight.weight.isFrozen])
        .contains { $0.names.contains(variable) }
    }
  }
}

private struct DescriptionCollector {
  var weights: [DescribedWeight] = []
  var loops: [DescribedLoop] = []

  mutating func collect(_ steps: [Step], pattern: [String], conditions: [Expression]) {
    for step in steps {
      switch step {
      case .operation(let operation):
        let content = operation.content
        let names = pattern + (content.roleName.map { [$0] } ?? [])
        for weight in content.weights where !weight.condition.isNever {
          weights.append(
            DescribedWeight(
              pattern: (names + [weight.name]).joined(separator: "."), weight: weight,
              conditions: conditions + (weight.condition.isAlways ? [] : [weight.condition])))
        }
        if let inner = content.inner {
          collect(
            inner.steps,
            pattern: loop(
              names, variable: inner.variable, count: inner.count, sharesWeights: false),
            conditions: conditions)
        }
      case .block(let block):
        collect(block.steps, pattern: pattern + [block.name], conditions: conditions)
      case .loop(let it):
        collect(
          it.steps,
          pattern: loop(
            pattern + [it.name], variable: it.variable, count: it.count,
            sharesWeights: it.sharesWeights), conditions: conditions)
      case .branch(let branch):
        collect(branch.then, pattern: pattern, conditions: conditions + [branch.condition])
        let opposite = Expression(.not(branch.condition.node), text: "!(\(branch.condition))")
        collect(branch.otherwise, pattern: pattern, conditions: conditions + [opposite])
      case .state, .result: break
      }
    }
  }

  private mutating func loop(
    _ names: [String], variable: String, count: Expression, sharesWeights: Bool
  ) -> [String] {
    guard !sharesWeights else { return names }
    let pattern = names + ["{\(variable)}"]
    loops.append(
      DescribedLoop(pattern: pattern.joined(separator: "."), variable: variable, count: count))
    return pattern
  }
}
