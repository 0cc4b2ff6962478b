internal import Tensors

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// A pipe or a device (`/dev/stdout`, `>(less)`), which takes bytes as they come and cannot be replaced.
final class OutputStream: Sendable {
  private let path: String
  private let descriptor: Int32

  /// Opens what `path` leads to; nil where that is a regular file or nothing.
  ///
  /// - Throws: `output` for a folder, and for what may not be written.
  init?(path: String) throws {
    var status = stat()
    guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return nil }
    // A FIFO that nobody reads is an error and nothing to wait for.
    descriptor = SystemCalls.retrying {
      unsafe open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
    }
    self.path = path
    guard descriptor >= 0 else {
      throw IngotError(.output, "cannot be opened: \(SystemCalls.message(errno))", file: path)
    }
    // From here on a reader that is slow is waited for.
    _ = fcntl(descriptor, F_SETFL, 0)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  func write(_ bytes: borrowing RawSpan) throws {
    do {
      try SystemCalls.write(descriptor, bytes, at: nil)
    } catch let error as IngotError {
      throw error.naming(file: path)
    }
  }
}
