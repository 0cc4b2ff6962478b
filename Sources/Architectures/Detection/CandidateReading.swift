internal import Tensors

/// A table read as one convention of one architecture: which stored tensors are which weights, and
/// what their names and shapes say about the configuration.
struct CandidateReading {
  let architecture: Architecture
  let convention: Convention
  let placement: Placement
  /// The names that some spelling explains.
  private(set) var explained: Set<ExactString> = []
  /// The names of buffers.
  private(set) var buffers: Set<ExactString> = []
  /// How many spellings of weights that every configuration has were not found.
  private(set) var absentSpellings = 0
  /// Sizes by the formula that the convention has in their place.
  private var observations: [Expression: [Observation]] = [:]
  /// The most turns that names show, by the formula of the loop's count.
  private var turns: [Expression: (count: Int, name: ExactString)] = [:]
  /// The names whose numbers may go on from another loop's, so that they do not tell its turns.
  private var numberedOn: Set<ExactString> = []
  /// The names found for each pattern, and when its weights have them; one name may serve several, of which a model has one.
  private var found: [String: [(condition: Expression, names: Set<ExactString>)]] = [:]

  /// Where Keras 3 and Keras 2 keep the variables of the optimizer.
  private static let optimizerFolders: [ExactString] = ["optimizer/", "optimizer_weights/"]

  /// A size that a tensor has where a formula stands.
  private struct Observation {
    let value: Int
    let name: ExactString
    /// The formulas and sizes of the tensor's other axes.
    let others: [(Expression, Int)]
    /// What must hold for the tensor to be this weight: names may serve several.
    let conditions: [Expression]
  }

  init(
    _ table: TensorTable, _ index: NameIndex, _ architecture: Architecture,
    _ convention: Convention, _ placement: Placement
  ) {
    self.architecture = architecture
    self.convention = convention
    self.placement = placement
    let (weights, loops) = architecture.described()
    var byPattern: [String: [DescribedWeight]] = [:]
    for weight in weights { byPattern[weight.pattern, default: []].append(weight) }
    let matched = convention.spellings.map { spelling in
      let prefix = placement.prefix(of: spelling)
      return ([spelling.name] + spelling.aliases).flatMap {
        index.matches(of: $0, prefix: prefix)
      }
    }
    findSums(matched, loops)
    for (spelling, matches) in zip(convention.spellings, matched) {
      let rest = spelling.roles.dropFirst().compactMap { byPattern[$0]?.first }
      // A weight may lie in several branches, each with conditions of its own.
      guard let firsts = byPattern[spelling.roles[0]], rest.count + 1 == spelling.roles.count else {
        continue
      }
      guard !matches.isEmpty else {
        let isCertain = spelling.roles.contains { role in
          byPattern[role]?.contains { $0.conditions.isEmpty && $0.weight.tie == nil } ?? false
        }
        if isCertain { absentSpellings += 1 }
        continue
      }
      for role in spelling.roles {
        found[role, default: []].append((spelling.condition, Set(matches.map(\.name))))
      }
      for (name, variables) in matches {
        explained.insert(name)
        guard let shape = table[name]?.shape else { continue }
        for first in firsts {
          observe(spelling, [first] + rest, loops, name, variables, shape)
        }
      }
    }
    // What training keeps is no part of the model, in any convention: Keras saves it beside the weights.
    for entry in table.entries where Self.optimizerFolders.contains(where: entry.name.hasPrefix) {
      buffers.insert(entry.name)
    }
    for template in convention.buffers {
      for prefix in Set([placement.inner, placement.outer]) {
        for match in index.matches(of: template, prefix: prefix) { buffers.insert(match.name) }
      }
    }
  }

