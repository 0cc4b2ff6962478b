internal import CSystem
internal import Tensors

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// How finished files get their names.
///
/// A new file is linked to its name, which fails where somebody else came first. An old file is replaced by
/// a rename, so that its path leads to the old or the new one at every instant.
///
/// A set (shards and their index, which comes last) is seen through its index. Without one, shards are no
/// checkpoint: so an old index goes aside first, then the old shards, the new ones take their names, and,
/// when those are on the disk, the new index. What fails on the way puts everything back. After death in the
/// middle there is no index, and the old files lie beside the new ones under their hidden names.
extension OutputFile {
  /// Gives finished files their names; of several the last one is the index of the others.
  ///
  /// - Throws: `output` where a destination has appeared meanwhile; `io` where the system fails. Every
  ///   destination is then what it was before, except where the message says otherwise.
  static func commit(_ files: [OutputFile]) throws {
    try CommitSection.enter { names in
      guard files.count > 1 else {
        for file in files { try file.takeName(replacing: file.replaces, &names) }
        return try files.forEach { try $0.syncFolder(isNamed: true) }
      }
      try commitSet(files, &names)
    }
  }

  private static func commitSet(
    _ files: [OutputFile], _ names: inout CommitSection.TemporaryNames
  ) throws {
    var aside: [(file: OutputFile, old: CommitSection.TemporaryName)] = []
    var named: [OutputFile] = []
    do {
      for file in files.reversed() where file.replaces {
        if let old = try file.setAside() { aside.append((file, old)) }
      }
      for file in files {
        if file === files.last { try file.syncFolder(isNamed: false) }
        try file.takeName(replacing: false, &names)
        named.append(file)
      }
    } catch {
      for file in named { file.giveUpName() }
      // The index last, as it was the first to go.
      for (file, old) in aside.reversed() { file.putBack(old, &names) }
      throw error
    }
    for (_, old) in aside {
      names.insert(old)
      names.remove(old)
    }
    try files.last?.syncFolder(isNamed: true)
  }

  /// Brings the folder's names to the disk.
  private func syncFolder(isNamed: Bool) throws {
    guard syncs, SystemCalls.retrying({ fsync(folder.descriptor) }) != 0 else { return }
    let what = isNamed ? "the file is in place but may not survive a power cut: " : ""
    throw failed(what + "fsync of its folder")
  }

  // MARK: A set's old files

  /// Moves the file that has this destination's name to a hidden one; nil where there is none.
  private func setAside() throws -> CommitSection.TemporaryName? {
    // Another look: what has become a folder meanwhile is not moved.
    _ = try Self.checkDestination(folder, name, path: path, replaces: true)
    let old = Self.hiddenSibling(of: name, in: folder, path: path)
    guard move(name, to: old.name) != 0 else { return old }
    guard errno == ENOENT else { throw failed("setting the old file aside") }
    return nil
  }

  /// Gives an old file its name back; one that cannot have it stays under its hidden name, which is told.
  private func putBack(
    _ old: CommitSection.TemporaryName, _ names: inout CommitSection.TemporaryNames
  ) {
    guard move(old.name, to: name) != 0 else { return }
    names.leave(old, "the old '\(name.escapedForDisplay())' could not be put back", errno)
  }

  private func move(_ from: String, to: String) -> Int32 {
    SystemCalls.retrying { unsafe renameat(folder.descriptor, from, folder.descriptor, to) }
  }

  /// Takes a new file's name away again.
  private func giveUpName() {
    _ = SystemCalls.retrying { unsafe unlinkat(folder.descriptor, name, 0) }
  }

  // MARK: Taking the name

  private func takeName(
    replacing: Bool, _ names: inout CommitSection.TemporaryNames
  ) throws {
    if let temporary { return try rename(temporary, replacing: replacing, &names) }
    #if os(Linux)
    let sibling = replacing ? Self.hiddenSibling(of: name, in: folder, path: path) : nil
    let linked = SystemCalls.retrying {
      unsafe ingot_link_unnamed(descriptor, folder.descriptor, sibling?.name ?? name)
    }
    if linked != 0 {
      let code = errno
      if code == EEXIST { throw existsNow }
      guard !SystemCalls.isFailureOfTheMachine(code) else { throw failed("link") }
      return try copyToNamedFile(replacing: replacing, &names)
    }
    guard let sibling else { return }
    names.insert(sibling)
    try rename(sibling, replacing: true, &names)
    #endif
  }

  private var existsNow: IngotError {
    IngotError(
      .output, "exists: it appeared while this file was written", file: path,
      hint: "give --force to replace it")
  }

  /// Moves a hidden sibling to the destination; without `replacing` only where that is still free.
  private func rename(
    _ temporary: CommitSection.TemporaryName, replacing: Bool,
    _ names: inout CommitSection.TemporaryNames
  ) throws {
    var outcome: Int32
    if replacing {
      outcome = move(temporary.name, to: name)
    } else {
      outcome = SystemCalls.retrying {
        #if os(Linux)
        unsafe ingot_rename_exclusive(folder.descriptor, temporary.name, name)
        #else
        unsafe renameatx_np(
          folder.descriptor, temporary.name, folder.descriptor, name, UInt32(RENAME_EXCL))
        #endif
      }
      if outcome != 0, errno == ENOSYS || errno == EINVAL {
        // A file system without exclusive renames: a second name is exclusive everywhere.
        outcome = SystemCalls.retrying {
          unsafe linkat(folder.descriptor, temporary.name, folder.descriptor, name, 0)
        }
        if outcome == 0 { return names.remove(temporary) }
      }
    }
    guard outcome == 0 else {
      let error = errno == EEXIST ? existsNow : failed("rename")
      names.remove(temporary)
      throw error
    }
    names.forget(temporary)
  }

  #if os(Linux)
  /// Without `/proc` an unnamed file cannot get a name: its bytes move to a hidden sibling.
  private func copyToNamedFile(
    replacing: Bool, _ names: inout CommitSection.TemporaryNames
  ) throws {
    let temporary = Self.hiddenSibling(of: name, in: folder, path: path)
    let copy = Self.createNamed(temporary, &names, mode: replaced?.modeWithoutList ?? 0o666)
    guard copy >= 0 else { throw failed("creating a temporary file") }
    defer { close(copy) }
    do {
      let step = 1 << 20
      for offset in stride(from: 0, to: byteCount, by: step) {
        let count = min(step, byteCount - offset)
        let part = try bytes(at: offset, count: count, "the written file")
        try naming(file: path) { try SystemCalls.write(copy, part.rawSpan, at: offset) }
        // The first file was compared with its source: the copy is held to the same.
        var again = [UInt8](repeating: 0, count: count)
        let found = try naming(file: path) {
          try again.withMutableBytes { try SystemCalls.read(copy, into: &$0, at: offset) }
        }
        guard found == count, again == part else {
          throw IngotError(
            .io, "the copy differs from what was written", file: path, offset: offset)
        }
      }
      try replaced?.apply(to: copy, path: path)
      guard !syncs || SystemCalls.retrying({ fsync(copy) }) == 0 else { throw failed("fsync") }
    } catch {
      names.remove(temporary)
      throw error
    }
    try rename(temporary, replacing: replacing, &names)
  }
  #endif
}
