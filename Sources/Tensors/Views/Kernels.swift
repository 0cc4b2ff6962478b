private import CKernels

/// The C kernels behind checked interfaces: every size is verified here, so that no caller needs a
/// pointer.
package enum Kernels {
  /// Which instructions the kernels use.
  package enum Level: UInt32, CaseIterable, Sendable {
    case plain = 0
    case avx2 = 1
    case avx512 = 2

    /// The name in reports.
    ///
    /// What is plain on arm64 uses NEON, which every such processor has.
    package var name: String {
      switch self {
      #if arch(arm64)
      case .plain: "neon"
      #else
      case .plain: "plain"
      #endif
      case .avx2: "avx2"
      case .avx512: "avx512"
      }
    }

    /// The level in use.
    package static var current: Level { Level(rawValue: ingot_current_level().rawValue) ?? .plain }
  }

  /// Uses at most `level` from now on, in the whole process; returns what is used then.
  ///
  /// For tests: all levels give the same bits.
  @discardableResult
  package static func limit(to level: Level) -> Level {
    Level(rawValue: ingot_limit_level(ingot_level(level.rawValue)).rawValue) ?? .plain
  }

  /// Transposes the matrix of `rows` × `columns` elements of `width` bytes at `sourceOffset`, whose
  /// rows lie `sourcePitch` bytes apart, to `targetOffset`, with `targetPitch` between its columns.
  static func transpose(
    rows: Int, columns: Int, width: Int,
    from source: borrowing RawSpan, at sourceOffset: Int, pitch sourcePitch: Int,
    into target: inout MutableRawSpan, at targetOffset: Int, pitch targetPitch: Int
  ) {
    guard rows > 0, columns > 0, width > 0 else { return }
    precondition(sourceOffset >= 0 && targetOffset >= 0 && sourcePitch >= 0 && targetPitch >= 0)
    precondition(sourceOffset + (rows - 1) * sourcePitch + columns * width <= source.byteCount)
    precondition(targetOffset + (columns - 1) * targetPitch + rows * width <= target.byteCount)
    // The last byte that either side touches was checked just above.
    unsafe source.withUnsafeBytes { from in
      unsafe target.withUnsafeMutableBytes { to in
        guard let from = from.baseAddress, let to = to.baseAddress else { return }
        unsafe ingot_transpose(
          to + targetOffset, targetPitch, from + sourceOffset, sourcePitch, rows, columns, width)
      }
    }
  }

  /// Reverses the bytes of each word of `width` bytes, 2, 4 or 8; a partial word at the end stays.
  package static func swapWords(of width: Int, in bytes: inout MutableRawSpan) {
    precondition(width == 2 || width == 4 || width == 8)
    unsafe bytes.withUnsafeMutableBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      // As many whole words as the buffer holds.
      unsafe ingot_swap(start, bytes.count / width, width)
    }
  }

  /// HDF5's shuffle filter: byte 0 of all elements, then byte 1, …; what is left of a last partial
  /// element stays at the end.
  package static func shuffled(_ bytes: [UInt8], elementByteWidth width: Int) -> [UInt8] {
    unsafe reordered(bytes, width) { unsafe ingot_shuffle($0, $1, $2, width) }
  }

  /// The inverse of `shuffled`.
  package static func unshuffled(_ bytes: [UInt8], elementByteWidth width: Int) -> [UInt8] {
    unsafe reordered(bytes, width) { unsafe ingot_unshuffle($0, $1, $2, width) }
  }

  private static func reordered(
    _ bytes: [UInt8], _ width: Int,
    _ reorder: (UnsafeMutableRawPointer, UnsafeRawPointer, Int) -> Void
  ) -> [UInt8] {
    precondition(width > 0)
    guard width > 1, bytes.count >= width else { return bytes }
    let count = bytes.count / width
    // The kernel writes the whole elements, the loop the rest.
    return unsafe [UInt8](unsafeUninitializedCapacity: bytes.count) { target, initialized in
      unsafe bytes.withUnsafeBytes { source in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        unsafe reorder(UnsafeMutableRawPointer(to), from, count)
        for index in count * width..<source.count { unsafe target[index] = source[index] }
      }
      initialized = bytes.count
    }
  }

  /// A 64-bit checksum, the same on every machine.
  ///
  /// A change within one aligned word of 8 bytes always changes it, any other with near certainty; it
  /// protects against mistakes, not against people.
  package static func hash64(_ bytes: borrowing RawSpan, seed: UInt64) -> UInt64 {
    // The kernel reads exactly the bytes of the span.
    unsafe bytes.withUnsafeBytes { unsafe ingot_hash64($0.baseAddress, $0.count, seed) }
  }

  /// The position of the first byte in which two spans of one length differ, or nil.
  package static func firstDifference(_ a: RawSpan, _ b: RawSpan) -> Int? {
    precondition(a.byteCount == b.byteCount)
    let count = a.byteCount
    // Both have `count` bytes.
    let position = unsafe a.withUnsafeBytes { a in
      unsafe b.withUnsafeBytes {
        unsafe ingot_first_difference(a.baseAddress, $0.baseAddress, count)
      }
    }
    return position == count ? nil : position
  }
}
