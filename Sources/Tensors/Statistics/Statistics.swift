/// What the elements of a tensor are like, in one pass.
///
/// Least, largest, mean and deviation are exact to float64's rounding: pieces are taken as mean and
/// squared distances from it, so that nothing cancels. Merging in the order of the pieces gives the
/// same bits every time. A bool counts as 0 or 1. Complex numbers have no order: of them zeros, NaN
/// and infinities are counted (a number is NaN if either component is, else infinite if either is),
/// and the rest is nil.
public struct Statistics: Sendable {
  /// How many elements there are.
  public private(set) var count = 0
  /// Elements equal to zero.
  public private(set) var zeros = 0
  /// Elements that are no number.
  public private(set) var nan = 0
  /// Infinite elements of either sign.
  public private(set) var infinite = 0
  private var sums = Kernels.Sums()

  /// The statistics of no elements.
  public init() {}

  /// The statistics of the elements of `type` in `bytes`, which must be whole elements.
  public init(of bytes: RawSpan, type: ElementType) {
    let layout = NumericLayout(type)
    precondition(type.layout.areWholeBlocks(bytes.byteCount))
    count = type.layout.elementCount(inBytes: bytes.byteCount)
    guard layout.componentsPerElement == 1 else {
      countComplex(Kernels.float64s(2 * count, of: bytes, layout.componentType))
      return
    }
    sums = Kernels.withKernelElements(bytes, type) { Kernels.sums(count, of: $0, $1) }
    zeros = sums.zeros
    nan = sums.nans
    infinite = sums.infinities
  }

  private mutating func countComplex(_ components: [Double]) {
    for index in 0..<count {
      let real = components[2 * index]
      let imaginary = components[2 * index + 1]
      if real.isNaN || imaginary.isNaN {
        nan += 1
      } else if real.isInfinite || imaginary.isInfinite {
        infinite += 1
      } else if real == 0, imaginary == 0 {
        zeros += 1
      }
    }
  }

  /// Adds the statistics of the elements that follow.
  public mutating func merge(_ other: Statistics) {
    count += other.count
    zeros += other.zeros
    nan += other.nan
    infinite += other.infinite
    sums.min = Swift.min(sums.min, other.sums.min)
    sums.max = Swift.max(sums.max, other.sums.max)
    guard other.sums.finite > 0 else { return }
    let all = Double(sums.finite + other.sums.finite)
    let share = Double(other.sums.finite) / all
    let distance = other.sums.mean - sums.mean
    sums.mean += distance * share
    sums.squares += other.sums.squares + distance * distance * Double(sums.finite) * share
    sums.finite += other.sums.finite
  }

  /// The least of all elements but NaN, infinities included; nil where there is none.
  public var min: Double? { sums.min <= sums.max ? sums.min : nil }
  /// The largest of all elements but NaN, infinities included; nil where there is none.
  public var max: Double? { sums.min <= sums.max ? sums.max : nil }
  /// The mean of the finite elements; nil where there is none or their sum exceeds float64.
  public var mean: Double? { sums.finite > 0 && sums.mean.isFinite ? sums.mean : nil }
  /// The standard deviation of the finite elements, as NumPy has it (divided by their number).
  public var standardDeviation: Double? {
    guard sums.finite > 0, sums.squares.isFinite else { return nil }
    return (sums.squares / Double(sums.finite)).squareRoot()
  }
}
