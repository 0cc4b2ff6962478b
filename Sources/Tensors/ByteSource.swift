/// How a source likes to be read.
public enum AccessPattern: Sendable {
  /// Any range costs what it holds.
  case random
  /// Any range can be read; a first reading from front to back by one thread costs less, because a
  /// checksum is taken on the way (a tensor of a native file).
  case ordered
  /// Front to back; going back starts over (a deflated zip member).
  case sequential
}

/// Bytes that can be read by position: a range of a file, an array, or a view computed on the fly.
///
/// A tensor's source holds its elements in canonical form: little-endian, row-major, packed.
public protocol ByteSource: Sendable {
  /// How many bytes there are.
  var byteCount: Int { get }
  /// How the source likes to be read.
  var access: AccessPattern { get }
  /// Reads at multiples of this many bytes cost least (a band of HDF5 chunks); 1 where it is the same.
  var granularity: Int { get }
  /// Fills all of `buffer` with the bytes from `offset` on.
  ///
  /// The caller stays within `byteCount`; conformers may rely on it.
  /// - Throws: `IngotError`: what the medium or the encoding reports.
  func read(into buffer: inout MutableRawSpan, at offset: Int) throws
  /// Hands the bytes of `range` to `body` from front to back, in one part or in several, each with its offset.
  ///
  /// For those who need not see them together: a source may keep its parts in a processor's cache.
  ///
  /// - Parameter memory: As many bytes as `range` has, to work in.
  /// - Throws: `IngotError` as `read` does, and what `body` throws.
  func readParts(
    of range: Range<Int>, using memory: inout MutableRawSpan,
    _ body: (borrowing RawSpan, Int) throws -> Void
  ) throws
}

extension ByteSource {
  /// Random access, unless a source says otherwise.
  public var access: AccessPattern { .random }
  /// No preferred boundaries, unless a source says otherwise.
  public var granularity: Int { 1 }

  /// All in one part, unless a source does otherwise.
  public func readParts(
    of range: Range<Int>, using memory: inout MutableRawSpan,
    _ body: (borrowing RawSpan, Int) throws -> Void
  ) throws {
    try readWhole(range, using: &memory, body)
  }

  /// Hands out the bytes of `range` in one part.
  func readWhole(
    _ range: Range<Int>, using memory: inout MutableRawSpan,
    _ body: (borrowing RawSpan, Int) throws -> Void
  ) throws {
    try read(into: &memory, at: range.lowerBound)
    try body(memory.bytes, range.lowerBound)
  }

  /// A copy of `count` bytes from `offset` on.
  ///
  /// - Throws: `malformed` naming `what` where the source ends before them, so that a declared size is
  ///   never allocated before the file is known to hold it.
  package func bytes(at offset: Int, count: Int, _ what: @autoclosure () -> String) throws
    -> [UInt8]
  {
    guard offset >= 0, count >= 0, count <= byteCount - offset else {
      throw IngotError(
        .malformed,
        "\(what()) needs bytes \(offset)..<\(offset &+ count), the file ends at \(byteCount)",
        offset: max(0, min(offset, byteCount)))
    }
    var result = [UInt8](repeating: 0, count: count)
    try result.withMutableBytes { try read(into: &$0, at: offset) }
    return result
  }
}

/// A part of another source.
public struct SourceRange: ByteSource {
  /// The source that holds the bytes.
  public let base: any ByteSource
  /// Where the part begins in `base`.
  public let offset: Int
  /// How many bytes it has.
  public let byteCount: Int

  /// The `byteCount` bytes of `base` from `offset` on.
  ///
  /// - Throws: `malformed` where the range leaves `base`.
  public init(_ base: any ByteSource, offset: Int, byteCount: Int) throws {
    guard offset >= 0, byteCount >= 0, byteCount <= base.byteCount - offset else {
      throw IngotError(
        .malformed,
        "bytes \(offset)..<\(offset &+ byteCount) lie outside the file of \(base.byteCount) bytes")
    }
    self.base = base
    self.offset = offset
    self.byteCount = byteCount
  }

  /// How the base likes to be read.
  public var access: AccessPattern { base.access }

  /// Reads from the base.
  public func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    try base.read(into: &buffer, at: self.offset + offset)
  }
}

/// Bytes in memory.
public struct ArraySource: ByteSource {
  /// The bytes.
  public let bytes: [UInt8]

  /// A source over `bytes`.
  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// How many bytes there are.
  public var byteCount: Int { bytes.count }

  /// Copies from the array.
  public func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    buffer.copy(from: bytes, at: offset, count: buffer.byteCount, to: 0)
  }
}
