/// ggml's `q8_0`: 32 elements in 34 bytes.
///
/// ```
/// 0    float16   d
/// 2    32 int8   q
/// ```
///
/// An element is q · d.
enum Q80Codec: BlockEncoder {
  static func decode(_ block: Span<UInt8>, into values: inout MutableSpan<Float>) {
    let scale = block.float16(at: 0)
    for index in values.indices {
      values[index] = Float(Int8(bitPattern: block[2 + index])) * scale
    }
  }

  /// d is the largest magnitude divided by 127; q is rounded half away from 0, with d as it was before it was
  /// rounded to float16.
  static func encode(_ values: Span<Float>, into block: inout MutableSpan<UInt8>) {
    var largest: Float = 0
    for index in values.indices { largest = max(largest, values[index].magnitude) }
    let scale = largest / 127
    let inverse = scale.inverseOfScale
    block.store(float16: scale, at: 0)
    for index in values.indices {
      let quotient = (values[index] * inverse).rounded(.toNearestOrAwayFromZero)
      block[2 + index] = UInt8(bitPattern: Int8(quotient))
    }
  }
}
