/// A place in a text file, counted from 1 as editors do.
struct TextPosition: Sendable, Hashable, CustomStringConvertible {
  let line: Int
  /// In Unicode scalars.
  let column: Int

  var description: String { "line \(line), column \(column)" }
}
