internal import Tensors

/// Compresses (RFC 1950 and 1951).
///
/// zlib's levels are the yardstick, not the tool: on checkpoints ISA-L reaches the ratio of level 6 at
/// thirty times its speed, and where it does not, Huffman coding alone often does. Which encoder is good
/// enough is found out on samples of each buffer, so that the same bytes always come out the same
/// (on one kind of processor: ISA-L's matches depend on its vector width).
package enum Deflate {
  /// The level that numpy and gzip use unless told otherwise.
  private static let usualLevel = 6
  /// The level that h5py uses unless told otherwise.
  private static let usualLevelOfChunks = 4

  /// How much of a zip member is compressed independently of the rest.
  package static let pieceLength = 1 << 20

  /// A zlib stream of `input`.
  ///
  /// A level from 1 to 9 gives a result about as small as zlib's at that level, or smaller. With nil the
  /// fastest encoder is taken whose result is within one percent of level 4's, h5py's own.
  package static func zlibStream(_ input: [UInt8], level: Int?) -> [UInt8] {
    let content = input.rawSpan
    // 32 KiB window; the second byte says "default level" and completes the multiple of 31.
    var stream: [UInt8] = [0x78, 0x9C]
    let encoder =
      if let level {
        Encoder.choose(for: content, reference: level, tolerance: 0)
      } else {
        // The reference is what costs: a quick choice looks at less of it.
        Encoder.choose(
          for: content, reference: usualLevelOfChunks, tolerance: 0.01, sampleShare: 128)
      }
    encoder.append(content, end: .finish, to: &stream)
    let checksum = Adler32.of(content)
    stream += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: checksum >> $0) }
    return stream
  }

  /// One piece of a raw deflate stream; the pieces of a stream, one after the other, are the stream.
  ///
  /// A piece never refers to an earlier one. All but the last end with an empty stored block, which ends
  /// on a byte boundary. The result is about as small as zlib's at `level` (6 where nil), or smaller.
  ///
  /// - Parameter minimumCount: The piece is stretched with empty blocks to at least this many bytes.
  package static func piece(
    _ input: [UInt8], level: Int?, isLast: Bool, minimumCount: Int = 0
  ) -> [UInt8] {
    let content = input.rawSpan
    var result: [UInt8] = []
    let encoder = Encoder.choose(for: content, reference: level ?? usualLevel, tolerance: 0)
    encoder.append(content, end: isLast && minimumCount == 0 ? .finish : .flush, to: &result)
    while result.count < minimumCount { result += [0x00, 0x00, 0x00, 0xFF, 0xFF] }
    // An empty final block with fixed codes.
    if isLast, minimumCount > 0 { result += [0x03, 0x00] }
    return result
  }
}
