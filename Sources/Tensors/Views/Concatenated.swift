/// Several tensors joined along one axis: in each step of the axes before it a run of bytes of every
/// part in turn.
public struct Concatenated: ByteSource {
  private static let stageByteCount = 512 << 10
  private static let largestGranularity = 8 << 20
  /// Runs of this many bytes are read straight to where they belong.
  private static let directRunByteCount = 16 << 10

  private struct Part: Sendable {
    let source: any ByteSource
    /// The bytes of a row that come from this part.
    let run: Int
    /// Where they begin in the row.
    let start: Int
  }

  /// The bytes of all parts.
  public let byteCount: Int
  private let parts: [Part]
  /// The bytes of one step of the axes before the joined one.
  private let row: Int
  private let rowCount: Int

  /// Joins `sources`, which hold `shapes` elements of `elementType`, along `axis`.
  ///
  /// - Throws: `malformed` where there is nothing to join or the shapes differ beside `axis`;
  ///   `unsupported` where parts would meet within a block of elements that share bytes.
  public init(
    _ sources: [any ByteSource], elementType: ElementType, shapes: [Shape], axis: Int
  ) throws {
    _ = try Self.shape(joining: shapes, axis: axis)
    guard sources.count == shapes.count else {
      throw IngotError(.internal, "\(sources.count) sources for \(shapes.count) shapes")
    }
    self.init(
      try zip(sources, shapes).map { source, shape in
        guard source.byteCount == (try shape.byteCount(of: elementType)) else {
          throw IngotError(
            .malformed, "the source of \(source.byteCount) bytes does not hold shape \(shape)")
        }
        let layout = try AxisLayout(shape, axis: axis, elementType: elementType)
        return (source: source, run: try layout.byteCount(ofSteps: layout.count))
      })
  }

  /// Joins sources that all hold the same number of runs, each of its own length.
  init(_ sources: [(source: any ByteSource, run: Int)]) {
    var parts: [Part] = []
    var row = 0
    for (source, run) in sources where run > 0 {
      parts.append(Part(source: source, run: run, start: row))
      row += run
    }
    self.parts = parts
    self.row = row
    rowCount = parts.first.map { $0.source.byteCount / $0.run } ?? 0
    byteCount = rowCount * row
  }

  /// The shape that joining `shapes` along `axis` gives.
  ///
  /// - Throws: `malformed` where there is nothing to join or the shapes differ beside `axis`.
  static func shape(joining shapes: [Shape], axis: Int) throws -> Shape {
    guard let first = shapes.first, first.dimensions.indices.contains(axis) else {
      throw IngotError(
        .malformed, shapes.isEmpty ? "nothing to join" : "shape \(shapes[0]) has no axis \(axis)")
    }
    var dimensions = first.dimensions
    for shape in shapes.dropFirst() {
      var other = shape.dimensions
      guard other.count == dimensions.count else {
        throw IngotError(.malformed, "shapes \(first) and \(shape) differ in rank")
      }
      other[axis] = dimensions[axis]
      guard other == dimensions else {
        throw IngotError(
          .malformed, "shapes \(first) and \(shape) differ in an axis other than \(axis)")
      }
      dimensions[axis] = try dimensions[axis].adding(
        shape.dimensions[axis], "the joined dimension")
    }
    return try Shape(dimensions)
  }

  /// Front to back in every part is front to back in the whole.
  public var access: AccessPattern {
    parts.contains { $0.source.access == .sequential } ? .sequential : .random
  }

  /// What makes whole units of the part with the largest ones.
  public var granularity: Int {
    let units = parts.map(\.source.granularity).max() ?? 1
    guard units > 1, rowCount > 1 else { return units }
    let rows = parts.map { $0.source.granularity / $0.run }.max() ?? 1
    return max(1, min(rows, Self.largestGranularity / row)) * row
  }

  /// Reads whole rows part by part, and what is cut off at the ends run by run.
  public func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    let end = offset + buffer.byteCount
    var position = offset
    while position < end {
      let inRow = position % row
      let wholeRows = inRow == 0 ? (end - position) / row : 0
      if wholeRows > 1 {
        for part in parts {
          try readRuns(
            of: part, rows: position / row..<position / row + wholeRows, into: &buffer,
            at: position - offset + part.start)
        }
        position += wholeRows * row
      } else {
        let part = parts[partIndex(at: inRow)]
        let inRun = inRow - part.start
        let count = min(part.run - inRun, end - position)
        let from = position / row * part.run + inRun
        try buffer.withRange(position - offset..<position - offset + count) {
          try part.source.read(into: &$0, at: from)
        }
        position += count
      }
    }
  }

  /// Reads the runs of one part in `rows` to places `row` bytes apart.
  private func readRuns(
    of part: Part, rows: Range<Int>, into buffer: inout MutableRawSpan, at target: Int
  ) throws {
    let rowsAtOnce =
      part.run >= Self.directRunByteCount ? 1 : max(1, Self.stageByteCount / part.run)
    var first = rows.lowerBound
    while first < rows.upperBound {
      let count = min(rowsAtOnce, rows.upperBound - first)
      let to = target + (first - rows.lowerBound) * row
      let from = first * part.run
      if count == 1 {
        try buffer.withRange(to..<to + part.run) { try part.source.read(into: &$0, at: from) }
      } else {
        let stage = try part.source.bytes(at: from, count: count * part.run, "a part")
        Kernels.transpose(
          rows: 1, columns: count, width: part.run, from: stage.rawSpan, at: 0, pitch: stage.count,
          into: &buffer, at: to, pitch: row)
      }
      first += count
    }
  }

  /// The part that holds byte `position` of a row.
  private func partIndex(at position: Int) -> Int {
    var lower = 0
    var upper = parts.count
    while upper - lower > 1 {
      let middle = (lower + upper) / 2
      if parts[middle].start <= position { lower = middle } else { upper = middle }
    }
    return lower
  }
}
