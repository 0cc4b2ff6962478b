internal import Tensors

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
/// one exists only on file systems without them, and while an old file is being replaced.
package enum CommitSection {
  /// A temporary name in an open folder.
  struct TemporaryName: Hashable {
    let folder: OpenFolder
    let name: String
    /// Its path, for a message.
    let path: String

    static func == (first: Self, second: Self) -> Bool {
      first.folder === second.folder && first.name == second.name
    }

    func hash(into hasher: inout Hasher) { hasher.combine(name) }
  }

  /// The temporary names that exist.
  struct TemporaryNames {
    private var names: Set<TemporaryName> = []
    fileprivate var leftovers: [String] = []

    fileprivate init() {}

    /// Takes note of a name that was created, or is about to be.
    mutating func insert(_ name: TemporaryName) { names.insert(name) }

    /// Forgets a name that has become the destination's.
    mutating func forget(_ name: TemporaryName) { names.remove(name) }

    /// Removes a name from the disk; what cannot be removed is among the leftovers.
    mutating func remove(_ name: TemporaryName) {
      guard names.remove(name) != nil else { return }
      // The name stays a valid C string for the length of the call.
      let outcome = SystemCalls.retrying { unsafe unlinkat(name.folder.descriptor, name.name, 0) }
      guard outcome != 0, errno != ENOENT else { return }
      leave(name, "this temporary file could not be removed", errno)
    }

    /// Leaves a name on the disk and tells why.
    mutating func leave(_ name: TemporaryName, _ what: String, _ code: Int32) {
      names.remove(name)
      leftovers.append(
        "\(name.path.escapedForDisplay(limit: 1024)): \(what): \(SystemCalls.message(code))")
    }

    fileprivate mutating func removeAll() {
      for name in names { remove(name) }
    }
  }

  private static let names = Mutex(TemporaryNames())

  /// Runs `body`, which may add and remove temporary names, while no interruption can end the process.
  static func enter<Result: ~Copyable>(
    _ body: (inout sending TemporaryNames) throws -> sending Result
  ) rethrows -> Result {
    try names.withLock(body)
  }

  /// What could not be removed, one sentence for each file.
  package static var leftovers: [String] { names.withLock { $0.leftovers } }

  /// Waits for a commit in progress, removes every temporary name, and ends the process without
  /// letting another name appear.
  ///
  /// - Parameter report: Called before the end with what could not be removed.
  package static func exit(status: Int32, report: ([String]) -> Void) -> Never {
    names.withLock { names in
      names.removeAll()
      report(names.leftovers)
      _exit(status)
    }
  }
}
