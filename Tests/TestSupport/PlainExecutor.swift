import Crypto
package import Tensors

/// Carries out a write plan in memory, one byte after the other: the plain version that the parallel
/// executor is compared with, and what format tests write through.
package enum PlainExecutor {
  /// The bytes of the file that `plan` describes.
  package static func execute(_ plan: WritePlan) throws -> [UInt8] {
    var file: [UInt8] = []
    var results: [WritePlan.PayloadResult] = []
    for part in plan.parts {
      switch part {
      case .bytes(let bytes): file += bytes
      case .alignment(let alignment):
        file += repeatElement(0, count: file.count.roundedUp(toMultipleOf: alignment) - file.count)
      case .payload(let payload):
        let bytes = try payload.source.bytes(
          at: 0, count: payload.source.byteCount, payload.name.text)
        var result = WritePlan.PayloadResult(offset: file.count, byteCount: 0)
        if let encoding = payload.encoding {
          let pieces = pieceRanges(bytes.count, encoding)
          for (index, range) in pieces.enumerated() {
            let encoded = try encoding.encode(
              Array(bytes[range]), index, index == pieces.count - 1)
            result.pieceSizes.append(encoded.count)
            file += encoded
          }
        } else {
          file += bytes
        }
        result.byteCount = file.count - result.offset
        switch payload.checksum {
        case .crc32: result.crc32 = crc32(bytes)
        case .sha256: result.sha256 = Array(SHA256.hash(data: bytes))
        case nil: break
        }
        results.append(result)
      }
    }
    for step in plan.finish {
      for patch in try step(.init(results: results, file: ArraySource(file))) {
        let end = patch.offset + patch.bytes.count
        if end > file.count { file += repeatElement(0, count: end - file.count) }
        file.replaceSubrange(patch.offset..<end, with: patch.bytes)
      }
    }
    return file
  }

  /// The canonical ranges of the pieces of a payload.
  private static func pieceRanges(
    _ count: Int, _ encoding: WritePlan.Encoding
  ) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start = 0
    let run = encoding.runLength ?? max(count, 1)
    while start < count {
      let endOfRun = min(count, (start / run + 1) * run)
      let end = min(start + encoding.pieceLength, endOfRun)
      ranges.append(start..<end)
      start = end
    }
    // An empty payload is one empty piece: a deflate stream has an end even without content.
    return ranges.isEmpty ? [0..<0] : ranges
  }

  /// CRC-32 bit by bit, as zip defines it.
  package static func crc32(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
  }
}
