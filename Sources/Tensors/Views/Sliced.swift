/// A range along one axis of a tensor: a run of bytes out of each step of the axes before it.
public struct Sliced: ByteSource {
  private static let stageByteCount = 512 << 10
  private static let largestStageByteCount = 8 << 20

  /// The bytes of the range.
  public let byteCount: Int
  let base: any ByteSource
  /// The bytes taken from each step.
  private let run: Int
  /// Where the first of them begins.
  let start: Int
  /// The bytes of the base from one run to the next.
  private let pitch: Int

  /// The elements `range` along `axis` of `base`, which holds `shape` elements of `elementType`.
  ///
  /// - Throws: `malformed` where axis or range leave the shape; `unsupported` where the range would
  ///   cut a block of elements that share bytes.
  public init(
    _ base: any ByteSource, elementType: ElementType, shape: Shape, axis: Int, range: Range<Int>
  ) throws {
    guard base.byteCount == (try shape.byteCount(of: elementType)) else {
      throw IngotError(
        .malformed, "the source of \(base.byteCount) bytes does not hold shape \(shape)")
    }
    let layout = try AxisLayout(shape, axis: axis, elementType: elementType)
    guard range.lowerBound >= 0, range.upperBound <= layout.count else {
      throw IngotError(
        .malformed,
        "\(range) leaves axis \(axis) of shape \(shape), which has \(layout.count) steps")
    }
    self.base = base
    start = try layout.byteCount(ofSteps: range.lowerBound)
    run = try layout.byteCount(ofSteps: range.count)
    pitch = layout.outerCount > 1 ? try layout.byteCount(ofSteps: layout.count) : base.byteCount
    byteCount = layout.outerCount * run
  }

  var isContiguous: Bool { run == byteCount || run == pitch }

  /// Front to back in the base is front to back in the slice.
  public var access: AccessPattern { base.access }

  /// What makes whole units of the base, where that can be said.
  public var granularity: Int {
    guard base.granularity > 1 else { return 1 }
    if isContiguous { return start % base.granularity == 0 ? base.granularity : 1 }
    return max(1, base.granularity / pitch) * run
  }

  /// Reads the runs; short gaps between them are read through.
  public func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    guard buffer.byteCount > 0 else { return }
    guard !isContiguous else { return try base.read(into: &buffer, at: start + offset) }
    let end = offset + buffer.byteCount
    var position = offset
    while position < end {
      let inRun = position % run
      let from = position / run * pitch + start + inRun
      let wholeRuns = inRun == 0 ? (end - position) / run : 0
      if wholeRuns > 1, pitch - run <= max(StridedCopy.gapByteCount, base.granularity) {
        let count = min(wholeRuns, runsPerStage - position / run % runsPerStage)
        let stage = try base.bytes(at: from, count: (count - 1) * pitch + run, "a slice")
        Kernels.transpose(
          rows: count, columns: 1, width: run, from: stage.rawSpan, at: 0, pitch: pitch,
          into: &buffer, at: position - offset, pitch: 0)
        position += count * run
      } else {
        let count = min(run - inRun, end - position)
        try buffer.withRange(position - offset..<position - offset + count) {
          try base.read(into: &$0, at: from)
        }
        position += count
      }
    }
  }

  /// How many runs and the gaps between them are read at once: whole units of a base that has units.
  private var runsPerStage: Int {
    let unit = min(base.granularity, Self.largestStageByteCount)
    return max(1, max(Self.stageByteCount, unit) / pitch)
  }
}

/// How the bytes of a tensor lie round one of its axes.
struct AxisLayout {
  /// The product of the dimensions before the axis.
  let outerCount: Int
  /// The steps along the axis.
  let count: Int
  private let elementType: ElementType
  /// The elements of one step.
  private let stepElements: Int

  /// - Throws: `malformed` where the shape has no such axis.
  init(_ shape: Shape, axis: Int, elementType: ElementType) throws {
    guard shape.dimensions.indices.contains(axis) else {
      throw IngotError(.malformed, "shape \(shape) has no axis \(axis)")
    }
    // A shape without elements has nothing to lay out; its other products may overflow.
    let isEmpty = shape.elementCount == 0
    outerCount = isEmpty ? 0 : shape.dimensions[..<axis].reduce(1, *)
    count = shape.dimensions[axis]
    stepElements = isEmpty ? 0 : shape.dimensions[(axis + 1)...].reduce(1, *)
    self.elementType = elementType
  }

  /// - Throws: `unsupported` where the steps end within a block.
  func byteCount(ofSteps steps: Int) throws -> Int {
    let (elements, layout) = (steps * stepElements, elementType.layout)
    guard elements % layout.elementsPerBlock == 0 else {
      guard !elementType.hasBlocks else {
        throw IngotError(
          .unsupported,
          "\(steps) steps of \(stepElements) elements along the axis cut a block of \(layout.elementsPerBlock) elements of \(elementType.name)"
        )
      }
      let bits = 8 * layout.bytesPerBlock * stepElements / layout.elementsPerBlock
      throw IngotError(
        .unsupported, "\(steps) steps of \(bits) bits along the axis end within a byte")
    }
    return try elementType.byteCount(of: elements)
  }
}
