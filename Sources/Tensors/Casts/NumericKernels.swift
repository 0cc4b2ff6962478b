private import CKernels

/// What the numeric kernels take an element for: itself, or the two components of a complex number.
package struct NumericLayout: Sendable, Equatable {
  /// The real type of the components.
  package let componentType: ElementType
  /// How many components an element has.
  package let componentsPerElement: Int

  package init(_ type: ElementType) {
    componentType = type.row.component ?? type
    componentsPerElement = type.row.component == nil ? 1 : 2
  }
}

extension ElementType {
  /// The kernels' word for a real type; complex types go by their components.
  fileprivate var kernelType: ingot_type {
    guard let kernel = row.kernel else { preconditionFailure("no kernel takes \(name)") }
    return kernel
  }
}

extension Kernels {
  /// Whether `count` elements lie in so many bytes.
  private static func holds(_ byteCount: Int, _ count: Int, _ type: ElementType) -> Bool {
    count >= 0 && count <= type.layout.elementCount(inBytes: byteCount)
  }

  /// Casts `count` real elements and adds to `report`.
  ///
  /// Types below eight bits can only be the source, in whole bytes.
  package static func cast(
    _ count: Int, from source: RawSpan, _ sourceType: ElementType,
    into target: inout MutableRawSpan, _ targetType: ElementType, report: inout CastReport
  ) {
    precondition(sourceType.kind != .complex && targetType.kind != .complex)
    precondition(holds(source.byteCount, count, sourceType))
    precondition(
      targetType.layout.addressesElements && holds(target.byteCount, count, targetType))
    var sums = ingot_cast_report()
    sums.largest_relative_error = report.largestRelativeError
    // Both sizes were checked just above.
    unsafe source.withUnsafeBytes { from in
      unsafe target.withUnsafeMutableBytes { to in
        unsafe ingot_cast(
          to.baseAddress, targetType.kernelType, from.baseAddress, sourceType.kernelType, count,
          &sums)
      }
    }
    report.merge(
      CastReport(
        elements: count, overflowedToInfinity: Int(sums.overflowed), saturated: Int(sums.saturated),
        underflowedToZero: Int(sums.underflowed), nanKept: Int(sums.nan_in),
        nanMade: Int(sums.nan_made), inexact: Int(sums.inexact),
        largestRelativeError: sums.largest_relative_error))
  }

  /// What one pass over real elements finds.
  struct Sums {
    var zeros = 0
    var nans = 0
    var infinities = 0
    var finite = 0
    /// Of all values but NaN; +∞ where there are none.
    var min = Double.infinity
    /// Of all values but NaN; −∞ where there are none.
    var max = -Double.infinity
    /// Of the finite values.
    var mean = 0.0
    /// The squared distances of the finite values from the mean.
    var squares = 0.0
  }

  /// The sums of `count` real elements.
  static func sums(_ count: Int, of source: RawSpan, _ type: ElementType) -> Sums {
    precondition(type.kind != .complex && holds(source.byteCount, count, type))
    var sums = ingot_statistics_sums()
    sums.min = .infinity
    sums.max = -.infinity
    // The size was checked just above.
    unsafe source.withUnsafeBytes {
      unsafe ingot_statistics($0.baseAddress, type.kernelType, count, &sums)
    }
    return Sums(
      zeros: Int(sums.zeros), nans: Int(sums.nans), infinities: Int(sums.infinities),
      finite: Int(sums.finite), min: sums.min, max: sums.max, mean: sums.mean,
      squares: sums.squares)
  }

  /// The values of `count` real elements; 64-bit integers are rounded.
  package static func float64s(_ count: Int, of source: RawSpan, _ type: ElementType) -> [Double] {
    guard !type.hasBlocks else {
      return withKernelElements(source, type) { float64s(count, of: $0, $1) }
    }
    precondition(type.kind != .complex && holds(source.byteCount, count, type))
    // The size was checked just above, and the kernel fills all `count` values.
    return unsafe [Double](unsafeUninitializedCapacity: count) { target, initialized in
      unsafe source.withUnsafeBytes {
        unsafe ingot_to_float64(target.baseAddress, $0.baseAddress, type.kernelType, count)
      }
      initialized = count
    }
  }

