/// ggml's `q4_0`: 32 elements in 18 bytes.
///
/// ```
/// 0    float16    d
/// 2    16 bytes   byte j: q of element j in the lower four bits, of element j + 16 in the upper four
/// ```
///
/// An element is (q − 8) · d.
enum Q40Codec: BlockEncoder {
  static func decode(_ block: Span<UInt8>, into values: inout MutableSpan<Float>) {
    let scale = block.float16(at: 0)
    for index in 0..<16 {
      let pair = block[2 + index]
      values[index] = (Float(pair & 0xF) - 8) * scale
      values[index + 16] = (Float(pair >> 4) - 8) * scale
    }
  }

  /// d is the number of the largest magnitude divided by −8, so that this number has the q 0; the others are
  /// rounded, with d as it was before it was rounded to float16.
  static func encode(_ values: Span<Float>, into block: inout MutableSpan<UInt8>) {
    var extreme: Float = 0
    for index in values.indices where values[index].magnitude > extreme.magnitude {
      extreme = values[index]
    }
    let scale = extreme / -8
    let inverse = scale.inverseOfScale
    block.store(float16: scale, at: 0)
    func quotient(_ index: Int) -> UInt8 { min(15, UInt8(values[index] * inverse + 8.5)) }
    for index in 0..<16 { block[2 + index] = quotient(index) | quotient(index + 16) << 4 }
  }
}
