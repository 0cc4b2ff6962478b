extension Kernels {
  /// Calls `body` with the elements as the kernels take them: those of a block type decoded to float32.
  ///
  /// NaN has one pattern of bits then, which processors otherwise make differently.
  static func withKernelElements<Result>(
    _ bytes: RawSpan, _ type: ElementType, _ body: (RawSpan, ElementType) throws -> Result
  ) rethrows -> Result {
    guard let codec = type.row.codec else { return try body(bytes, type) }
    let values = decode(bytes, type.layout, codec)
    return try body(values.rawSpan, .float32)
  }

  /// The elements of whole blocks.
  private static func decode(
    _ bytes: RawSpan, _ layout: ElementLayout, _ codec: any BlockCodec.Type
  ) -> [Float] {
    precondition(layout.areWholeBlocks(bytes.byteCount))
    let blocks = Span<UInt8>(_bytes: bytes)
    let count = layout.elementsPerBlock
    var values = [Float](repeating: 0, count: layout.elementCount(inBytes: bytes.byteCount))
    var span = values.mutableSpan
    for (number, start) in stride(from: 0, to: span.count, by: count).enumerated() {
      let first = number * layout.bytesPerBlock
      var part = span._mutatingExtracting(start..<start + count)
      codec.decode(blocks.extracting(first..<first + layout.bytesPerBlock), into: &part)
    }
    for index in span.indices where span[index].isNaN { span[index] = .nan }
    return values
  }

  /// Casts `count` real elements, those of block types too, and adds to `report`.
  ///
  /// - Parameter first: The index of the first element in the tensor, for errors.
  /// - Throws: `unsupported` where a block type has no place for a number.
  static func castAny(
    _ count: Int, at first: Int, from source: RawSpan, _ sourceType: ElementType,
    into target: inout MutableRawSpan, _ targetType: ElementType, report: inout CastReport
  ) throws {
    try withKernelElements(source, sourceType) { elements, type in
      guard let encoder = targetType.row.codec as? any BlockEncoder.Type else {
        cast(count, from: elements, type, into: &target, targetType, report: &report)
        return
      }
      let exact = float64s(count, of: elements, type)
      let blocks = try encode(exact, at: first, targetType, encoder, report: &report)
      target.copy(from: blocks, at: 0, count: blocks.count, to: 0)
    }
  }

  /// The blocks of finite numbers, which are rounded to float32 before; reports what became of each.
  private static func encode(
    _ exact: [Double], at first: Int, _ type: ElementType, _ encoder: any BlockEncoder.Type,
    report: inout CastReport
  ) throws -> [UInt8] {
    let values = exact.map { Float($0) }
    if let index = values.firstIndex(where: { !$0.isFinite }) {
      throw IngotError(
        .unsupported,
        "element \(first + index) is \(exact[index]), for which \(type.name) has no place")
    }
    let layout = type.layout
    let count = layout.elementsPerBlock
    var bytes = [UInt8](repeating: 0, count: try type.byteCount(of: values.count))
    var blocks = bytes.mutableSpan
    for (number, start) in stride(from: 0, to: values.count, by: count).enumerated() {
      let from = number * layout.bytesPerBlock
      var block = blocks._mutatingExtracting(from..<from + layout.bytesPerBlock)
      encoder.encode(values.span.extracting(start..<start + count), into: &block)
    }
    report.elements += values.count
    for (index, value) in decode(bytes.rawSpan, layout, encoder).enumerated() {
      guard value.isFinite else {
        let start = first + index / count * count
        throw IngotError(
          .unsupported,
          "elements \(start) to \(start + count - 1) are too large for the scale of \(type.name)")
      }
      let number = exact[index]
      guard Double(value) != number else { continue }
      report.inexact += 1
      if value == 0 {
        report.underflowedToZero += 1
      } else if number != 0 {
        let error = (Double(value) - number).magnitude / number.magnitude
        report.largestRelativeError = max(report.largestRelativeError, error)
      }
    }
    return bytes
  }
}
