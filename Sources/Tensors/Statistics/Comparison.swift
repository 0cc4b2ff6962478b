/// How far two values may lie apart: |a − b| ≤ absolute + relative · |b|.
public struct Tolerance: Sendable, Equatable {
  /// The part that grows with the second value.
  public var relative: Double
  /// The part that does not.
  public var absolute: Double

  /// A tolerance of `relative` of the second value and `absolute` more.
  public init(relative: Double = 0, absolute: Double = 0) {
    self.relative = relative
    self.absolute = absolute
  }
}

/// How two tensors of one shape differ, added up piece by piece.
///
/// Without a tolerance elements are equal when their bytes are, and those of a block when its bytes are. With
/// one their values count, as
/// float64, whatever the types: NaN equals NaN, an infinity equals itself. Complex numbers differ where
/// a component does.
public struct Comparison: Sendable {
  /// How many elements were compared.
  public private(set) var count = 0
  /// How many differ, by more than the tolerance where there is one.
  public private(set) var different = 0
  /// The index of the first that does.
  public private(set) var firstDifference: Int?
  /// Elements that are NaN on one side only; they differ and enter no maximum.
  public private(set) var nanOnOneSide = 0
  /// The largest |a − b|, differences within the tolerance included.
  public private(set) var maxAbsolute = 0.0
  /// The largest distance in representable numbers; nil unless both are the same float type.
  public private(set) var maxULP: UInt64?
  private var largestB = 0.0

  private let typeA: ElementType
  private let typeB: ElementType
  private let tolerance: Tolerance?

  /// Nothing compared yet.
  ///
  /// - Throws: `unsupported` between a real and a complex type, and for two types without a tolerance.
  public init(_ typeA: ElementType, _ typeB: ElementType, tolerance: Tolerance?) throws {
    guard
      typeA == typeB
        || tolerance != nil
          && NumericLayout(typeA).componentsPerElement == NumericLayout(typeB).componentsPerElement
    else {
      throw IngotError(
        .unsupported, "\(typeA.name) and \(typeB.name) have no elements that could be equal",
        hint: tolerance == nil ? "with a tolerance, values are compared across types" : nil)
    }
    self.typeA = typeA
    self.typeB = typeB
    self.tolerance = tolerance
    let hasSteps = !typeA.hasBlocks && !typeB.hasBlocks
    maxULP =
      hasSteps && typeA == typeB && (typeA.kind == .float || typeA.kind == .complex) ? 0 : nil
  }

  /// Whether nothing differs.
  public var isEqual: Bool { different == 0 }

  /// The largest |a − b| relative to the largest |b|, or to 1 where that is smaller.
  public var maxRelative: Double {
    maxAbsolute.isInfinite ? .infinity : maxAbsolute / Swift.max(1, largestB)
  }

  /// Adds as many elements from both sides, the first of which has the index `count`.
  public mutating func add(_ a: RawSpan, _ b: RawSpan) {
    let blocks = tolerance == nil && typeA.hasBlocks ? differentBlocks(a, b) : nil
    Kernels.withKernelElements(a, typeA) { a, typeA in
      Kernels.withKernelElements(b, typeB) { b, typeB in add(a, typeA, b, typeB, blocks) }
    }
  }

  /// How many elements lie in blocks that differ, and the first of them.
  private func differentBlocks(_ a: RawSpan, _ b: RawSpan) -> (different: Int, first: Int?) {
    let layout = typeA.layout
    precondition(a.byteCount == b.byteCount && layout.areWholeBlocks(a.byteCount))
    let (a, b) = (Span<UInt8>(_bytes: a), Span<UInt8>(_bytes: b))
    var found: (different: Int, first: Int?) = (0, nil)
    for block in 0..<a.count / layout.bytesPerBlock {
      let bytes = block * layout.bytesPerBlock..<(block + 1) * layout.bytesPerBlock
      guard bytes.contains(where: { a[$0] != b[$0] }) else { continue }
      found.first = found.first ?? block * layout.elementsPerBlock
      found.different += layout.elementsPerBlock
    }
    return found
  }

  private mutating func add(
    _ a: RawSpan, _ typeA: ElementType, _ b: RawSpan, _ typeB: ElementType,
    _ blocks: (different: Int, first: Int?)?
  ) {
    let layoutA = NumericLayout(typeA)
    let layoutB = NumericLayout(typeB)
    let (componentA, componentB) = (layoutA.componentType, layoutB.componentType)
    let components = componentB.layout.elementCount(inBytes: b.byteCount)
    precondition(components == componentA.layout.elementCount(inBytes: a.byteCount))
    precondition(
      componentA.layout.areWholeBlocks(a.byteCount) && componentB.layout.areWholeBlocks(b.byteCount)
    )
    let sums = Kernels.sums(components, of: b, componentB)
    let largest = [-sums.min, sums.max].filter(\.isFinite).max() ?? 0
    largestB = Swift.max(largestB, largest)
    var found = Kernels.differences(
      components, of: a, componentA, from: b, componentB,
      components: layoutB.componentsPerElement, tolerance: tolerance)
    if let blocks { (found.different, found.first) = blocks }
    if firstDifference == nil { firstDifference = found.first.map { $0 + count } }
    count += components / layoutB.componentsPerElement
    different += found.different
    nanOnOneSide += found.loneNaNs
    maxAbsolute = Swift.max(maxAbsolute, found.maxAbsolute)
    maxULP = maxULP.map { Swift.max($0, found.maxSteps) }
  }

  /// Adds the comparison of the elements that follow.
  public mutating func merge(_ other: Comparison) {
    if firstDifference == nil { firstDifference = other.firstDifference.map { $0 + count } }
    count += other.count
    different += other.different
    nanOnOneSide += other.nanOnOneSide
    maxAbsolute = Swift.max(maxAbsolute, other.maxAbsolute)
    largestB = Swift.max(largestB, other.largestB)
    maxULP = maxULP.flatMap { ulp in other.maxULP.map { Swift.max(ulp, $0) } }
  }
}
