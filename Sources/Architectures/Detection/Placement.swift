public import Tensors

/// What stands before the names of a convention in a table.
public struct Placement: Sendable, Hashable {
  /// Before the names of the model proper.
  public var inner: ExactString
  /// Before the names of what lies outside of it (heads).
  public var outer: ExactString

  /// What stands before a spelling's name.
  func prefix(of spelling: Spelling) -> ExactString { spelling.isOuter ? outer : inner }
}
