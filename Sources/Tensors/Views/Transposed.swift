/// A tensor's bytes with its axes in another order.
///
/// The base is row-major of its shape, the view is row-major of the permuted shape. Column-major data
/// is the transposition of the reversed shape with all axes reversed. Memory is half a megabyte per
/// concurrent read beside the caller's buffer; small tensors that are costly to read in parts are
/// held whole, and large ones set aside in a temporary file.
public struct Transposed: ByteSource {
  /// Up to this size a base that is costly to read in parts is read whole.
  private static let wholeByteCount = 8 << 20
  /// Pieces do not grow beyond this size.
  private static let largestPieceByteCount = 16 << 20
  /// Pieces stop growing when they read this many bytes of the base in a row.
  private static let wantedSegmentByteCount = 16 << 10
  /// Reading this many times the bytes wanted, system calls included, costs more than two passes.
  private static let tolerableAmplification = 16

  /// How the bytes are come by.
  private enum Method {
    /// The axes only seem to move.
    case unchanged(any ByteSource)
    /// Straight from the base, which can be read anywhere.
    case boxes(any ByteSource)
    /// From the base read whole.
    case whole(any ByteSource)
    /// From slabs that were transposed before.
    case blocks(Concatenated)
  }

  /// As many as the base has.
  public let byteCount: Int
  /// Whole rows of the permuted shape, about as many as make reading the base efficient.
  public let granularity: Int

  /// What the view was made of, for views of this view.
  let original: any ByteSource
  private let elementByteWidth: Int
  private let shape: Shape
  private let order: [Int]

  /// Whether it is a matrix of elements, of shape `rows`, `columns` before, with its axes swapped.
  func isMatrix(rows: Int, columns: Int, elementByteWidth: Int) -> Bool {
    order == [1, 0] && shape.dimensions == [rows, columns]
      && self.elementByteWidth == elementByteWidth
  }

  private let method: Method
  /// The axes of the view in its order, coalesced; none where the bytes stay as they are.
  private let axes: [StridedAxis]
  /// The contiguous bytes under them.
  private let run: Int

  /// The transposition of `base`, whose elements of `elementByteWidth` bytes have `shape`; axis `k` of
  /// the view is axis `axes[k]` of `shape`.
  ///
  /// - Parameter spoolFolder: Where a tensor that is transposed in two passes is set aside.
  /// - Throws: `malformed` where `axes` is no permutation, or the base has not the shape's size.
  public init(
    _ base: any ByteSource, elementByteWidth: Int, shape: Shape, axes order: [Int],
    spoolFolder: String? = nil
  ) throws {
    guard order.sorted() == Array(0..<shape.rank) else {
      throw IngotError(
        .malformed, "\(order) does not order the \(shape.rank) axes of shape \(shape)")
    }
    let needed = try shape.elementCount.multiplied(by: elementByteWidth, "the size of the tensor")
    guard needed == base.byteCount else {
      throw IngotError(
        .malformed,
        "shape \(shape) of \(elementByteWidth)-byte elements needs \(needed) bytes, there are \(base.byteCount)"
      )
    }
    let inner = (base as? Transposed).flatMap { inner in
      inner.elementByteWidth == elementByteWidth && inner.shape.permuted(inner.order) == shape
        ? inner : nil
    }
    original = inner?.original ?? base
    byteCount = needed
    self.elementByteWidth = elementByteWidth
    self.shape = inner?.shape ?? shape
    self.order = inner.map { inner in order.map { inner.order[$0] } } ?? order

    var run = elementByteWidth
    axes =
      needed == 0 ? [] : Self.axes(self.shape, self.order, elementByteWidth).coalesced(run: &run)
    self.run = run
    (method, granularity) = try Self.method(
      original, axes: axes, run: run, spoolFolder: spoolFolder)
  }

  /// Any range, unless the axes only seem to move and the base is sequential.
  public var access: AccessPattern {
    if case .unchanged(let base) = method { base.access } else { .random }
  }

  /// The axes of the view before coalescing.
  private static func axes(_ shape: Shape, _ order: [Int], _ width: Int) -> [StridedAxis] {
    var sourceStrides = Array(repeating: width, count: shape.rank)
    var stride = width
    for axis in shape.dimensions.indices.reversed() {
      sourceStrides[axis] = stride
      stride *= shape.dimensions[axis]
    }
    var result: [StridedAxis] = []
    stride = width
    for axis in order.reversed() {
      let count = shape.dimensions[axis]
      result.append(
        StridedAxis(count: count, sourceStride: sourceStrides[axis], targetStride: stride))
      stride *= count
    }
    return result.reversed()
  }

