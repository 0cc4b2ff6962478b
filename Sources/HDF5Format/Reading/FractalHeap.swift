internal import Tensors

/// A fractal heap: objects of any size under identifiers that say where they lie.
///
/// It holds the links and attributes of objects that have many.
///
/// Header: `FRHP`, version 0, size of identifiers (2), size of filters (2), flags (bit 1: direct
/// blocks carry checksums), largest managed object (4), then counters and addresses, width of the
/// doubling table (2), size of its first blocks, size of the largest direct block, bits of the heap's
/// size (2), rows at start (2), root block, its rows (0: a direct block), filters, checksum.
///
/// Managed objects lie in direct blocks (`FHDB`), which indirect blocks (`FHIB`) list in rows: rows 0
/// and 1 have blocks of the first size, each further row doubles it; rows above the largest direct
/// block list indirect blocks. Huge objects have a B-tree of their own, tiny ones lie in the identifier.
final class FractalHeap {
  private let view: FileView
  private var identifierSize = 0
  private var hasChecksums = false
  private var hugeTree: Int?
  private var tableWidth = 0
  private var firstBlockSize = 0
  private var largestDirectSize = 0
  private var offsetWidth = 0
  private var lengthWidth = 0
  private var root: Int?
  private var rootRows = 0
  private let address: Int

  /// A block already read and checked, and where it starts in the heap.
  private struct DirectBlock {
    let content: ByteReader
    let start: Int

    func holds(_ offset: Int) -> Bool { offset >= start && offset - start < content.remaining }
  }

  /// An entry of an indirect block.
  private struct IndirectBlock {
    let start: Int
    let rows: Int
    let children: [Int?]
  }

  private var directBlocks: [Int: DirectBlock] = [:]
  /// The block of the latest object, which is likely that of the next.
  private var latest: DirectBlock?
  private var indirectBlocks: [Int: IndirectBlock] = [:]
  private var hugeObjects: [Int: (address: Int, count: Int)]?

  init(_ view: FileView, at address: Int) throws {
    self.view = view
    self.address = address
    try readHeader(view.widths)
  }

  private func readHeader(_ widths: FieldWidths) throws {
    // 14 bytes to the size of managed objects, 8 of the doubling table, 4 of the checksum; with
    // filters, a size, a mask and the filters more. Their own size says which it is.
    var start = try view.reader(at: address, count: 9, "a fractal heap")
    try start.skip(7, "the start of a fractal heap")
    let filterSize = Int(try start.uint16("the size of a heap's filters"))
    let size =
      26 + 12 * widths.length + 3 * widths.offset
      + (filterSize == 0 ? 0 : widths.length + 4 + filterSize)
    var header = try view.reader(at: address, count: size, "a fractal heap")
    try view.claim(address, size, .fractalHeap)
    try header.verifyChecksum(from: header.position, after: size - 4, "a fractal heap")
    guard filterSize == 0 else {
      throw header.failure("a fractal heap with filters", class: .unsupported)
    }
    try header.signature("FRHP", "the fractal heap")
    try header.version(0, "fractal heap")
    identifierSize = Int(try header.uint16("the size of heap identifiers"))
    try header.skip(2, "the size of a heap's filters")
    let flags = try header.uint8("a fractal heap's flags")
    hasChecksums = flags & 2 != 0
    let largestManaged = Int(try header.uint32("the size of managed objects"))
    try header.skip(widths.length, "the next huge object")
    hugeTree = try header.address(widths, "the tree of huge objects")
    try header.skip(widths.length + widths.offset, "a heap's free space")
    try header.skip(8 * widths.length, "a heap's counters")
    tableWidth = Int(try header.uint16("the width of a doubling table"))
    firstBlockSize = try header.length(widths, "the size of a heap's first blocks")
    largestDirectSize = try header.length(widths, "the size of a heap's direct blocks")
    let heapBits = Int(try header.uint16("the size of a heap"))
    try header.skip(2, "the rows a heap starts with")
    root = try header.address(widths, "the root of a heap")
    rootRows = Int(try header.uint16("the rows of a heap's root"))
    guard identifierSize > 1, tableWidth > 0, tableWidth <= 1_024, firstBlockSize.isPowerOfTwo,
      largestDirectSize.isPowerOfTwo, firstBlockSize <= largestDirectSize,
      largestDirectSize <= 1 << 31, 1...63 ~= heapBits, rootRows <= 64
    else { throw header.failure("a fractal heap of impossible sizes", at: address) }
    offsetWidth = (heapBits + 7) / 8
    lengthWidth = min(
      (largestDirectSize.trailingZeroBitCount + 7) / 8, largestManaged.bytesNeeded)
  }

