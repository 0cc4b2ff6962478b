/// How near computed numbers lie to expected ones, row by row, added up piece by piece.
///
/// What is not finite, on either side, lies too far apart and enters nothing else. Merging in the order
/// of the pieces gives the same bits every time.
package struct Nearness: Sendable {
  /// How far two numbers may lie apart.
  package let tolerance: Tolerance
  /// How many numbers were compared.
  package private(set) var count = 0
  private var sums = Kernels.NearnessSums()

  /// Nothing compared yet.
  package init(tolerance: Tolerance) {
    self.tolerance = tolerance
  }

  /// Adds rows of `width` numbers, the first of which has the place `start`.
  ///
  /// Types are real, and each of their elements has bytes of its own.
  package mutating func add(
    _ found: RawSpan, _ foundType: ElementType, expected: RawSpan, _ expectedType: ElementType,
    width: Int, at start: Int
  ) {
    let rows = width == 0 ? 0 : foundType.layout.elementCount(inBytes: found.byteCount) / width
    Kernels.addNearness(
      rows: rows, width: width, of: found, foundType, to: expected, expectedType, tolerance,
      at: start, &sums)
    count += rows * width
  }

  /// Adds what lies behind.
  package mutating func merge(_ other: Nearness) {
    count += other.count
    sums.merge(other.sums)
  }

  /// How many numbers lie too far apart.
  package var outside: Int { sums.outside }
  /// How many are NaN or infinite, on either side.
  package var notFinite: Int { sums.notFinite }
  /// The largest |a − b|.
  package var maxAbsolute: Double { sums.farthest }
  /// The mean |a − b|.
  package var meanAbsolute: Double { count == 0 ? 0 : sums.distances / Double(count) }
  /// The largest |a − b| as a multiple of what it may be.
  package var worst: Double { sums.worst }
  /// The place of the first number that is not finite, else of the worst; nil where all are equal.
  package var worstPosition: Int? {
    sums.notFinite > 0 || sums.worst > 0 ? sums.position : nil
  }
  /// The cosine of the angle between both sides; nil where one is 0.
  package var cosine: Double? {
    let norm = (sums.foundSquares * sums.expectedSquares).squareRoot()
    return norm > 0 && norm.isFinite ? sums.products / norm : nil
  }
  /// How many rows have their largest numbers at the same place; void where some are not finite.
  package var agreeingRows: Int { sums.agreeingRows }
}

/// The size of numbers, added up piece by piece; what is not finite does not count.
package struct Magnitudes: Sendable {
  /// The sum of |b|.
  package private(set) var sum = 0.0
  /// The largest |b|.
  package private(set) var largest = 0.0

  /// No numbers yet.
  package init() {}

  /// Adds the numbers of a real type whose elements each have bytes of their own.
  package mutating func add(_ bytes: RawSpan, _ type: ElementType) {
    Kernels.addMagnitudes(of: bytes, type, sum: &sum, largest: &largest)
  }

  /// Adds what lies behind.
  package mutating func merge(_ other: Magnitudes) {
    sum += other.sum
    largest = max(largest, other.largest)
  }
}
