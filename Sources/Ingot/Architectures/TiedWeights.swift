internal import Tensors

/// Compares tied weights that are stored twice with what they are tied to.
enum TiedWeights {
  /// The second copies in a table and, where nothing says whether they are tied, what their bytes say.
  static func compare(
    _ reading: ModelReading, _ table: TensorTable
  ) throws -> (ties: [ModelSource.StoredTie], settled: Configuration) {
    var ties: [ModelSource.StoredTie] = []
    var settled = Configuration()
    let names = Dictionary(
      reading.tensors.flatMap { stored, name in
        stored.turns.count == 1 && stored.turns[0].count == 1
          ? name.map { [(stored.turns[0][0].role, $0)] } ?? [] : []
      }, uniquingKeysWith: { first, _ in first })
    for (stored, name) in reading.tensors {
      guard let name, let second = table[name], stored.turns.count == 1, stored.turns[0].count == 1,
        let tie = stored.turns[0][0].weight.tie, let first = names[tie.role].flatMap({ table[$0] }),
        let parameter = tie.flag
      else { continue }
      let isEqual = try haveSameBytes(first, second)
      let entry = reading.model.configuration[parameter]
      if entry.map({ $0.source.hasPrefix("inferred") }) ?? true {
        if isEqual {
          settled[parameter] = .init(.flag(true), source: "inferred from the bytes of '\(name)'")
          ties.append(.init(name: name, target: tie.role, isEqual: true))
        }
      } else if entry?.value == .flag(true) {
        ties.append(.init(name: name, target: tie.role, isEqual: isEqual))
      }
    }
    return (ties, settled)
  }

  /// Whether two tensors are the same, reading no further than the first difference.
  private static func haveSameBytes(_ one: Tensor, _ other: Tensor) throws -> Bool {
    guard one.elementType == other.elementType, one.shape == other.shape else { return false }
    if let storage = one.storage, storage == other.storage { return true }
    let length = 1 << 20
    var offset = 0
    while offset < one.byteCount {
      let count = min(length, one.byteCount - offset)
      guard
        try one.source.bytes(at: offset, count: count, "a tied weight")
          == other.source.bytes(at: offset, count: count, "a tied weight")
      else { return false }
      offset += count
    }
    return true
  }
}
