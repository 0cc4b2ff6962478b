package import Tensors

extension ByteSource {
  /// All bytes of the source.
  package func everything() throws -> [UInt8] { try bytes(at: 0, count: byteCount, "everything") }
}

extension Tensor {
  /// A tensor over bytes in memory.
  package convenience init(_ elementType: ElementType, _ dimensions: [Int], _ bytes: [UInt8]) throws
  {
    try self.init(
      elementType: elementType, shape: Shape(dimensions), source: ArraySource(bytes))
  }
}

/// A source of that size which must be refused before anything of it is read.
package struct UnreadSource: ByteSource {
  package let byteCount: Int

  package init(byteCount: Int) { self.byteCount = byteCount }

  package func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    throw IngotError(.internal, "bytes \(offset)..<\(offset + buffer.byteCount) were read")
  }
}
