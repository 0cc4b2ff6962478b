internal import Tensors

/// How a dataset is cut into chunks: the arithmetic between elements, chunks and bytes.
struct ChunkGrid: Sendable {
  /// The extents of the dataset and of a chunk, in elements.
  let dimensions: [Int]
  let chunk: [Int]
  let elementSize: Int
  /// The number of chunks along each axis, now and at most (nil: no bound).
  let counts: [Int]
  let largestCounts: [Int?]
  /// The bytes of a chunk before filters.
  let chunkByteCount: Int
  /// The bytes of all elements that share one index along the first axis, and of one band: all chunks
  /// that share one index along the first axis.
  let rowByteCount: Int
  let bandByteCount: Int

  /// The HDF5 library stores the size of a chunk in 32 bits.
  private static let chunkLimit = 1 << 32

  /// Checks the chunks against the dataset.
  ///
  /// - Throws: `malformed` where rank or element size differ, or a chunk has 4 GiB or more.
  init(_ space: Dataspace, _ chunks: DataLayout.Chunks, elementSize: Int) throws {
    let rank = space.dimensions.count
    guard chunks.dimensions.count == rank, chunks.elementSize == elementSize else {
      throw IngotError(
        .malformed,
        "chunks of rank \(chunks.dimensions.count) and \(chunks.elementSize)-byte elements in a dataset of rank \(rank) and \(elementSize)"
      )
    }
    var size = elementSize
    for extent in chunks.dimensions {
      size = try size.multiplied(by: extent, "the size of a chunk")
      guard size < Self.chunkLimit else {
        throw IngotError(.malformed, "a chunk of \(chunks.dimensions) elements exceeds 4 GiB")
      }
    }
    chunkByteCount = size
    dimensions = space.dimensions
    chunk = chunks.dimensions
    self.elementSize = elementSize
    // Written so that extents near 2^63 do not overflow.
    counts = zip(dimensions, chunk).map { $0 == 0 ? 0 : ($0 - 1) / $1 + 1 }
    largestCounts = zip(space.largest ?? space.dimensions, chunk).map { bound, extent in
      bound.map { $0 == 0 ? 0 : ($0 - 1) / extent + 1 }
    }
    rowByteCount = try dimensions.dropFirst().reduce(elementSize) {
      try $0.multiplied(by: $1, "the size of a dataset")
    }
    bandByteCount = min(chunk[0], dimensions[0]) * rowByteCount
  }

  /// The number of chunks in a band, and their position in row-major order.
  var chunksPerBand: Int { counts.dropFirst().reduce(1, *) }

  /// The row-major position of the chunk at these indexes along the axes; nil outside the dataset.
  func position(_ indexes: some Collection<Int>) -> Int? {
    var position = 0
    for (index, count) in zip(indexes, counts) {
      guard index >= 0, index < count else { return nil }
      position = position * count + index
    }
    return position
  }

  /// The indexes along the axes of the chunk at a position.
  func indexes(_ position: Int) -> [Int] {
    var rest = position
    var indexes = counts
    for axis in counts.indices.reversed() {
      indexes[axis] = rest % counts[axis]
      rest /= counts[axis]
    }
    return indexes
  }

  /// Whether a chunk reaches beyond the dataset.
  func isPartial(_ indexes: [Int]) -> Bool {
    indexes.indices.contains { dimensions[$0] - indexes[$0] * chunk[$0] < chunk[$0] }
  }
}
