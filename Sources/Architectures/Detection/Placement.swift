/// What stands before the names of a convention in a table.
public struct Placement: Sendable, Hashable {
  /// Before the names of the model proper.
  public var inner: String
  /// Before the names of what lies outside of it (heads).
  public var outer: String

  /// What stands before a spelling's name.
  func prefix(of spelling: Spelling) -> String { spelling.isOuter ? outer : inner }
}
