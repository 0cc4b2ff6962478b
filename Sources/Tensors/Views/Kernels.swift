private import CKernels

/// The C kernels behind checked interfaces: every size is verified here, so that no caller needs a
/// pointer.
package enum Kernels {
  /// Transposes the matrix of `rows` × `columns` elements of `width` bytes at `sourceOffset`, whose
  /// rows lie `sourcePitch` bytes apart, to `targetOffset`, with `targetPitch` between its columns.
  static func transpose(
    rows: Int, columns: Int, width: Int,
    from source: [UInt8], at sourceOffset: Int, pitch sourcePitch: Int,
    into target: inout MutableRawSpan, at targetOffset: Int, pitch targetPitch: Int
  ) {
    guard rows > 0, columns > 0, width > 0 else { return }
    precondition(sourceOffset >= 0 && targetOffset >= 0 && sourcePitch >= 0 && targetPitch >= 0)
    precondition(sourceOffset + (rows - 1) * sourcePitch + columns * width <= source.count)
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
}
