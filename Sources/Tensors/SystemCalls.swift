private import CSystem
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// The system calls that move bytes, with short transfers continued and interruptions retried.
///
/// No other file calls `pread` or `pwrite`.
package enum SystemCalls {
  /// Makes a call again for as long as signals interrupt it.
  package static func retrying(_ call: () -> Int32) -> Int32 {
    while true {
      let result = call()
      if result >= 0 || errno != EINTR { return result }
    }
  }

  /// Whether an `errno` value speaks of the machine (a full or failing disk, no memory, no descriptors) and
  /// not of the path that was given.
  package static func isFailureOfTheMachine(_ code: Int32) -> Bool {
    [EIO, ENOSPC, EDQUOT, EFBIG, ENOMEM, EMFILE, ENFILE, EAGAIN, ESTALE, ETIMEDOUT].contains(code)
  }

  /// The message of an `errno` value.
  package static func message(_ code: Int32) -> String {
    // strerror returns a valid C string for any number.
    unsafe String(cString: strerror(code))
  }

  /// Has the system hand out the heap's memory in large pieces and leave them to it.
  ///
  /// What it does for each page is a quarter of the time that listing 20,000 tensors takes, and of a forward
  /// pass, whose activations come and go, an eighth.
  package static func preferHugeHeap() {
    #if os(Linux)
    ingot_prefer_huge_heap(32 << 20)
    #endif
  }

  /// Reads until `buffer` is full or the file ends; returns how many bytes were read.
  ///
  /// - Throws: `io` with the system's reason.
  package static func read(
    _ descriptor: Int32, into buffer: inout MutableRawSpan, at offset: Int
  ) throws -> Int {
    let wanted = buffer.byteCount
    // The kernel writes at most `wanted - done` bytes from `done` on.
    return try unsafe buffer.withUnsafeMutableBytes { pointer in
      guard let start = pointer.baseAddress else { return 0 }
      var done = 0
      while done < wanted {
        let count = unsafe pread(descriptor, start + done, wanted - done, off_t(offset + done))
        if count == 0 { break }
        if count < 0 {
          let code = errno
          if code == EINTR || code == EAGAIN { continue }
          throw IngotError(.io, "read failed: \(message(code))", offset: offset + done)
        }
        done += count
      }
      return done
    }
  }

  // `write` is a method here.
  #if canImport(Glibc)
  private static let systemWrite = unsafe Glibc.write
  #elseif canImport(Musl)
  private static let systemWrite = unsafe Musl.write
  #else
  private static let systemWrite = unsafe Darwin.write
  #endif

  /// A file takes one write at a time: others of this process wait no longer than this takes.
  private static let longestWrite = 512 << 10

  /// Writes all of `bytes` at `offset`; where that is nil, to something that has no positions (a pipe).
  ///
  /// - Throws: `io` with the system's reason.
  package static func write(
    _ descriptor: Int32, _ bytes: borrowing RawSpan, at offset: Int?
  ) throws {
    let wanted = bytes.byteCount
    // The kernel reads at most `wanted - done` bytes from `done` on.
    try unsafe bytes.withUnsafeBytes { pointer in
      guard let start = pointer.baseAddress else { return }
      var done = 0
      var idle = 0
      while done < wanted {
        let length = min(wanted - done, longestWrite)
        let count =
          if let offset {
            unsafe pwrite(descriptor, start + done, length, off_t(offset + done))
          } else {
            unsafe systemWrite(descriptor, start + done, length)
          }
        if count < 0 {
          let code = errno
          if code == EINTR || code == EAGAIN { continue }
          throw IngotError(.io, "write failed: \(message(code))")
        }
        idle = count == 0 ? idle + 1 : 0
        guard idle < 3 else { throw IngotError(.io, "write failed: the device takes no bytes") }
        done += count
      }
    }
  }
}
