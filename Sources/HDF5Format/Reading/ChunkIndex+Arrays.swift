internal import Tensors

extension ChunkIndexReader {
  /// What a file says of the elements of an array of chunks.
  private struct Elements {
    let size: Int
    let sizeWidth: Int
    /// The number of chunks along each axis, in the order in which the array counts them, and which
    /// axis each belongs to.
    let counts: [Int]
    let axes: [Int]
  }

  /// The kind of an array's elements: plain addresses, or with size and mask.
  private func checkClient(_ reader: inout ByteReader) throws {
    let client = try reader.uint8("the kind of a chunk array")
    guard client == (hasFilters ? 1 : 0) else {
      throw reader.failure("a chunk array of kind \(client) that disagrees with the filters")
    }
  }

  /// The start of a block of an array: signature, version, kind, address of the header.
  private func blockStart(
    _ reader: inout ByteReader, _ signature: StaticString, owner: Int
  ) throws {
    try reader.signature(signature, "the chunk array's block")
    try reader.version(0, "chunk array block")
    try checkClient(&reader)
    guard try reader.address(view.widths, "a block's owner") == owner else {
      throw reader.failure("a block of another chunk array")
    }
  }

  /// A block of `size` bytes that ends with its checksum.
  private func checkedBlock(at address: Int, size: Int) throws -> ByteReader {
    var reader = try view.reader(at: address, count: size, "a chunk array's block")
    try view.claim(address, size, .treeNode)
    try reader.verifyChecksum(from: reader.position, after: size - 4, "a chunk array's block")
    return try reader.sub(size - 4, "a chunk array's block")
  }

  private mutating func addElement(
    _ index: Int, _ reader: inout ByteReader, _ elements: Elements
  ) throws {
    let at = reader.offset
    guard let place = try place(&reader, sizeWidth: elements.sizeWidth) else { return }
    var indexes = grid.counts
    var rest = index
    for (count, axis) in zip(elements.counts, elements.axes).reversed() {
      // The first axis of the order is the one that may be unbounded.
      indexes[axis] = axis == elements.axes[0] ? rest : rest % count
      rest /= count
    }
    try add(
      indexes, address: place.address, storedSize: place.storedSize,
      filterMask: place.filterMask, isOrdered: false, at: at)
  }

  private mutating func addElements(
    _ range: Range<Int>, _ reader: inout ByteReader, _ elements: Elements
  ) throws {
    for index in range { try addElement(index, &reader, elements) }
  }

  /// Adds the elements of a block cut into pages, each with its checksum; `isWritten` tells of a page
  /// whether it holds anything.
  private mutating func addPages(
    _ range: Range<Int>, pageLength: Int, at address: Int, _ elements: Elements,
    isWritten: (Int) -> Bool
  ) throws {
    var start = range.lowerBound
    var place = address
    var page = 0
    while start < range.upperBound {
      let end = min(start + pageLength, range.upperBound)
      let size = (end - start) * elements.size + 4
      if isWritten(page) {
        var reader = try checkedBlock(at: place, size: size)
        try addElements(start..<end, &reader, elements)
      }
      place = try place.adding(size, "a chunk array's page")
      start = end
      page += 1
    }
  }