  /// The way that costs least, and the granularity it has.
  private static func method(
    _ base: any ByteSource, axes: [StridedAxis], run: Int, spoolFolder: String?
  ) throws -> (method: Method, granularity: Int) {
    guard !axes.isEmpty else { return (.unchanged(base), base.granularity) }
    let isCostlyInParts = base.access == .sequential || base.granularity > 1
    if isCostlyInParts, base.byteCount <= wholeByteCount { return (.whole(base), base.byteCount) }
    let (piece, amplification) = piece(axes, run: run)
    if isCostlyInParts || amplification > tolerableAmplification,
      let blocks = try TransposedBlocks.joined(
        base, axes: axes, run: run, spoolFolder: spoolFolder)
    {
      return (.blocks(blocks), piece)
    }
    return (.boxes(isCostlyInParts ? SpooledSource(base, folder: spoolFolder) : base), piece)
  }

  /// The smallest efficient piece, and about how many bytes of the base are read for each of its bytes,
  /// where a system call counts as much as the bytes that could be read in its time.
  private static func piece(
    _ axes: [StridedAxis], run: Int
  ) -> (byteCount: Int, amplification: Int) {
    let bySource = axes.indices.sorted { axes[$0].sourceStride < axes[$1].sourceStride }
    let column = bySource[0]
    let pitch = bySource.count > 1 ? axes[bySource[1]].sourceStride : axes[column].sourceStride
    var limit = 1 << 20
    while true {
      // The slowest axis of which at least one step fits.
      let level = axes.firstIndex { $0.targetStride <= limit } ?? axes.count - 1
      let axis = axes[level]
      let fitting = max(1, min(axis.count, limit / axis.targetStride))
      // Pieces of about the same size.
      let steps = (axis.count - 1) / ((axis.count - 1) / fitting + 1) + 1
      let segment = column > level ? axes[column].count * run : column == level ? steps * run : run
      if segment >= wantedSegmentByteCount || limit >= largestPieceByteCount {
        let skipping = 1 + StridedCopy.gapByteCount / segment
        return (steps * axis.targetStride, min(skipping, pitch / segment))
      }
      limit *= 2
    }
  }

  /// Copies the range.
  public func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    guard buffer.byteCount > 0 else { return }
    switch method {
    case .unchanged(let base): try base.read(into: &buffer, at: offset)
    case .boxes(let base): try readBoxes(from: base, into: &buffer, at: offset)
    case .whole(let base):
      let tensor = ArraySource(try base.bytes(at: 0, count: byteCount, "the tensor"))
      try readBoxes(from: tensor, into: &buffer, at: offset)
    case .blocks(let blocks): try blocks.read(into: &buffer, at: offset)
    }
  }

  /// Hands out the range strip by strip where it is one box of several strips.
  public func readParts(
    of range: Range<Int>, using memory: inout MutableRawSpan,
    _ body: (borrowing RawSpan, Int) throws -> Void
  ) throws {
    guard case .boxes(let base) = method, !range.isEmpty,
      case var box = box(at: range.lowerBound, before: range.upperBound),
      box.byteCount == range.count,
      let gathered = GatheredBox(box.axes.coalesced(run: &box.run), run: box.run)
    else { return try readWhole(range, using: &memory, body) }
    try gathered.gather(from: base, at: sourceOffset(of: range.lowerBound), into: &memory)
    try gathered.forEachStrip(of: memory.bytes) { strip, offset in
      try body(strip, range.lowerBound + offset)
    }
  }

  /// Copies the range box by box: at most two boxes for each axis.
  private func readBoxes(
    from source: any ByteSource, into buffer: inout MutableRawSpan, at offset: Int
  ) throws {
    let end = offset + buffer.byteCount
    var position = offset
    while position < end {
      let box = box(at: position, before: end)
      var run = box.run
      let copy = StridedCopy(box.axes.coalesced(run: &run), run: run)
      try copy.perform(
        from: source, at: sourceOffset(of: position), into: &buffer, at: position - offset)
      position += box.byteCount
    }
  }

  /// The largest box that begins at `position` and ends at or before `end`: some steps of one axis and
  /// all of the axes below it, or a part of a run.
  private func box(
    at position: Int, before end: Int
  ) -> (axes: [StridedAxis], run: Int, byteCount: Int) {
    for (level, axis) in axes.enumerated()
    where position % axis.targetStride == 0 && end - position >= axis.targetStride {
      let index = position / axis.targetStride % axis.count
      let count = min(axis.count - index, (end - position) / axis.targetStride)
      let steps = StridedAxis(
        count: count, sourceStride: axis.sourceStride, targetStride: axis.targetStride)
      return ([steps] + axes[(level + 1)...], run, count * axis.targetStride)
    }
    let count = min(run - position % run, end - position)
    return ([], count, count)
  }

  /// Where the byte at `position` of the view lies in the base.
  private func sourceOffset(of position: Int) -> Int {
    axes.reduce(position % run) { offset, axis in
      offset + position / axis.targetStride % axis.count * axis.sourceStride
    }
  }
}