  /// The object of an identifier that takes the next bytes of `reader`, all that are left of it.
  func object(_ reader: inout ByteReader) throws -> ByteReader {
    let at = reader.offset
    var identifier = try reader.sub(identifierSize, "a heap identifier")
    let head = try identifier.uint8("a heap identifier")
    guard head >> 6 == 0 else {
      throw reader.failure("heap identifier version \(head >> 6)", at: at)
    }
    switch head >> 4 & 3 {
    case 0:
      let offset = try identifier.integer(width: offsetWidth, "an object's place in a heap")
      let count = try identifier.integer(width: lengthWidth, "an object's size")
      return try managed(offset, count, at)
    case 1:
      let number = try identifier.integer(
        width: min(view.widths.length, identifierSize - 1), "the number of a huge object")
      return try huge(number, at)
    case 2:
      var count = Int(head & 15)
      if identifierSize > 18 {
        count = count << 8 | Int(try identifier.uint8("the size of a tiny object"))
      }
      return try identifier.sub(count + 1, "a tiny object")
    default: throw reader.failure("a heap identifier of an unknown kind", at: at)
    }
  }

  private func huge(_ number: Int, _ at: Int) throws -> ByteReader {
    if hugeObjects == nil {
      guard let hugeTree else {
        throw IngotError(.malformed, "a huge object in a heap that has none", offset: at)
      }
      var objects: [Int: (address: Int, count: Int)] = [:]
      let widths = view.widths
      try BTree2.forEachRecord(view, at: hugeTree, of: [.hugeObject]) { _, record in
        let address = try record.definedAddress(widths, "the address of a huge object")
        let count = try record.length(widths, "the size of a huge object")
        objects[try record.length(widths, "the number of a huge object")] = (address, count)
      }
      hugeObjects = objects
    }
    guard let place = hugeObjects?[number] else {
      throw IngotError(.malformed, "there is no huge object \(number)", offset: at)
    }
    guard place.count <= Limits.attributeBytes else {
      throw IngotError(
        .limit, "a heap object of \(place.count) bytes is above \(Limits.attributeBytes)",
        offset: place.address)
    }
    try view.revisit(place.address, place.count, .fractalHeap)
    return try view.reader(at: place.address, count: place.count, "a huge object")
  }

  private func managed(_ offset: Int, _ count: Int, _ at: Int) throws -> ByteReader {
    guard let root else {
      throw IngotError(.malformed, "an object in an empty heap", offset: at)
    }
    var block = latest
    if block?.holds(offset) != true {
      block =
        rootRows == 0
        ? try direct(root, start: 0, size: firstBlockSize)
        : try find(offset, try indirect(root, start: 0, rows: rootRows), at)
      latest = block
    }
    guard let block else { throw wrongPlace(at) }
    var content = block.content
    // Every block found for an offset starts at it or before it.
    let place = offset - block.start
    guard count > 0, count <= content.remaining - place else {
      throw IngotError(
        .malformed, "an object of \(count) bytes at \(offset) leaves its heap block", offset: at)
    }
    try view.revisit(content.offset + place, count, .fractalHeap)
    try content.skip(place, "objects before this one")
    return try content.sub(count, "a heap object")
  }

  /// The size of the blocks of a row.
  private func blockSize(row: Int) throws -> Int {
    guard row < 2 || row - 1 < 62 - firstBlockSize.trailingZeroBitCount else {
      throw IngotError(.malformed, "a fractal heap beyond 2^63 bytes", offset: address)
    }
    return row == 0 ? firstBlockSize : firstBlockSize << (row - 1)
  }

