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
///
/// Blocks are decoded to float32 before they are cast, and made of numbers that were rounded to float32, as
/// ggml's reference makes them. NaN, infinities and what exceeds a block's scale are errors of the read.
public struct CastSource: ByteSource {
  /// Bytes of the base that are cast at a time, unless its own units are larger.
  private static let stageByteCount = 256 << 10
  private static let largestStageByteCount = 16 << 20

  /// The bytes of the elements in the target type.
  public let byteCount: Int
  private let base: any ByteSource
  private let sourceType: ElementType
  private let targetType: ElementType
  /// The fewest elements that are whole blocks on both sides.
  private let unit: Int
  private let unitByteWidth: Int
  private let targetUnitByteWidth: Int
  private let recorder: CastRecorder

  /// `base`, which holds elements of `sourceType`, as `targetType`.
  ///
  /// - Throws: `unsupported` for a target that is not made, or between real and complex numbers;
  ///   `malformed` where `base` does not hold whole elements.
  public init(
    _ base: any ByteSource, from sourceType: ElementType, to targetType: ElementType,
    recorder: CastRecorder = CastRecorder()
  ) throws {
    let source = NumericLayout(sourceType)
    let target = NumericLayout(targetType)
    let isMade =
      targetType.layout.addressesElements || targetType.row.codec is any BlockEncoder.Type
    guard isMade,
      source.componentsPerElement == target.componentsPerElement
    else {
      throw IngotError(
        .unsupported, "\(sourceType.name) cannot be cast to \(targetType.name)",
        hint: isMade
          ? "real and complex numbers are not cast into each other"
          : targetType.hasBlocks
            ? "\(targetType.name) is decoded, not made"
            : "types below eight bits are copied, not made")
    }
    unit = source.componentType.layout.elementsPerBlock.leastCommonMultiple(
      target.componentType.layout.elementsPerBlock)
    unitByteWidth = try source.componentType.byteCount(of: unit)
    targetUnitByteWidth = try target.componentType.byteCount(of: unit)
    guard base.byteCount % (unitByteWidth * source.componentsPerElement) == 0 else {
      throw IngotError(
        .malformed, "\(base.byteCount) bytes are not whole elements of \(sourceType.name)")
    }
    self.base = base
    self.sourceType = source.componentType
    self.targetType = target.componentType
    self.recorder = recorder
    byteCount = try (base.byteCount / unitByteWidth).multiplied(
      by: targetUnitByteWidth, "the size of the tensor as \(targetType.name)")
  }

  /// How the base likes to be read.
  public var access: AccessPattern { base.access }

  /// The base's, in the bytes of the target.
  public var granularity: Int {
    let units = base.granularity / unitByteWidth
    return units > 1 && base.granularity % unitByteWidth == 0
      ? units * targetUnitByteWidth : 1
  }

  /// Casts the elements of the range; those that it cuts are cast whole beside the buffer.
  public func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    let width = targetUnitByteWidth
    let end = offset + buffer.byteCount
    let firstWhole = min(offset.roundedUp(toMultipleOf: width), end)
    let lastWhole = max(end - end % width, firstWhole)
    try castPartialUnit(offset..<firstWhole, into: &buffer, at: 0)
    let units = firstWhole / width..<lastWhole / width
    if !units.isEmpty {
      try buffer.withRange(firstWhole - offset..<lastWhole - offset) {
        try cast(units, into: &$0)
      }
    }
    try castPartialUnit(lastWhole..<end, into: &buffer, at: lastWhole - offset)
  }

  /// Fills in `range`, which lies within one unit.
  private func castPartialUnit(
    _ range: Range<Int>, into buffer: inout MutableRawSpan, at position: Int
  ) throws {
    guard !range.isEmpty else { return }
    let first = range.lowerBound / targetUnitByteWidth
    var whole = [UInt8](repeating: 0, count: targetUnitByteWidth)
    try whole.withMutableBytes { try cast(first..<first + 1, into: &$0) }
    buffer.copy(
      from: whole, at: range.lowerBound % targetUnitByteWidth, count: range.count, to: position)
  }

  /// Casts `units` into all of `buffer`.
  private func cast(_ units: Range<Int>, into buffer: inout MutableRawSpan) throws {
    let stageUnits = max(1, stageByteCount / unitByteWidth)
    var stage = [UInt8](repeating: 0, count: min(stageUnits, units.count) * unitByteWidth)
    for piece in recorder.claim(units) {
      var report = CastReport()
      report.largestRelativeError = recorder.largestRelativeError
      var first = piece.range.lowerBound
      while first < piece.range.upperBound {
        let count = min(stageUnits, piece.range.upperBound - first)
        let target = (first - units.lowerBound) * targetUnitByteWidth
        try stage.withMutableBytes { stage in
          try stage.withRange(0..<count * unitByteWidth) { part in
            try base.read(into: &part, at: first * unitByteWidth)
            try buffer.withRange(target..<target + count * targetUnitByteWidth) {
              try Kernels.castAny(
                count * unit, at: first * unit, from: part.bytes, sourceType, into: &$0, targetType,
                report: &report)
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
  /// - Throws: `unsupported` for a type that is not made, rows that do not fill its blocks, or between real
  ///   and complex numbers.
  public func cast(
    to type: ElementType, recorder: CastRecorder = CastRecorder()
  ) throws -> Tensor {
    guard type != elementType else { return self }
    guard shape.fillsBlocks(of: type) else {
      throw IngotError(
        .unsupported,
        "shape \(shape) cannot be cast to \(type.name), whose blocks take \(type.layout.elementsPerBlock) elements of the last dimension",
        hint: "--dtype 'PATTERN=\(type.name)' casts only some of the tensors")
    }
    if let obstacle { return try Tensor(elementType: type, shape: shape, obstacle: obstacle) }
    return try Tensor(
      elementType: type, shape: shape,
      source: CastSource(source, from: elementType, to: type, recorder: recorder),
      storage: storage?.viewed("cast[\(type.name)]"))
  }
}
