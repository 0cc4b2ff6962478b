internal import Tensors

/// A rectangular part of a dataset in a buffer, row-major and packed.
struct ChunkBox: Sendable {
  /// The first element and the extents along each axis.
  let origin: [Int]
  let extents: [Int]

  /// Chunks up to this size are put in order in one pass before their rows are copied; above it a
  /// second copy would cost more memory than the slower rows cost time.
  private static let reorderLimit = 16 << 20

  /// Copies the elements of a chunk that lie in this box to their places in `buffer`.
  ///
  /// - Parameter chunkOrigin: the chunk's first element along each axis.
  func copy(
    _ content: ChunkFilters.Content, chunkOrigin: [Int], _ grid: ChunkGrid, _ elements: ElementCopy,
    into buffer: inout MutableRawSpan
  ) {
    let rank = origin.count
    var first = chunkOrigin
    var counts = extents
    for axis in 0..<rank {
      first[axis] = max(chunkOrigin[axis], origin[axis])
      let end = min(
        chunkOrigin[axis] + grid.chunk[axis], origin[axis] + extents[axis], grid.dimensions[axis])
      counts[axis] = end - first[axis]
      guard counts[axis] > 0 else { return }
    }
    // Axes that are whole on both sides run together with the one before them.
    var outer = rank - 1
    var run = counts[outer]
    while outer > 0, counts[outer] == grid.chunk[outer], counts[outer] == extents[outer] {
      outer -= 1
      run *= counts[outer]
    }
    var content = content
    let isPart = run < grid.chunkByteCount / elements.elementSize
    if content.isShuffled, isPart, grid.chunkByteCount <= Self.reorderLimit {
      content = content.unshuffled(elements.elementSize)
    }
    precondition(content.bytes.count == grid.chunkByteCount)
    precondition(buffer.byteCount == extents.reduce(elements.elementSize, *))
    let planeLength = content.isShuffled ? grid.chunkByteCount / elements.elementSize : nil
    // Every run lies within `first ..< first + counts` on each axis, which is within the chunk and
    // within the box; the sizes of both buffers were checked just above.
    unsafe content.bytes.withUnsafeBufferPointer { source in
      unsafe buffer.withUnsafeMutableBytes { target in
        guard let source = source.baseAddress, let target = target.baseAddress else { return }
        var index = [Int](repeating: 0, count: outer)
        while true {
          var from = 0
          var to = 0
          for axis in 0..<rank {
            let inner = first[axis] + (axis < outer ? index[axis] : 0)
            from = from * grid.chunk[axis] + inner - chunkOrigin[axis]
            to = to * extents[axis] + inner - origin[axis]
          }
          unsafe elements.copy(
            source, first: from, count: run, planeLength: planeLength,
            to: target + to * elements.elementSize)
          var axis = outer - 1
          while axis >= 0 {
            index[axis] += 1
            if index[axis] < counts[axis] { break }
            index[axis] = 0
            axis -= 1
          }
          if axis < 0 { break }
        }
      }
    }
  }
}
