import Tensors

/// Views computed one element at a time, the plain way.
enum ViewOracle {
  /// The bytes of a row-major tensor of `dimensions` with its axes in the order `axes`.
  static func transposed(
    _ bytes: [UInt8], width: Int, _ dimensions: [Int], _ axes: [Int]
  ) -> [UInt8] {
    let permuted = axes.map { dimensions[$0] }
    return indices(permuted).flatMap { index in
      var original = Array(repeating: 0, count: dimensions.count)
      for (position, axis) in axes.enumerated() { original[axis] = index[position] }
      let at = offset(of: original, in: dimensions) * width
      return bytes[at..<at + width]
    }
  }

  /// The bytes of the elements whose index along `axis` lies in `range`.
  static func sliced(
    _ bytes: [UInt8], width: Int, _ dimensions: [Int], axis: Int, _ range: Range<Int>
  ) -> [UInt8] {
    indices(dimensions).filter { range.contains($0[axis]) }.flatMap { index in
      let at = offset(of: index, in: dimensions) * width
      return bytes[at..<at + width]
    }
  }

  /// The bytes of `parts` joined along `axis`.
  static func concatenated(
    _ parts: [(bytes: [UInt8], dimensions: [Int])], width: Int, axis: Int
  ) -> [UInt8] {
    var dimensions = parts[0].dimensions
    dimensions[axis] = parts.reduce(0) { $0 + $1.dimensions[axis] }
    return indices(dimensions).flatMap { index in
      var index = index
      var part = 0
      while index[axis] >= parts[part].dimensions[axis] {
        index[axis] -= parts[part].dimensions[axis]
        part += 1
      }
      let at = offset(of: index, in: parts[part].dimensions) * width
      return parts[part].bytes[at..<at + width]
    }
  }

  /// All indices of a shape, the last axis fastest.
  private static func indices(_ dimensions: [Int]) -> [[Int]] {
    dimensions.reduce([[]]) { indices, count in
      indices.flatMap { index in (0..<count).map { index + [$0] } }
    }
  }

  private static func offset(of index: [Int], in dimensions: [Int]) -> Int {
    zip(index, dimensions).reduce(0) { $0 * $1.1 + $1.0 }
  }
}

/// A source that says it can only be read front to back, or in units, and is otherwise like its base.
struct PickySource: ByteSource {
  let base: ArraySource
  var access: AccessPattern = .random
  var granularity = 1

  var byteCount: Int { base.byteCount }

  func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    try base.read(into: &buffer, at: offset)
  }
}
