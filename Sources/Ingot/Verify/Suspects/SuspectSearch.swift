internal import Architectures
internal import ReferenceModel
internal import Tensors

/// Looks for the mistake behind a divergence: undoes the known ones one at a time, where the values of
/// the golden are still right before and no longer after.
///
/// What lies between the last states that agree and the first that does not is computed again for each
/// trial, and nothing else. A mistake that makes the state agree is then undone in the whole model:
/// there, in every layer, or everywhere, whichever puts the next divergence off the farthest.
struct SuspectSearch {
  private let pass: ForwardPass
  private let comparing: StateComparing
  private let weights: CanonicalWeights
  private let rules: RepairRules
  private let reading: ModelReading
  private let jobs: Int
  private let passes: Int?

  /// A repair must bring a state this much nearer: what is hardly outside of the tolerance, any small
  /// change may bring in.
  private static let leastImprovement = 10.0
  /// How many passes' worth of weights trials may read, and how many elements of small models.
  private static let usualPasses = 32
  private static let fewElements = 0x1p30
  /// How many repairs that bring the state to agree are tried in the whole model.
  ///
  /// Where a golden has every projection, the first alone does not tell which others are wrong too.
  private static let mostFindings = 32

  /// - Parameter passes: How many passes' worth of weights trials may read; nil is the usual number.
  init(
    _ pass: ForwardPass, _ comparing: StateComparing, _ reading: ModelReading, _ table: TensorTable,
    passes: Int?
  ) {
    self.passes = passes
    self.pass = pass
    self.comparing = comparing
    self.reading = reading
    weights = CanonicalWeights(table, reading)
    rules = RepairRules(reading)
    jobs = pass.jobs
  }

  /// What explains the first divergence among the states, the likeliest first, and how many of the known
  /// mistakes were not tried because the trials had read enough.
  ///
  /// - Throws: what reading throws.
  func suspects(of states: [StateComparison]) throws -> (found: [Suspect], untried: Int) {
    guard states.contains(where: { !$0.isOK }) else { return ([], 0) }
    guard let sample = try sampled(states) ?? Sample(comparing, states) else { return ([], 0) }
    let first = sample.states[sample.index]
    let replay = try ForwardReplay(
      pass, sample.comparing.inputs, to: first.origin.number,
      from: Set(sample.states[..<sample.index].map(\.origin.number)))
    let known = try KnownMistakes(reading.model)
    let roles = Set(try replay.operations.flatMap { try $0.roles })
    let single = try known.mistakes(in: replay.operations).filter { mistake in
      mistake.setting != nil || !roles.isDisjoint(with: mistake.edits.keys)
    }
    let cost = try elements(of: replay.operations)
    let all = Double(try elements(of: nil))
    var budget = Budget(
      elements: passes.map { Double($0) * all }
        ?? max(Self.fewElements, Double(Self.usualPasses) * all))
    var candidates = single + Mistake.widened(single)
    if !budget.covers(cost, times: candidates.count) {
      // A conversion goes wrong everywhere more often than in one layer.
      candidates =
        single.filter { $0.setting != nil } + Mistake.widened(single)
        + single.filter { $0.setting == nil }
    }
    var found: [Finding] = []
    var untried = 0
    for (number, mistake) in candidates.enumerated() where found.count < Self.mostFindings {
      guard budget.takes(cost) else {
        untried = candidates.count - number
        break
      }
      guard let after = try trial(mistake, replay, first, sample.comparing),
        explains(first, after)
      else { continue }
      found.append(Finding(mistake: mistake, after: after))
    }
    let suspects =
      found.isEmpty
      ? try overflows(replay.operations)
      : try confirmed(found, known, first, sample.comparing.extent, states.count)
    return (suspects, untried)
  }

  /// What trials are compared with, and how its states compare now; the last of them differs.
  private struct Sample {
    let comparing: StateComparing
    let states: [StateComparison]
    let index: Int

    /// Nil where every state agrees.
    init?(_ comparing: StateComparing, _ states: [StateComparison]) {
      guard let index = states.firstIndex(where: { !$0.isOK }) else { return nil }
      (self.comparing, self.states, self.index) = (comparing, states, index)
    }
  }

