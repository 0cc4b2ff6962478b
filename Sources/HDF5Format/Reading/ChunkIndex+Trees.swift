internal import Tensors

extension ChunkIndexReader {
  /// Reads a B-tree of version 1: nodes as in groups, of kind 1, with keys of the stored size (4), the
  /// filter mask (4) and the offset of the chunk along each axis and within an element (8 each).
  mutating func readTree1(at root: Int) throws {
    let widths = view.widths
    let rank = grid.counts.count
    let keySize = 8 + 8 * (rank + 1)
    let headerSize = 8 + 2 * widths.offset
    var stack: [(address: Int, level: Int?)] = [(root, nil)]
    while let (address, level) = stack.popLast() {
      var header = try view.reader(at: address, count: headerSize, "a chunk B-tree")
      try header.signature("TREE", "the chunk B-tree")
      let kind = try header.uint8("a B-tree's kind")
      guard kind == 1 else { throw header.failure("a chunk B-tree of kind \(kind)") }
      let found = Int(try header.uint8("a B-tree's level"))
      guard found == level ?? found else {
        throw header.failure("a B-tree node of level \(found) where \(level ?? 0) is due")
      }
      let count = Int(try header.uint16("the number of children"))
      // One key more than children: the border past the last.
      let bodySize = count == 0 ? 0 : count * (keySize + widths.offset) + keySize
      var body = try view.reader(at: address + headerSize, count: bodySize, "a B-tree node")
      try view.claim(address, headerSize + bodySize, .treeNode)
      var children: [Int] = []
      for _ in 0..<count {
        let at = body.offset
        let key = try key(&body)
        let child = try body.definedAddress(widths, "a B-tree's child")
        if found > 0 {
          children.append(child)
        } else {
          guard key.within == 0 else {
            throw body.failure("a chunk that starts within an element", at: at)
          }
          try add(
            key.indexes, address: child, storedSize: key.storedSize, filterMask: key.filterMask,
            isOrdered: true, at: at)
        }
      }
      if count > 0 { _ = try key(&body) }
      for child in children.reversed() { stack.append((child, found - 1)) }
    }
  }

  /// What a key of a B-tree of version 1 says of a chunk.
  private struct Key {
    let storedSize: Int
    let filterMask: UInt32
    let indexes: [Int]
    /// The offset within an element: none for a chunk, whole elements for a border.
    let within: UInt64
  }

  /// Reads a key, also where none of its chunks is read from it: libhdf5 looks at all of them.
  private func key(_ body: inout ByteReader) throws -> Key {
    let at = body.offset
    let size = Int(try body.uint32("a chunk's size"))
    let mask = try body.uint32("a chunk's filter mask")
    var indexes: [Int] = []
    indexes.reserveCapacity(grid.chunk.count)
    for extent in grid.chunk {
      let offset = try body.integer(width: 8, "a chunk's offset")
      guard offset % extent == 0 else {
        throw body.failure("a chunk at \(offset), between multiples of \(extent)", at: at)
      }
      indexes.append(offset / extent)
    }
    let within = try body.uint64("an offset within an element")
    guard within % UInt64(grid.elementSize) == 0 else {
      throw body.failure("a chunk that starts within an element", at: at)
    }
    return Key(storedSize: size, filterMask: mask, indexes: indexes, within: within)
  }

  /// Reads a B-tree of version 2, whose records are an address, with filters the stored size and a
  /// mask (4), and the index of the chunk along each axis (8 each).
  mutating func readTree2(at root: Int) throws {
    let rank = grid.counts.count
    let kind: BTree2.RecordKind = hasFilters ? .filteredChunk : .chunk
    try BTree2.forEachRecord(view, at: root, of: [kind]) { _, record in
      let at = record.offset
      let width = try sizeWidth(record.remaining, other: 8 * rank, at: at)
      let place = try place(&record, sizeWidth: width)
      let indexes = try (0..<rank).map { _ in try record.integer(width: 8, "a chunk's index") }
      guard let place else { throw record.failure("a chunk without an address", at: at) }
      try add(
        indexes, address: place.address, storedSize: place.storedSize,
        filterMask: place.filterMask, isOrdered: true, at: at)
    }
  }
}
