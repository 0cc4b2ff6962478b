/// What an ecosystem leaves no choice of, where a model has chosen otherwise.
///
/// Weights are not touched by it: the same ones are another function there. What would change the
/// weights is refused by a convention's requirements.
extension Model {
  /// A parameter whose value is another in every model of an ecosystem.
  package struct FixedElsewhere {
    package let parameter: String
    package let fixed: Value
    package let entry: Configuration.Entry
  }

  /// What `convention`'s ecosystem computes with other values than this model.
  package func fixedElsewhere(in convention: Convention) throws -> [FixedElsewhere] {
    guard let dialect = architecture.dialects.first(where: { $0.name == convention.name }) else {
      return []
    }
    let used = try parametersOfFunctions()
    return try dialect.keys.compactMap { key in
      guard key.paths.isEmpty, let fixed = key.absent, used.contains(key.parameter) else {
        return nil
      }
      let entry = try configuration.entry(key.parameter, of: architecture)
      guard !entry.value.isEqual(to: fixed) else { return nil }
      return FixedElsewhere(parameter: key.parameter, fixed: fixed, entry: entry)
    }
  }

  /// The parameters that say which functions this model's operations are.
  private func parametersOfFunctions() throws -> Set<String> {
    var names: Set<String> = []
    try scope.walk(architecture.steps) { visit, _ in
      guard case .operation(let operation) = visit else { return }
      for formula in operation.content.functionFormulas { names.formUnion(formula.names) }
    }
    return names
  }
}
