#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif
private import Synchronization

/// The moments in which names appear on disk.
///
/// An interruption waits for them to pass, and then removes the temporary names that are left.
///
/// Where the kernel offers unnamed files a conversion has no temporary name for nearly all its life;
/// one exists only on file systems without them, and between `linkat` and `rename` of a replacement.
package enum CommitSection {
  /// A name in an open folder.
  struct TemporaryName: Hashable {
    let folder: Int32
    let name: String
  }

  private static let names = Mutex<Set<TemporaryName>>([])

  /// Runs `body`, which may add and remove temporary names, while no interruption can end the process.
  static func enter<Result: ~Copyable>(
    _ body: (inout sending Set<TemporaryName>) throws -> sending Result
  ) rethrows -> Result {
    try names.withLock(body)
  }

  /// Waits for a commit in progress, removes every temporary name, and ends the process without
  /// letting another name appear.
  package static func exit(status: Int32) -> Never {
    names.withLock { names in
      // The names stay valid C strings for the length of each call.
      for name in names { _ = unsafe unlinkat(name.folder, name.name, 0) }
      _exit(status)
    }
  }
}
