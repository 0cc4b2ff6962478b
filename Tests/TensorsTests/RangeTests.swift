import TestSupport
import Tensors
import Testing

/// Bytes that are asked for where there are none, numbers that do not fit, shapes that cannot be.
@Suite struct RangeTests {
  private static let four = ArraySource([1, 2, 3, 4])

  @Test(arguments: [(-1, 1), (0, -1), (5, 0), (5, -1), (0, 5), (2, 3), (1, .max), (.max, 1)])
  func bytesOutsideOfASourceAreRefused(offset: Int, count: Int) throws {
    let error = try #require(throws: IngotError.self) {
      try Self.four.bytes(at: offset, count: count, "a header")
    }
    #expect(error.message.hasPrefix("a header needs bytes \(offset).."))
    #expect(error.message.hasSuffix("the file ends at 4"))
    #expect(error.offset == max(0, min(offset, 4)))
    let range = try #require(throws: IngotError.self) {
      try SourceRange(Self.four, offset: offset, byteCount: count)
    }
    #expect(range.message.hasSuffix("lie outside the file of 4 bytes"))
  }

  @Test func bytesInsideOfASourceAreGiven() throws {
    #expect(try Self.four.bytes(at: 4, count: 0, "nothing") == [])
    #expect(try SourceRange(Self.four, offset: 1, byteCount: 3).everything() == [2, 3, 4])
  }

  @Test func aReaderStaysWithinItsBytes() throws {
    var reader = ByteReader([1, 2, 3, 4], base: 100)
    for count in [-1, 5, .max] {
      let error = try #require(throws: IngotError.self) { try reader.skip(count, "a field") }
      #expect(error.message == "a field needs \(count) bytes, 4 are left")
      #expect(error.offset == 100)
    }
    try reader.skip(4, "everything")
    #expect(reader.isAtEnd)
  }

  @Test func sumsAndProductsThatDoNotFitAreErrors() throws {
    let sum = try #require(throws: IngotError.self) { try Int.max.adding(1, "the size") }
    #expect(sum.message == "the size exceeds 2^63")
    let product = try #require(throws: IngotError.self) {
      try Int.max.multiplied(by: 2, "the size")
    }
    #expect(product.message == "the size exceeds 2^63")
    #expect(try 3.adding(4, "") == 7 && 3.multiplied(by: 4, "") == 12)
  }

  @Test(arguments: [
    (Array(repeating: 1, count: 65), "rank 65 is above 64"), ([2, -1], "negative dimension -1"),
    ([1 << 62, 2], "the product of shape [4611686018427387904, 2] exceeds 2^63"),
  ])
  func shapesThatCannotBeAreRefused(dimensions: [Int], message: String) throws {
    let error = try #require(throws: IngotError.self) { try Shape(dimensions) }
    #expect(error.message == message)
  }

  @Test func aTensorHasTheBytesOfItsShape() throws {
    let short = try #require(throws: IngotError.self) {
      try Tensor(.float32, [2], [1, 2, 3, 4])
    }
    #expect(short.message == "shape 2 of float32 needs 8 bytes, the file declares 4")
    let odd = try #require(throws: IngotError.self) { try Shape([3]).byteCount(of: .float4E2M1FN) }
    #expect(odd.message == "3 elements of float4_e2m1fn do not fill whole bytes")
  }

  @Test func aTableHasEachNameOnce() throws {
    var table = TensorTable()
    try table.append("a", Tensor(.uint8, [0], []))
    let twice = try #require(throws: IngotError.self) {
      try table.append("a", Tensor(.uint8, [0], []))
    }
    #expect(twice.message == "the name occurs twice")
    let long = try #require(throws: IngotError.self) {
      try table.append(String(repeating: "a", count: 65_536), Tensor(.uint8, [0], []))
    }
    #expect(long.message == "a name of 65536 bytes is above 65535" && long.errorClass == .limit)
  }
}