  /// The direct block that holds the byte at `offset` of the heap.
  private func find(_ offset: Int, _ top: IndirectBlock, _ at: Int) throws -> DirectBlock {
    var block = top
    while true {
      var rowStart = block.start
      var row = 0
      while true {
        guard row < block.rows else {
          throw IngotError(.malformed, "an object at \(offset) beyond its heap", offset: at)
        }
        let rowSize = try blockSize(row: row).multiplied(by: tableWidth, "a heap's row")
        let rowEnd = try rowStart.adding(rowSize, "a heap")
        if offset < rowEnd { break }
        rowStart = rowEnd
        row += 1
      }
      let size = try blockSize(row: row)
      let column = (offset - rowStart) / size
      guard let child = block.children[row * tableWidth + column] else {
        throw IngotError(.malformed, "an object at \(offset) in a missing block", offset: at)
      }
      let start = rowStart + column * size
      if size <= largestDirectSize { return try direct(child, start: start, size: size) }
      // An indirect block has as many rows as it takes to cover the size of its row.
      let width = try firstBlockSize.multiplied(by: tableWidth, "a heap's row")
      guard size >= width, tableWidth.isPowerOfTwo else {
        throw IngotError(.malformed, "a heap row of blocks of \(size) bytes", offset: child)
      }
      // These are at most `row`, so fewer than the parent's, and the search ends.
      let rows = (size / width).trailingZeroBitCount + 1
      block = try indirect(child, start: start, rows: rows)
    }
  }

  private func indirect(_ address: Int, start: Int, rows: Int) throws -> IndirectBlock {
    if let block = indirectBlocks[address] {
      // Where a block starts says how many rows it has.
      guard block.start == start else { throw wrongPlace(address) }
      return block
    }
    let entries = rows * tableWidth
    let headerSize = 5 + view.widths.offset + offsetWidth
    let size = headerSize + entries * view.widths.offset + 4
    var reader = try view.reader(at: address, count: size, "an indirect heap block")
    try view.claim(address, size, .fractalHeap)
    try reader.verifyChecksum(from: reader.position, after: size - 4, "an indirect heap block")
    try readBlockStart(&reader, "FHIB", start)
    let children = try (0..<entries).map { _ in
      try reader.address(view.widths, "the address of a heap block")
    }
    let block = IndirectBlock(start: start, rows: rows, children: children)
    indirectBlocks[address] = block
    return block
  }

  private func direct(_ address: Int, start: Int, size: Int) throws -> DirectBlock {
    if let block = directBlocks[address] {
      guard block.start == start else { throw wrongPlace(address) }
      return block
    }
    let whole = try view.reader(at: address, count: size, "a direct heap block")
    try view.claim(address, size, .fractalHeap)
    var reader = whole
    if hasChecksums {
      // The checksum covers the whole block with its own four bytes as zeros.
      let place = 5 + view.widths.offset + offsetWidth
      try reader.skip(place, "a heap block's start")
      let stored = try reader.uint32("the checksum of a heap block")
      reader = whole
      var copy = try reader.array(size, "a direct heap block")
      for index in place..<place + 4 { copy[index] = 0 }
      let computed = Lookup3.checksum(copy, 0..<size)
      guard stored == computed else {
        throw whole.failure(
          Checksum.mismatch(of: "a heap block", stored, computed), class: .integrity, at: address)
      }
      reader = whole
    }
    try readBlockStart(&reader, "FHDB", start)
    let block = DirectBlock(content: whole, start: start)
    directBlocks[address] = block
    return block
  }

  private func readBlockStart(
    _ reader: inout ByteReader, _ signature: StaticString, _ start: Int
  ) throws {
    let at = reader.offset
    try reader.signature(signature, "the heap block")
    try reader.version(0, "heap block")
    let owner = try reader.definedAddress(view.widths, "a heap block's owner")
    let place = try reader.integer(width: offsetWidth, "a heap block's place")
    guard owner == address, place == start else { throw wrongPlace(at) }
  }

  private func wrongPlace(_ address: Int) -> IngotError {
    IngotError(.malformed, "a heap block in the wrong place", offset: address)
  }
}

extension Int {
  fileprivate var isPowerOfTwo: Bool { self > 0 && nonzeroBitCount == 1 }
}
