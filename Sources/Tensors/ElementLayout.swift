/// How the elements of a type lie in bytes: blocks of equally many elements in equally many bytes.
///
/// A float32 is a block of its own, two float4 share a byte, and 32 elements may share a scale. Whatever turns
/// numbers of elements into numbers of bytes does so here.
public struct ElementLayout: Sendable, Hashable {
  /// How many elements a block has.
  public let elementsPerBlock: Int
  /// How many bytes a block takes.
  public let bytesPerBlock: Int

  /// Blocks of `elements` elements in `bytes` bytes.
  public init(elements: Int = 1, bytes: Int) {
    precondition(elements > 0 && bytes > 0)
    elementsPerBlock = elements
    bytesPerBlock = bytes
  }

  /// Whether each element has bytes of its own, so that it can be taken and moved alone.
  public var addressesElements: Bool { elementsPerBlock == 1 }

  /// The bytes of one element, or nil where elements share bytes.
  public var bytesPerElement: Int? { addressesElements ? bytesPerBlock : nil }

  /// Whether an element takes less than `bytes` bytes on average.
  package func isNarrower(thanBytes bytes: Int) -> Bool {
    bytesPerBlock < bytes * elementsPerBlock
  }

  /// How many elements lie in whole blocks of so many bytes.
  package func elementCount(inBytes byteCount: Int) -> Int {
    byteCount / bytesPerBlock * elementsPerBlock
  }

  /// Whether so many bytes are whole blocks.
  package func areWholeBlocks(_ byteCount: Int) -> Bool { byteCount % bytesPerBlock == 0 }

  /// The bytes of `count` elements; those of the last block are rounded up where it is not full.
  ///
  /// - Parameter what: What has the size, for the error.
  /// - Throws: `malformed` where the size exceeds 2^63 bits.
  package func byteCount(
    roundingUp count: Int, _ what: @autoclosure () -> String = "the size of the elements"
  ) throws -> Int {
    let (blocks, rest) = count.quotientAndRemainder(dividingBy: elementsPerBlock)
    let bits = try blocks.multiplied(by: 8 * bytesPerBlock, "\(what()) in bits").adding(
      (rest * 8 * bytesPerBlock + elementsPerBlock - 1) / elementsPerBlock, "\(what()) in bits")
    return bits / 8 + (bits % 8 == 0 ? 0 : 1)
  }
}

extension ElementType {
  /// The bytes of `count` elements.
  ///
  /// - Parameter what: What has the size, for the error.
  /// - Throws: `malformed` where the size exceeds 2^63 bits, or the elements end within a block.
  public func byteCount(
    of count: Int, _ what: @autoclosure () -> String = "the size of the elements"
  ) throws -> Int {
    let byteCount = try layout.byteCount(roundingUp: count, what())
    guard count % layout.elementsPerBlock == 0 else {
      throw IngotError(
        .malformed,
        hasBlocks
          ? "\(count) elements of \(name) do not fill blocks of \(layout.elementsPerBlock)"
          : "\(count) elements of \(name) do not fill whole bytes")
    }
    return byteCount
  }

  /// Where the elements of a range lie, in bytes from the first element of all.
  ///
  /// - Throws: `malformed` where the range begins or ends within a block, or its end exceeds 2^63 bits.
  public func byteRange(of elements: Range<Int>) throws -> Range<Int> {
    try byteCount(of: elements.lowerBound)..<byteCount(of: elements.upperBound)
  }
}
