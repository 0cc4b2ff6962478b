internal import Architectures

/// What a model does, in order, loops unrolled and branches taken, with what is used for the last time.
struct Plan {
  struct Instruction {
    let visit: Visit
    let scope: Scope
    /// The values that nothing reads afterwards.
    var releases: Set<String> = []
    /// Whether it depends on inputs that change from step to step when a sequence is fed in pieces.
    var isStepped = true
    /// Whether it does not, and something that does reads what it gives.
    var isKept = false
  }

  private(set) var instructions: [Instruction] = []

  init(_ model: Model) throws {
    try model.scope.walk(model.architecture.steps) { visit, scope in
      instructions.append(Instruction(visit: visit, scope: scope))
    }
    markLastUses()
    let names = try model.architecture.inputs.filter { input in
      try model.environment.holds(input.condition)
    }.map(\.name)
    let ofDecoder = names.filter { $0.hasPrefix("decoder_") }
    markSteps(Set(ofDecoder.isEmpty ? names : ofDecoder))
  }

  /// Tells what must be done again in every step from what the first one settles: an encoder, and the
  /// keys and values that a decoder takes from it.
  private mutating func markSteps(_ inputs: Set<String>) {
    var stepped = inputs
    /// Where each value was last given.
    var origins: [String: Int] = [:]
    for index in instructions.indices {
      let visit = instructions[index].visit
      let reads = visit.reads
      let isStepped = !reads.isDisjoint(with: stepped)
      instructions[index].isStepped = isStepped
      if isStepped {
        for name in reads.subtracting(stepped) {
          if let origin = origins[name] { instructions[origin].isKept = true }
        }
      }
      guard let output = visit.output else { continue }
      origins[output] = index
      if isStepped { stepped.insert(output) } else { stepped.remove(output) }
    }
  }

  /// From the end: a value is dead from its last reading on to where it is written again.
  private mutating func markLastUses() {
    var live: Set<String> = []
    for index in instructions.indices.reversed() {
      let visit = instructions[index].visit
      if let output = visit.output { live.remove(output) }
      let reads = visit.reads
      instructions[index].releases = reads.subtracting(live)
      live.formUnion(reads)
    }
  }
}

extension Visit {
  /// The value that it writes.
  var output: String? {
    switch self {
    case .operation(let operation): operation.output
    case .end, .state, .result: nil
    }
  }

  /// The values that it reads.
  var reads: Set<String> {
    switch self {
    case .operation(let operation): Set(operation.reads)
    case .end(let block): [block.output]
    case .state(let value, _), .result(let value, _): [value]
    }
  }
}