  /// A part of the golden that differs in the same state.
  private func sampled(_ states: [StateComparison]) throws -> Sample? {
    guard let part = try comparing.sample(of: reading.model) else { return nil }
    let sample = try whereItFits {
      Sample(part, try part.compare(pass, untilDivergence: true))
    }
    let first = states.first { !$0.isOK }
    return sample.flatMap { $0.states[$0.index].name == first?.name ? $0 : nil }
  }

  /// A mistake that, undone, makes the state agree.
  private struct Finding {
    var mistake: Mistake
    let after: StateComparison
    /// How many states in a row agree when it is undone.
    var agreeing = 0
    /// The one after them, which does not.
    var next: ExactString?
  }

  private struct Budget {
    private var elements: Double

    init(elements: Double) { self.elements = elements }

    func covers(_ cost: Int, times count: Int) -> Bool {
      Double(max(1, cost)) * Double(count) <= elements
    }

    mutating func takes(_ cost: Int) -> Bool {
      elements -= Double(max(1, cost))
      return elements >= 0
    }
  }

  private func elements(of operations: [PlacedOperation]?) throws -> Int {
    guard let operations else {
      return reading.model.weights.reduce(0) { $0 + $1.shape.elementCount }
    }
    let counts = Dictionary(
      reading.model.weights.map { ($0.role, $0.shape.elementCount) }
    ) { first, _ in first }
    return try operations.reduce(0) { sum, placed in
      try placed.roles.reduce(sum) { $0 + (counts[$1] ?? 0) }
    }
  }

  // MARK: Trials

  private func source(_ mistake: Mistake) -> ForwardPass.WeightSource {
    let (edits, weights) = (mistake.edits, weights)
    return { role in
      guard let edit = edits[role] else { return try weights.tensor(role: role) }
      return try edit.weight(role) { try weights.tensor(role: $0) }
    }
  }

  private func model(_ mistake: Mistake) throws -> Model {
    guard let setting = mistake.setting else { return reading.model }
    var configuration = reading.model.configuration
    configuration[setting.parameter] = .init(setting.value, source: "a trial")
    return try Model(reading.model.architecture, configuration)
  }

  /// The state as it is with a mistake undone; nil where that cannot be done.
  private func trial(
    _ mistake: Mistake, _ replay: ForwardReplay, _ first: StateComparison,
    _ comparing: StateComparing
  ) throws -> StateComparison? {
    try whereItFits {
      let value = try replay.state(model: model(mistake), weights: source(mistake))
      guard value.shape == first.shape else { return nil }
      return try comparing.compare(
        value, inPlaceOf: first, tolerating: toleranceFactor(mistake), jobs: jobs)
    }
  }

  /// Weights that were rounded when the mistake was made do not come back exactly.
  private func toleranceFactor(_ mistake: Mistake) throws -> Double {
    guard mistake.hasRounded else { return 1 }
    return try mistake.edits.keys.map { role in
      comparing.tolerance.factor(ofRoundingTo: try weights.tensor(role: role).elementType)
    }.max() ?? 1
  }

  /// A repair may ask for weights that are not there, or make sizes that do not fit.
  private func whereItFits<Result>(_ body: () throws -> Result?) throws -> Result? {
    do {
      return try body()
    } catch let error as IngotError
      where [.malformed, .unsupported, .usage].contains(error.errorClass)
    {
      return nil
    }
  }

  private func explains(_ before: StateComparison, _ after: StateComparison) -> Bool {
    after.isOK && before.worst >= Self.leastImprovement * after.worst
  }

  // MARK: Confirming

