public import Rules

/// Compares two opened checkpoints: `ingot diff`.
public struct Comparing: Sendable {
  private let first: Checkpoint
  private let second: Checkpoint
  /// The tensors to compare.
  public var selection = Selection()
  /// Rules that are applied to the first checkpoint.
  public var rules: RulesFile?
  /// When values count as equal; nil compares types, shapes and bytes.
  public var tolerance: Difference.Tolerance?
  /// The number of threads; nil takes one per processor.
  public var jobs: Int?

  /// Prepares to compare.
  public init(_ first: Checkpoint, _ second: Checkpoint) {
    self.first = first
    self.second = second
  }

  /// Compares every selected tensor.
  ///
  /// - Throws: `unsupported` for a tensor that cannot be read; `changed` where a file changed.
  public func difference() throws -> Difference {
    var a = first.table
    if let rules { a = try first.naming { try rules.apply(to: a) } }
    a = try a.replacingEntries(a.entries.filter { selection.selects($0.name) })
    let b = try second.table.replacingEntries(
      second.table.entries.filter { selection.selects($0.name) })
    guard !selection.isEverything, a.entries.isEmpty, b.entries.isEmpty else {
      return try compared(a, b)
    }
    throw IngotError(.usage, "no tensor of either checkpoint is selected")
  }

  private func compared(_ a: TensorTable, _ b: TensorTable) throws -> Difference {
    try first.checkReadable(a)
    try second.checkReadable(b)
    let difference = try Difference(a, b, tolerance: tolerance, jobs: jobs)
    try first.checkUnchanged()
    try second.checkUnchanged()
    return difference
  }
}
