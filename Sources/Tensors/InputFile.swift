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
  /// The folder and the name under which it was found; nil where it was opened by its path.
  private let place: (folder: OpenFolder, name: String)?

  /// What tells whether a file is still the one that was opened.
  private struct Identity: Equatable {
    let device: UInt64
    let inode: UInt64
    let size: Int
    let modifiedSeconds: Int
    let modifiedNanoseconds: Int

    init(_ status: stat) {
      #if canImport(Darwin)
      let modified = status.st_mtimespec
      #else
      let modified = status.st_mtim
      #endif
      device = UInt64(status.st_dev)
      inode = UInt64(status.st_ino)
      size = Int(status.st_size)
      modifiedSeconds = Int(modified.tv_sec)
      modifiedNanoseconds = Int(modified.tv_nsec)
    }
  }

  /// Opens the file at `path`.
  ///
  /// - Parameter followsLinks: false refuses a path whose last component is a symbolic link.
  /// - Throws: `unreadable` where it is absent, forbidden or not a regular file.
  public convenience init(path: String, followsLinks: Bool = true) throws {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    let flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | (followsLinks ? 0 : O_NOFOLLOW)
    // `open` is variadic in C; Swift imports its two-argument form.
    let descriptor = SystemCalls.retrying { unsafe open(path, flags) }
    guard descriptor >= 0 else { throw Self.cannotOpen(errno, path) }
    try self.init(descriptor: descriptor, path: path, place: nil)
  }

  /// Takes over a descriptor that was opened as `name` in `folder`; messages show `path`.
  ///
  /// - Throws: `unreadable` where it is not a regular file; the descriptor is closed then.
  package convenience init(
    descriptor: Int32, in folder: OpenFolder, name: String, path: String
  ) throws {
    try self.init(descriptor: descriptor, path: path, place: (folder, name))
  }

  private init(
    descriptor: Int32, path: String, place: (folder: OpenFolder, name: String)?
  ) throws {
    do {
      let (identity, isRegular, isDirectory) = try Self.identify(descriptor, path)
      guard isRegular else {
        throw IngotError(
          .unreadable, isDirectory ? "is a directory" : "is not a regular file", file: path)
      }
      self.path = path
      self.descriptor = descriptor
      self.place = place
      opened = identity
      byteCount = identity.size
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }

  /// Why a file could not be opened, from an `errno` value.
  package static func cannotOpen(_ code: Int32, _ path: String) -> IngotError {
    IngotError(
      SystemCalls.isFailureOfTheMachine(code) ? .io : .unreadable, SystemCalls.message(code),
      file: path)
  }

  /// Whether there is a regular file at `path`.
  package static func isRegularFile(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  private static func identify(
    _ descriptor: Int32, _ path: String
  ) throws -> (identity: Identity, isRegular: Bool, isDirectory: Bool) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw IngotError(.io, "fstat failed: \(SystemCalls.message(errno))", file: path)
    }
    let kind = status.st_mode & S_IFMT
    return (Identity(status), kind == S_IFREG, kind == S_IFDIR)
  }

  /// Whether `path` leads to this file.
  package func isFile(at path: String) -> Bool {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return false }
    let found = Identity(status)
    return found.device == opened.device && found.inode == opened.inode
  }

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

  /// Checks that the file is still what it was when it was opened, and that no other has taken its place:
  /// the files of a set could then be of two sets.
  ///
  /// - Throws: `changed` where its size or its time of modification differs, or another file has its name.
  public func checkUnchanged() throws {
    guard try Self.identify(descriptor, path).identity == opened else {
      throw IngotError(.changed, "the file changed while it was read", file: path)
    }
    var status = stat()
    let isThere =
      if let place {
        unsafe fstatat(place.folder.descriptor, place.name, &status, AT_SYMLINK_NOFOLLOW) == 0
      } else {
        unsafe stat(path, &status) == 0
      }
    // A file without a name keeps its content: whoever removed or moved it did no harm.
    guard !isThere || Identity(status) == opened else {
      throw IngotError(.changed, "another file took its place while it was read", file: path)
    }
  }
}
