internal import Tensors

/// LZF, the fast compression that h5py brings along as filter 32000.
///
/// A control byte below 32 announces one more literal bytes than it says. Any other is a copy: its high
/// three bits are the length less 2 (7: the next byte adds to it), its low five bits and the next byte
/// the distance back, less 1.
enum LZF {
  /// Decompresses to exactly `count` bytes.
  ///
  /// - Throws: `malformed` where the data breaks off, points before its start, or has another size.
  static func decompress(_ input: [UInt8], count: Int) throws -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(count)
    var position = 0
    // One step adds at most 264 bytes: what goes on after `count` is not expanded any further.
    while position < input.count, output.count <= count {
      let control = Int(input[position])
      position += 1
      if control < 32 {
        guard control < input.count - position else { throw failure(count) }
        output.append(contentsOf: input[position...position + control])
        position += control + 1
      } else {
        var length = control >> 5
        if length == 7 {
          guard position < input.count else { throw failure(count) }
          length += Int(input[position])
          position += 1
        }
        guard position < input.count else { throw failure(count) }
        let distance = (control & 31) << 8 + Int(input[position]) + 1
        position += 1
        guard distance <= output.count else { throw failure(count) }
        // Source and destination may overlap: a run of one byte is a copy at distance 1.
        var from = output.count - distance
        for _ in 0..<length + 2 {
          output.append(output[from])
          from += 1
        }
      }
    }
    guard output.count == count else { throw failure(count) }
    return output
  }

  private static func failure(_ count: Int) -> IngotError {
    IngotError(.malformed, "LZF data that does not decompress to \(count) bytes")
  }
}
