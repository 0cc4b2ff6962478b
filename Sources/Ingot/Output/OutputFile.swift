internal import CSystem
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

private import Synchronization

/// A destination in the making.
///
/// At every instant, and after death at any instant, the destination's path is absent or what it was
/// before, or the complete new file. The data goes into a file without a name (`O_TMPFILE`; where the
/// file system has none, into a hidden sibling); only `commit` gives it the destination's name, after
/// its bytes are on disk. The folder is opened once and everything else happens relative to it, so
/// renaming a parent folder meanwhile leads nowhere else.
final class OutputFile: ByteSource {
  /// The path as the user gave it.
  let path: String
  private let folder: Int32
  private let name: String
  private let descriptor: Int32
  /// The hidden sibling's name, where the file system has no unnamed files.
  private let temporaryName: String?
  private let replaces: Bool
  private let syncs: Bool
  /// The mode of the file that is replaced.
  private let replacedMode: mode_t?
  private let size = Atomic<Int>(0)

  /// Prepares to create `path`, without touching it yet.
  ///
  /// - Throws: `output` where the destination exists (unless `replaces`), is no regular file, or its
  ///   folder is absent or read-only.
  init(path: String, replaces: Bool, syncs: Bool) throws {
    let (folder, name) = try Self.openFolder(of: path)
    do {
      replacedMode = try Self.checkDestination(folder, name, path: path, replaces: replaces)
      (descriptor, temporaryName) = try Self.create(in: folder, for: name, path: path)
    } catch {
      close(folder)
      throw error
    }
    self.path = path
    self.name = name
    self.folder = folder
    self.replaces = replaces
    self.syncs = syncs
  }

  deinit {
    if let temporaryName { Self.remove(temporaryName, in: folder) }
    close(descriptor)
    close(folder)
  }

  /// Checks that `path` could be created now, without creating anything.
  ///
  /// - Throws: what `init` throws.
  static func checkDestination(_ path: String, replaces: Bool) throws {
    let (folder, name) = try openFolder(of: path)
    defer { close(folder) }
    _ = try checkDestination(folder, name, path: path, replaces: replaces)
    guard unsafe faccessat(folder, ".", W_OK, 0) == 0 else {
      throw IngotError(.output, "cannot be created: \(SystemCalls.message(errno))", file: path)
    }
  }

  private static func openFolder(of path: String) throws -> (folder: Int32, name: String) {
    let (folderPath, name) = split(path)
    guard !name.isEmpty, name != ".", name != ".." else {
      throw IngotError(.output, "is not the name of a file", file: path)
    }
    let folder = unsafe open(folderPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else {
      throw IngotError(
        .output, "the folder '\(folderPath)' cannot be opened: \(SystemCalls.message(errno))",
        file: path)
    }
    return (folder, name)
  }

  private static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let folder = path[..<slash]
    return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
  }

