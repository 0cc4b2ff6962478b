/// Copies a strided box of a source into packed memory, tile by tile, in bounded memory.
///
/// A tile is read into a stage in the source's order, so that reads are few and long, and goes from
/// there into the target by transposing matrices in cache. The tile is made wide along the axis that
/// is contiguous in the source, and at least a cache line high along the one that is contiguous in
/// the target. Small gaps are read through: skipping them would cost a system call.
struct StridedCopy {
  /// Runs of this many bytes are read straight to where they belong.
  static let directRunByteCount = 16 << 10
  /// A gap up to this size costs less to read than a second read.
  static let gapByteCount = 4 << 10
  private static let cacheLineByteCount = 64
  /// Rows of the stage whose distance is a multiple of this would share few places of the first cache.
  private static let pageByteCount = 4 << 10

  /// The axes, in the order of the source, slowest first.
  private let axes: [StridedAxis]
  /// The contiguous bytes under them.
  private let run: Int
  /// How many steps a tile has along each axis.
  private let tile: [Int]
  /// The distance of an axis's steps in the stage.
  private let stageStrides: [Int]
  private let stageSize: Int
  /// From this axis on, one read covers a tile.
  private let firstContinuous: Int

  /// Plans the copy of the box `axes`, in the target's order, coalesced, and packed in the target over
  /// runs of `run` bytes.
  init(_ axes: [StridedAxis], run: Int) {
    let sorted = axes.sorted { $0.sourceStride > $1.sourceStride }
    var tile = sorted.map(\.count)
    var strides = Array(repeating: 0, count: sorted.count)
    let rowAxis = sorted.firstIndex { $0.targetStride == run } ?? 0
    let rowsWanted =
      sorted.isEmpty ? 1 : min(sorted[rowAxis].count, max(1, Self.cacheLineByteCount / run))
    var firstContinuous = sorted.count
    var span = run
    for index in sorted.indices.reversed() {
      let axis = sorted[index]
      if firstContinuous == index + 1, axis.sourceStride - span <= Self.gapByteCount {
        firstContinuous = index
        strides[index] = axis.sourceStride
      } else {
        strides[index] = span >= Self.pageByteCount ? span + Self.cacheLineByteCount : span
      }
      let room = index > rowAxis ? Stages.cachedByteCount / rowsWanted : Stages.cachedByteCount
      // Whole lines, as the kernel moves them.
      let unit = index == rowAxis ? rowsWanted : 1
      let steps = (room - span) / strides[index] + 1
      let fitting = max(unit, min(axis.count, steps - steps % unit))
      // Tiles of about the same size, rather than a thin last one.
      let tiles = (axis.count - 1) / fitting + 1
      tile[index] = min(axis.count, ((axis.count - 1) / tiles + 1).roundedUp(toMultipleOf: unit))
      span += (tile[index] - 1) * strides[index]
    }
    self.axes = sorted
    self.run = run
    self.tile = tile
    self.firstContinuous = firstContinuous
    stageStrides = strides
    stageSize = span
  }

  /// Copies from `source` at `sourceOffset` into `target` at `targetOffset`.
  func perform(
    from source: any ByteSource, at sourceOffset: Int, into target: inout MutableRawSpan,
    at targetOffset: Int
  ) throws {
    guard !axes.isEmpty, run < Self.directRunByteCount else {
      var walk = AxisWalk(axes, source: sourceOffset, target: targetOffset)
      repeat {
        let from = walk.source
        try target.withRange(walk.target..<walk.target + run) {
          try source.read(into: &$0, at: from)
        }
      } while walk.advance()
      return
    }
    var stage = Stages.take(stageSize)
    defer { Stages.giveBack(stage) }
    let steps = axes.indices.map { index in
      StridedAxis(
        count: (axes[index].count - 1) / tile[index] + 1,
        sourceStride: axes[index].sourceStride * tile[index],
        targetStride: axes[index].targetStride * tile[index])
    }
    var walk = AxisWalk(steps, source: sourceOffset, target: targetOffset)
    repeat {
      let extents = axes.indices.map { index in
        min(tile[index], axes[index].count - walk.index(index) * tile[index])
      }
      try fill(&stage, extents, from: source, at: walk.source)
      distribute(stage, extents, into: &target, at: walk.target)
    } while walk.advance()
  }

  /// Reads the tile of `extents` steps at `offset` into the stage.
  private func fill(
    _ stage: inout [UInt8], _ extents: [Int], from source: any ByteSource, at offset: Int
  ) throws {
    let outer = (0..<firstContinuous).map { index in
      StridedAxis(
        count: extents[index], sourceStride: axes[index].sourceStride,
        targetStride: stageStrides[index])
    }
    let length = (firstContinuous..<axes.count).reduce(run) { length, index in
      length + (extents[index] - 1) * stageStrides[index]
    }
    try stage.withMutableBytes { stage in
      var walk = AxisWalk(outer, source: offset)
      repeat {
        let from = walk.source
        try stage.withRange(walk.target..<walk.target + length) {
          try source.read(into: &$0, at: from)
        }
      } while walk.advance()
    }
  }

  /// Copies the tile of `extents` steps from the stage to `offset`.
  private func distribute(
    _ stage: [UInt8], _ extents: [Int], into target: inout MutableRawSpan, at offset: Int
  ) {
    let tile = axes.indices.map { index in
      StridedAxis(
        count: extents[index], sourceStride: stageStrides[index],
        targetStride: axes[index].targetStride)
    }
    tile.copy(run: run, from: stage.rawSpan, at: 0, into: &target, at: offset)
  }
}
