/// Compares two opened checkpoints: `ingot diff`.
public struct Comparing: Sendable {
  private let first: Checkpoint
  private let second: Checkpoint
  /// The tensors to compare.
  public var selection = Selection()
  /// Rules that are applied to the first checkpoint.
  public var rules: RulesFile?
  /// When values count as equal; nil compares types, shapes and bytes.
  public var tolerance: Tolerance?
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
    if let rules { a = try first.naming { try rules.apply(to: a).table } }
    // A glob may match in one of the two only.
    try selection.checkMatches([a, second.table])
    a = try selection.filter(a)
    let b = try selection.filter(second.table)
    try first.checkReadable(a)
    try second.checkReadable(b)
    let difference = try Difference(
      a, b, tolerance: tolerance, jobs: jobs, files: (first.files[0], second.files[0]))
    try first.checkUnchanged()
    try second.checkUnchanged()
    return difference
  }
}