  /// Returns the mode of the file that would be replaced, or nil where there is none.
  private static func checkDestination(
    _ folder: Int32, _ name: String, path: String, replaces: Bool
  ) throws -> mode_t? {
    var status = stat()
    guard unsafe fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      guard errno == ENOENT else {
        throw IngotError(.output, SystemCalls.message(errno), file: path)
      }
      return nil
    }
    let kind = status.st_mode & S_IFMT
    guard kind == S_IFREG || kind == S_IFLNK else {
      throw IngotError(
        .output, kind == S_IFDIR ? "is a directory" : "exists and is no regular file", file: path)
    }
    guard replaces else {
      throw IngotError(
        .output, kind == S_IFLNK ? "exists (a symbolic link)" : "exists", file: path,
        hint: "give --force to replace it")
    }
    return kind == S_IFREG ? status.st_mode & 0o7777 : nil
  }

  private static func create(
    in folder: Int32, for name: String, path: String
  ) throws -> (descriptor: Int32, temporaryName: String?) {
    #if os(Linux)
    // The kernel takes the umask off the mode.
    let unnamed = unsafe ingot_open_unnamed(folder, ".", 0o666)
    if unnamed >= 0 { return (unnamed, nil) }
    #endif
    return try createNamed(in: folder, for: name, path: path)
  }

  private static func createNamed(
    in folder: Int32, for name: String, path: String
  ) throws -> (descriptor: Int32, temporaryName: String?) {
    try CommitSection.enter { names in
      let temporary = temporaryName(for: name)
      #if os(Linux)
      let descriptor = unsafe ingot_create_exclusive(folder, temporary, 0o666)
      #else
      let descriptor = unsafe openat(
        folder, temporary, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, 0o666)
      #endif
      guard descriptor >= 0 else {
        let code = errno
        throw IngotError(
          code == ENOSPC || code == EDQUOT || code == EIO ? .io : .output,
          "cannot be created: \(SystemCalls.message(code))", file: path)
      }
      names.insert(.init(folder: folder, name: temporary))
      return (descriptor, temporary)
    }
  }

  /// A hidden sibling's name that nobody else picks; cut so that it stays within 255 bytes.
  private static func temporaryName(for name: String) -> String {
    let digits = String(UInt64.random(in: .min ... .max), radix: 16)
    let suffix = ".ingot-" + String(repeating: "0", count: 16 - digits.count) + digits
    return "." + String(decoding: name.utf8.prefix(200), as: UTF8.self) + suffix
  }

  private static func remove(_ name: String, in folder: Int32) {
    CommitSection.enter { names in
      guard names.remove(.init(folder: folder, name: name)) != nil else { return }
      _ = unsafe unlinkat(folder, name, 0)
    }
  }

  // MARK: Writing and reading back

  /// Sets `count` bytes aside, so that a full disk is noticed before the work and not after it.
  ///
  /// - Throws: `io` where there is no room.
  func reserve(_ count: Int) throws {
    guard count > 0 else { return }
    #if os(Linux)
    let code = ingot_reserve(descriptor, off_t(count))
    guard code == 0 || code == EOPNOTSUPP || code == ENOSYS || code == EINVAL else {
      throw IngotError(
        .io, "no room for \(count) bytes: \(SystemCalls.message(code))", file: path)
    }
    #endif
  }

  /// The size of the file so far.
  var byteCount: Int { size.load(ordering: .acquiring) }

  /// Declares the file's size so far; writers fill it in any order.
  func extend(to count: Int) { size.max(count, ordering: .acquiringAndReleasing) }

  /// Writes all of `bytes` at `offset`.
  ///
  /// - Throws: `io` with the system's reason.
  func write(_ bytes: borrowing RawSpan, at offset: Int) throws {
    do {
      try SystemCalls.write(descriptor, bytes, at: offset)
    } catch let error as IngotError {
      throw error.naming(file: path)
    }
  }

  func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    let wanted = buffer.byteCount
    let count = try naming(file: path) {
      try SystemCalls.read(descriptor, into: &buffer, at: offset)
    }
    guard count == wanted else {
      throw IngotError(
        .io, "the written file is shorter than what was written", file: path,
        offset: offset + count)
    }
  }

  /// Device and inode of the new file's folder and of the file that it would replace.
  func replaces(_ identity: [UInt64]) -> Bool {
    var status = stat()
    guard unsafe fstatat(folder, name, &status, 0) == 0 else { return false }
    return identity == [UInt64(status.st_dev), UInt64(status.st_ino)]
  }

  // MARK: Committing

  /// Cuts what was reserved beyond the data and brings everything to the disk.
  ///
  /// - Throws: `io`; a failed `fsync` is never tried again, because the kernel has dropped the pages.
  func finishWriting() throws {
    guard ftruncate(descriptor, off_t(byteCount)) == 0 else { throw failed("ftruncate") }
    guard !syncs || fsync(descriptor) == 0 else { throw failed("fsync") }
  }

  private func failed(_ call: String) -> IngotError {
    IngotError(.io, "\(call) failed: \(SystemCalls.message(errno))", file: path)
  }

  /// Gives the finished files their names, in order: the last one (a shard index) makes the set visible.
  ///
  /// - Throws: `output` where a destination has appeared meanwhile; `io` where the system fails. The
  ///   names that this call has created are removed again then.
  static func commit(_ files: [OutputFile]) throws {
    try CommitSection.enter { names in
      var created: [OutputFile] = []
      do {
        for file in files {
          try file.takeName(&names)
          if !file.replaces { created.append(file) }
        }
        for file in files where file.syncs {
          guard fsync(file.folder) == 0 else {
            throw IngotError(
              .io,
              "the file is in place but may not survive a power cut: fsync of its folder failed: "
                + SystemCalls.message(errno), file: file.path)
          }
        }
      } catch {
        if files.count > 1 {
          for file in created { _ = unsafe unlinkat(file.folder, file.name, 0) }
        }
        throw error
      }
    }
  }

  private func takeName(_ names: inout Set<CommitSection.TemporaryName>) throws {
    if let replacedMode, fchmod(descriptor, replacedMode) != 0 { throw failed("fchmod") }
    #if os(Linux)
    guard temporaryName == nil else { return try renameTemporary(&names) }
    if !replaces {
      guard unsafe ingot_link_unnamed(descriptor, folder, name) != 0 else { return }
      if errno == EEXIST { throw existsNow }
      return try copyToNamedFile(&names)
    }
    let sibling = Self.temporaryName(for: name)
    guard unsafe ingot_link_unnamed(descriptor, folder, sibling) == 0 else {
      return try copyToNamedFile(&names)
    }
    names.insert(.init(folder: folder, name: sibling))
    try rename(sibling, &names)
    #else
    try renameTemporary(&names)
    #endif
  }

  private var existsNow: IngotError {
    IngotError(
      .output, "exists: it appeared while this file was written", file: path,
      hint: "give --force to replace it")
  }

  private func renameTemporary(_ names: inout Set<CommitSection.TemporaryName>) throws {
    guard let temporaryName else { return }
    try rename(temporaryName, &names)
  }

  /// Moves a temporary name to the destination; without `replaces` only where that is still free.
  private func rename(
    _ temporary: String, _ names: inout Set<CommitSection.TemporaryName>
  ) throws {
    let entry = CommitSection.TemporaryName(folder: folder, name: temporary)
    var outcome: Int32
    if replaces {
      outcome = unsafe renameat(folder, temporary, folder, name)
    } else {
      #if os(Linux)
      outcome = unsafe ingot_rename_exclusive(folder, temporary, name)
      #else
      outcome = unsafe renameatx_np(folder, temporary, folder, name, UInt32(RENAME_EXCL))
      #endif
      if outcome != 0, errno == ENOSYS || errno == EINVAL {
        // A file system without exclusive renames: a second name is exclusive everywhere.
        outcome = unsafe linkat(folder, temporary, folder, name, 0)
        if outcome == 0 { _ = unsafe unlinkat(folder, temporary, 0) }
      }
    }
    guard outcome == 0 else {
      let code = errno
      _ = unsafe unlinkat(folder, temporary, 0)
      names.remove(entry)
      if code == EEXIST { throw existsNow }
      throw IngotError(.io, "rename failed: \(SystemCalls.message(code))", file: path)
    }
    names.remove(entry)
  }

  #if os(Linux)
  /// Without `/proc` an unnamed file cannot get a name: its bytes move to a hidden sibling.
  private func copyToNamedFile(_ names: inout Set<CommitSection.TemporaryName>) throws {
    let temporary = Self.temporaryName(for: name)
    let copy = unsafe ingot_create_exclusive(folder, temporary, 0o666)
    guard copy >= 0 else { throw failed("creating a temporary file") }
    defer { close(copy) }
    names.insert(.init(folder: folder, name: temporary))
    do {
      var buffer = [UInt8](repeating: 0, count: 1 << 20)
      var offset = 0
      while offset < byteCount {
        let count = min(buffer.count, byteCount - offset)
        try buffer.withMutableBytes { bytes in
          try bytes.withRange(0..<count) { part in
            try read(into: &part, at: offset)
            try SystemCalls.write(copy, part.bytes, at: offset)
          }
        }
        offset += count
      }
      guard !syncs || fsync(copy) == 0 else { throw failed("fsync") }
      if let replacedMode { _ = fchmod(copy, replacedMode) }
    } catch {
      _ = unsafe unlinkat(folder, temporary, 0)
      names.remove(.init(folder: folder, name: temporary))
      throw error
    }
    try rename(temporary, &names)
  }
  #endif
}
