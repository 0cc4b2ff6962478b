#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// A regular file opened for reading by position.
///
/// Never a memory map: a file truncated under a map kills the process, under `pread` it is an error.
public final class InputFile: ByteSource {
  /// The path as the user gave it.
  public let path: String
  /// The size when it was opened.
  public let byteCount: Int
  private let descriptor: Int32
  private let opened: Identity

  /// What tells whether a file is still the one that was opened.
  private struct Identity: Equatable {
    let device: UInt64
    let inode: UInt64
    let size: Int
    let modifiedSeconds: Int
    let modifiedNanoseconds: Int
  }

  /// Opens the file at `path`.
  ///
  /// - Parameter followsLinks: false refuses a path whose last component is a symbolic link.
  /// - Throws: `unreadable` where it is absent, forbidden or not a regular file.
  public convenience init(path: String, followsLinks: Bool = true) throws {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    let flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | (followsLinks ? 0 : O_NOFOLLOW)
    // `open` is variadic in C; Swift imports its two-argument form.
    let descriptor = unsafe open(path, flags)
    guard descriptor >= 0 else {
      throw IngotError(.unreadable, SystemCalls.message(errno), file: path)
    }
    try self.init(descriptor: descriptor, path: path)
  }

  /// Takes over an open descriptor.
  ///
  /// - Throws: `unreadable` where it is not a regular file; the descriptor is closed then.
  package init(descriptor: Int32, path: String) throws {
    do {
      let (identity, isRegular, isDirectory) = try Self.identify(descriptor)
      guard isRegular else {
        throw IngotError(
          .unreadable, isDirectory ? "is a directory" : "is not a regular file", file: path)
      }
      self.path = path
      self.descriptor = descriptor
      opened = identity
      byteCount = identity.size
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }

  /// Whether there is a regular file at `path`.
  package static func isRegularFile(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  private static func identify(
    _ descriptor: Int32
  ) throws -> (identity: Identity, isRegular: Bool, isDirectory: Bool) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw IngotError(.io, "fstat failed: \(SystemCalls.message(errno))")
    }
    #if canImport(Darwin)
    let modified = status.st_mtimespec
    #else
    let modified = status.st_mtim
    #endif
    let kind = status.st_mode & S_IFMT
    return (
      Identity(
        device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int(status.st_size),
        modifiedSeconds: Int(modified.tv_sec), modifiedNanoseconds: Int(modified.tv_nsec)),
      kind == S_IFREG, kind == S_IFDIR
    )
  }

  /// Device and inode: equal for two paths to one file.
  package var fileIdentity: [UInt64] { [opened.device, opened.inode] }

  /// Fills the buffer.
  ///
  /// - Throws: `io` where the system fails; `changed` where the file has become shorter.
  public func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    let wanted = buffer.byteCount
    let count = try naming(file: path) {
      try SystemCalls.read(descriptor, into: &buffer, at: offset)
    }
    guard count == wanted else {
      throw IngotError(
        .changed, "the file became shorter while it was read", file: path, offset: offset + count)
    }
  }

  /// Checks that the file is still what it was when it was opened.
  ///
  /// - Throws: `changed` where its size or its time of modification differs.
  public func checkUnchanged() throws {
    guard try Self.identify(descriptor).identity == opened else {
      throw IngotError(.changed, "the file changed while it was read", file: path)
    }
  }
}
