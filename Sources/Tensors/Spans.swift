/// The few operations on raw spans that the standard library does not have yet, or marks unsafe.
/// Every pointer that Ingot takes for copying bytes is taken here.

extension [UInt8] {
  /// The array's bytes for reading.
  package var rawSpan: RawSpan {
    @_lifetime(borrow self)
    get {
      // `bytes` is marked unsafe for types with padding; UInt8 has none.
      unsafe span.bytes
    }
  }

  /// Lends the array's bytes for writing.
  package mutating func withMutableBytes<Result>(
    _ body: (inout MutableRawSpan) throws -> Result
  ) rethrows -> Result {
    var elements = mutableSpan
    // `mutableBytes` is marked unsafe for types with invalid bit patterns; UInt8 has none.
    var bytes = unsafe elements.mutableBytes
    return try body(&bytes)
  }
}

extension [Float] {
  /// The numbers as bytes for reading.
  package var rawSpan: RawSpan {
    @_lifetime(borrow self)
    get {
      // `bytes` is marked unsafe for types with padding; Float has none.
      unsafe span.bytes
    }
  }
}

extension MutableRawSpan {
  /// Lends the bytes in `range`, which must lie within the span.
  package mutating func withRange<Result>(
    _ range: Range<Int>, _ body: (inout MutableRawSpan) throws -> Result
  ) rethrows -> Result {
    var part = _mutatingExtracting(range)
    return try body(&part)
  }

  /// Copies `count` bytes of `source` from `sourceOffset` on to `offset`; both ranges are checked.
  package mutating func copy(
    from source: [UInt8], at sourceOffset: Int, count: Int, to offset: Int
  ) {
    precondition(sourceOffset >= 0 && count >= 0 && count <= source.count - sourceOffset)
    precondition(offset >= 0 && count <= byteCount - offset)
    guard count > 0 else { return }
    // Both ranges were checked just above.
    unsafe source.withUnsafeBytes { from in
      unsafe self.withUnsafeMutableBytes { to in
        unsafe UnsafeMutableRawBufferPointer(rebasing: to[offset..<offset + count])
          .copyMemory(
            from: UnsafeRawBufferPointer(rebasing: from[sourceOffset..<sourceOffset + count]))
      }
    }
  }

  /// Sets every byte to `value`.
  package mutating func fill(_ value: UInt8) {
    unsafe withUnsafeMutableBytes {
      unsafe _ = $0.initializeMemory(as: UInt8.self, repeating: value)
    }
  }
}