  /// Tells the turns of loops that are numbered on from another's, `{encoder_layers + layer}`, and how
  /// many that other has: by the names that only the later loop has.
  private mutating func findSums(
    _ matched: [[(name: ExactString, variables: [String: Int])]], _ loops: [DescribedLoop]
  ) {
    var plain: Set<ExactString> = []
    for (spelling, matches) in zip(convention.spellings, matched) {
      if spelling.name.sums.isEmpty {
        plain.formUnion(matches.map(\.name))
      } else {
        numberedOn.formUnion(matches.map(\.name))
      }
    }
    for (spelling, matches) in zip(convention.spellings, matched) {
      for (key, names) in spelling.name.sums {
        guard
          let loop = loops.first(where: { loop in
            spelling.roles[0].hasPrefix(loop.pattern + ".") && names.contains(loop.variable)
          }), let before = names.first(where: { $0 != loop.variable })
        else { continue }
        let numbers = matches.filter { !plain.contains($0.name) }.compactMap { match in
          match.variables[key].map { (number: $0, name: match.name) }
        }
        guard let first = numbers.min(by: { $0.number < $1.number }),
          let last = numbers.max(by: { $0.number < $1.number })
        else { continue }
        turns[Expression(.name(before), text: before)] = (first.number, first.name)
        turns[loop.count] = (last.number - first.number + 1, last.name)
      }
    }
  }

  private mutating func observe(
    _ spelling: Spelling, _ weights: [DescribedWeight], _ loops: [DescribedLoop],
    _ name: ExactString,
    _ variables: [String: Int], _ shape: Shape
  ) {
    var formulas = weights[0].weight.shape
    if weights.count > 1, let first = formulas.first {
      formulas[0] = weights.dropFirst().reduce(first) { $0 + ($1.weight.shape.first ?? 0) }
    }
    for step in spelling.layout { formulas = step.applied(to: formulas) }
    let stacked = spelling.stackedVariables
    for loop in loops where spelling.roles[0].hasPrefix(loop.pattern + ".") {
      if stacked.contains(loop.variable) {
        formulas.insert(loop.count, at: 0)
      } else if let turn = variables[loop.variable], !numberedOn.contains(name) {
        if turns[loop.count].map({ $0.count <= turn }) ?? true {
          turns[loop.count] = (turn + 1, name)
        }
      }
    }
    guard formulas.count == shape.rank else { return }
    let sizes = Array(zip(formulas, shape.dimensions))
    let conditions =
      weights[0].conditions + (spelling.condition.isAlways ? [] : [spelling.condition])
    for (axis, (formula, size)) in sizes.enumerated() {
      // Formulas on a loop's variable differ from turn to turn.
      guard formula.names.isDisjoint(with: spelling.name.variables) else { continue }
      var others = sizes
      others.remove(at: axis)
      observations[formula, default: []].append(
        Observation(
          value: size, name: name, others: others, conditions: conditions))
    }
  }
}

extension CandidateReading {
  /// The configuration that the names and shapes tell beyond what is `given`.
  ///
  /// - Throws: `malformed` where names or shapes contradict what is given, naming both.
  func inferred(beyond given: Configuration) throws -> Configuration {
    var configuration = given
    // What an ecosystem does not leave open holds without any configuration of it.
    for requirement in convention.requirements {
      for (name, value) in requirement.condition.node.fixedValues where given[name] == nil {
        configuration[name] = .init(value, source: "as always in \(convention.name)")
      }
    }
    try checkSizes(configuration)
    inferConditions(&configuration)
    inferSizes(&configuration)
    return configuration
  }

  /// How many sizes the tensors do not agree on among themselves; 0 where the layout is right.
  var disagreements: Int {
    observations.values.reduce(0) { $0 + Set($1.map(\.value)).count - 1 }
  }

  private func environment(_ configuration: Configuration) -> Environment {
    Environment { [architecture] in try configuration.entry($0, of: architecture).value }
  }

