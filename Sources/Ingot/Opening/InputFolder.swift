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
  private let folder: OpenFolder
  private let path: String
  private let opened = Mutex<[InputFile]>([])

  /// Opens the real folder that holds `path`: a link to an index is followed, and its shards are
  /// looked for where the index really lies.
  ///
  /// - Throws: `unreadable` where there is none.
  init(holding path: String) throws {
    // realpath allocates the result when given no buffer.
    guard let resolved = unsafe realpath(path, nil) else {
      throw InputFile.cannotOpen(errno, path)
    }
    let real = unsafe String(cString: resolved)
    unsafe free(resolved)
    let folderPath = real.lastIndex(of: "/").map { String(real[...$0]) } ?? "."
    do {
      folder = try OpenFolder(path: folderPath)
    } catch {
      throw InputFile.cannotOpen(error.code, folderPath)
    }
    self.path = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
  }

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
    let file = SystemCalls.retrying {
      #if os(Linux)
      let file = unsafe ingot_open_beneath(folder.descriptor, name, flags)
      if file >= 0 || errno != ENOSYS && errno != EPERM { return file }
      #endif
      return unsafe openat(folder.descriptor, name, flags)
    }
    guard file >= 0 else {
      let code = errno
      if code == ELOOP || code == EXDEV {
        throw IngotError(
          .unsafe, "is a symbolic link; shards are never followed", file: path + name)
      }
      throw InputFile.cannotOpen(code, path + name)
    }
    let input = try InputFile(
      descriptor: file, in: folder, name: name, path: path + name)
    opened.withLock { $0.append(input) }
    return input
  }
}
