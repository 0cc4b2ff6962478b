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

  /// Which stored byte of an element is its canonical byte `index`.
  private func place(_ index: Int) -> Int {
    isPlain ? index : index / wordSize * wordSize + (wordSize - 1 - index % wordSize)
  }

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
      var byte = 0
      // Two, four and eight planes at a time make wide stores; whatever is left goes byte by byte.
      if size == 4 {
        let (a, b, c, d) = unsafe (
          source + place(0) * planeLength + first, source + place(1) * planeLength + first,
          source + place(2) * planeLength + first, source + place(3) * planeLength + first
        )
        for index in 0..<count {
          let word =
            unsafe UInt32(a[index]) | UInt32(b[index]) << 8 | UInt32(c[index]) << 16
            | UInt32(d[index]) << 24
          unsafe destination.storeBytes(
            of: word.littleEndian, toByteOffset: 4 * index, as: UInt32.self)
        }
        byte = 4
      } else if size == 2 {
        let (a, b) = unsafe (
          source + place(0) * planeLength + first, source + place(1) * planeLength + first
        )
        for index in 0..<count {
          let word = unsafe UInt16(a[index]) | UInt16(b[index]) << 8
          unsafe destination.storeBytes(
            of: word.littleEndian, toByteOffset: 2 * index, as: UInt16.self)
        }
        byte = 2
      }
      while byte < size {
        let plane = unsafe source + place(byte) * planeLength + first
        for index in 0..<count {
          unsafe destination.storeBytes(
            of: plane[index], toByteOffset: index * size + byte, as: UInt8.self)
        }
        byte += 1
      }
    } else if isPlain {
      unsafe destination.copyMemory(from: source + first * size, byteCount: count * size)
    } else {
      let start = unsafe source + first * size
      for index in stride(from: 0, to: count * size, by: wordSize) {
        for byte in 0..<wordSize {
          unsafe destination.storeBytes(
            of: start[index + wordSize - 1 - byte], toByteOffset: index + byte, as: UInt8.self)
        }
      }
    }
  }

  /// The bytes of elements stored plane by plane, together again; bytes after the last whole element
  /// stay where they are.
  static func unshuffled(_ bytes: [UInt8], width: Int) -> [UInt8] {
    let count = bytes.count / width
    guard width > 1, count > 1 else { return bytes }
    var result = bytes
    for byte in 0..<width {
      for index in 0..<count { result[index * width + byte] = bytes[byte * count + index] }
    }
    return result
  }
}
