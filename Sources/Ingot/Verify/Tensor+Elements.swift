internal import Tensors

extension Tensor {
  /// The elements in double precision, or those of a range.
  ///
  /// - Throws: what the source throws.
  func doubles(_ range: Range<Int>? = nil) throws -> [Double] {
    let source = try cast(to: .float64).source
    let range = range ?? 0..<shape.elementCount
    var elements = [Double](repeating: 0, count: range.count)
    // Hosts are little-endian like canonical bytes, and every pattern of bits is a number.
    try unsafe elements.withUnsafeMutableBytes { buffer in
      var bytes = unsafe MutableRawSpan(_unsafeBytes: buffer)
      try source.read(into: &bytes, at: range.lowerBound * MemoryLayout<Double>.size)
    }
    return elements
  }

  /// A tensor of numbers at hand.
  ///
  /// - Throws: `malformed` where the shape is not that of so many elements.
  convenience init(_ elements: [Double], shape: [Int]) throws {
    try self.init(.float64, elements, shape)
  }

  /// A tensor of single-precision numbers at hand.
  ///
  /// - Throws: `malformed` where the shape is not that of so many elements.
  convenience init(_ elements: [Float], shape: [Int]) throws {
    try self.init(.float32, elements, shape)
  }

  /// A tensor of whole numbers at hand.
  ///
  /// - Throws: `malformed` where the shape is not that of so many elements.
  convenience init(_ elements: [Int64], shape: [Int]) throws {
    try self.init(.int64, elements, shape)
  }

  private convenience init<Scalar: BitwiseCopyable>(
    _ type: ElementType, _ elements: [Scalar], _ shape: [Int]
  ) throws {
    // Hosts are little-endian like canonical bytes; the copy outlives the array's buffer.
    try self.init(
      elementType: type, shape: Shape(shape),
      source: ArraySource(unsafe elements.withUnsafeBytes { unsafe Array($0) }))
  }
}
