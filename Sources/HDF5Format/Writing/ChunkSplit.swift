internal import Compression
internal import Tensors

/// How a compressed dataset is cut into chunks, and how a chunk is encoded.
///
/// A chunk is one stretch of the canonical bytes: some rows of one axis with all that lies within them.
/// So chunks are encoded while streaming, and in parallel.
struct ChunkSplit: Sendable {
  /// What a chunk should hold at most; h5py's cache holds chunks up to 1 MiB.
  static let usualTarget = 1 << 20

  private let dimensions: [Int]
  private let elementSize: Int
  /// The extents of a chunk: 1 before the cut axis, all behind it.
  let chunkDimensions: [Int]
  /// The axis that is cut into rows.
  private let axis: Int
  let level: Int?

  /// Cuts a tensor with at least one element and one dimension into chunks of at most `target` bytes.
  init(dimensions: [Int], elementSize: Int, level: Int?, target: Int) {
    self.dimensions = dimensions
    self.elementSize = elementSize
    self.level = level
    // The rows of the slowest axis that are small enough are as large as they can be.
    var axis = dimensions.count - 1
    var rowSize = elementSize
    while axis > 0, rowSize <= target / dimensions[axis] {
      rowSize *= dimensions[axis]
      axis -= 1
    }
    let length = dimensions[axis]
    let most = max(1, target / rowSize)
    // Chunks as equal as they can be, since the last is filled up to the size of the others.
    let count = (length - 1) / most + 1
    self.axis = axis
    chunkDimensions =
      Array(repeating: 1, count: axis) + [(length - 1) / count + 1] + dimensions[(axis + 1)...]
  }

  /// The bytes of a chunk before compression.
  var chunkByteCount: Int { chunkDimensions.reduce(elementSize, *) }

  private var chunksPerRun: Int { (dimensions[axis] - 1) / chunkDimensions[axis] + 1 }

  var chunkCount: Int { dimensions[..<axis].reduce(chunksPerRun, *) }

  /// What the executor needs to know.
  var encoding: WritePlan.Encoding {
    WritePlan.Encoding(
      pieceLength: chunkByteCount, runLength: dimensions[axis...].reduce(elementSize, *)
    ) { piece, _, _ in encode(piece) }
  }

  /// Fills the chunk up, sorts its bytes by significance, and deflates it, if that makes it smaller.
  private func encode(_ piece: [UInt8]) -> [UInt8] {
    var chunk = piece
    chunk.append(contentsOf: repeatElement(0, count: chunkByteCount - piece.count))
    let shuffled = Kernels.shuffled(chunk, elementByteWidth: elementSize)
    let deflated = Deflate.zlibStream(shuffled, level: level)
    return deflated.count < shuffled.count ? deflated : shuffled
  }

  /// The filter message, version 1: version, number of filters, 6 reserved bytes; per filter its number,
  /// the length of its name, flags (1: a chunk may go without), number of parameters (2 each), the name,
  /// the parameters (4 each) padded to 8 bytes.
  var filterMessage: [UInt8] {
    var filters: [(number: Int, name: ExactString, parameter: Int)] = []
    if elementSize > 1 { filters.append((2, "shuffle", elementSize)) }
    filters.append((1, "deflate", level ?? 6))
    var writer = ByteWriter()
    writer.append(contentsOf: [1, UInt8(filters.count), 0, 0, 0, 0, 0, 0])
    for filter in filters {
      for field in [filter.number, 8, 1, 1] { writer.append(field, width: 2) }
      writer.append(paddedName: filter.name.utf8)
      writer.append(filter.parameter, width: 4)
      writer.append(0, width: 4)
    }
    return writer.bytes
  }

  /// The layout message, version 3: version, class 2, rank + 1, address of the index, extents of a chunk
  /// (4 each), the size of an element (4).
  var layoutMessage: [UInt8] {
    var writer = ByteWriter()
    writer.append(contentsOf: [3, 2, UInt8(dimensions.count + 1)])
    writer.append(address: nil)
    for extent in chunkDimensions + [elementSize] { writer.append(extent, width: 4) }
    return writer.bytes
  }

  /// Where the index's address lies in the layout message.
  static let addressOffset = 3

  /// A key: the chunk's size (4), its filter mask (4), the coordinates of its first element (8 each),
  /// and 0 for the offset in an element.
  private var index: BTreeWriter {
    BTreeWriter(kind: .chunks, keySize: 8 + 8 * (dimensions.count + 1))
  }

  var indexByteCount: Int { index.byteCount(chunkCount) }

  /// Appends the index of the chunks, which lie one after the other from `address` on.
  ///
  /// - Returns: The address of the index.
  func appendIndex(
    to writer: inout ByteWriter, base: Int, chunksAt address: Int, sizes: [Int]
  ) -> Int {
    var addresses: [Int] = []
    addresses.reserveCapacity(sizes.count)
    var next = address
    for size in sizes {
      addresses.append(next)
      next += size
    }
    let withoutDeflate = elementSize > 1 ? 0b10 : 0b1
    return index.append(to: &writer, base: base, children: addresses) { index, writer in
      let isEnd = index == sizes.count
      let size = isEnd ? 0 : sizes[index]
      writer.append(size, width: 4)
      writer.append(size == chunkByteCount ? withoutDeflate : 0, width: 4)
      // The key behind the last chunk lies beyond it on every axis.
      let beyond = isEnd ? 1 : 0
      for (position, extent) in zip(position(of: index - beyond), chunkDimensions) {
        writer.append(position + beyond * extent, width: 8)
      }
      writer.append(beyond * elementSize, width: 8)
    }
  }

  /// The coordinates of a chunk's first element.
  private func position(of chunk: Int) -> [Int] {
    var position = Array(repeating: 0, count: dimensions.count)
    position[axis] = chunk % chunksPerRun * chunkDimensions[axis]
    var run = chunk / chunksPerRun
    for axis in (0..<axis).reversed() {
      position[axis] = run % dimensions[axis]
      run /= dimensions[axis]
    }
    return position
  }
}
