/// Builds the headers of a file, little-endian: the mirror of `ByteReader`.
package struct ByteWriter: Sendable {
  package private(set) var bytes: [UInt8] = []

  /// An empty writer with room for `capacity` bytes: headers that are kept by the thousand take no more.
  package init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  package var count: Int { bytes.count }

  package mutating func append(_ value: UInt8) { bytes.append(value) }
  package mutating func append(_ value: UInt16) { append(UInt64(value), width: 2) }
  package mutating func append(_ value: UInt32) { append(UInt64(value), width: 4) }
  package mutating func append(_ value: UInt64) { append(value, width: 8) }

  /// The `width` low bytes of `value`.
  package mutating func append(_ value: UInt64, width: Int) {
    for index in 0..<width { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
  }

  /// A non-negative number in `width` bytes.
  package mutating func append(_ value: Int, width: Int) { append(UInt64(value), width: width) }

  package mutating func append(contentsOf more: some Sequence<UInt8>) {
    bytes.append(contentsOf: more)
  }

  package mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  /// Zero bytes (or `filler`) up to the next multiple of `alignment`.
  package mutating func pad(toMultipleOf alignment: Int, with filler: UInt8 = 0) {
    pad(to: bytes.count.roundedUp(toMultipleOf: alignment), with: filler)
  }

  package mutating func pad(to count: Int, with filler: UInt8 = 0) {
    precondition(count >= bytes.count)
    bytes.append(contentsOf: repeatElement(filler, count: count - bytes.count))
  }

  /// Overwrites the `width` bytes at `offset` with `value`.
  package mutating func patch(_ value: UInt64, width: Int, at offset: Int) {
    for index in 0..<width {
      bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index))
    }
  }
}
