#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// A model directory: weights beside their `config.json`.
enum ModelFolder {
  /// The checkpoint file in the folder at `path`; nil where `path` is no folder.
  ///
  /// A shard index stands for its shards; otherwise there must be exactly one file with a known
  /// extension, or one called `model.…` among several.
  /// - Throws: `unreadable` where there is none, `usage` where several would do.
  static func checkpoint(in path: String) throws -> String? {
    guard let names = try names(in: path) else { return nil }
    let prefix = path.hasSuffix("/") ? path : path + "/"
    let indexes = names.filter { $0.hasSuffix(".index.json") || $0.hasSuffix(".weights.json") }
    let weights = names.filter { name in
      !name.hasSuffix(".json") && Formats.forExtension(of: name) != nil
    }
    if indexes.isEmpty, let first = weights.first, weights.allSatisfy(isFileOfSet) {
      throw IngotError(
        .malformed,
        "holds files of a set, such as \(first.escapedForDisplay()), and no index: the set is incomplete",
        file: path, hint: "name one of the files to read it alone")
    }
    for candidates in [indexes, weights] {
      if candidates.count == 1 { return prefix + candidates[0] }
      let preferred = candidates.filter { $0.hasPrefix("model.") }
      if preferred.count == 1 { return prefix + preferred[0] }
      guard candidates.isEmpty else {
        throw IngotError(
          .usage, "holds several checkpoints: " + candidates.prefix(10).joined(separator: ", "),
          file: path, hint: "name one of them")
      }
    }
    throw IngotError(.unreadable, "is a folder without a checkpoint", file: path)
  }

  /// Whether a name is that of one file of a set: `…-00001-of-00003.safetensors`, `…_00000.weights.h5`.
  private static func isFileOfSet(_ name: String) -> Bool {
    func droppingNumber(_ text: Substring, after mark: String) -> Substring? {
      let digits = text.suffix(5)
      guard digits.count == 5, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
        return nil
      }
      let rest = text.dropLast(5)
      return rest.hasSuffix(mark) ? rest.dropLast(mark.count) : nil
    }
    if name.hasSuffix(".weights.h5") {
      return droppingNumber(name.dropLast(11), after: "_") != nil
    }
    guard name.hasSuffix(".safetensors") else { return false }
    return droppingNumber(name.dropLast(12), after: "-of-").flatMap {
      droppingNumber($0, after: "-")
    } != nil
  }

  /// The `config.json` of a folder that has no weights; nil where `path` is no folder or has some.
  static func bareConfiguration(in path: String) throws -> String? {
    guard let names = try names(in: path), names.contains("config.json"),
      !names.contains(where: { name in
        name.hasSuffix(".index.json") || name.hasSuffix(".weights.json")
          || !name.hasSuffix(".json") && Formats.forExtension(of: name) != nil
      })
    else { return nil }
    return (path.hasSuffix("/") ? path : path + "/") + "config.json"
  }

  /// The names in a folder, sorted, hidden ones left out; nil where it is no folder.
  private static func names(in path: String) throws -> [String]? {
    guard let folder = unsafe opendir(path) else {
      if errno == ENOTDIR || errno == ENOENT { return nil }
      throw IngotError(.unreadable, SystemCalls.message(errno), file: path)
    }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    // readdir's entry is valid until the next call; its name ends with NUL.
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted { $0 < $1 }
  }
}