  /// The value that most tensors have where this formula stands.
  private func winner(_ observed: [Observation]) -> (value: Int, name: ExactString)? {
    var votes: [Int: (count: Int, name: ExactString)] = [:]
    for observation in observed {
      votes[observation.value, default: (0, observation.name)].count += 1
    }
    let most = votes.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }
    return most.map { ($0.key, $0.value.name) }
  }

  private func inferSizes(_ configuration: inout Configuration) {
    var told = turns.mapValues { (value: $0.count, name: $0.name) }
    for (formula, observed) in observations where told[formula] == nil {
      // Whether there are any by default says nothing about how many there are.
      told[formula] = winner(
        observed.filter { observation in
          holds(
            observation.conditions.filter { $0.names.isDisjoint(with: formula.names) },
            configuration)
        })
    }
    // Plain names first, then products with one unknown, until nothing new comes.
    let formulas = told.sorted {
      ($0.key.names.count, $0.key.text) < ($1.key.names.count, $1.key.text)
    }
    for _ in 0..<4 {
      var isChanged = false
      for (formula, (value, name)) in formulas {
        guard let (parameter, size) = solve(formula.node, value, configuration),
          configuration[parameter] == nil
        else { continue }
        configuration[parameter] = .init(.integer(size), source: "inferred from '\(name)'")
        isChanged = true
      }
      guard isChanged else { return }
    }
  }

  /// The one unknown parameter of a formula that has this value, and its size.
  private func solve(
    _ node: Expression.Node, _ value: Int, _ configuration: Configuration
  ) -> (String, Int)? {
    func known(_ node: Expression.Node) -> Int? {
      try? environment(configuration).count(Expression(node, text: ""))
    }
    switch node {
    case .name(let name):
      guard let parameter = architecture[parameter: name], parameter.kind == .count,
        value >= parameter.minimum
      else { return nil }
      return (name, value)
    case .binary(.times, let left, let right):
      if let factor = given(left, configuration), factor > 0, value % factor == 0 {
        return solve(right, value / factor, configuration)
      }
      if let factor = given(right, configuration), factor > 0, value % factor == 0 {
        return solve(left, value / factor, configuration)
      }
      return nil
    case .binary(.plus, let left, let right):
      if left == right, value % 2 == 0 { return solve(left, value / 2, configuration) }
      if case .binary(.plus, let first, let second) = left, first == second, second == right,
        value % 3 == 0
      {
        return solve(right, value / 3, configuration)
      }
      if let part = known(left), part < value { return solve(right, value - part, configuration) }
      if let part = known(right), part < value { return solve(left, value - part, configuration) }
      return nil
    case .constant, .element, .negated, .not, .choice, .call, .binary: return nil
    }
  }

  /// The value of a factor whose parameters were all given or told, defaults left aside.
  private func given(_ node: Expression.Node, _ configuration: Configuration) -> Int? {
    let environment = Environment { name in
      guard let entry = configuration[name] else { throw IngotError(.usage, "unknown") }
      return entry.value
    }
    return try? environment.count(Expression(node, text: ""))
  }

  /// Checks that no size that all tensors agree on is another in the configuration.
  private func checkSizes(_ given: Configuration) throws {
    let environment = environment(given)
    for (formula, observed) in observations.sorted(by: { $0.key.text < $1.key.text }) {
      guard formula.names.contains(where: { given[$0] != nil }),
        let expected = try? environment.count(formula)
      else { continue }
      let sound = observed.filter { observation in
        holds(observation.conditions, given)
          && observation.others.allSatisfy { formula, size in
            (try? environment.count(formula)).map { $0 == size } ?? true
          }
      }
      guard let first = sound.first, first.value != expected,
        sound.allSatisfy({ $0.value == first.value })
      else { continue }
      let sources = formula.names.sorted().compactMap { name in
        given[name].map { "'\(name)' is \($0.value) (\($0.source))" }
      }
      let product = formula.node == .name(formula.text) ? "" : ", so that \(formula) is \(expected)"
      throw IngotError(
        .malformed,
        "the configuration contradicts the shapes: \(sources.joined(separator: ", "))\(product), the tensor has \(first.value)",
        tensor: first.name)
    }
  }

  /// Tells flags and words from which weights are there.
  private func inferConditions(_ configuration: inout Configuration) {
    let weights = architecture.described().weights
    for parameter in architecture.parameters where configuration[parameter.name] == nil {
      let candidates: [Value]
      switch parameter.kind {
      case .flag: candidates = [.flag(true), .flag(false)]
      case .word: candidates = parameter.words.map(Value.word)
      case .count, .real, .counts: continue
      }
      // Only what a weight's presence depends on can be told, a tie being the presence of a second.
      let telling = weights.filter { weight in
        weight.conditions.contains { $0.names.contains(parameter.name) }
          || weight.weight.tie?.condition.names.contains(parameter.name) ?? false
      }
      let isTold = hasPrefix != nil && convention.prefixCondition.names.contains(parameter.name)
      guard !telling.isEmpty || isTold else { continue }
      let preferred = (try? configuration.entry(parameter.name, of: architecture))?.value
      let ordered = candidates.filter { $0 == preferred } + candidates.filter { $0 != preferred }
      var best: (value: Value, faults: Int)?
      for value in ordered {
        var trial = configuration
        trial[parameter.name] = .init(value, source: "inferred from the names")
        let faults = faults(of: telling, among: weights, trial)
        if best.map({ faults < $0.faults }) ?? true { best = (value, faults) }
      }
      if let best {
        configuration[parameter.name] = .init(best.value, source: "inferred from the names")
      }
    }
  }

  /// Whether conditions hold as far as they can be told.
  private func holds(_ conditions: [Expression], _ configuration: Configuration) -> Bool {
    let environment = environment(configuration)
    return conditions.allSatisfy { (try? environment.holds($0)) ?? true }
  }

  /// How many of the weights `telling` are there that should not be, or the other way round, where
  /// `weights` are all that the architecture has.
  private func faults(
    of telling: [DescribedWeight], among weights: [DescribedWeight], _ configuration: Configuration
  ) -> Int {
    let environment = environment(configuration)
    var expected: [String: Bool] = [:]
    for weight in weights {
      let tie = weight.weight.tie
      let isTied = tie.map { (try? environment.holds($0.condition)) ?? false } ?? false
      expected[weight.pattern] =
        (expected[weight.pattern] ?? false)
        || holds(weight.conditions, configuration) && !isTied
    }
    func names(of pattern: String) -> Set<ExactString> {
      (found[pattern] ?? []).filter { holds([$0.condition], configuration) }
        .reduce(into: []) { $0.formUnion($1.names) }
    }
    let present = expected.filter(\.value).keys
    let explained = present.reduce(into: Set<ExactString>()) { $0.formUnion(names(of: $1)) }
    let faults = Set(telling.map(\.pattern)).count { pattern in
      let isLacking = expected[pattern] ?? false && names(of: pattern).isEmpty
      return isLacking || !(found[pattern] ?? []).allSatisfy { $0.names.isSubset(of: explained) }
    }
    guard let hasPrefix, let expectsPrefix = try? environment.holds(convention.prefixCondition)
    else {
      return faults
    }
    return faults + (hasPrefix == expectsPrefix ? 0 : 1)
  }

  /// Whether the names have the convention's prefix, which models with a head have; nil where it has
  /// none.
  private var hasPrefix: Bool? {
    convention.prefix.isEmpty ? nil : placement.inner != placement.outer
  }
}

extension Expression.Node {
  /// The values without which a condition cannot hold: of `pooler && types == 0`, true and 0.
  fileprivate var fixedValues: [String: Value] {
    switch self {
    case .name(let name): [name: .flag(true)]
    case .not(.name(let name)): [name: .flag(false)]
    case .binary(.equal, .name(let name), .constant(let value)): [name: value]
    case .binary(.and, let left, let right): left.fixedValues.merging(right.fixedValues) { $1 }
    case .constant, .element, .negated, .not, .binary, .choice, .call: [:]
    }
  }
}
