internal import Tensors

/// The ways a file finds the chunks of a dataset.
enum ChunkIndex: Sendable, Hashable {
  /// A B-tree of version 1, before HDF5 1.10 the only one.
  case tree1
  /// One chunk holds the dataset; its size and mask where it has filters.
  case single(storedSize: Int?, filterMask: UInt32)
  /// All chunks in row-major order without filters.
  case implicit
  /// An array, where no dimension can grow.
  case fixedArray
  /// An array that grows, where one dimension can.
  case extensibleArray
  /// A B-tree of version 2, where more than one can.
  case tree2
}

/// A chunk in the file.
struct ChunkRecord: Sendable {
  /// Its position among all chunks in row-major order.
  let position: Int
  let address: Int
  /// Its size in the file, after filters.
  let storedSize: Int
  /// A set bit skips the filter of that number in the pipeline.
  let filterMask: UInt32
}

/// Reads the index of a dataset's chunks.
struct ChunkIndexReader {
  let view: FileView
  let grid: ChunkGrid
  let chunks: DataLayout.Chunks
  let hasFilters: Bool
  var records: [ChunkRecord] = []

  /// All chunks that were written, in row-major order, each checked to lie in the file by itself.
  static func records(
    _ view: FileView, _ grid: ChunkGrid, _ chunks: DataLayout.Chunks, hasFilters: Bool
  ) throws -> [ChunkRecord] {
    guard let address = chunks.address else { return [] }
    var reader = ChunkIndexReader(
      view: view, grid: grid, chunks: chunks, hasFilters: hasFilters)
    switch chunks.index {
    case .tree1: try reader.readTree1(at: address)
    case .single(let storedSize, let mask): try reader.readSingle(address, storedSize, mask)
    case .implicit: try reader.readImplicit(at: address)
    case .fixedArray: try reader.readFixedArray(at: address)
    case .extensibleArray: try reader.readExtensibleArray(at: address)
    case .tree2: try reader.readTree2(at: address)
    }
    return reader.records
  }

  /// Adds a chunk.
  ///
  /// - Throws: `malformed` for one outside the dataset or the file, of an impossible size, or, in a
  ///   tree, one out of order (and so for the same chunk twice).
  mutating func add(
    _ indexes: some Collection<Int>, address: Int, storedSize: Int, filterMask: UInt32,
    isOrdered: Bool, at offset: Int
  ) throws {
    guard let position = grid.position(indexes) else {
      throw IngotError(
        .malformed, "a chunk at \(Array(indexes)) outside its dataset", offset: offset)
    }
    guard storedSize > 0, hasFilters || storedSize == grid.chunkByteCount else {
      throw IngotError(
        .malformed, "a chunk of \(storedSize) bytes where \(grid.chunkByteCount) are due",
        offset: offset)
    }
    if isOrdered, let last = records.last, last.position >= position {
      throw IngotError(
        .malformed, "chunks out of order: \(position) follows \(last.position)", offset: offset)
    }
    guard storedSize <= view.byteCount - address else {
      throw IngotError(
        .malformed,
        "a chunk of \(storedSize) bytes at \(address), the file ends at \(view.byteCount)",
        offset: offset)
    }
    try view.claim(address, storedSize, .data)
    records.append(
      ChunkRecord(
        position: position, address: address, storedSize: storedSize, filterMask: filterMask))
  }

  private mutating func readSingle(_ address: Int, _ storedSize: Int?, _ mask: UInt32) throws {
    guard hasFilters == (storedSize != nil) else {
      throw IngotError(
        .malformed, "a single chunk whose layout and filters disagree", offset: address)
    }
    try add(
      grid.counts.map { _ in 0 }, address: address,
      storedSize: storedSize ?? grid.chunkByteCount, filterMask: mask, isOrdered: true,
      at: address)
    guard grid.counts.allSatisfy({ $0 == 1 }) else {
      throw IngotError(.malformed, "a single chunk smaller than its dataset", offset: address)
    }
  }

  private mutating func readImplicit(at address: Int) throws {
    guard !hasFilters else {
      throw IngotError(.malformed, "filters with an index that gives no sizes", offset: address)
    }
    let largest = try boundedCounts()
    // The space is that of the largest extents; only chunks inside the present ones count.
    for position in 0..<grid.counts.reduce(1, *) {
      let indexes = grid.indexes(position)
      var place = 0
      for (index, count) in zip(indexes, largest) {
        place = try place.multiplied(by: count, "a chunk's place")
          .adding(index, "a chunk's place")
      }
      let offset = try place.multiplied(by: grid.chunkByteCount, "a chunk's place")
      try add(
        indexes, address: try address.adding(offset, "a chunk's address"),
        storedSize: grid.chunkByteCount, filterMask: 0, isOrdered: true, at: address)
    }
  }

  /// The largest number of chunks along each axis, all of them bounded.
  func boundedCounts() throws -> [Int] {
    try grid.largestCounts.map { count in
      guard let count else {
        throw IngotError(
          .malformed, "an unbounded dimension with an index that cannot grow",
          offset: chunks.address)
      }
      return count
    }
  }

  /// The width of stored sizes in an array's or tree's records: what the other fields leave.
  func sizeWidth(_ recordSize: Int, other: Int, at offset: Int) throws -> Int {
    let width = recordSize - other - view.widths.offset - (hasFilters ? 4 : 0)
    guard hasFilters ? 1...8 ~= width : width == 0 else {
      throw IngotError(.malformed, "chunk records of \(recordSize) bytes", offset: offset)
    }
    return width
  }

  /// The address, size and mask of a chunk; nil where it was never written.
  func place(
    _ reader: inout ByteReader, sizeWidth: Int
  ) throws -> (address: Int, storedSize: Int, filterMask: UInt32)? {
    let address = try reader.address(view.widths, "a chunk's address")
    guard hasFilters else { return address.map { ($0, grid.chunkByteCount, 0) } }
    let size = try reader.integer(width: sizeWidth, "a chunk's size")
    let mask = try reader.uint32("a chunk's filter mask")
    return address.map { ($0, size, mask) }
  }
}