  /// Reads a fixed array.
  ///
  /// Header: `FAHD`, version 0, kind, element size, bits of a page's length, number
  /// of elements, address of the data block, checksum. Data block: `FADB`, version, kind, header;
  /// above one page a bit for each page and a checksum, then the pages; else elements and checksum.
  mutating func readFixedArray(at address: Int) throws {
    let widths = view.widths
    let headerSize = 12 + widths.length + widths.offset
    var header = try checkedBlock(at: address, size: headerSize)
    try header.signature("FAHD", "the fixed array")
    try header.version(0, "fixed array")
    try checkClient(&header)
    let elementSize = Int(try header.uint8("an element's size"))
    let pageBits = Int(try header.uint8("the bits of a page's length"))
    let count = try header.length(widths, "the number of elements")
    let counts = try boundedCounts()
    let expected = try counts.reduce(1) { try $0.multiplied(by: $1, "the number of chunks") }
    guard count == expected, pageBits < 32 else {
      throw header.failure("a fixed array of \(count) elements for \(expected) chunks")
    }
    guard let block = try header.address(widths, "a fixed array's block") else { return }
    let elements = Elements(
      size: elementSize, sizeWidth: try sizeWidth(elementSize, other: 0, at: address),
      counts: counts, axes: Array(counts.indices))
    let pageLength = 1 << pageBits
    let prefix = 6 + widths.offset
    if count <= pageLength {
      var reader = try checkedBlock(at: block, size: prefix + count * elementSize + 4)
      try blockStart(&reader, "FADB", owner: address)
      try addElements(0..<count, &reader, elements)
    } else {
      let bitmapSize = (count - 1) / pageLength / 8 + 1
      var reader = try checkedBlock(at: block, size: prefix + bitmapSize + 4)
      try blockStart(&reader, "FADB", owner: address)
      let written = try reader.array(bitmapSize, "a fixed array's pages")
      try addPages(
        0..<count, pageLength: pageLength, at: block + prefix + bitmapSize + 4, elements
      ) { written.hasBit($0) }
    }
    records.sort { $0.position < $1.position }
  }

  /// The constants of an extensible array.
  private struct Growth {
    let address: Int
    let elements: Elements
    let pageLength: Int
    /// The width of offsets within the array.
    let offsetWidth: Int
    let smallestBlock: Int

    /// The number of data blocks of super block `index`, and the length of each.
    func blocks(_ index: Int) -> (count: Int, length: Int) {
      (1 << (index / 2), smallestBlock << ((index + 1) / 2))
    }
  }

  /// Reads an extensible array.
  ///
  /// Header: `EAHD`, version 0, kind, element size, bits of the largest
  /// number of elements, elements in the index block, elements of the smallest data block, smallest
  /// number of data blocks of a super block, bits of a page's length, six counters, address of the
  /// index block, checksum. Index block: `EAIB`, version, kind, header, elements, addresses of the first
  /// data blocks, addresses of super blocks, checksum. Super block `EASB` and data block `EADB` start
  /// like it, with their offset in the array after the header's address.
  ///
  /// The axis that can grow counts slowest, whichever it is.
  mutating func readExtensibleArray(at address: Int) throws {
    let widths = view.widths
    let headerSize = 16 + 6 * widths.length + widths.offset
    var header = try checkedBlock(at: address, size: headerSize)
    try header.signature("EAHD", "the extensible array")
    try header.version(0, "extensible array")
    try checkClient(&header)
    let elementSize = Int(try header.uint8("an element's size"))
    let bits = Int(try header.uint8("the bits of an array's length"))
    let inIndex = Int(try header.uint8("the elements of the index block"))
    let smallestBlock = Int(try header.uint8("the smallest data block"))
    let fewestBlocks = Int(try header.uint8("the fewest blocks"))
    let pageBits = Int(try header.uint8("the bits of a page's length"))
    try header.skip(6 * widths.length, "an array's counters")
    guard smallestBlock.nonzeroBitCount == 1, fewestBlocks.nonzeroBitCount == 1, pageBits < 32,
      bits <= 64, bits >= smallestBlock.trailingZeroBitCount
    else { throw header.failure("an extensible array of impossible sizes", at: address) }
    guard let index = try header.address(widths, "an array's index block") else { return }
    let growing = grid.largestCounts.indices.filter { grid.largestCounts[$0] == nil }
    guard growing.count == 1, let growingAxis = growing.first else {
      throw header.failure("an extensible array for \(growing.count) growing axes", at: address)
    }
    let axes = [growingAxis] + grid.counts.indices.filter { $0 != growingAxis }
    let growth = Growth(
      address: address,
      elements: Elements(
        size: elementSize, sizeWidth: try sizeWidth(elementSize, other: 0, at: address),
        counts: axes.map { grid.largestCounts[$0] ?? 1 }, axes: axes),
      pageLength: 1 << pageBits, offsetWidth: (bits + 7) / 8, smallestBlock: smallestBlock)
    let superBlocks = 1 + bits - smallestBlock.trailingZeroBitCount
    try readIndexBlock(
      at: index, growth, inIndex: inIndex, fewestBlocks: fewestBlocks, superBlocks: superBlocks)
    records.sort { $0.position < $1.position }
  }

