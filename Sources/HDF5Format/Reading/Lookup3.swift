/// Bob Jenkins' lookup3 hash over bytes, which HDF5 uses as the checksum of its newer structures.
enum Lookup3 {
  /// The checksum of `bytes[range]`.
  static func checksum(_ bytes: [UInt8], _ range: Range<Int>) -> UInt32 {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
    var a: UInt32 = 0xDEAD_BEEF &+ UInt32(truncatingIfNeeded: range.count)
    var b = a
    var c = a
    var index = range.lowerBound
    let end = range.upperBound
    // Whole words are loaded at indexes at least 12 before `end`, which was checked above.
    unsafe bytes.withUnsafeBytes { bytes in
      while end - index > 12 {
        a &+= unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self).littleEndian
        b &+= unsafe bytes.loadUnaligned(fromByteOffset: index + 4, as: UInt32.self).littleEndian
        c &+= unsafe bytes.loadUnaligned(fromByteOffset: index + 8, as: UInt32.self).littleEndian
        mix(&a, &b, &c)
        index += 12
      }
    }
    guard index < end else { return c }
    a &+= word(bytes, index, end)
    b &+= word(bytes, index + 4, end)
    c &+= word(bytes, index + 8, end)
    finish(&a, &b, &c)
    return c
  }

  /// Four bytes, little-endian; those at `end` and beyond count as 0.
  private static func word(_ bytes: [UInt8], _ index: Int, _ end: Int) -> UInt32 {
    var value: UInt32 = 0
    for place in 0..<4 where index + place < end {
      value |= UInt32(bytes[index + place]) << (8 * UInt32(place))
    }
    return value
  }

  @inline(__always)
  private static func rotated(_ value: UInt32, _ count: UInt32) -> UInt32 {
    value << count | value >> (32 - count)
  }

  @inline(__always)
  private static func mix(_ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32) {
    a &-= c; a ^= rotated(c, 4); c &+= b
    b &-= a; b ^= rotated(a, 6); a &+= c
    c &-= b; c ^= rotated(b, 8); b &+= a
    a &-= c; a ^= rotated(c, 16); c &+= b
    b &-= a; b ^= rotated(a, 19); a &+= c
    c &-= b; c ^= rotated(b, 4); b &+= a
  }

  private static func finish(_ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32) {
    c ^= b; c &-= rotated(b, 14)
    a ^= c; a &-= rotated(c, 11)
    b ^= a; b &-= rotated(a, 25)
    c ^= b; c &-= rotated(b, 16)
    a ^= c; a &-= rotated(c, 4)
    b ^= a; b &-= rotated(a, 14)
    c ^= b; c &-= rotated(b, 24)
  }
}
