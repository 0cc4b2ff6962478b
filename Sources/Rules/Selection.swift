#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif
public import Tensors

/// The tensors that `--include` and `--exclude` choose by globs.
///
/// Globs are those of `fnmatch(3)` without flags and match whole names: `*` is any text, dots and
/// slashes too; `?` is any one byte; `[a-z]`, `[!a-z]` is one byte of a class; a backslash takes
/// the next byte literally. A name is chosen where some include glob matches it, or there is none,
/// and no exclude glob does.
public struct Selection: Sendable, Hashable {
  /// What to take; everything where this is empty.
  public var include: [ExactString]
  /// What to leave out, even where an include glob matches it.
  public var exclude: [ExactString]

  /// A selection by globs.
  public init(include: [ExactString] = [], exclude: [ExactString] = []) {
    self.include = include
    self.exclude = exclude
  }

  /// Whether there are no globs, so that everything is chosen.
  public var isEmpty: Bool { include.isEmpty && exclude.isEmpty }

  /// Whether a name is chosen.
  public func selects(_ name: ExactString) -> Bool {
    (include.isEmpty || include.contains { Self.glob($0, matches: name) })
      && !exclude.contains { Self.glob($0, matches: name) }
  }

  /// The chosen tensors and other items, without the attributes of what is left out.
  ///
  /// - Throws: `usage` for a glob that matches nothing, with the nearest names, and where no tensor
  ///   is left.
  public func apply(to table: TensorTable) throws -> TensorTable {
    guard !isEmpty else { return table }
    try checkMatches([table])
    let selected = try filter(table)
    guard table.entries.isEmpty || !selected.entries.isEmpty else {
      throw IngotError(.usage, "--include and --exclude leave no tensor")
    }
    return selected
  }

  /// Checks that every glob matches something in at least one of the tables.
  ///
  /// - Throws: `usage` naming the first glob that does not.
  public func checkMatches(_ tables: [TensorTable]) throws {
    let names = tables.flatMap { $0.entries.map(\.name) + $0.others.map(\.name) }
    for (option, globs) in [("--include", include), ("--exclude", exclude)] {
      for glob in globs where !names.contains(where: { Self.glob(glob, matches: $0) }) {
        throw IngotError(
          .usage, "\(option) '\(glob.escapedForDisplay())' matches nothing",
          hint: NearestNames.hint(glob, among: names, isGlob: true))
      }
    }
  }

  /// The chosen tensors and other items, even where a glob matches nothing.
  ///
  /// - Throws: nothing of its own.
  public func filter(_ table: TensorTable) throws -> TensorTable {
    let chosen = table.entries.map { selects($0.name) }
    var selected = try table.replacingEntries(zip(table.entries, chosen).filter(\.1).map(\.0))
    selected.others.removeAll { !selects($0.name) }
    let left = zip(table.entries, chosen).filter { !$0.1 }.map(\.0.name)
    let leftOthers = table.others.map(\.name).filter { !selects($0) }
    let owners = AttributeOwners(left + leftOthers)
    for (key, _) in table.metadata.sorted where owners.cut(key) != nil {
      selected.metadata[key] = nil
    }
    return selected
  }

  private static func glob(_ glob: ExactString, matches name: ExactString) -> Bool {
    // C ends a text at its first NUL, which a name may hold: to `fnmatch` it is another control
    // byte. Swift lends both texts to the call with a NUL at the end.
    unsafe fnmatch(withoutNUL(glob), withoutNUL(name), 0) == 0
  }

  private static func withoutNUL(_ text: ExactString) -> String {
    guard text.utf8.contains(0) else { return text.text }
    return String(decoding: text.utf8.map { $0 == 0 ? 1 : $0 }, as: UTF8.self)
  }
}
