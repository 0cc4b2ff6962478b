/// One axis of a strided copy: how many steps, and how far each goes on either side, in bytes.
struct StridedAxis: Equatable {
  var count: Int
  /// From one index to the next in what is read.
  var sourceStride: Int
  /// From one index to the next in what is written.
  var targetStride: Int
}

extension [StridedAxis] {
  /// The fewest axes that describe the same copy: axes of one step are dropped, neighbours that stay
  /// together on both sides become one, and what lies together with the `run` of contiguous bytes
  /// under the last axis joins it.
  func coalesced(run: inout Int) -> [StridedAxis] {
    var result: [StridedAxis] = []
    for axis in self where axis.count != 1 {
      if let last = result.last, last.sourceStride == axis.count * axis.sourceStride,
        last.targetStride == axis.count * axis.targetStride
      {
        result[result.count - 1] = StridedAxis(
          count: last.count * axis.count, sourceStride: axis.sourceStride,
          targetStride: axis.targetStride)
      } else {
        result.append(axis)
      }
    }
    if let last = result.last, last.sourceStride == run, last.targetStride == run {
      run *= last.count
      result.removeLast()
    }
    return result
  }

  /// Copies runs of `run` bytes within memory, as matrices along the axes that are contiguous on either side.
  func copy(
    run: Int, from source: borrowing RawSpan, at sourceOffset: Int,
    into target: inout MutableRawSpan, at targetOffset: Int
  ) {
    let row = firstIndex { $0.targetStride == run }
    let column = indices.first { $0 != row && self[$0].sourceStride == run }
    let outer = indices.filter { $0 != row && $0 != column }.map { self[$0] }
    var walk = AxisWalk(outer, source: sourceOffset, target: targetOffset)
    repeat {
      Kernels.transpose(
        rows: row.map { self[$0].count } ?? 1, columns: column.map { self[$0].count } ?? 1,
        width: run, from: source, at: walk.source, pitch: row.map { self[$0].sourceStride } ?? 0,
        into: &target, at: walk.target, pitch: column.map { self[$0].targetStride } ?? 0)
    } while walk.advance()
  }
}

/// Steps through all indices of some axes, the last one fastest, and keeps the offsets on both sides.
struct AxisWalk {
  private let axes: [StridedAxis]
  private var indices: [Int]
  /// The offset of the current index in what is read.
  private(set) var source: Int
  /// The offset of the current index in what is written.
  private(set) var target: Int

  init(_ axes: [StridedAxis], source: Int = 0, target: Int = 0) {
    self.axes = axes
    indices = Array(repeating: 0, count: axes.count)
    self.source = source
    self.target = target
  }

  /// The index along `axis` now.
  func index(_ axis: Int) -> Int { indices[axis] }

  /// Moves on; false after the last index.
  ///
  /// Every axis has at least one step.
  mutating func advance() -> Bool {
    var axis = axes.count - 1
    while axis >= 0 {
      source += axes[axis].sourceStride
      target += axes[axis].targetStride
      indices[axis] += 1
      if indices[axis] < axes[axis].count { return true }
      source -= axes[axis].count * axes[axis].sourceStride
      target -= axes[axis].count * axes[axis].targetStride
      indices[axis] = 0
      axis -= 1
    }
    return false
  }
}
