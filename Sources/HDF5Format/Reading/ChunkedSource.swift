internal import Compression
internal import Synchronization
internal import Tensors

/// The canonical bytes of a chunked dataset.
///
/// All chunks with one index along the first axis form a band, which is one stretch of the canonical
/// bytes. Whole bands are decoded straight into the reader's buffer, so different bands decode on
/// different threads at once; a band read in part is put together once and kept for a while.
final class ChunkedSource: ByteSource {
  let byteCount: Int
  private let name: ExactString
  private let file: any ByteSource
  private let map: FileMap
  private let grid: ChunkGrid
  private let chunks: DataLayout.Chunks
  private let filters: ChunkFilters
  private let elements: ElementCopy
  private let fill: FillPattern
  private let cache: BandCache
  private let identity: Int
  private let records = Mutex<[ChunkRecord]?>(nil)

  /// Bands above this size go through a temporary file instead of memory.
  static let bandLimit = 8 << 20

  init(
    name: ExactString, byteCount: Int, _ input: DatasetInput, _ grid: ChunkGrid,
    _ chunks: DataLayout.Chunks, _ pipeline: FilterPipeline, _ elements: ElementCopy,
    _ fill: FillPattern, identity: Int
  ) {
    self.name = name
    self.byteCount = byteCount
    file = input.file
    map = input.map
    cache = input.cache
    self.grid = grid
    self.chunks = chunks
    self.elements = elements
    self.fill = fill
    self.identity = identity
    filters = ChunkFilters(
      pipeline: pipeline, elementSize: elements.elementSize, byteCount: grid.chunkByteCount)
  }

  var granularity: Int { grid.bandByteCount }

  /// The source itself, or a temporary file filled from it where its bands are too large for memory.
  func spooledIfLarge(folder: String?) -> any ByteSource {
    guard grid.bandByteCount > Self.bandLimit else { return self }
    return SpooledSource(byteCount: byteCount, folder: folder) { try self.spool(into: $0) }
  }

