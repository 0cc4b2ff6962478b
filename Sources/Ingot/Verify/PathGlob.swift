internal import Tensors

#if canImport(Glibc)
private import Glibc
#elseif canImport(Musl)
private import Musl
#else
private import Darwin
#endif

/// The paths that a glob stands for.
///
/// Globs are those of `glob(3)`: `*` and `?` do not match slashes, nor the dot that begins a hidden name;
/// a backslash takes the next byte literally.
enum PathGlob {
  /// The matches in the order of their bytes; a path without `*`, `?` and `[` is itself, there or not.
  ///
  /// - Parameter folder: What stands before a relative glob, and is none itself; empty or ending in a
  ///   slash.
  /// - Throws: `unreadable` where nothing matches.
  static func paths(_ glob: String, in folder: String) throws -> [String] {
    let prefix = glob.hasPrefix("/") ? "" : folder
    guard glob.contains(where: isSpecial) else { return [prefix + glob] }
    let pattern =
      prefix.reduce(into: "") { $0 += isSpecial($1) || $1 == "\\" ? "\\\($1)" : "\($1)" } + glob
    // glob fills what globfree releases, also where nothing matches.
    var matches = unsafe glob_t()
    defer { unsafe globfree(&matches) }
    let status = unsafe find(pattern, &matches)
    guard status != GLOB_NOMATCH else {
      throw IngotError(.unreadable, "matches no file", file: prefix + glob)
    }
    guard status == 0 else {
      throw IngotError(.io, "the folders of this pattern cannot be read", file: prefix + glob)
    }
    // On success `gl_pathv` holds `gl_pathc` texts that end with NUL.
    let paths = unsafe (0..<Int(matches.gl_pathc)).compactMap { index in
      unsafe matches.gl_pathv[index].map { unsafe String(cString: $0) }
    }
    return paths.sorted { $0 < $1 }
  }

  private static func isSpecial(_ character: Character) -> Bool { "*?[".contains(character) }

  private static func find(_ pattern: String, _ matches: inout glob_t) -> Int32 {
    // Beside a method of that name Swift would not look for the function of C.
    #if canImport(Glibc)
    unsafe Glibc.glob(pattern, GLOB_NOSORT, nil, &matches)
    #elseif canImport(Musl)
    unsafe Musl.glob(pattern, GLOB_NOSORT, nil, &matches)
    #else
    unsafe Darwin.glob(pattern, GLOB_NOSORT, nil, &matches)
    #endif
  }
}
