/// A box of a tensor that is held in memory as it is stored, and given out transposed strip by strip.
///
/// It is read as efficiently as a copy of the whole box, and a strip is still in the second cache when its
/// taker passes it on: writing 16 MB that were transposed before takes half as long again.
struct GatheredBox {
  private static let cacheLineByteCount = 64

  /// In the order of the target, slowest first; in memory the box is packed in the order of the source.
  private let axes: [StridedAxis]
  private let run: Int
  /// The reads that gather the box, and how many bytes each has.
  private let reads: (axes: [StridedAxis], run: Int)
  /// The steps of the slowest axis in a strip.
  private let steps: Int

  /// The box `axes`, in the target's order, packed in the target over runs of `run` bytes, or nil where it
  /// makes only one strip, where whole lines of what is held would make a strip too large, or where runs are
  /// long enough to be read straight to where they belong.
  init?(_ axes: [StridedAxis], run: Int) {
    let bySource = axes.indices.sorted { axes[$0].sourceStride < axes[$1].sourceStride }
    let unit = bySource.first == 0 ? max(1, Self.cacheLineByteCount / run) : 1
    guard run < StridedCopy.directRunByteCount, let slowest = axes.first,
      slowest.count * slowest.targetStride > 2 * Stages.cachedByteCount,
      unit * slowest.targetStride <= 2 * Stages.cachedByteCount
    else { return nil }
    let fitting = Stages.cachedByteCount / slowest.targetStride
    steps = max(unit, fitting - fitting % unit)
    var held = axes
    var stride = run
    for index in bySource {
      held[index].sourceStride = stride
      stride *= axes[index].count
    }
    let fetched = bySource.reversed().map { index in
      StridedAxis(
        count: axes[index].count, sourceStride: axes[index].sourceStride,
        targetStride: held[index].sourceStride)
    }
    var readRun = run
    reads = (fetched.coalesced(run: &readRun), readRun)
    self.axes = held
    self.run = run
  }

  /// Fills `memory`, which has the size of the box, with the box of `source` at `offset`.
  func gather(
    from source: any ByteSource, at offset: Int, into memory: inout MutableRawSpan
  ) throws {
    var walk = AxisWalk(reads.axes, source: offset)
    repeat {
      let from = walk.source
      try memory.withRange(walk.target..<walk.target + reads.run) {
        try source.read(into: &$0, at: from)
      }
    } while walk.advance()
  }

  /// Hands out the gathered box in the order of the target, each strip with its offset in the box.
  func forEachStrip(
    of memory: borrowing RawSpan, _ body: (borrowing RawSpan, Int) throws -> Void
  ) throws {
    let slowest = axes[0]
    var strip = Stages.take(steps * slowest.targetStride)
    defer { Stages.giveBack(strip) }
    for first in stride(from: 0, to: slowest.count, by: steps) {
      var part = axes
      part[0].count = min(steps, slowest.count - first)
      let byteCount = part[0].count * slowest.targetStride
      try strip.withMutableBytes { bytes in
        try bytes.withRange(0..<byteCount) { bytes in
          part.copy(run: run, from: memory, at: first * slowest.sourceStride, into: &bytes, at: 0)
          try body(bytes.bytes, first * slowest.targetStride)
        }
      }
    }
  }
}
