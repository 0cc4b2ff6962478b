/// The elements of another source as another type.
///
/// Every value is rounded once, from the source's own value, to the nearest of the target, ties to
/// even (also to integers, where NumPy and PyTorch cut off the fraction). What exceeds the target
/// becomes infinite where the target has infinities (float32, float16, bfloat16, float8_e5m2), and
/// its largest value where it has none (the other float8 types, integers): the saturating mode of the
/// OCP specification, where ml_dtypes and PyTorch make NaN. NaN stays NaN, with its sign and the upper
/// bits of its payload where the target has room, and quiet; as an integer it is 0, as bool true. A
/// bool is 0 or 1 whatever its byte. The float8 types without a negative zero take it as zero.
/// float8_e8m0fnu knows only powers of two: ties go up as ml_dtypes has them, and zero and negative
/// numbers become NaN.
///
/// Elements below eight bits are packed from the lowest bit of each byte up, as ONNX and PyTorch pack
/// them; they can be cast from, not to.
public struct CastSource: ByteSource {
  /// Bytes of the base that are cast at a time, unless its own units are larger.
  private static let stageByteCount = 256 << 10
  private static let largestStageByteCount = 16 << 20

  /// The bytes of the elements in the target type.
  public let byteCount: Int
  private let base: any ByteSource
  private let sourceType: ElementType
  private let targetType: ElementType
  private let targetByteWidth: Int
  /// The fewest elements that fill whole bytes of the base.
  private let unit: Int
  private let unitByteWidth: Int
  private let recorder: CastRecorder

  /// `base`, which holds elements of `sourceType`, as `targetType`.
  ///
  /// - Throws: `unsupported` for a target below eight bits, or between real and complex numbers;
  ///   `malformed` where `base` does not hold whole elements.
  public init(
    _ base: any ByteSource, from sourceType: ElementType, to targetType: ElementType,
    recorder: CastRecorder = CastRecorder()
  ) throws {
    let source = NumericLayout(sourceType)
    let target = NumericLayout(targetType)
    guard let targetByteWidth = target.componentType.byteWidth,
      source.componentsPerElement == target.componentsPerElement
    else {
      throw IngotError(
        .unsupported, "\(sourceType.name) cannot be cast to \(targetType.name)",
        hint: targetType.byteWidth == nil
          ? "types below eight bits are copied, not made"
          : "real and complex numbers are not cast into each other")
    }
    let bitWidth = source.componentType.bitWidth
    unit = bitWidth % 8 == 0 ? 1 : bitWidth % 4 == 0 ? 2 : 4
    unitByteWidth = unit * bitWidth / 8
    guard base.byteCount % (unitByteWidth * source.componentsPerElement) == 0 else {
      throw IngotError(
        .malformed, "\(base.byteCount) bytes are not whole elements of \(sourceType.name)")
    }
    self.base = base
    self.sourceType = source.componentType
    self.targetType = target.componentType
    self.targetByteWidth = targetByteWidth
    self.recorder = recorder
    byteCount = try (base.byteCount / unitByteWidth * unit).multiplied(
      by: targetByteWidth, "the size of the tensor as \(targetType.name)")
  }

  /// How the base likes to be read.
  public var access: AccessPattern { base.access }

  /// The base's, in the bytes of the target.
  public var granularity: Int {
    let units = base.granularity / unitByteWidth
    return units > 1 && base.granularity % unitByteWidth == 0
      ? units * unit * targetByteWidth : 1
  }

  /// Casts the elements of the range; those that it cuts are cast whole beside the buffer.
  public func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    let width = unit * targetByteWidth
    let end = offset + buffer.byteCount
    let firstWhole = min(offset.roundedUp(toMultipleOf: width), end)
    let lastWhole = max(end - end % width, firstWhole)
    try castPartialUnit(offset..<firstWhole, into: &buffer, at: 0)
    let elements = firstWhole / targetByteWidth..<lastWhole / targetByteWidth
    if !elements.isEmpty {
      try buffer.withRange(firstWhole - offset..<lastWhole - offset) {
        try cast(elements, into: &$0)
      }
    }
    try castPartialUnit(lastWhole..<end, into: &buffer, at: lastWhole - offset)
  }

  /// Fills in `range`, which lies within one unit.
  private func castPartialUnit(
    _ range: Range<Int>, into buffer: inout MutableRawSpan, at position: Int
  ) throws {
    guard !range.isEmpty else { return }
    let width = unit * targetByteWidth
    let start = range.lowerBound - range.lowerBound % width
    let first = start / targetByteWidth
    var whole = [UInt8](repeating: 0, count: width)
    try whole.withMutableBytes { try cast(first..<first + unit, into: &$0) }
    buffer.copy(from: whole, at: range.lowerBound - start, count: range.count, to: position)
  }

  /// Casts `elements`, which are whole units, into all of `buffer`.
  private func cast(_ elements: Range<Int>, into buffer: inout MutableRawSpan) throws {
    let stageUnits = max(1, stageByteCount / unitByteWidth)
    var stage = [UInt8](
      repeating: 0, count: min(stageUnits, elements.count / unit) * unitByteWidth)
    for piece in recorder.claim(elements) {
      var report = CastReport()
      report.largestRelativeError = recorder.largestRelativeError
      var first = piece.range.lowerBound
      while first < piece.range.upperBound {
        let count = min(stageUnits * unit, piece.range.upperBound - first)
        let target = (first - elements.lowerBound) * targetByteWidth
        try stage.withMutableBytes { stage in
          try stage.withRange(0..<count / unit * unitByteWidth) { part in
            try base.read(into: &part, at: first / unit * unitByteWidth)
            buffer.withRange(target..<target + count * targetByteWidth) {
              Kernels.cast(
                count, from: part.bytes, sourceType, into: &$0, targetType, report: &report)
            }
          }
        }
        first += count
      }
      if piece.isNew { recorder.add(report) }
    }
  }

  private var stageByteCount: Int {
    max(Self.stageByteCount, min(base.granularity, Self.largestStageByteCount))
  }
}

extension Tensor {
  /// The tensor with its elements as another type; itself where that is its type.
  ///
  /// - Parameter recorder: Receives the report of the cast while the elements are read.
  /// - Throws: `unsupported` for a type below eight bits, or between real and complex numbers.
  public func cast(
    to type: ElementType, recorder: CastRecorder = CastRecorder()
  ) throws -> Tensor {
    guard type != elementType else { return self }
    if let obstacle { return try Tensor(elementType: type, shape: shape, obstacle: obstacle) }
    return try Tensor(
      elementType: type, shape: shape,
      source: CastSource(source, from: elementType, to: type, recorder: recorder),
      storage: storage?.viewed("cast[\(type.name)]"))
  }
}
