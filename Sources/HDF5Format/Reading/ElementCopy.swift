private import CKernels
internal import Tensors

/// Copies elements out of stored bytes into canonical form.
///
/// That is little-endian, with the bytes of an element together. The inner loops of reading HDF5 are
/// all here.
struct ElementCopy: Sendable {
  /// The size of an element, and of the unit whose bytes are reversed where the file is big-endian.
  let elementSize: Int
  let wordSize: Int
  let isBigEndian: Bool

  /// Whether stored elements are the canonical bytes.
  var isPlain: Bool { !isBigEndian || wordSize == 1 }

  /// Copies `count` elements of `source` from element `first` on to `destination`.
  ///
  /// The caller has checked that both hold them.
  /// - Parameter planeLength: the number of elements of the whole source where it is shuffled (plane
  ///   after plane, one for each byte of an element); nil where it is not.
  @unsafe
  func copy(
    _ source: UnsafePointer<UInt8>, first: Int, count: Int, planeLength: Int?,
    to destination: UnsafeMutableRawPointer
  ) {
    let size = elementSize
    if let planeLength {
      if count == planeLength {
        unsafe ingot_unshuffle(destination, source, count, size)
      } else {
        // A part of every plane: rare, because chunks of ordinary size are put in order first.
        for byte in 0..<size {
          let plane = unsafe source + byte * planeLength + first
          for index in 0..<count {
            unsafe destination.storeBytes(
              of: plane[index], toByteOffset: index * size + byte, as: UInt8.self)
          }
        }
      }
    } else {
      unsafe destination.copyMemory(from: source + first * size, byteCount: count * size)
    }
    if !isPlain { unsafe ingot_swap(destination, count * size / wordSize, wordSize) }
  }

  /// An element with its words reversed.
  func swapped(_ element: [UInt8]) -> [UInt8] {
    var result = element
    result.withMutableBytes { Kernels.swapWords(of: wordSize, in: &$0) }
    return result
  }
}
