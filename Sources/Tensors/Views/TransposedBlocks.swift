/// A transposition in two passes, for tensors whose reading in the order of the result would cost too
/// much: a base that is read front to back or in large units, or rows so many that a piece of the
/// result finds only a few bytes in each.
///
/// The first pass reads slabs of the base, each some steps of its slowest axis, and sets them aside
/// transposed, one after the other. Along that axis the slabs joined are the result, and both passes
/// read and write long stretches.
enum TransposedBlocks {
  /// The bytes of a slab, unless one step of the slowest axis has more.
  private static let slabByteCount = 8 << 20
  private static let largestSlabByteCount = 16 << 20

  /// The transposition of `base` by `axes` over runs of `run` bytes, or nil where one step of the
  /// slowest axis is too large for memory.
  static func joined(
    _ base: any ByteSource, axes: [StridedAxis], run: Int, spoolFolder: String?
  ) throws -> Concatenated? {
    guard
      let slowest = axes.indices.max(by: { axes[$0].sourceStride < axes[$1].sourceStride }),
      axes[slowest].sourceStride <= largestSlabByteCount
    else { return nil }
    let axis = axes[slowest]
    let steps = stepsPerSlab(axis, unit: base.granularity)
    let spool = SpooledSource(byteCount: base.byteCount, folder: spoolFolder) { file in
      for first in stride(from: 0, to: axis.count, by: steps) {
        var slab = try transposedSlab(
          base, axes, run: run, slowest: slowest, first..<min(first + steps, axis.count))
        try slab.withMutableBytes { try file.write($0.bytes, at: first * axis.sourceStride) }
      }
    }
    let parts = try stride(from: 0, to: axis.count, by: steps).map { first in
      let count = min(steps, axis.count - first)
      return (
        source: try SourceRange(
          spool, offset: first * axis.sourceStride, byteCount: count * axis.sourceStride)
          as any ByteSource,
        run: count * axis.targetStride
      )
    }
    return Concatenated(parts)
  }

  /// As many steps as fit a slab, in whole units of the base where it has units.
  private static func stepsPerSlab(_ axis: StridedAxis, unit: Int) -> Int {
    let fitting = max(1, slabByteCount / axis.sourceStride)
    let stepsPerUnit = unit / axis.sourceStride
    guard stepsPerUnit > 1, fitting > stepsPerUnit else { return fitting }
    return fitting - fitting % stepsPerUnit
  }

  /// The steps `range` along the slowest axis, transposed among themselves.
  private static func transposedSlab(
    _ base: any ByteSource, _ axes: [StridedAxis], run: Int, slowest: Int, _ range: Range<Int>
  ) throws -> [UInt8] {
    var slabAxes = axes
    slabAxes[slowest].count = range.count
    var stride = run
    for index in slabAxes.indices.reversed() {
      slabAxes[index].targetStride = stride
      stride *= slabAxes[index].count
    }
    let step = axes[slowest].sourceStride
    let slab = try base.bytes(
      at: range.lowerBound * step, count: range.count * step, "a part of the tensor")
    var slabRun = run
    let copy = StridedCopy(slabAxes.coalesced(run: &slabRun), run: slabRun)
    var result = [UInt8](repeating: 0, count: slab.count)
    try result.withMutableBytes {
      try copy.perform(from: ArraySource(slab), at: 0, into: &$0, at: 0)
    }
    return result
  }
}
