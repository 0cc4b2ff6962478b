#if ISAL
private import CISAL
#endif
private import CZlib
internal import Tensors

/// The CRC-32 of zip, gzip and PNG.
package enum CRC32 {
  /// The checksum of what `crc` covers followed by `bytes`; start from 0.
  package static func update(_ crc: UInt32, _ bytes: borrowing RawSpan) -> UInt32 {
    // The C functions read exactly `count` bytes from `start` on.
    unsafe bytes.withUnsafeBytes { buffer in
      guard let start = buffer.baseAddress else { return crc }
      let first = unsafe start.assumingMemoryBound(to: UInt8.self)
      #if ISAL
      return unsafe crc32_gzip_refl(crc, first, UInt64(buffer.count))
      #else
      return UInt32(truncatingIfNeeded: unsafe crc32_z(UInt(crc), first, buffer.count))
      #endif
    }
  }

  /// The checksum of an array.
  package static func of(_ bytes: [UInt8]) -> UInt32 {
    update(0, bytes.rawSpan)
  }

  /// The checksum of two stretches from the checksum of each; takes logarithmic time.
  package static func combine(_ first: UInt32, _ second: UInt32, secondLength: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: crc32_combine(UInt(first), UInt(second), secondLength))
  }
}

/// The checksum at the end of a zlib stream.
enum Adler32 {
  /// The checksum of `bytes`.
  static func of(_ bytes: borrowing RawSpan) -> UInt32 {
    // The C functions read exactly `count` bytes from `start` on.
    unsafe bytes.withUnsafeBytes { buffer in
      guard let start = buffer.baseAddress else { return 1 }
      let first = unsafe start.assumingMemoryBound(to: UInt8.self)
      #if ISAL
      return unsafe isal_adler32(1, first, UInt64(buffer.count))
      #else
      return UInt32(truncatingIfNeeded: unsafe adler32_z(1, first, buffer.count))
      #endif
    }
  }
}
