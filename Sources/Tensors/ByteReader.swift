/// A cursor over bytes from a file: every read is checked and says what was being read and where.
///
/// `base` is the offset of `bytes[0]` in the file, so that errors name the file's own offsets.
package struct ByteReader: Sendable {
  package let bytes: [UInt8]
  package let base: Int
  package private(set) var position: Int
  /// One past the last byte that may be read.
  package private(set) var end: Int

  package init(_ bytes: [UInt8], base: Int = 0) {
    self.bytes = bytes
    self.base = base
    position = 0
    end = bytes.count
  }

  /// A reader over a part of `bytes`.
  package init(_ bytes: [UInt8], base: Int, range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
    self.bytes = bytes
    self.base = base
    position = range.lowerBound
    end = range.upperBound
  }

  /// Where the next read happens, as an offset in the file.
  package var offset: Int { base + position }
  /// How many bytes are left.
  package var remaining: Int { end - position }
  package var isAtEnd: Bool { position == end }

  /// An error at the cursor, or at `offset` where given.
  package func failure(
    _ message: String, class errorClass: ErrorClass = .malformed, at offset: Int? = nil
  ) -> IngotError {
    IngotError(errorClass, message, offset: offset ?? self.offset)
  }

  @inline(__always)
  private mutating func advance(_ count: Int, _ what: () -> String) throws -> Int {
    guard count >= 0, count <= remaining else { throw shortage(count, what()) }
    defer { position += count }
    return position
  }

  @inline(never)
  private func shortage(_ count: Int, _ what: String) -> IngotError {
    failure("\(what) needs \(count) bytes, \(remaining) are left")
  }

  /// A little-endian number at an index that `advance` has returned for its width.
  @inline(__always)
  private func load<Number: FixedWidthInteger>(_ start: Int, as type: Number.Type) -> Number {
    // `advance` has checked that the bytes are there.
    unsafe bytes.withUnsafeBytes {
      Number(littleEndian: unsafe $0.loadUnaligned(fromByteOffset: start, as: type))
    }
  }

  package mutating func skip(_ count: Int, _ what: @autoclosure () -> String) throws {
    _ = try advance(count, what)
  }

  package mutating func uint8(_ what: @autoclosure () -> String) throws -> UInt8 {
    bytes[try advance(1, what)]
  }

  package mutating func uint16(_ what: @autoclosure () -> String) throws -> UInt16 {
    load(try advance(2, what), as: UInt16.self)
  }

  package mutating func uint32(_ what: @autoclosure () -> String) throws -> UInt32 {
    load(try advance(4, what), as: UInt32.self)
  }

  package mutating func uint64(_ what: @autoclosure () -> String) throws -> UInt64 {
    load(try advance(8, what), as: UInt64.self)
  }

  /// A little-endian number of `width` bytes, at most 8.
  package mutating func unsigned(width: Int, _ what: @autoclosure () -> String) throws -> UInt64 {
    precondition(width <= 8)
    let start = try advance(width, what)
    if width == 8 { return load(start, as: UInt64.self) }
    var value: UInt64 = 0
    for index in (0..<width).reversed() { value = value << 8 | UInt64(bytes[start + index]) }
    return value
  }

  /// An unsigned number of `width` bytes that must fit an `Int`.
  package mutating func integer(width: Int, _ what: @autoclosure () -> String) throws -> Int {
    let at = offset
    let value = try unsigned(width: width, what())
    guard let exact = Int(exactly: value) else {
      throw failure("\(what()) \(value) exceeds 2^63", at: at)
    }
    return exact
  }

  package mutating func array(_ count: Int, _ what: @autoclosure () -> String) throws -> [UInt8] {
    let start = try advance(count, what)
    return Array(bytes[start..<start + count])
  }

  /// A reader over the next `count` bytes; this cursor moves past them.
  package mutating func sub(_ count: Int, _ what: @autoclosure () -> String) throws -> ByteReader {
    let start = try advance(count, what)
    return ByteReader(bytes, base: base, range: start..<start + count)
  }

  /// Calls `body` with this cursor confined to the next `count` bytes, and moves it past them: what `sub`
  /// does, without another reference to the bytes.
  package mutating func within<Result>(
    _ count: Int, _ what: @autoclosure () -> String,
    _ body: (inout ByteReader) throws -> Result
  ) throws -> Result {
    let start = try advance(count, what)
    let outerEnd = end
    (position, end) = (start, start + count)
    defer { (position, end) = (start + count, outerEnd) }
    return try body(&self)
  }

  /// `count` bytes that must be UTF-8.
  package mutating func string(_ count: Int, _ what: @autoclosure () -> String) throws
    -> ExactString
  {
    let at = offset
    let raw = try array(count, what())
    guard let text = ExactString(validating: raw) else {
      throw failure("\(what()) is not UTF-8", at: at)
    }
    return text
  }
}