  private mutating func readIndexBlock(
    at address: Int, _ growth: Growth, inIndex: Int, fewestBlocks: Int, superBlocks: Int
  ) throws {
    let widths = view.widths
    // The blocks of the first super blocks are listed here, without a super block of their own.
    let inlined = min(2 * fewestBlocks.trailingZeroBitCount, superBlocks)
    let blockCount = (0..<inlined).reduce(0) { $0 + growth.blocks($1).count }
    let size =
      6 + widths.offset + inIndex * growth.elements.size
      + (blockCount + superBlocks - inlined) * widths.offset + 4
    var reader = try checkedBlock(at: address, size: size)
    try blockStart(&reader, "EAIB", owner: growth.address)
    try addElements(0..<inIndex, &reader, growth.elements)
    var start = inIndex
    var number = 0
    for superBlock in 0..<inlined {
      let (count, length) = growth.blocks(superBlock)
      let superStart = start - inIndex
      for _ in 0..<count {
        if let block = try reader.address(widths, "a data block") {
          // libhdf5 counts the blocks of all super blocks here, not those of this one.
          try readDataBlock(
            at: block, start..<start + length, growth,
            offsets: [start - inIndex, superStart + number * length], nil)
        }
        start += length
        number += 1
      }
    }
    for superBlock in inlined..<superBlocks {
      let (count, length) = growth.blocks(superBlock)
      if let block = try reader.address(widths, "a super block") {
        try readSuperBlock(
          at: block, start: start, count, length, growth, firstElement: inIndex)
      }
      let covered = try count.multiplied(by: length, "the length of an array")
      start = try start.adding(covered, "the length of an array")
    }
  }

  private mutating func readSuperBlock(
    at address: Int, start: Int, _ count: Int, _ length: Int, _ growth: Growth,
    firstElement: Int
  ) throws {
    let widths = view.widths
    let pages = length > growth.pageLength ? length / growth.pageLength : 0
    let bitmapSize = try count.multiplied(by: (pages + 7) / 8, "a super block")
    let size = try count.multiplied(by: widths.offset, "a super block")
      .adding(bitmapSize, "a super block")
      .adding(10 + widths.offset + growth.offsetWidth, "a super block")
    var reader = try checkedBlock(at: address, size: size)
    try blockStart(&reader, "EASB", owner: growth.address)
    try checkOffset(&reader, [start - firstElement], growth)
    let written = try reader.array(bitmapSize, "a super block's pages")
    for index in 0..<count {
      let first = start + index * length
      if let block = try reader.address(widths, "a data block") {
        try readDataBlock(
          at: block, first..<first + length, growth, offsets: [first - firstElement]
        ) { written.hasBit(index * pages + $0) }
      }
    }
  }

  private func checkOffset(_ reader: inout ByteReader, _ allowed: [Int], _ growth: Growth) throws {
    let found = try reader.integer(width: growth.offsetWidth, "a block's offset")
    guard allowed.contains(found) else {
      throw reader.failure("an array block at \(found) where \(allowed[0]) is due")
    }
  }

  private mutating func readDataBlock(
    at address: Int, _ range: Range<Int>, _ growth: Growth, offsets: [Int],
    _ isWritten: ((Int) -> Bool)?
  ) throws {
    let prefix = 6 + view.widths.offset + growth.offsetWidth
    let isPaged = range.count > growth.pageLength
    let inBlock = isPaged ? 0 : range.count * growth.elements.size
    var reader = try checkedBlock(at: address, size: prefix + inBlock + 4)
    try blockStart(&reader, "EADB", owner: growth.address)
    try checkOffset(&reader, offsets, growth)
    guard isPaged else { return try addElements(range, &reader, growth.elements) }
    guard let isWritten else {
      throw reader.failure("a paged data block without a super block", at: address)
    }
    try addPages(
      range, pageLength: growth.pageLength, at: address + prefix + 4, growth.elements,
      isWritten: isWritten)
  }
}

extension [UInt8] {
  /// Whether bit `index` is set, counted from the highest bit of the first byte.
  fileprivate func hasBit(_ index: Int) -> Bool {
    index / 8 < count && self[index / 8] & (0x80 >> (index % 8)) != 0
  }
}
