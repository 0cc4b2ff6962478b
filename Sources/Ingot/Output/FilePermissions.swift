internal import CSystem
internal import Tensors

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// What a file allows to whom: its mode and, on Linux, its access control list.
///
/// In a file with a list the group's bits of the mode are the list's mask: the mode alone would give the
/// group what the list gives to somebody else.
struct FilePermissions {
  let mode: mode_t
  /// As the system keeps it; empty where there is none.
  let accessList: [UInt8]

  /// The most that the system takes for an attribute (XATTR_SIZE_MAX).
  private static let largestList = 65_536

  /// The permissions of a file of this mode, or nil where it has gone meanwhile.
  ///
  /// - Throws: `output` or `io` where its list cannot be read.
  init?(of name: String, in folder: OpenFolder, mode: mode_t, path: String) throws {
    self.mode = mode
    #if os(Linux)
    var list = [UInt8](repeating: 0, count: Self.largestList)
    let count = SystemCalls.retrying {
      // C fills the array's own bytes, and keeps no pointer to them.
      unsafe ingot_read_access_list(folder.descriptor, name, &list, Self.largestList)
    }
    guard count >= 0 else {
      guard errno != ENOENT else { return nil }
      throw IngotError(
        SystemCalls.isFailureOfTheMachine(errno) ? .io : .output,
        "its access control list cannot be read: \(SystemCalls.message(errno))", file: path)
    }
    accessList = Array(list.prefix(Int(count)))
    #else
    accessList = []
    #endif
  }

  /// The mode of a new file until it has the list: nothing for the group, whose bits are the list's mask.
  var modeWithoutList: mode_t { accessList.isEmpty ? mode : mode & ~0o070 }

  /// Gives an open file these permissions, and takes away a list that its folder gave it.
  ///
  /// - Throws: `io` with the system's reason.
  func apply(to descriptor: Int32, path: String) throws {
    func failed(_ call: String) -> IngotError {
      IngotError(.io, "\(call) failed: \(SystemCalls.message(errno))", file: path)
    }
    #if os(Linux)
    let outcome = SystemCalls.retrying {
      // C reads the array's own bytes, and keeps no pointer to them.
      unsafe ingot_write_access_list(descriptor, accessList, accessList.count)
    }
    guard outcome == 0 else { throw failed("setting the access control list") }
    #endif
    guard SystemCalls.retrying({ fchmod(descriptor, mode) }) == 0 else { throw failed("fchmod") }
  }
}
