#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// An open folder: what happens relative to its descriptor stays in it wherever the folder is moved.
package final class OpenFolder: Sendable {
  package let descriptor: Int32

  /// The reason why a folder cannot be opened, as an `errno` value.
  package struct Failure: Error {
    package let code: Int32
  }

  package init(path: String) throws(Failure) {
    // `path` stays a valid C string for the length of the call.
    descriptor = SystemCalls.retrying { unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw Failure(code: errno) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }
}
