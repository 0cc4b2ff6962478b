/// Finds names that occur twice, by their bytes and without making strings of them.
///
/// Hashing is Swift's, seeded for each process, so that no archive can be made to collide.
struct ZipNameTable {
  /// A name's number plus one in the lower half, its hash in the upper; 0 where there is none.
  ///
  /// At least half of the slots stay empty.
  private var slots: [UInt64]
  private var ranges: [Range<Int>] = []

  init(capacity: Int) {
    var count = 16
    while count < 2 * capacity { count *= 2 }
    slots = [UInt64](repeating: 0, count: count)
    ranges.reserveCapacity(capacity)
  }

  /// Adds the name at `range` of `bytes`; false where it is there already.
  mutating func insert(_ range: Range<Int>, of bytes: Span<UInt8>) -> Bool {
    var hasher = Hasher()
    let name = bytes.extracting(range)
    // The hasher reads the span's own bytes and keeps none.
    unsafe name.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    let hash = UInt64(truncatingIfNeeded: hasher.finalize())
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      let isCandidate = slots[slot] >> 32 == hash >> 32
      let other = Int(slots[slot] & 0xFFFF_FFFF) - 1
      if isCandidate, bytes.equals(range, bytes, ranges[other]) { return false }
      slot = (slot + 1) & (slots.count - 1)
    }
    ranges.append(range)
    slots[slot] = hash & ~0xFFFF_FFFF | UInt64(ranges.count)
    return true
  }
}