  /// What `Nearness` adds up.
  struct NearnessSums {
    var outside = 0
    var notFinite = 0
    var farthest = 0.0
    var distances = 0.0
    var products = 0.0
    var foundSquares = 0.0
    var expectedSquares = 0.0
    var worst = 0.0
    /// Of the first number that is not finite, else of the worst.
    var position = 0
    var agreeingRows = 0

    mutating func merge(_ other: NearnessSums) {
      if notFinite == 0, other.notFinite > 0 || other.worst > worst { position = other.position }
      outside += other.outside
      notFinite += other.notFinite
      farthest = max(farthest, other.farthest)
      distances += other.distances
      products += other.products
      foundSquares += other.foundSquares
      expectedSquares += other.expectedSquares
      worst = max(worst, other.worst)
      agreeingRows += other.agreeingRows
    }
  }

  /// Adds `rows` rows of `width` numbers, the first of which has the place `start`.
  static func addNearness(
    rows: Int, width: Int, of found: RawSpan, _ foundType: ElementType, to expected: RawSpan,
    _ expectedType: ElementType, _ tolerance: Tolerance, at start: Int, _ sums: inout NearnessSums
  ) {
    let count = rows * width
    precondition(foundType.kind != .complex && expectedType.kind != .complex)
    precondition(foundType.layout.addressesElements && expectedType.layout.addressesElements)
    precondition(holds(found.byteCount, count, foundType))
    precondition(holds(expected.byteCount, count, expectedType) && start >= 0)
    var added = ingot_nearness_sums()
    // Both sizes were checked just above.
    unsafe found.withUnsafeBytes { found in
      unsafe expected.withUnsafeBytes { expected in
        unsafe ingot_nearness(
          found.baseAddress, foundType.kernelType, expected.baseAddress, expectedType.kernelType,
          rows, width, tolerance.relative, tolerance.absolute, UInt64(start), &added)
      }
    }
    sums.merge(
      NearnessSums(
        outside: Int(added.outside), notFinite: Int(added.not_finite), farthest: added.farthest,
        distances: added.distances, products: added.products, foundSquares: added.squares_a,
        expectedSquares: added.squares_b, worst: added.worst, position: Int(added.position),
        agreeingRows: Int(added.agreeing_rows)))
  }

  /// Adds the magnitudes of the finite numbers.
  static func addMagnitudes(
    of source: RawSpan, _ type: ElementType, sum: inout Double, largest: inout Double
  ) {
    precondition(type.kind != .complex && type.layout.addressesElements)
    let count = type.layout.elementCount(inBytes: source.byteCount)
    // As many whole elements as the bytes hold.
    unsafe source.withUnsafeBytes {
      unsafe ingot_magnitudes($0.baseAddress, type.kernelType, count, &sum, &largest)
    }
  }

  /// What comparing two spans of real numbers finds.
  struct Differences {
    /// How many elements differ.
    var different = 0
    /// The first of them, where there are any.
    var first: Int?
    /// Elements with a number that is NaN on one side only.
    var loneNaNs = 0
    var maxAbsolute = 0.0
    /// The largest distance in representable numbers, within one type.
    var maxSteps: UInt64 = 0
  }

  /// Compares `count` numbers with as many, `components` of which make an element.
  static func differences(
    _ count: Int, of a: RawSpan, _ typeA: ElementType, from b: RawSpan, _ typeB: ElementType,
    components: Int, tolerance: Tolerance?
  ) -> Differences {
    precondition(typeA.kind != .complex && holds(a.byteCount, count, typeA))
    precondition(typeB.kind != .complex && holds(b.byteCount, count, typeB))
    precondition(components > 0 && count % components == 0)
    var how = ingot_comparison(
      components: components, has_tolerance: tolerance == nil ? 0 : 1,
      relative: tolerance?.relative ?? 0, absolute: tolerance?.absolute ?? 0)
    var found = ingot_differences()
    // Both sizes were checked just above.
    unsafe a.withUnsafeBytes { a in
      unsafe b.withUnsafeBytes { b in
        unsafe ingot_compare(
          a.baseAddress, typeA.kernelType, b.baseAddress, typeB.kernelType, count, &how, &found)
      }
    }
    return Differences(
      different: Int(found.different), first: found.different > 0 ? Int(found.first) : nil,
      loneNaNs: Int(found.lone_nans), maxAbsolute: found.max_absolute, maxSteps: found.max_steps)
  }
}
