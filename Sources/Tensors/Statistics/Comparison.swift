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
/// Without a tolerance elements are equal when their bytes are. With one their values count, as
/// float64, whatever the types: NaN equals NaN, an infinity equals itself. Complex numbers differ where
/// a component does.
public struct Comparison: Sendable {
  /// Components that are compared, or found equal, at a time.
  private static let blockLength = 4096

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
    maxULP = typeA == typeB && (typeA.kind == .float || typeA.kind == .complex) ? 0 : nil
  }

  /// Whether nothing differs.
  public var isEqual: Bool { different == 0 }

  /// The largest |a − b| relative to the largest |b|, or to 1 where that is smaller.
  public var maxRelative: Double {
    maxAbsolute.isInfinite ? .infinity : maxAbsolute / Swift.max(1, largestB)
  }

  /// Adds as many elements from both sides, the first of which has the index `count`.
  public mutating func add(_ a: RawSpan, _ b: RawSpan) {
    let layoutA = NumericLayout(typeA)
    let layoutB = NumericLayout(typeB)
    let (componentA, componentB) = (layoutA.componentType, layoutB.componentType)
    let components = b.byteCount * 8 / componentB.bitWidth
    precondition(components * componentA.bitWidth == a.byteCount * 8)
    let sums = Kernels.sums(components, of: b, componentB)
    let largest = [-sums.min, sums.max].filter(\.isFinite).max() ?? 0
    largestB = Swift.max(largestB, largest)
    var first = 0
    while first < components {
      let block = first..<min(first + Self.blockLength, components)
      let partA = a.extracting(block.bytes(of: componentA))
      let partB = b.extracting(block.bytes(of: componentB))
      if typeA != typeB || Kernels.firstDifference(partA, partB) != nil {
        compare(partA, componentA, partB, componentB, block.count, layoutB.componentsPerElement)
      }
      count += block.count / layoutB.componentsPerElement
      first = block.upperBound
    }
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

  /// Compares a block element by element.
  private mutating func compare(
    _ bytesA: RawSpan, _ typeOfA: ElementType, _ bytesB: RawSpan, _ typeOfB: ElementType,
    _ components: Int, _ componentsPerElement: Int
  ) {
    let a = Kernels.float64s(components, of: bytesA, typeOfA)
    let b = Kernels.float64s(components, of: bytesB, typeOfB)
    let codes = typeA == typeB ? BlockCodes(bytesA, bytesB, components, typeOfA) : nil
    for element in 0..<components / componentsPerElement {
      var differs = false
      var hasLoneNaN = false
      for index in element * componentsPerElement..<(element + 1) * componentsPerElement {
        if let codes, codes.a[index] == codes.b[index] { continue }
        let (x, y) = (a[index], b[index])
        if x.isNaN || y.isNaN {
          hasLoneNaN = hasLoneNaN || x.isNaN != y.isNaN
          differs = differs || tolerance == nil || x.isNaN != y.isNaN
          continue
        }
        let distance = codes?.integerDistance(index) ?? (x == y ? 0 : abs(x - y))
        maxAbsolute = Swift.max(maxAbsolute, distance)
        if let codes { maxULP = maxULP.map { Swift.max($0, codes.steps(index)) } }
        differs = differs || !isTolerable(distance, from: y)
      }
      nanOnOneSide += hasLoneNaN ? 1 : 0
      if differs {
        different += 1
        firstDifference = firstDifference ?? count + element
      }
    }
  }

  /// Whether a number may lie `distance` from `value`. An infinity is near nothing but itself.
  private func isTolerable(_ distance: Double, from value: Double) -> Bool {
    guard let tolerance, distance.isFinite else { return false }
    return distance == 0 || distance <= tolerance.absolute + tolerance.relative * abs(value)
  }
}

/// The bits of the elements of a block, on both sides of one type.
private struct BlockCodes {
  let a: [UInt64]
  let b: [UInt64]
  let type: ElementType

  init(_ bytesA: RawSpan, _ bytesB: RawSpan, _ count: Int, _ type: ElementType) {
    self.type = type
    a = Self.codes(bytesA, count, type)
    b = Self.codes(bytesB, count, type)
  }

  private static func codes(_ bytes: RawSpan, _ count: Int, _ type: ElementType) -> [UInt64] {
    // Any bits are a number, and the reads stay within the block.
    switch type.bitWidth {
    case 64:
      (0..<count).map { unsafe bytes.unsafeLoadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) }
    case 32:
      (0..<count).map {
        UInt64(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self))
      }
    case 16:
      (0..<count).map {
        UInt64(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: $0 * 2, as: UInt16.self))
      }
    default:
      (0..<count).map { index in
        let bit = index * type.bitWidth
        let last = (bit + type.bitWidth - 1) / 8
        let low = UInt64(unsafe bytes.unsafeLoad(fromByteOffset: bit / 8, as: UInt8.self))
        let high = UInt64(unsafe bytes.unsafeLoad(fromByteOffset: last, as: UInt8.self))
        return (low | high << 8) >> UInt64(bit % 8) & (1 << UInt64(type.bitWidth) - 1)
      }
    }
  }

  /// How many representable numbers two floats are apart.
  func steps(_ index: Int) -> UInt64 {
    // A type without a sign has only magnitudes.
    let signBit: UInt64 = type == .float8E8M0FNU ? 1 << 8 : 1 << UInt64(type.bitWidth - 1)
    let magnitudeA = a[index] & (signBit - 1)
    let magnitudeB = b[index] & (signBit - 1)
    guard a[index] & signBit == b[index] & signBit else { return magnitudeA + magnitudeB }
    return magnitudeA > magnitudeB ? magnitudeA - magnitudeB : magnitudeB - magnitudeA
  }

  /// The distance of two 64-bit integers, which as float64 may look equal; nil for other types.
  func integerDistance(_ index: Int) -> Double? {
    guard type == .int64 || type == .uint64 else { return nil }
    // With the sign bit turned, the order of the codes is that of the numbers.
    let turn: UInt64 = type == .int64 ? 1 << 63 : 0
    let (x, y) = (a[index] ^ turn, b[index] ^ turn)
    return Double(x > y ? x - y : y - x)
  }
}

extension Range<Int> {
  /// Where the elements of this range lie; it begins and ends at whole bytes.
  fileprivate func bytes(of type: ElementType) -> Range<Int> {
    lowerBound * type.bitWidth / 8..<upperBound * type.bitWidth / 8
  }
}
