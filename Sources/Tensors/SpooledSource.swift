private import CSystem
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif
private import Synchronization

/// Bytes set aside in an unnamed temporary file, so that a source that can only be read in its own
/// order becomes one that can be read in any: a deflated member seen transposed, or HDF5 chunks whose
/// bands are too wide for memory.
///
/// The file has no name from the start, so nothing remains whatever happens to the process. It is
/// filled when the first byte is asked for.
package final class SpooledSource: ByteSource {
  package let byteCount: Int
  private let folder: String?
  private let fill: @Sendable (SpoolFile) throws -> Void
  private let spool = Mutex<SpoolFile?>(nil)

  /// A source of `byteCount` bytes that `fill` writes, in any order, when they are first needed.
  package init(
    byteCount: Int, folder: String?, fill: @escaping @Sendable (SpoolFile) throws -> Void
  ) {
    self.byteCount = byteCount
    self.folder = folder
    self.fill = fill
  }

  /// A copy of `source`, read once front to back.
  package convenience init(_ source: any ByteSource, folder: String?) {
    self.init(byteCount: source.byteCount, folder: folder) { file in
      var buffer = [UInt8](repeating: 0, count: min(source.byteCount, 1 << 20))
      var offset = 0
      while offset < source.byteCount {
        let count = min(buffer.count, source.byteCount - offset)
        try buffer.withMutableBytes { bytes in
          try bytes.withRange(0..<count) { part in
            try source.read(into: &part, at: offset)
            try file.write(part.bytes, at: offset)
          }
        }
        offset += count
      }
    }
  }

  package func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    let file = try spool.withLock { spool in
      if let spool { return spool }
      let file = try SpoolFile(folder: folder)
      try fill(file)
      spool = file
      return file
    }
    try file.read(into: &buffer, at: offset)
  }
}

/// An unnamed temporary file.
package final class SpoolFile: Sendable {
  private let descriptor: Int32
  private let folder: String

  /// Creates one in `folder`, or in the folder that `TMPDIR` names, or in `/tmp`.
  package init(folder: String?) throws {
    // getenv's result is copied at once.
    let fromEnvironment = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) }
    let folder = folder ?? fromEnvironment ?? "/tmp"
    self.folder = folder
    #if os(Linux)
    let unnamed = SystemCalls.retrying { unsafe ingot_open_unnamed(AT_FDCWD, folder, 0o600) }
    if unnamed >= 0 {
      descriptor = unnamed
      return
    }
    #endif
    var template = Array("\(folder)/.ingot-spool-XXXXXX".utf8CString)
    let named = unsafe mkstemp(&template)
    guard named >= 0 else {
      let reason = SystemCalls.message(errno)
      throw Self.failure(IngotError(.io, "cannot be created: \(reason)"), folder)
    }
    unsafe unlink(template)
    descriptor = named
  }

  deinit { close(descriptor) }

  package func write(_ bytes: borrowing RawSpan, at offset: Int) throws {
    do {
      try SystemCalls.write(descriptor, bytes, at: offset)
    } catch let error as IngotError {
      throw Self.failure(error, folder)
    }
  }

  /// What went wrong with a file that the user has not named and can only give another place.
  private static func failure(_ error: IngotError, _ folder: String) -> IngotError {
    var error = error.naming(file: folder)
    error.message = "a temporary file: " + error.message
    error.hint = "set TMPDIR to a folder with room"
    return error
  }

  package func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    let wanted = buffer.byteCount
    let count = try naming(file: folder) {
      try SystemCalls.read(descriptor, into: &buffer, at: offset)
    }
    guard count == wanted else {
      throw IngotError(
        .io, "a temporary file is shorter than what was written to it", file: folder)
    }
  }
}

/// A part of a temporary file.
package struct SpooledRange: ByteSource {
  package let byteCount: Int
  private let file: SpoolFile
  private let start: Int

  /// The `byteCount` bytes that were written at `start`.
  package init(_ file: SpoolFile, at start: Int, byteCount: Int) {
    self.file = file
    self.start = start
    self.byteCount = byteCount
  }

  package func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    try file.read(into: &buffer, at: start + offset)
  }
}
