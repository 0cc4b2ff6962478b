internal import Architectures

/// What a model does, in order, loops unrolled and branches taken, with what is used for the last time.
struct Plan {
  struct Instruction {
    let visit: Visit
    let scope: Scope
    /// The values that nothing reads afterwards.
    var releases: Set<String> = []
  }

  private(set) var instructions: [Instruction] = []

  init(_ model: Model) throws {
    try model.scope.walk(model.architecture.steps) { visit, scope in
      instructions.append(Instruction(visit: visit, scope: scope))
    }
    markLastUses()
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
