/// Bytes of the file that lie together, before their place is known.
struct PlacedStretch {
  /// A piece of a payload among them.
  struct Piece {
    var payload: Int
    var piece: Int
    var isEncoded: Bool
    var range: Range<Int>
    var hash: UInt64
  }

  var bytes: [UInt8] = []
  var pieces: [Piece] = []

  /// Adds bytes; the first are not copied.
  mutating func append(_ more: [UInt8]) {
    if bytes.isEmpty { bytes = more } else { bytes += more }
  }
}
