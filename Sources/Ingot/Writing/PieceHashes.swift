internal import Crypto
internal import Tensors

/// Fast 64-bit hashes of a tensor's pieces, taken from the source while writing and compared with the
/// re-opened destination.
struct PieceHashes {
  let layout: PieceLayout
  var values: [UInt64]

  init(layout: PieceLayout) {
    self.layout = layout
    values = [UInt64](repeating: 0, count: layout.count)
  }

  static func hash(_ bytes: borrowing RawSpan) -> UInt64 { Kernels.hash64(bytes, seed: 0) }
}

extension SHA256 {
  /// Adds bytes to the message.
  mutating func update(_ bytes: borrowing RawSpan) {
    // The pointer is used within the call only.
    unsafe bytes.withUnsafeBytes { unsafe update(bufferPointer: $0) }
  }

  /// The digest of bytes that lie together.
  static func digest(of bytes: borrowing RawSpan) -> [UInt8] {
    var hasher = SHA256()
    hasher.update(bytes)
    return Array(hasher.finalize())
  }
}
