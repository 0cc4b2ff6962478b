/// A place in a text file, counted from 1 as editors do.
package struct TextPosition: Sendable, Hashable, CustomStringConvertible {
  package let line: Int
  /// In Unicode scalars.
  package let column: Int

  package var description: String { "line \(line), column \(column)" }
}
