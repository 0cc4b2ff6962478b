public import Tensors

/// The rules of `--rules FILE`: how tensors are renamed, transposed, split and joined.
///
/// A rules file is YAML (JSON is a part of YAML); `schemas/rules.schema.json` describes it:
///
///     transpose:
///       - match: 'layers/\d+/kernel'      # axes: [1, 0] where the order is not the reverse
///     split:
///       - match: 'h\.(\d+)\.attn\.qkv'
///         axis: -1                        # negative counts from the last axis
///         into: ['h.$1.q', 'h.$1.k', 'h.$1.v']
///         sizes: [768, 64, 64]            # left out: equal parts
///     join:
///       - from: ['h\.(\d+)\.gate', 'h\.(\d+)\.up']
///         axis: 0
///         to: 'h.$1.gate_up'
///     rename:
///       - from: 'layers/(?<layer>\d+)/(kernel|bias)'
///         to: 'h.${layer}.$2'
///
/// Expressions are those of Swift's `Regex` and must match the whole name; `.` and the classes go
/// by Unicode scalars. Swift matches by backtracking: an expression such as `(a*)*b` can take very
/// long on names that do not match, so rules deserve the trust of a script of one's own. A new name
/// holds `$1` to `$9`, `${10}`, `${name}` for the groups of the match and `$$` for a dollar sign.
///
/// The four kinds are four stages: transposes, then splits, then joins, then renames, wherever they
/// stand in the file. Within a stage every rule sees the names as the stage found them, so the
/// order of the rules of one kind does not matter and two names can be exchanged.
///
/// * A `transpose` reverses the axes, or puts them in the order `axes`: axis `i` of the result is
///   axis `axes[i]` of the tensor. `axes` holds each axis once.
/// * A `split` cuts a tensor along `axis` into as many parts as `into` has names, in that order,
///   equal ones or of `sizes`, which must add up to the axis. The parts stand where the tensor
///   stood.
/// * A `join` lays one tensor for each expression of `from` end to end along `axis`, in that order.
///   Tensors whose groups matched the same texts belong together; each such set must be complete,
///   the tensors of one element type and of shapes that agree in all axes but the one. The result
///   stands where the first of them stood. The expressions have the same groups, by number and
///   name.
/// * A `rename` gives a tensor another name.
///
/// Every doubt is an error that names the rule: an expression that matches no tensor, a tensor that
/// two expressions of one stage match, two tensors that would have one name.
///
/// Metadata follows renames: a key `path@attribute` whose path is renamed becomes that of the new
/// name. It is otherwise left as it is: the parts of a split and the result of a join have no
/// attributes, those of the tensors they were made from stay under the old names.
public struct RulesFile: Sendable {
  /// The path of the file as the user gave it, for messages.
  public let path: String
  let transposes: [TransposeRule]
  let splits: [SplitRule]
  let joins: [JoinRule]
  let renames: [RenameRule]

  /// Reads and parses the file at `path`.
  ///
  /// - Throws: `unreadable` where it cannot be opened; what parsing throws.
  public init(contentsOf path: String) throws {
    let file = try InputFile(path: path)
    guard file.byteCount <= Limits.jsonBytes else {
      throw IngotError(
        .limit, "\(file.byteCount) bytes are above the \(Limits.jsonBytes) of a rules file",
        file: path)
    }
    try self.init(
      parsing: file.bytes(at: 0, count: file.byteCount, "the rules file"), path: path)
  }

  /// Parses the text of a rules file.
  ///
  /// - Throws: `malformed` with line and column for what is not YAML, or not such rules; `limit`
  ///   above 64 MiB, 128 levels, or patterns of 4 KiB or 32 brackets.
  public init(parsing bytes: [UInt8], path: String) throws {
    self = try naming(file: path) {
      try RulesDecoder.rules(in: try YAMLNode(parsing: bytes), path: path)
    }
  }

  init(
    path: String, transposes: [TransposeRule], splits: [SplitRule], joins: [JoinRule],
    renames: [RenameRule]
  ) {
    self.path = path
    self.transposes = transposes
    self.splits = splits
    self.joins = joins
    self.renames = renames
  }

  /// The table that the rules make of `table`, and what they did.
  ///
  /// - Parameter spoolFolder: Where a tensor that can only be read front to back is set aside for
  ///   its transposition; nil for the system's choice.
  /// - Throws: `malformed` where the rules do not fit the table, naming rule and tensors; `limit`
  ///   for a name above 4 KiB; what the views of a tensor throw.
  public func apply(
    to table: TensorTable, spoolFolder: String? = nil
  ) throws -> (table: TensorTable, report: RulesReport) {
    try naming(file: path) {
      var application = RulesApplication(table)
      try application.apply(transposes, spoolFolder: spoolFolder)
      try application.apply(splits)
      try application.apply(joins)
      try application.apply(renames)
      return (application.table, application.report)
    }
  }
}
