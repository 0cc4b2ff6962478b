private import Synchronization

/// What a cast did to the elements of a tensor; complex numbers count by components.
public struct CastReport: Sendable, Equatable {
  /// How many elements were cast.
  public var elements = 0
  /// Finite values that became infinite.
  public var overflowedToInfinity = 0
  /// Values beyond the target's largest (or smallest) that became it.
  public var saturated = 0
  /// Values other than zero that became zero.
  public var underflowedToZero = 0
  /// NaN in the source: NaN in a float target, 0 in an integer, true in a bool.
  public var nanKept = 0
  /// Numbers that became NaN: zero and negative numbers as float8_e8m0fnu.
  public var nanMade = 0
  /// Numbers that changed at all, those above included.
  public var inexact = 0
  /// The largest |new − old| / |old| of the numbers that were rounded to one other than zero; those
  /// that overflowed, saturated or became zero are counted above instead.
  public var largestRelativeError = 0.0

  /// A report of these numbers.
  public init(
    elements: Int = 0, overflowedToInfinity: Int = 0, saturated: Int = 0,
    underflowedToZero: Int = 0, nanKept: Int = 0, nanMade: Int = 0, inexact: Int = 0,
    largestRelativeError: Double = 0
  ) {
    self.elements = elements
    self.overflowedToInfinity = overflowedToInfinity
    self.saturated = saturated
    self.underflowedToZero = underflowedToZero
    self.nanKept = nanKept
    self.nanMade = nanMade
    self.inexact = inexact
    self.largestRelativeError = largestRelativeError
  }

  /// Adds the report of other elements of the same tensor; the order does not matter.
  public mutating func merge(_ other: CastReport) {
    elements += other.elements
    overflowedToInfinity += other.overflowedToInfinity
    saturated += other.saturated
    underflowedToZero += other.underflowedToZero
    nanKept += other.nanKept
    nanMade += other.nanMade
    inexact += other.inexact
    largestRelativeError = max(largestRelativeError, other.largestRelativeError)
  }
}

/// Collects the report of one tensor's cast while its elements stream by, on any threads.
///
/// Elements that are read again are not counted again.
public final class CastRecorder: Sendable {
  private struct State {
    var report = CastReport()
    /// The units of elements that were counted, as disjoint ranges in order.
    var counted: [Range<Int>] = []
  }

  private let state = Mutex(State())

  /// Nothing is recorded yet.
  public init() {}

  /// What is known so far; complete when every element was read.
  public var report: CastReport { state.withLock { $0.report } }

  /// Cuts `range` of units where they begin or cease to be counted already, and counts them all from now on.
  func claim(_ range: Range<Int>) -> [(range: Range<Int>, isNew: Bool)] {
    state.withLock { state in
      // All counted ranges that meet or touch this one become one with it.
      let first = state.counted.partition(before: range.lowerBound)
      var last = first
      var joined = range
      var pieces: [(range: Range<Int>, isNew: Bool)] = []
      var position = range.lowerBound
      while last < state.counted.count, state.counted[last].lowerBound <= range.upperBound {
        let counted = state.counted[last]
        joined =
          min(joined.lowerBound, counted.lowerBound)..<max(joined.upperBound, counted.upperBound)
        let overlap = counted.clamped(to: range)
        if position < overlap.lowerBound { pieces.append((position..<overlap.lowerBound, true)) }
        if !overlap.isEmpty { pieces.append((overlap, false)) }
        position = max(position, overlap.upperBound)
        last += 1
      }
      if position < range.upperBound { pieces.append((position..<range.upperBound, true)) }
      state.counted.replaceSubrange(first..<last, with: [joined])
      return pieces
    }
  }

  /// Adds the report of elements that were claimed as new.
  func add(_ report: CastReport) { state.withLock { $0.report.merge(report) } }

  /// The largest relative error so far: no loop need look at smaller ones.
  var largestRelativeError: Double { state.withLock { $0.report.largestRelativeError } }
}

extension [Range<Int>] {
  /// The index of the first range that does not end before `position`.
  fileprivate func partition(before position: Int) -> Int {
    var lower = 0
    var upper = count
    while lower < upper {
      let middle = (lower + upper) / 2
      if self[middle].upperBound < position { lower = middle + 1 } else { upper = middle }
    }
    return lower
  }
}
