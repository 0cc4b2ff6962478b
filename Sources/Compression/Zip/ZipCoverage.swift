/// Which parts of a member have been read, and the CRC-32 of each.
///
/// A member may be read in pieces, in any order and by several threads, and its checksum is known when
/// the pieces cover it: that of two neighbours follows from theirs.
struct ZipCoverage {
  private struct Stretch {
    var range: Range<Int>
    /// Nil while somebody is computing it.
    var crc: UInt32?
  }

  private let byteCount: Int
  /// What is covered from the front; apart, so that it takes no array to note that a header was read.
  private var front: Int
  private var frontCRC: UInt32
  /// Disjoint, sorted, and behind the front.
  private var stretches: [Stretch] = []

  /// Of `byteCount` bytes the first `front`, with the checksum `frontCRC`, are covered.
  init(byteCount: Int, front: Int = 0, frontCRC: UInt32 = 0) {
    self.byteCount = byteCount
    self.front = front
    self.frontCRC = frontCRC
  }

  /// How many stretches lie apart.
  var stretchCount: Int { stretches.count }

  /// The checksum of the whole, once everything is covered.
  var crc: UInt32? { front == byteCount ? frontCRC : nil }

  /// Marks what of `range` nobody has taken yet as being computed, and returns it.
  mutating func claim(_ range: Range<Int>) -> [Range<Int>] {
    var claimed: [Range<Int>] = []
    var start = max(range.lowerBound, front)
    var index = firstIndex(endingAfter: start)
    while start < range.upperBound {
      let next = index < stretches.count ? stretches[index].range : byteCount..<byteCount
      let end = min(next.lowerBound, range.upperBound)
      if start < end {
        stretches.insert(Stretch(range: start..<end, crc: nil), at: index)
        claimed.append(start..<end)
        index += 1
      }
      start = max(start, next.upperBound)
      index += 1
    }
    return claimed
  }

  /// Records the checksum of a claimed range.
  mutating func record(_ range: Range<Int>, crc: UInt32) {
    let index = firstIndex(endingAfter: range.lowerBound)
    stretches[index].crc = crc
    join(index)
    join(index - 1)
    guard let first = stretches.first, first.range.lowerBound == front, let crc = first.crc else {
      return
    }
    frontCRC = CRC32.combine(frontCRC, crc, secondLength: first.range.count)
    front = first.range.upperBound
    stretches.removeFirst()
  }

  /// Joins the stretch at `index` with the next one if they touch and both checksums are known.
  private mutating func join(_ index: Int) {
    guard index >= 0, index + 1 < stretches.count else { return }
    let (first, second) = (stretches[index], stretches[index + 1])
    guard first.range.upperBound == second.range.lowerBound, let firstCRC = first.crc,
      let secondCRC = second.crc
    else { return }
    stretches[index] = Stretch(
      range: first.range.lowerBound..<second.range.upperBound,
      crc: CRC32.combine(firstCRC, secondCRC, secondLength: second.range.count))
    stretches.remove(at: index + 1)
  }

  /// The position of the first stretch that ends after `offset`.
  private func firstIndex(endingAfter offset: Int) -> Int {
    var low = 0
    var high = stretches.count
    while low < high {
      let middle = (low + high) / 2
      if stretches[middle].range.upperBound > offset { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
