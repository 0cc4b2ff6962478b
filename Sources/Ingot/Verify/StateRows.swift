internal import ReferenceModel
internal import Tensors

/// A state that a pass came to beside the golden's, in stretches of whole rows along the last axis.
///
/// The golden's are read as they are needed and neither side is widened as a whole: the logits of a
/// long text are the largest thing that a verification touches.
struct StateRows {
  /// Numbers of one side that are taken at a time, unless a row is longer.
  private static let stretch = 1 << 16

  let width: Int
  /// How many numbers count.
  let visibleCount: Int
  private let found: StateValue
  private let expected: Tensor
  /// The visible rows of each stretch, in runs.
  private let stretches: [[Range<Int>]]
  private let jobs: Int

  /// - Parameter isVisible: Whether each position counts, all rows of it; nil shows everything.
  init(_ found: StateValue, expected: Tensor, isVisible: [Bool]?, jobs: Int) {
    self.found = found
    self.expected = expected
    width = found.shape.last ?? 1
    let rows = width == 0 ? 0 : expected.shape.elementCount / width
    // Masks hide whole positions.
    let rowsEach = isVisible.map { max(1, rows / max(1, $0.count)) } ?? 1
    let step = max(1, Self.stretch / max(1, width))
    stretches = stride(from: 0, to: rows, by: step).map { first in
      var runs: [Range<Int>] = []
      for row in first..<min(first + step, rows) where isVisible?[row / rowsEach] ?? true {
        if let last = runs.last, last.upperBound == row {
          runs[runs.count - 1] = last.lowerBound..<row + 1
        } else {
          runs.append(row..<row + 1)
        }
      }
      return runs
    }
    visibleCount = width * stretches.joined().reduce(0) { $0 + $1.count }
    // What is inflated front to back is not for several threads.
    self.jobs = expected.source.access == .random ? jobs : 1
  }

  /// The sizes of the golden's numbers.
  ///
  /// - Throws: what reading throws.
  func magnitudes() throws -> Magnitudes {
    let type = expected.elementType
    return try reduced(into: Magnitudes()) { magnitudes, _, bytes in
      magnitudes.add(bytes, type)
    } merging: {
      $0.merge($1)
    }
  }

  /// How near the numbers lie.
  ///
  /// - Throws: what reading throws.
  func nearness(_ tolerance: Tolerance) throws -> Nearness {
    let (width, found, type) = (width, found, expected.elementType)
    return try reduced(into: Nearness(tolerance: tolerance)) { nearness, rows, bytes in
      let place = rows.lowerBound * width
      let elements = place..<rows.upperBound * width
      found.withBytes(of: elements) {
        nearness.add(
          $0, found.elementType, expected: bytes, type, width: width, at: place)
      }
    } merging: {
      $0.merge($1)
    }
  }

  /// Calls `add` with each run of visible rows of the golden on several threads, and merges what came of
  /// the stretches in their order, so that the sums do not depend on the threads.
  private func reduced<Sums: Sendable>(
    into empty: Sums,
    _ add: @Sendable (inout Sums, _ rows: Range<Int>, _ expected: RawSpan) -> Void,
    merging merge: (inout Sums, Sums) -> Void
  ) throws -> Sums {
    let (stretches, expected) = (stretches, expected)
    let rowByteCount = try expected.elementType.byteCount(of: width)
    let partial = try Workers.map(
      stretches.count, jobs: jobs, makeWorkspace: { [UInt8]() }
    ) { stretch, buffer in
      var sums = empty
      for rows in stretches[stretch] {
        let byteCount = rows.count * rowByteCount
        if buffer.count < byteCount { buffer = [UInt8](repeating: 0, count: byteCount) }
        try buffer.withMutableBytes { bytes in
          try bytes.withRange(0..<byteCount) { part in
            try expected.source.read(into: &part, at: rows.lowerBound * rowByteCount)
            add(&sums, rows, part.bytes)
          }
        }
      }
      return sums
    }
    return partial.reduce(into: empty, merge)
  }
}