  func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    try naming(tensor: name) {
      let records = try index()
      let band = grid.bandByteCount
      let end = offset + buffer.byteCount
      var position = offset
      while position < end {
        let number = position / band
        let bandStart = number * band
        let bandEnd = min(bandStart + band, byteCount)
        if position == bandStart, end >= bandEnd {
          // As many whole bands as there are; the last one of the dataset may be short.
          let last = end == byteCount ? (end - 1) / band : end / band - 1
          let stop = min((last + 1) * band, byteCount)
          try buffer.withRange(position - offset..<stop - offset) {
            try decode(bands: number...last, records, into: &$0)
          }
          position = stop
        } else {
          let content = try cachedBand(number, bandEnd - bandStart, records)
          let count = min(end, bandEnd) - position
          buffer.copy(
            from: content, at: position - bandStart, count: count, to: position - offset)
          position += count
        }
      }
    }
  }

  /// The chunks in the file, read and checked when they are first needed.
  private func index() throws -> [ChunkRecord] {
    try records.withLock { records in
      if let records { return records }
      let view = FileView(file, map.widths)
      let found = try ChunkIndexReader.records(
        view, grid, chunks, hasFilters: !filters.pipeline.filters.isEmpty)
      for extent in try view.checkedExtents() { try map.check(extent) }
      records = found
      return found
    }
  }

  private func cachedBand(_ number: Int, _ size: Int, _ records: [ChunkRecord]) throws -> [UInt8] {
    let key = BandCache.Key(dataset: identity, band: number)
    if let content = cache[key] { return content }
    var content = [UInt8](repeating: 0, count: size)
    try content.withMutableBytes { try decode(bands: number...number, records, into: &$0) }
    cache.insert(content, key)
    return content
  }

  private func decode(
    bands: ClosedRange<Int>, _ records: [ChunkRecord], into buffer: inout MutableRawSpan
  ) throws {
    var origin = [Int](repeating: 0, count: grid.dimensions.count)
    var extents = grid.dimensions
    origin[0] = bands.lowerBound * grid.chunk[0]
    extents[0] = min((bands.upperBound + 1) * grid.chunk[0], grid.dimensions[0]) - origin[0]
    let perBand = grid.chunksPerBand
    try decode(
      ChunkBox(origin: origin, extents: extents),
      bands.lowerBound * perBand..<(bands.upperBound + 1) * perBand, records, into: &buffer)
  }

  /// Fills `buffer` with the elements of `box`, all of whose chunks have positions in `positions`.
  private func decode(
    _ box: ChunkBox, _ positions: Range<Int>, _ records: [ChunkRecord],
    into buffer: inout MutableRawSpan
  ) throws {
    let slice = records[
      records.firstIndex(
        notBefore: positions.lowerBound)..<records.firstIndex(
          notBefore: positions.upperBound)]
    if slice.count < positions.count { fill.fill(&buffer, phase: 0) }
    try decode(slice, into: box, &buffer)
  }

  private func decode(
    _ slice: ArraySlice<ChunkRecord>, into box: ChunkBox, _ buffer: inout MutableRawSpan
  ) throws {
    for record in slice {
      let (content, origin) = try chunk(record)
      box.copy(content, chunkOrigin: origin, grid, elements, into: &buffer)
    }
  }

  /// The content of a chunk without filters, and its first element along each axis.
  private func chunk(
    _ record: ChunkRecord
  ) throws -> (content: ChunkFilters.Content, origin: [Int]) {
    let indexes = grid.indexes(record.position)
    let stored = try file.bytes(at: record.address, count: record.storedSize, "a chunk")
    let origin = zip(indexes, grid.chunk).map { $0 * $1 }
    do {
      let isUnfiltered = chunks.skipsFiltersAtEdges && grid.isPartial(indexes)
      return (try filters.undo(stored, mask: isUnfiltered ? .max : record.filterMask), origin)
    } catch var error as IngotError {
      error.offset = record.address
      error.message = "chunk at \(origin): \(error.message)"
      throw error
    }
  }

  /// Writes the whole dataset into `file`, strip by strip on several threads.
  private func spool(into file: SpoolFile) throws {
    try naming(tensor: name) {
      let records = try index()
      let strips = self.strips()
      // Each worker holds a chunk inflated; the failure of the first strip is the one reported.
      let workers = max(1, min(8, (32 << 20) / grid.chunkByteCount, strips.count))
      let failure = Mutex<(strip: Int, error: any Error)?>(nil)
      let next = Atomic<Int>(0)
      Threads.run(workers) {
        while true {
          let strip = next.wrappingAdd(1, ordering: .relaxed).oldValue
          guard strip < strips.count, failure.withLock({ $0?.strip ?? .max }) > strip else {
            return
          }
          do {
            try self.spool(strips[strip], records, into: file)
          } catch {
            failure.withLock { failure in
              if strip < failure?.strip ?? .max { failure = (strip, error) }
            }
          }
        }
      }
      if let (_, error) = failure.withLock({ $0 }) { throw error }
    }
  }

  /// The last axis with more than one chunk: those after it are whole in every chunk.
  private var stripAxis: Int { grid.counts.lastIndex { $0 > 1 } ?? 0 }

  /// The positions of the chunks of each strip: as many side by side as fit in memory, or one.
  private func strips() -> [Range<Int>] {
    let last = grid.counts[stripAxis]
    let group = max(1, Self.bandLimit / grid.chunkByteCount)
    return stride(from: 0, to: grid.counts.reduce(1, *), by: last).flatMap { start in
      stride(from: 0, to: last, by: group).map { start + $0..<start + min($0 + group, last) }
    }
  }

  private func spool(
    _ positions: Range<Int>, _ records: [ChunkRecord], into file: SpoolFile
  ) throws {
    let first = grid.indexes(positions.lowerBound)
    let origin = zip(first, grid.chunk).map { $0 * $1 }
    var reach = grid.chunk
    reach[stripAxis] *= positions.count
    let extents = reach.indices.map { min(reach[$0], grid.dimensions[$0] - origin[$0]) }
    let slice = records[
      records.firstIndex(
        notBefore: positions.lowerBound)..<records.firstIndex(
          notBefore: positions.upperBound)]
    // A chunk above the limit is decoded once and written in slabs; other strips are one slab.
    let axis = extents.firstIndex { $0 > 1 } ?? 0
    let layer = extents.reduce(elements.elementSize, *) / extents[axis]
    let thickness = max(1, Self.bandLimit / layer)
    let single = slice.count == 1 ? try slice.first.map(chunk) : nil
    for start in stride(from: 0, to: extents[axis], by: thickness) {
      var slabOrigin = origin
      var slabExtents = extents
      slabOrigin[axis] += start
      slabExtents[axis] = min(thickness, extents[axis] - start)
      let slab = ChunkBox(origin: slabOrigin, extents: slabExtents)
      var buffer = [UInt8](
        repeating: 0, count: slabExtents.reduce(elements.elementSize, *))
      try buffer.withMutableBytes { bytes in
        if slice.count < positions.count { fill.fill(&bytes, phase: 0) }
        if let single {
          slab.copy(single.content, chunkOrigin: single.origin, grid, elements, into: &bytes)
        } else {
          try decode(slice, into: slab, &bytes)
        }
        try slab.write(&bytes, to: file, grid)
      }
    }
  }
}

extension ChunkBox {
  /// Writes the elements of this box to their places in a file that holds the whole dataset.
  fileprivate func write(
    _ bytes: inout MutableRawSpan, to file: SpoolFile, _ grid: ChunkGrid
  ) throws {
    // Axes that are whole run together with the one before them.
    var outer = extents.count - 1
    var run = extents[outer]
    while outer > 0, extents[outer] == grid.dimensions[outer] {
      outer -= 1
      run *= extents[outer]
    }
    let runBytes = run * grid.elementSize
    for row in 0..<extents[..<outer].reduce(1, *) {
      var rest = row
      var place = 0
      var stride = 1
      for axis in extents.indices.reversed() {
        let inner = axis < outer ? rest % extents[axis] : 0
        if axis < outer { rest /= extents[axis] }
        place += (origin[axis] + inner) * stride
        stride *= grid.dimensions[axis]
      }
      try bytes.withRange(row * runBytes..<(row + 1) * runBytes) {
        try file.write($0.bytes, at: place * grid.elementSize)
      }
    }
  }
}

extension [ChunkRecord] {
  /// The first index whose record is not before `position`.
  fileprivate func firstIndex(notBefore position: Int) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle].position < position { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
