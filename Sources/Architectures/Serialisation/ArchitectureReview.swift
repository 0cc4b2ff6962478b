internal import Tensors

/// What must hold between the parts of a description that a user wrote, beyond the form of each.
///
/// Sizes are not looked at: whether they fit together depends on the configuration and is seen by
/// `ShapeWalk`. Everything here would otherwise come out later, as an error that names no place, or not
/// at all.
struct ArchitectureReview {
  private let architecture: Architecture
  private let weights: [String: [DescribedWeight]]
  /// The values that any step gives, and the inputs.
  private let values: Set<String>
  private let parameters: Set<String>
  private let loops: Set<String>

  init(_ architecture: Architecture) {
    self.architecture = architecture
    let described = architecture.described()
    weights = Dictionary(grouping: described.weights, by: \.pattern)
    loops = Set(described.loops.map(\.variable))
    parameters = Set(architecture.parameters.map(\.name))
    var values = Set(architecture.inputs.map(\.name))
    Self.collectOutputs(architecture.steps, into: &values)
    self.values = values
  }

  /// - Throws: `malformed` that begins with the place.
  func check(at place: JSONPlace) throws {
    try checkParameters(at: place["parameters"])
    for (index, input) in architecture.inputs.enumerated()
    where input.kind == .pixels && input.length != nil {
      throw place["inputs"][index]["length"].failure("pictures are no sequence")
    }
    try checkSteps(architecture.steps, at: place["steps"])
    try Self.checkUnique(architecture.conventions.map(\.name), at: place["conventions"])
    for (index, convention) in architecture.conventions.enumerated() {
      try check(convention, at: place["conventions"][index])
    }
    for (index, dialect) in architecture.dialects.enumerated() {
      let place = place["dialects"][index]["keys"]
      for (index, key) in dialect.keys.enumerated() {
        guard parameters.contains(key.parameter) else {
          throw place[index]["parameter"].failure("'\(key.parameter)' is no parameter")
        }
      }
    }
  }

  private static func checkUnique(_ names: [String], at place: JSONPlace) throws {
    var seen: Set<String> = []
    for (index, name) in names.enumerated() where !seen.insert(name).inserted {
      throw place[index]["name"].failure("'\(name)' occurs twice")
    }
  }
}

/// Parameters.
extension ArchitectureReview {
  /// How many look-ups a default may cost; those of built-in ones take fewer than ten.
  private static let mostLookups = 1_000

  private func checkParameters(at place: JSONPlace) throws {
    try Self.checkUnique(architecture.parameters.map(\.name), at: place)
    var costs: [String: Int] = [:]
    for (index, parameter) in architecture.parameters.enumerated() {
      guard (parameter.kind == .word) != parameter.words.isEmpty else {
        throw place[index]["words"].failure(
          parameter.kind == .word ? "a word needs the words it may be" : "only a word has words")
      }
      if let fallback = parameter.fallback,
        let unknown = fallback.names.subtracting(parameters).min()
      {
        throw place[index]["default"].failure(
          "'\(unknown.escapedForDisplay(limit: 80))' is no parameter")
      }
      let cost = cost(of: parameter.name, &costs, depth: 0)
      guard cost <= Self.mostLookups else {
        throw place[index]["default"].failure("leans on itself or on too many others")
      }
    }
  }

  /// The look-ups that the value of a parameter takes at most; a circle costs too much.
  private func cost(of name: String, _ known: inout [String: Int], depth: Int) -> Int {
    if let cost = known[name] { return cost }
    // As deep as `Configuration` follows defaults.
    guard depth < 8 else { return Self.mostLookups + 1 }
    guard let fallback = architecture[parameter: name]?.fallback else { return 1 }
    var cost = 1
    for name in fallback.node.mentions {
      cost += self.cost(of: name, &known, depth: depth + 1)
      guard cost <= Self.mostLookups else { return cost }
    }
    known[name] = cost
    return cost
  }
}

