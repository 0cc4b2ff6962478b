internal import ReferenceModel
internal import Tensors

extension StateValue {
  /// The type of the numbers.
  var elementType: ElementType {
    switch elements {
    case .float64: .float64
    case .float32: .float32
    }
  }

  /// Lends the bytes of some of the numbers; hosts are little-endian like canonical bytes.
  func withBytes<Result>(
    of range: Range<Int>, _ body: (RawSpan) throws -> Result
  ) rethrows -> Result {
    // `bytes` is marked unsafe for types with padding; numbers have none.
    switch elements {
    case .float64(let numbers): try body(unsafe numbers.span.extracting(range).bytes)
    case .float32(let numbers): try body(unsafe numbers.span.extracting(range).bytes)
    }
  }

  /// Lends the bytes of all numbers.
  func withBytes<Result>(_ body: (RawSpan) throws -> Result) rethrows -> Result {
    try withBytes(of: 0..<shape.reduce(1, *), body)
  }
}
