internal import Tensors

/// Decompresses whole buffers (RFC 1950 and 1951).
///
/// Strict where the libraries are lenient: the stream must end exactly where the input does.
package enum Inflate {
  /// What is round the deflate stream.
  package enum Container: Sendable {
    /// Nothing (zip).
    case raw
    /// A two-byte header and an Adler-32 (HDF5).
    case zlib
  }

  /// The bytes that `input` expands to; never more than `limit`.
  ///
  /// - Throws: `malformed` where the stream is damaged, cut short, followed by anything, or expands to
  ///   more than `limit` bytes; `integrity` where the Adler-32 differs.
  package static func inflate(
    _ input: [UInt8], container: Container, limit: Int
  ) throws -> [UInt8] {
    try inflate(input, container: container, limit: limit, with: makeInflater())
  }

  static func inflate(
    _ input: [UInt8], container: Container, limit: Int, with inflater: any Inflater
  ) throws -> [UInt8] {
    switch container {
    case .raw: return try expand(input[...], limit: limit, with: inflater)
    case .zlib:
      try checkZlibHeader(input)
      let stream = input[2..<input.count - 4]
      let output = try expand(stream, limit: limit, with: inflater)
      let stored = input.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      let computed = Adler32.of(output.rawSpan)
      guard stored == computed else {
        try blameDamage(stream, limit: limit)
        throw IngotError(
          .integrity,
          Checksum.mismatch("the Adler-32", of: "the content of the zlib stream", stored, computed))
      }
      return output
    }
  }

  /// Throws `malformed` where the stream itself breaks a rule: ISA-L overlooks code lengths that leave
  /// codes unused, zlib does not.
  private static func blameDamage(_ stream: ArraySlice<UInt8>, limit: Int) throws {
    _ = try expand(stream, limit: limit, with: ZlibInflater())
  }

  /// CMF and FLG: method 8, a window of at most 32 KiB, a multiple of 31, no preset dictionary.
  private static func checkZlibHeader(_ input: [UInt8]) throws {
    guard input.count >= 6 else {
      throw IngotError(.malformed, "a zlib stream of \(input.count) bytes is cut short")
    }
    let header = Int(input[0]) << 8 | Int(input[1])
    guard input[0] & 0x0F == 8, input[0] >> 4 <= 7, header % 31 == 0, input[1] & 0x20 == 0 else {
      throw IngotError(.malformed, "expected a zlib header, found 0x\(String(header, radix: 16))")
    }
  }

  private static func expand(
    _ input: ArraySlice<UInt8>, limit: Int, with inflater: any Inflater
  ) throws -> [UInt8] {
    // One byte above the limit tells a stream that would go on. Deflate cannot expand further than its
    // ratio, so a hostile limit costs no memory either.
    let (ceiling, overflow) = input.count.multipliedReportingOverflow(by: Limits.deflateRatio)
    let capacity = min(max(limit, 0), overflow ? Int.max - 1 : ceiling) + 1
    // The span does not leave this function.
    let stream = unsafe input.span.bytes
    // `initialized` counts exactly the bytes that the inflater has written.
    let output = try unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, initialized in
      var room = unsafe MutableRawSpan(_unsafeBytes: UnsafeMutableRawBufferPointer(buffer))
      var position = 0
      while !inflater.isFinished, initialized < capacity {
        let (consumed, produced) = try room.withRange(initialized..<capacity) { rest in
          try inflater.step(stream.extracting(droppingFirst: position), into: &rest)
        }
        position += consumed
        initialized += produced
        guard consumed != 0 || produced > 0 || inflater.isFinished else { break }
      }
      guard initialized <= limit else {
        throw IngotError(.malformed, "the deflate stream expands to more than \(limit) bytes")
      }
      guard inflater.isFinished else {
        throw IngotError(.malformed, "the deflate stream is cut short")
      }
      guard position == stream.byteCount else {
        throw IngotError(
          .malformed, "\(stream.byteCount - position) bytes follow the end of the deflate stream")
      }
    }
    return output
  }
}