/// Steps.
extension ArchitectureReview {
  private static func collectOutputs(_ steps: [Step], into values: inout Set<String>) {
    for step in steps {
      switch step {
      case .operation(let operation):
        values.insert(operation.output)
        if let inner = operation.inner { collectOutputs(inner.steps, into: &values) }
      case .block(let block): collectOutputs(block.steps, into: &values)
      case .loop(let loop): collectOutputs(loop.steps, into: &values)
      case .branch(let branch):
        collectOutputs(branch.then, into: &values)
        collectOutputs(branch.otherwise, into: &values)
      case .state, .result: break
      }
    }
  }

  private func checkSteps(_ steps: [Step], at place: JSONPlace) throws {
    for (index, step) in steps.enumerated() {
      let place = place[index]
      switch step {
      case .operation(let operation):
        let content = operation.content
        let place = place[operation.word]
        for value in content.reads { try check(value, at: place) }
        if let inner = content.inner {
          try checkSteps(inner.steps, at: place["steps"])
          try check(inner.result, at: place["result"])
        }
        for weight in content.weights {
          guard let tie = weight.tie else { continue }
          guard isRole(tie.role) else {
            throw place["tie"]["to"].failure("no weight is '\(tie.role)'")
          }
        }
      case .block(let block):
        try checkSteps(block.steps, at: place["steps"])
        try check(block.output, at: place["output"])
      case .loop(let loop): try checkSteps(loop.steps, at: place["steps"])
      case .branch(let branch):
        try checkSteps(branch.then, at: place["then"])
        try checkSteps(branch.otherwise, at: place["else"])
      case .state(let value, _): try check(value, at: place["state"])
      case .result(let value, _): try check(value, at: place["result"])
      }
    }
  }

  private func check(_ value: String, at place: JSONPlace) throws {
    guard values.contains(value) else {
      throw place.failure("'\(value)' is no input and no step gives it")
    }
  }

  private func isRole(_ role: String) -> Bool {
    weights[role] != nil
      || weights.keys.contains { NameTemplate($0).match(role.utf8) != nil }
  }
}

/// Conventions.
extension ArchitectureReview {
  private func check(_ convention: Convention, at place: JSONPlace) throws {
    // No loop is around here; the names of loop variables were allowed for the layouts' sake.
    func check(_ formula: Expression, at place: JSONPlace) throws {
      if let unknown = formula.names.subtracting(parameters).min() {
        throw place.failure("'\(unknown)' is no parameter")
      }
    }
    try check(convention.prefixCondition, at: place["prefix_when"])
    for (index, requirement) in convention.requirements.enumerated() {
      try check(requirement.condition, at: place["requirements"][index]["condition"])
    }
    for (index, adaptation) in convention.adaptations.enumerated() {
      let place = place["adaptations"][index]
      try check(adaptation.condition, at: place["when"])
      for (name, formula) in adaptation.values.sorted(by: { $0.key < $1.key }) {
        guard parameters.contains(name) else {
          throw place["sets"].failure("'\(name.escapedForDisplay(limit: 80))' is no parameter")
        }
        try check(formula, at: place["sets"][name])
      }
      let folded = adaptation.folds.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
      for (key, roles) in [
        ("first_rows", adaptation.firstRows), ("zeros", adaptation.zeros), ("folds", folded),
      ] {
        for (index, role) in roles.enumerated() where weights[role] == nil {
          throw place[key][index].failure("no weight is '\(role.escapedForDisplay(limit: 80))'")
        }
      }
    }
    for (index, spelling) in convention.spellings.enumerated() {
      try check(spelling.condition, at: place["spellings"][index]["when"])
      try self.check(spelling, at: place["spellings"][index])
    }
    for (index, buffer) in convention.buffers.enumerated() {
      try checkTemplate(buffer.text, at: place["buffers"][index])
    }
    let layerNames = convention.layerNames
    for (key, layers) in [
      ("layers", layerNames?.layers), ("outer_layers", layerNames?.outerLayers),
    ] {
      for (index, layer) in (layers ?? []).enumerated() {
        let place = place["layer_names"][key][index]["name"]
        try checkTemplate(layer.name, at: place)
        // A spelling's own variables are those of its path.
        let variables = Set(NameTemplate(layer.path).variables)
        if let unknown = Set(NameTemplate(layer.name).variables).subtracting(variables).min() {
          throw place.failure(
            "'\(unknown.escapedForDisplay(limit: 80))' is no loop variable of the path")
        }
      }
    }
  }

