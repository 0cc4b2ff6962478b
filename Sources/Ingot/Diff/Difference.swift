private import Synchronization
internal import Tensors

/// What differs between two checkpoints, whatever their formats: `ingot diff`.
public struct Difference: Sendable {
  /// A tensor that differs.
  public struct Item: Sendable {
    /// Its name.
    public let name: ExactString
    /// Why it differs: `dtype`, `shape` or `values`, with both sides.
    public let reason: String
    /// How the values differ; nil where type or shape do already.
    public let comparison: Comparison?
  }

  /// Names that only the first has.
  public let onlyInFirst: [ExactString]
  /// Names that only the second has.
  public let onlyInSecond: [ExactString]
  /// Tensors of both that differ.
  public let different: [Item]
  /// How many names both have.
  public let compared: Int

  /// Whether nothing differs.
  public var isEmpty: Bool { onlyInFirst.isEmpty && onlyInSecond.isEmpty && different.isEmpty }

  /// Compares two tables by name.
  ///
  /// Without a tolerance equal means the same element type, shape and bytes; with one, values are
  /// compared in float64 across element types, and NaN equals NaN at the same place.
  /// - Parameter files: where the tables come from, for errors.
  /// - Throws: what the tensors' sources throw, named.
  public init(
    _ first: TensorTable, _ second: TensorTable, tolerance: Tolerance? = nil, jobs: Int? = nil,
    files: (first: String, second: String)? = nil
  ) throws {
    onlyInFirst = first.entries.map(\.name).filter { second[$0] == nil }
    onlyInSecond = second.entries.map(\.name).filter { first[$0] == nil }
    let pairs = first.entries.compactMap { entry in
      second[entry.name].map { (name: entry.name, a: entry.tensor, b: $0) }
    }
    compared = pairs.count
    different = try Workers.map(
      pairs.count, jobs: jobs ?? Workers.processorCount, makeWorkspace: { Buffers() }
    ) { task, buffers in
      let pair = pairs[task]
      return try Tensors.naming(tensor: pair.name) {
        try Self.compare(pair.name, pair.a, pair.b, tolerance, files, &buffers)
      }
    }.compactMap { $0 }
  }

  private struct Buffers {
    var a: [UInt8] = []
    var b: [UInt8] = []
  }

  private static func compare(
    _ name: ExactString, _ a: Tensor, _ b: Tensor, _ tolerance: Tolerance?,
    _ files: (first: String, second: String)?, _ buffers: inout Buffers
  ) throws -> Item? {
    guard a.shape == b.shape else {
      return Item(name: name, reason: "shape \(a.shape) against \(b.shape)", comparison: nil)
    }
    guard tolerance != nil || a.elementType == b.elementType else {
      return Item(
        name: name, reason: "dtype \(a.elementType.name) against \(b.elementType.name)",
        comparison: nil)
    }
    guard a.shape.elementCount > 0 else { return nil }
    var comparison = try Comparison(
      a.elementType, b.elementType,
      tolerance: tolerance)
    let step = Self.step(a.elementType.layout, b.elementType.layout)
    for start in stride(from: 0, to: a.shape.elementCount, by: step) {
      let count = min(step, a.shape.elementCount - start)
      let rangeA = try a.elementType.byteRange(of: start..<start + count)
      let rangeB = try b.elementType.byteRange(of: start..<start + count)
      if buffers.a.count < rangeA.count { buffers.a = [UInt8](repeating: 0, count: rangeA.count) }
      if buffers.b.count < rangeB.count { buffers.b = [UInt8](repeating: 0, count: rangeB.count) }
      try buffers.a.withMutableBytes { bytesA in
        try buffers.b.withMutableBytes { bytesB in
          try bytesA.withRange(0..<rangeA.count) { partA in
            try bytesB.withRange(0..<rangeB.count) { partB in
              try Tensors.naming(file: files?.first) {
                try a.source.read(into: &partA, at: rangeA.lowerBound)
              }
              try Tensors.naming(file: files?.second) {
                try b.source.read(into: &partB, at: rangeB.lowerBound)
              }
              comparison.add(partA.bytes, partB.bytes)
            }
          }
        }
      }
    }
    guard !comparison.isEqual else { return nil }
    return Item(name: name, reason: "values", comparison: comparison)
  }

  /// By how many elements both sides advance: whole blocks of either, about a piece of the larger.
  private static func step(_ a: ElementLayout, _ b: ElementLayout) -> Int {
    let unit = a.elementsPerBlock.leastCommonMultiple(b.elementsPerBlock)
    let fitting = min(
      a.elementCount(inBytes: PieceLayout.usualLength),
      b.elementCount(inBytes: PieceLayout.usualLength))
    return max(unit, fitting / unit * unit)
  }

  /// The report that `--json` prints (`schemas/diff.schema.json`).
  public var json: JSON {
    [
      "equal": .boolean(isEmpty), "only_in_a": .array(onlyInFirst.map(JSON.string)),
      "only_in_b": .array(onlyInSecond.map(JSON.string)),
      "different": .array(
        different.map { item in
          let values = item.comparison
          return [
            "name": .string(item.name), "reason": .string(item.reason),
            "max_abs": values.map { .number($0.maxAbsolute) } ?? .null,
            "max_rel": values.map { .number($0.maxRelative) } ?? .null,
            "max_ulp": values?.maxULP.map { JSON($0) } ?? .null,
            "count": values.map { JSON($0.different) } ?? .null,
            "first_index": values?.firstDifference.map { JSON($0) } ?? .null,
          ]
        }), "compared": JSON(compared),
    ]
  }
}
