internal import Compression
internal import Tensors

/// The codec of compressed tensors.
///
/// The canonical bytes are cut into chunks of 1 MiB, the last of which may be shorter. The bytes of a
/// chunk are shuffled (the first bytes of all its elements, then the second, …; elements that share
/// bytes stay as they are) and compressed to a raw deflate stream, which is followed by the CRC-32 of
/// the stream, little-endian. A chunk that would not become smaller is stored as it is: its stored size
/// is its own.
///
/// The CRC is over the stored bytes because deflate leaves some bits without meaning. No chunk shrinks to
/// less than a 200th, so that a small file never claims to be a large one.
enum NativeChunks {
  static let length = 1 << 20
  static let greatestRatio = 200
  private static let checksumLength = 4

  /// How many chunks `byteCount` bytes are.
  static func count(_ byteCount: Int) -> Int {
    byteCount / length + (byteCount % length == 0 ? 0 : 1)
  }

  /// The canonical size of chunk `index` of a tensor of `byteCount` bytes.
  static func size(_ index: Int, of byteCount: Int) -> Int {
    min(length, byteCount - index * length)
  }

  /// The stored bytes of a chunk.
  static func encode(_ chunk: [UInt8], elementWidth: Int, level: Int?) -> [UInt8] {
    let stream = Deflate.piece(
      Kernels.shuffled(chunk, elementByteWidth: elementWidth), level: level, isLast: true,
      minimumCount: (chunk.count + greatestRatio - 1) / greatestRatio)
    var encoded = ByteWriter()
    encoded.append(contentsOf: stream)
    encoded.append(CRC32.of(stream))
    return encoded.count < chunk.count ? encoded.bytes : chunk
  }

  /// The chunk of `size` bytes that `stored` encodes.
  ///
  /// - Throws: `integrity` where the CRC-32 differs, `malformed` where the stream is no stream of `size`
  ///   bytes.
  static func decode(_ stored: [UInt8], size: Int, elementWidth: Int) throws -> [UInt8] {
    guard stored.count < size else { return stored }
    var reader = ByteReader(stored)
    let stream = try reader.array(stored.count - checksumLength, "a chunk")
    let checksum = try reader.uint32("the CRC-32 of a chunk")
    let computed = CRC32.of(stream)
    guard computed == checksum else {
      throw IngotError(
        .integrity, Checksum.mismatch("the CRC-32", of: "a chunk", checksum, computed))
    }
    let chunk = try Inflate.inflate(stream, container: .raw, limit: size)
    guard chunk.count == size else {
      throw IngotError(
        .malformed, "a chunk of \(size) bytes expands to \(chunk.count)")
    }
    return Kernels.unshuffled(chunk, elementByteWidth: elementWidth)
  }

  /// Checks the sizes of the chunks of a tensor of `byteCount` bytes.
  ///
  /// - Throws: `malformed` where their number or one of them cannot be, or where all chunks are stored
  ///   as they are, which is written without the list.
  static func check(_ chunks: [Int], byteCount: Int) throws {
    guard chunks.count == count(byteCount) else {
      throw IngotError(
        .malformed,
        "\(byteCount) bytes are \(count(byteCount)) chunks, the index lists \(chunks.count)")
    }
    var isCompressed = false
    for (index, stored) in chunks.enumerated() {
      let size = size(index, of: byteCount)
      guard stored <= size, stored > checksumLength || stored == size,
        stored >= (size + greatestRatio - 1) / greatestRatio
      else {
        throw IngotError(
          .malformed, "chunk \(index) of \(size) bytes cannot be stored in \(stored)")
      }
      if stored < size { isCompressed = true }
    }
    guard isCompressed else {
      throw IngotError(.malformed, "lists chunks although none is compressed")
    }
  }
}

extension ElementType {
  /// The width by which chunks are shuffled.
  var shuffleWidth: Int { layout.bytesPerElement ?? 1 }
}
