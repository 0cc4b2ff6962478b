import Tensors

/// Views computed one element at a time, the plain way.
enum ViewOracle {
  /// The bytes of a row-major tensor of `dimensions` with its axes in the order `axes`.
  static func transposed(
    _ bytes: [UInt8], width: Int, _ dimensions: [Int], _ axes: [Int]
  ) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    let strides = axes.map { dimensions[($0 + 1)...].reduce(1, *) }
    forEachIndex(axes.map { dimensions[$0] }) { index in
      var offset = 0
      for axis in strides.indices { offset += index[axis] * strides[axis] }
      for byte in offset * width..<(offset + 1) * width { result.append(bytes[byte]) }
    }
    return result
  }

  /// The bytes of the elements whose index along `axis` lies in `range`.
  static func sliced(
    _ bytes: [UInt8], width: Int, _ dimensions: [Int], axis: Int, _ range: Range<Int>
  ) -> [UInt8] {
    var result: [UInt8] = []
    var offset = 0
    forEachIndex(dimensions) { index in
      if range.contains(index[axis]) {
        for byte in offset * width..<(offset + 1) * width { result.append(bytes[byte]) }
      }
      offset += 1
    }
    return result
  }

  /// The bytes of `parts` joined along `axis`.
  static func concatenated(
    _ parts: [(bytes: [UInt8], dimensions: [Int])], width: Int, axis: Int
  ) -> [UInt8] {
    var dimensions = parts[0].dimensions
    dimensions[axis] = parts.reduce(0) { $0 + $1.dimensions[axis] }
    var result: [UInt8] = []
    forEachIndex(dimensions) { index in
      var index = index
      var part = 0
      while index[axis] >= parts[part].dimensions[axis] {
        index[axis] -= parts[part].dimensions[axis]
        part += 1
      }
      let offset = zip(index, parts[part].dimensions).reduce(0) { $0 * $1.1 + $1.0 }
      result += parts[part].bytes[offset * width..<(offset + 1) * width]
    }
    return result
  }

  /// Calls `body` with all indices of a shape, the last axis fastest.
  private static func forEachIndex(_ dimensions: [Int], _ body: ([Int]) -> Void) {
    guard !dimensions.contains(0) else { return }
    var index = Array(repeating: 0, count: dimensions.count)
    while true {
      body(index)
      var axis = dimensions.count - 1
      while axis >= 0 {
        index[axis] += 1
        if index[axis] < dimensions[axis] { break }
        index[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
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
