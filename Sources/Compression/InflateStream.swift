internal import Tensors

/// Expands a raw deflate stream that lies in a part of a source, front to back, in bounded memory.
struct InflateStream {
  private let source: any ByteSource
  private var position: Int
  private let end: Int
  private let inflater: any Inflater
  private var buffer: [UInt8]
  /// What of `buffer` has been read from the source and not yet taken by the inflater.
  private var pending = 0..<0

  /// The stream in the `byteCount` bytes of `source` from `offset` on.
  init(_ source: any ByteSource, offset: Int, byteCount: Int, with inflater: any Inflater) {
    self.source = source
    position = offset
    end = offset + byteCount
    self.inflater = inflater
    buffer = [UInt8](repeating: 0, count: min(byteCount, 256 << 10))
  }

  /// Fills as much of `output` as the stream still has and returns how much that is.
  ///
  /// - Throws: `malformed` where the stream is damaged or its bytes end before it does.
  mutating func read(into output: inout MutableRawSpan) throws -> Int {
    var filled = 0
    let wanted = output.byteCount
    while filled < wanted, !inflater.isFinished {
      if pending.isEmpty { try refill() }
      let bytes = buffer
      let input = bytes.rawSpan.extracting(pending)
      let (consumed, produced) = try output.withRange(filled..<wanted) {
        try inflater.step(input, into: &$0)
      }
      filled += produced
      // Negative where bytes of an earlier step turn out to lie behind the stream's end.
      pending = pending.lowerBound + max(consumed, 0)..<pending.upperBound
      position += min(consumed, 0)
      let isStuck = consumed == 0 && produced == 0 && !inflater.isFinished
      guard !isStuck || pending.isEmpty && position < end else {
        throw IngotError(.malformed, "the deflate stream is cut short", offset: end)
      }
    }
    return filled
  }

  /// Checks that the stream ends here and fills its bytes.
  ///
  /// - Throws: `malformed` where it expands to more, or bytes follow it.
  mutating func finish() throws {
    var probe: [UInt8] = [0]
    guard try probe.withMutableBytes({ try read(into: &$0) }) == 0 else {
      throw IngotError(.malformed, "the deflate stream expands to more than declared", offset: end)
    }
    let unused = pending.count + (end - position)
    guard unused == 0 else {
      throw IngotError(
        .malformed, "\(unused) bytes follow the end of the deflate stream", offset: end - unused)
    }
  }

  private mutating func refill() throws {
    let count = min(buffer.count, end - position)
    let (source, position) = (source, position)
    try buffer.withMutableBytes { bytes in
      try bytes.withRange(0..<count) { try source.read(into: &$0, at: position) }
    }
    pending = 0..<count
    self.position += count
  }
}
