internal import CSystem
internal import Tensors

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
  let folder: OpenFolder
  let name: String
  let descriptor: Int32
  /// The hidden sibling, where the file system has no unnamed files.
  let temporary: CommitSection.TemporaryName?
  let replaces: Bool
  let syncs: Bool
  /// What the file that is replaced allows to whom.
  let replaced: FilePermissions?
  private let size = Atomic<Int>(0)

  /// Prepares to create `path`, without touching it yet.
  ///
  /// - Parameter folder: The folder that `path` lies in, where it is open already: the files of a set
  ///   share one.
  /// - Throws: `output` where the destination exists (unless `replaces`), is no regular file, or its
  ///   folder is absent or read-only.
  init(path: String, in folder: OpenFolder? = nil, replaces: Bool, syncs: Bool) throws {
    let name = try Self.name(of: path)
    let folder = try folder ?? Self.openFolder(of: path)
    let mode = try Self.checkDestination(folder, name, path: path, replaces: replaces)
    replaced = try mode.flatMap { try FilePermissions(of: name, in: folder, mode: $0, path: path) }
    (descriptor, temporary) = try Self.create(
      in: folder, for: name, path: path, mode: replaced?.modeWithoutList ?? 0o666)
    self.path = path
    self.name = name
    self.folder = folder
    self.replaces = replaces
    self.syncs = syncs
  }

  deinit {
    if let temporary { CommitSection.enter { $0.remove(temporary) } }
    close(descriptor)
  }

  // MARK: The destination

  /// Checks that `path` could be created now, without creating anything.
  ///
  /// - Throws: what `init` throws.
  static func checkDestination(_ path: String, replaces: Bool) throws {
    let name = try name(of: path)
    let folder = try openFolder(of: path)
    _ = try checkDestination(folder, name, path: path, replaces: replaces)
    guard unsafe faccessat(folder.descriptor, ".", W_OK, 0) == 0 else {
      throw cannotCreate(errno, path)
    }
  }

  /// Opens the folder that `path` lies in.
  ///
  /// - Throws: `output` where it is absent or may not be entered.
  static func openFolder(of path: String) throws -> OpenFolder {
    let folderPath =
      path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : path[..<$0] } ?? "."
    do {
      return try OpenFolder(path: String(folderPath))
    } catch {
      throw IngotError(
        SystemCalls.isFailureOfTheMachine(error.code) ? .io : .output,
        "the folder '\(folderPath)' cannot be opened: \(SystemCalls.message(error.code))",
        file: path)
    }
  }

  private static func name(of path: String) throws -> String {
    let name = path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    guard !name.isEmpty, name != ".", name != ".." else {
      throw IngotError(.output, "is not the name of a file", file: path)
    }
    return name
  }

  private static func cannotCreate(_ code: Int32, _ path: String) -> IngotError {
    IngotError(
      SystemCalls.isFailureOfTheMachine(code) ? .io : .output,
      "cannot be created: \(SystemCalls.message(code))", file: path)
  }

  /// Returns the mode of the file that would be replaced, or nil where there is none.
  static func checkDestination(
    _ folder: OpenFolder, _ name: String, path: String, replaces: Bool
  ) throws -> mode_t? {
    var status = stat()
    guard unsafe fstatat(folder.descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      guard errno == ENOENT else { throw cannotCreate(errno, path) }
      return nil
    }
    let kind = status.st_mode & S_IFMT
    guard kind == S_IFREG || kind == S_IFLNK else {
      throw IngotError(
        .output, kind == S_IFDIR ? "is a directory" : "exists and is no regular file", file: path)
    }
    // The link is replaced and not its target; but nobody means `/dev/stdout` to become a file.
    if kind == S_IFLNK, unsafe fstatat(folder.descriptor, name, &status, 0) == 0,
      status.st_mode & S_IFMT != S_IFREG
    {
      throw IngotError(.output, "is a symbolic link that leads to no regular file", file: path)
    }
    guard replaces else {
      throw IngotError(
        .output, kind == S_IFLNK ? "exists (a symbolic link)" : "exists", file: path,
        hint: "give --force to replace it")
    }
    return kind == S_IFREG ? status.st_mode & 0o7777 : nil
  }

  // MARK: Creating

  /// Creates the file without a name, or a hidden sibling; the kernel takes the umask off the mode.
  private static func create(
    in folder: OpenFolder, for name: String, path: String, mode: mode_t
  ) throws -> (descriptor: Int32, temporary: CommitSection.TemporaryName?) {
    #if os(Linux)
    let unnamed = SystemCalls.retrying {
      unsafe ingot_open_unnamed(folder.descriptor, ".", mode)
    }
    if unnamed >= 0 { return (unnamed, nil) }
    #endif
    return try CommitSection.enter { names in
      let temporary = hiddenSibling(of: name, in: folder, path: path)
      let named = createNamed(temporary, &names, mode: mode)
      guard named >= 0 else { throw cannotCreate(errno, path) }
      return (named, temporary)
    }
  }

  /// Creates a hidden sibling; returns its descriptor, or -1.
  static func createNamed(
    _ temporary: CommitSection.TemporaryName, _ names: inout CommitSection.TemporaryNames,
    mode: mode_t
  ) -> Int32 {
    let descriptor = SystemCalls.retrying {
      #if os(Linux)
      unsafe ingot_create_exclusive(temporary.folder.descriptor, temporary.name, mode)
      #else
      unsafe openat(
        temporary.folder.descriptor, temporary.name,
        O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, mode)
      #endif
    }
    if descriptor >= 0 { names.insert(temporary) }
    return descriptor
  }

  /// A hidden sibling's name that nobody else picks; cut so that it stays within 255 bytes.
  static func hiddenSibling(
    of name: String, in folder: OpenFolder, path: String
  ) -> CommitSection.TemporaryName {
    let digits = String(UInt64.random(in: .min ... .max), radix: 16)
    let suffix = ".ingot-" + String(repeating: "0", count: 16 - digits.count) + digits
    let sibling = "." + String(decoding: name.utf8.prefix(200), as: UTF8.self) + suffix
    return .init(folder: folder, name: sibling, path: path.dropLast(name.count) + sibling)
  }

  // MARK: Writing and reading back

  /// Sets `count` bytes aside, so that a full disk is noticed before the work and not after it.
  ///
  /// - Throws: `io` where there is no room.
  func reserve(_ count: Int) throws {
    guard count > 0 else { return }
    #if os(Linux)
    var code = ingot_reserve(descriptor, off_t(count))
    while code == EINTR { code = ingot_reserve(descriptor, off_t(count)) }
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

  /// Cuts what was reserved beyond the data, gives the file the permissions of the one it replaces, and
  /// brings everything to the disk.
  ///
  /// - Throws: `io`; a failed `fsync` is never tried again, because the kernel has dropped the pages.
  func finishWriting() throws {
    guard SystemCalls.retrying({ ftruncate(descriptor, off_t(byteCount)) }) == 0 else {
      throw failed("ftruncate")
    }
    try replaced?.apply(to: descriptor, path: path)
    guard !syncs || SystemCalls.retrying({ fsync(descriptor) }) == 0 else { throw failed("fsync") }
    // What a network file system has put off it reports at a close: of a second descriptor, because this
    // one is needed for giving the file its name. An interrupted close is done.
    let second = SystemCalls.retrying { dup(descriptor) }
    guard second >= 0 else { throw failed("dup") }
    guard close(second) == 0 || errno == EINTR else { throw failed("close") }
  }

  /// The error of a call that has just failed.
  func failed(_ call: String) -> IngotError {
    IngotError(.io, "\(call) failed: \(SystemCalls.message(errno))", file: path)
  }
}
