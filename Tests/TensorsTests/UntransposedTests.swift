import TestSupport
import Testing

@testable import Tensors

@Suite struct UntransposedTests {
  private func matrix(_ rows: Int, _ columns: Int) throws -> Tensor {
    try Tensor(.float32, [rows, columns], (0..<rows * columns * 4).map { UInt8($0 % 251) })
  }

  @Test func aTransposedMatrixGivesBackWhatItWasMadeOf() throws {
    let stored = try matrix(3, 7)
    let back = try #require(try stored.transposed([1, 0]).untransposed)
    #expect(back.shape.dimensions == [3, 7])
    #expect(try back.source.everything() == stored.source.everything())
  }

  @Test func rowsOfATranspositionAreColumnsOfTheMatrix() throws {
    let stored = try matrix(5, 6)
    let rows = try stored.transposed([1, 0]).sliced(axis: 0, range: 2..<4)
    let back = try #require(rows.untransposed)
    #expect(back.shape.dimensions == [5, 2])
    #expect(
      try back.source.everything() == stored.sliced(axis: 1, range: 2..<4).source.everything())
    #expect(try back.transposed([1, 0]).source.everything() == rows.source.everything())
  }

  @Test func otherViewsHaveNone() throws {
    let stored = try matrix(4, 6)
    #expect(stored.untransposed == nil)
    #expect(try stored.sliced(axis: 0, range: 1..<2).untransposed == nil)
    #expect(try stored.transposed([1, 0]).sliced(axis: 1, range: 1..<3).untransposed == nil)
    // The axes of the transposition are not those of the matrix.
    let cube = try stored.reshaped(to: Shape([4, 2, 3])).transposed([1, 0, 2])
    #expect(try cube.reshaped(to: Shape([8, 3])).untransposed == nil)
    #expect(try stored.transposed([1, 0]).reshaped(to: Shape([8, 3])).untransposed == nil)
  }
}
