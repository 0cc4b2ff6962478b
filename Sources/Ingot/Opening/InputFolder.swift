internal import CSystem
private import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// The folder of a checkpoint whose files name each other (shards).
///
/// Nothing outside it is ever opened.
final class InputFolder: Sendable {
  private let descriptor: Int32
  private let path: String
  private let opened = Mutex<[InputFile]>([])

  /// Opens the real folder that holds `path`: a link to an index is followed, and its shards are
  /// looked for where the index really lies.
  ///
  /// - Throws: `unreadable` where there is none.
  init(holding path: String) throws {
    // realpath allocates the result when given no buffer.
    guard let resolved = unsafe realpath(path, nil) else {
      throw IngotError(.unreadable, SystemCalls.message(errno), file: path)
    }
    let real = unsafe String(cString: resolved)
    unsafe free(resolved)
    let folder = real.lastIndex(of: "/").map { String(real[...$0]) } ?? "."
    descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    self.path = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    guard descriptor >= 0 else {
      throw IngotError(.unreadable, SystemCalls.message(errno), file: folder)
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// The files opened so far.
  var files: [InputFile] { opened.withLock { $0 } }

  /// Opens a file of this folder by its plain name.
  ///
  /// - Throws: `malformed` for a name with a folder in it; `unsafe` for a link; `unreadable` for a file
  ///   that is absent or no regular file.
  func openFile(_ name: String) throws -> any ByteSource {
    guard !name.isEmpty, name != ".", name != "..",
      !name.utf8.contains(where: { $0 == 0x2F || $0 == 0 })
    else {
      throw IngotError(
        .malformed, "names the file '\(name.escapedForDisplay())', which is not in its own folder")
    }
    let flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW
    var file: Int32 = -1
    #if os(Linux)
    file = unsafe ingot_open_beneath(descriptor, name, flags)
    if file < 0, errno == ENOSYS || errno == EPERM {
      file = unsafe openat(descriptor, name, flags)
    }
    #else
    file = unsafe openat(descriptor, name, flags)
    #endif
    guard file >= 0 else {
      let code = errno
      if code == ELOOP || code == EXDEV {
        throw IngotError(
          .unsafe, "is a symbolic link; shards are never followed", file: path + name)
      }
      throw IngotError(.unreadable, SystemCalls.message(code), file: path + name)
    }
    let input = try InputFile(descriptor: file, path: path + name)
    opened.withLock { $0.append(input) }
    return input
  }
}