  private func check(_ spelling: Spelling, at place: JSONPlace) throws {
    guard let first = spelling.roles.first else { throw place["roles"].failure("is empty") }
    let variables = Set(NameTemplate(first).variables)
    for (index, role) in spelling.roles.enumerated() {
      try checkTemplate(role, at: place["roles"][index])
      let own = Set(NameTemplate(role).variables)
      if let unknown = own.subtracting(loops).min() {
        throw place["roles"][index].failure(
          "'\(unknown.escapedForDisplay(limit: 80))' is the variable of no loop")
      }
      guard own == variables else {
        throw place["roles"][index].failure("joined weights have the same loop variables")
      }
    }
    let names =
      [(spelling.name, place["name"])]
      + spelling.aliases.enumerated().map { ($1, place["aliases"][$0]) }
    for (name, place) in names {
      try checkTemplate(name.text, at: place)
      if let unknown = Set(name.variables).subtracting(variables).subtracting(parameters).min() {
        throw place.failure(
          "'\(unknown.escapedForDisplay(limit: 80))' is no loop variable of the roles")
      }
    }
    for (index, step) in spelling.layout.enumerated() {
      if let unknown = step.names.subtracting(parameters).subtracting(variables).min() {
        throw place["layout"][index].failure("'\(unknown)' is no loop variable of the roles")
      }
    }
    try checkRanks(spelling, at: place["layout"])
  }

  /// Layouts are for as many axes as the weights have.
  private func checkRanks(_ spelling: Spelling, at place: JSONPlace) throws {
    for weight in spelling.roles.flatMap({ weights[$0] ?? [] }) {
      var rank = weight.weight.shape.count
      for (index, step) in spelling.layout.enumerated() {
        guard let next = step.rank(after: rank) else {
          throw place[index].failure("'\(weight.pattern)' has \(rank) axes here")
        }
        rank = next
      }
    }
  }

  /// Braces are around the name of a variable and what is done with it.
  private func checkTemplate(_ template: String, at place: JSONPlace) throws {
    guard !template.isEmpty else { throw place.failure("is empty") }
    for part in template.split(separator: "{", omittingEmptySubsequences: false).dropFirst() {
      guard let end = part.firstIndex(of: "}") else { continue }
      let words = part[..<end].split(separator: ":", omittingEmptySubsequences: false)
      guard words.count == 1 || words.count == 2 && words[1] == "suffix" else {
        throw place.failure(
          "'{\(part[..<end].escaped)}' is neither a variable nor one with ':suffix'")
      }
    }
  }
}

extension Substring {
  fileprivate var escaped: String { String(self).escapedForDisplay(limit: 80) }
}

extension LayoutStep {
  /// The names that its formulas mention.
  fileprivate var names: Set<String> {
    switch self {
    case .transpose, .permute: []
    case .reshape(let dimensions): dimensions.reduce(into: []) { $0.formUnion($1.names) }
    case .interleaveHeads(let heads), .rotaryPairs(let heads): heads.names
    }
  }
}

extension Expression.Node {
  /// The names in it, each as often as it occurs.
  fileprivate var mentions: [String] {
    switch self {
    case .constant: []
    case .name(let name): [name]
    case .element(let name, let index): [name] + index.mentions
    case .negated(let node), .not(let node): node.mentions
    case .binary(_, let left, let right): left.mentions + right.mentions
    case .choice(let condition, let yes, let no):
      condition.mentions + yes.mentions + no.mentions
    case .call(_, let arguments): arguments.flatMap(\.mentions)
    }
  }
}
