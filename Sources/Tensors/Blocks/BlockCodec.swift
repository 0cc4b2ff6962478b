/// How the blocks of a type whose elements share a scale become numbers.
///
/// A codec knows one block; `Kernels` goes through many. Arithmetic is that of ggml's reference, in float32 and
/// without fused operations, so that every processor gives the same bits.
package protocol BlockCodec: Sendable {
  /// Decodes one block, which has the bytes and the elements of the type's layout.
  static func decode(_ block: Span<UInt8>, into values: inout MutableSpan<Float>)
}

/// A codec that also makes blocks.
package protocol BlockEncoder: BlockCodec {
  /// Encodes finite numbers as one block, as ggml's reference does.
  static func encode(_ values: Span<Float>, into block: inout MutableSpan<UInt8>)
}

extension Span<UInt8> {
  /// The little-endian float16 at `index`.
  func float16(at index: Int) -> Float {
    Float(Float16(bitPattern: UInt16(self[index]) | UInt16(self[index + 1]) << 8))
  }
}

extension MutableSpan<UInt8> {
  /// Stores a number as the little-endian float16 at `index`, rounded to the nearest, ties to even.
  mutating func store(float16 value: Float, at index: Int) {
    let bits = Float16(value).bitPattern
    self[index] = UInt8(truncatingIfNeeded: bits)
    self[index + 1] = UInt8(truncatingIfNeeded: bits >> 8)
  }
}

extension Float {
  /// 1 divided by a scale; 0 for 0, and for one so small that it is 0 as float16 and its inverse infinite.
  var inverseOfScale: Float {
    let inverse = 1 / self
    return inverse.isFinite ? inverse : 0
  }
}