  /// Undoes what was found in the whole model, as far around as serves best.
  private func confirmed(
    _ found: [Finding], _ known: KnownMistakes, _ first: StateComparison, _ extent: String?,
    _ count: Int
  ) throws -> [Suspect] {
    let everywhere = try known.mistakes(in: known.operations)
    var best: [Finding] = []
    for finding in found {
      let alike = everywhere.filter { $0.cause == finding.mistake.cause }
      let wider = Mistake.widened(alike).filter {
        $0.pattern.isEmpty || $0.pattern == finding.mistake.pattern
      }
      var candidates: [Finding] = []
      for mistake in [finding.mistake] + wider {
        guard !candidates.contains(where: { Set($0.mistake.edits.keys) == Set(mistake.edits.keys) })
        else { continue }
        var candidate = Finding(mistake: mistake, after: finding.after)
        let isRun: Bool? = try whereItFits {
          let trial = ForwardPass(
            try model(mistake), precision: pass.precision, jobs: jobs, weights: source(mistake))
          let states = try comparing.compare(
            trial, untilDivergence: true, tolerating: toleranceFactor(mistake))
          candidate.agreeing = states.count { $0.isOK }
          candidate.next = states.first { !$0.isOK }?.name
          return true
        }
        if isRun == true { candidates.append(candidate) }
      }
      // Of equals the narrowest, which comes first.
      if let most = candidates.map(\.agreeing).max(),
        let candidate = candidates.first(where: { $0.agreeing == most }),
        !best.contains(where: { isSame($0.mistake, candidate.mistake) })
      {
        best.append(candidate)
      }
    }
    let most = best.map(\.agreeing).max() ?? 0
    return best.filter { $0.agreeing == most }.map { suspect($0, first, extent, count) }
  }

  private func isSame(_ one: Mistake, _ other: Mistake) -> Bool {
    one.cause == other.cause && Set(one.edits.keys) == Set(other.edits.keys)
  }

  private func suspect(
    _ finding: Finding, _ before: StateComparison, _ extent: String?, _ count: Int
  ) -> Suspect {
    let mistake = finding.mistake
    var cause = mistake.place.isEmpty ? mistake.cause : "\(mistake.place): \(mistake.cause)"
    if mistake.layers.count > 1 {
      cause += ", in \(mistake.layers.count) layers"
    } else if mistake.setting == nil, mistake.pattern.isEmpty {
      cause += ", wherever that is possible"
    }
    let rest =
      finding.next.map {
        "then \($0) is the next to differ"
      } ?? (count == 1 ? "then all of it agrees" : "then all \(count) states agree")
    let rounding = mistake.hasRounded ? ", as near as rounded weights come" : ""
    return Suspect(
      cause: cause,
      evidence:
        "undone, \(before.name)\(extent.map { " of \($0)" } ?? "") goes from max rel \(before.maxRelative.threeDigits) to \(finding.after.maxRelative.threeDigits)\(rounding); \(rest)",
      rules: rules.text(for: mistake),
      setting: mistake.setting.map { "\($0.parameter)=\($0.value)" })
  }

  // MARK: Casts

  /// The ends of narrower types.
  private static let ends: [(value: Double, type: ElementType)] = [
    (65504, .float16), (448, .float8E4M3FN), (57344, .float8E5M2),
    (Double(Float(bitPattern: 0x7F7F_0000)), .bfloat16),
  ]

  /// Weights that a cast drove to the end of a type: nothing undoes that, the values alone show it.
  private func overflows(_ operations: [PlacedOperation]) throws -> [Suspect] {
    var suspects: [Suspect] = []
    var seen: Set<String> = []
    for placed in operations {
      for role in try placed.roles where seen.insert(role).inserted {
        var table = TensorTable()
        try table.append(ExactString(role), weights.tensor(role: role))
        guard let statistics = try TensorStatistics.compute(table, jobs: jobs).first ?? nil,
          let evidence = Self.evidence(statistics)
        else { continue }
        suspects.append(
          Suspect(cause: "\(role): a cast overflowed", evidence: evidence, rules: nil, setting: nil)
        )
      }
    }
    return suspects
  }

  private static func evidence(_ statistics: Statistics) -> String? {
    if statistics.infinite > 0 {
      return "\(statistics.infinite) of its \(statistics.count) values are infinite"
    }
    let largest = max(abs(statistics.min ?? 0), abs(statistics.max ?? 0))
    guard let end = ends.first(where: { $0.value == largest }) else { return nil }
    return "its largest value is \(end.value) exactly, where \(end.type.name) ends"
  }
}
