import TestSupport
import Tensors
import Testing

/// What `diff` says of two tensors' elements.
@Suite struct ComparisonTests {
  private func compare(
    _ a: [UInt8], _ typeA: ElementType, _ b: [UInt8], _ typeB: ElementType,
    _ tolerance: Tolerance? = nil
  ) throws -> Comparison {
    var comparison = try Comparison(typeA, typeB, tolerance: tolerance)
    var (a, b) = (a, b)
    a.withMutableBytes { a in
      let left = a.bytes
      b.withMutableBytes { comparison.add(left, $0.bytes) }
    }
    return comparison
  }

  private func compare(
    _ a: [Float], _ b: [Float], _ tolerance: Tolerance? = nil
  ) throws -> Comparison {
    try compare(Elements.bytes(of: a), .float32, Elements.bytes(of: b), .float32, tolerance)
  }

  @Test func equalBytesAreEqual() throws {
    let values: [Float] = [1, .nan, .infinity, -0.0]
    let found = try compare(values, values)
    #expect(found.isEqual && found.count == 4 && found.firstDifference == nil)
    #expect(found.maxAbsolute == 0 && found.maxRelative == 0 && found.maxULP == 0)
  }

  @Test func withoutToleranceBytesDecide() throws {
    let found = try compare([0, 1, 2, .nan], [-0.0, 1, 2, -.nan])
    #expect(found.different == 2 && found.firstDifference == 0 && found.maxAbsolute == 0)
    #expect(found.nanOnOneSide == 0)
  }

  @Test func withToleranceValuesDecide() throws {
    let exact = Tolerance()
    #expect(try compare([0, .nan, .infinity], [-0.0, -.nan, .infinity], exact).isEqual)
    // |a − b| ≤ absolute + relative · |b|, with b the second.
    #expect(try compare([100], [110], Tolerance(relative: 0.0910)).isEqual)
    #expect(try !compare([110], [100], Tolerance(relative: 0.0910)).isEqual)
    #expect(try compare([1], [1.5], Tolerance(absolute: 0.5)).isEqual)
    let infinite = try compare(
      [.infinity, 1], [1, .infinity], Tolerance(relative: 1, absolute: 1))
    #expect(infinite.different == 2 && infinite.maxAbsolute == .infinity)
    let lone = try compare([.nan, 1], [1, .nan], Tolerance(absolute: 100))
    #expect(lone.different == 2 && lone.nanOnOneSide == 2 && lone.maxAbsolute == 0)
  }

  @Test func maximaAreOfAllElements() throws {
    let found = try compare([1, 20, -3, 4], [1, 16, -3.5, 4])
    #expect(found.different == 2 && found.firstDifference == 1)
    #expect(found.maxAbsolute == 4 && found.maxRelative == 4 / 16)
    #expect(try compare([0.5], [0.25]).maxRelative == 0.25)
  }

  @Test func ulpCountsRepresentableNumbers() throws {
    #expect(try compare([1], [Float(1).nextUp.nextUp]).maxULP == 2)
    #expect(try compare([.leastNonzeroMagnitude], [-.leastNonzeroMagnitude]).maxULP == 2)
    #expect(try compare([1, 2], .int8, [1, 3], .int8).maxULP == nil)
    #expect(try compare([0x01], .float8E8M0FNU, [0xF0], .float8E8M0FNU).maxULP == 0xEF)
    #expect(try compare([0x21], .float4E2M1FN, [0x41], .float4E2M1FN).maxULP == 2)
    let half = Elements.bytes(of: [UInt16(0x3C00)])
    #expect(try compare(half, .float16, half, .float16).maxULP == 0)
  }

  @Test func typesDifferOnlyWithATolerance() throws {
    let bfloats = Elements.bytes(of: [UInt16(0x3F80), 0x4000])
    let floats = Elements.bytes(of: [Float(1), 2])
    let error = #expect(throws: IngotError.self) {
      _ = try compare(floats, .float32, bfloats, .bfloat16)
    }
    #expect(error?.errorClass == .unsupported)
    let found = try compare(floats, .float32, bfloats, .bfloat16, Tolerance())
    #expect(found.isEqual && found.count == 2 && found.maxULP == nil)
    #expect(throws: IngotError.self) {
      _ = try Comparison(.float32, .complex64, tolerance: Tolerance())
    }
  }

  @Test func largeIntegersThatFloat64CannotTellApartDiffer() throws {
    let a = Elements.bytes(of: [Int64.max, -5])
    let b = Elements.bytes(of: [Int64.max - 1, -7])
    let found = try compare(a, .int64, b, .int64)
    #expect(found.different == 2 && found.maxAbsolute == 2)
    let near = try compare(a, .int64, b, .int64, Tolerance(absolute: 1))
    #expect(near.different == 1 && near.firstDifference == 1)
  }

  @Test func complexNumbersDifferWhereAComponentDoes() throws {
    let a = Elements.bytes(of: [Float(1), 2, 3, 4, 5, 6])
    let b = Elements.bytes(of: [Float(1), 2, 3, 4.5, 6, 7])
    let found = try compare(a, .complex64, b, .complex64)
    #expect(found.count == 3 && found.different == 2 && found.firstDifference == 1)
    #expect(found.maxAbsolute == 1)
  }

  @Test func piecesAddUpToTheWhole() throws {
    var random = SeededGenerator(seed: 13)
    let a = (0..<30_000).map { _ in Float.random(in: -1...1, using: &random) }
    var b = a
    for _ in 0..<50 { b[Int.random(in: 9000..<30_000, using: &random)] += 0.25 }
    let whole = try compare(a, b)
    var added = try Comparison(.float32, .float32, tolerance: nil)
    var merged = try Comparison(.float32, .float32, tolerance: nil)
    for start in stride(from: 0, to: a.count, by: 7001) {
      let end = min(start + 7001, a.count)
      merged.merge(try compare(Array(a[start..<end]), Array(b[start..<end])))
      var (left, right) = (
        Elements.bytes(of: Array(a[start..<end])), Elements.bytes(of: Array(b[start..<end]))
      )
      left.withMutableBytes { left in
        let bytes = left.bytes
        right.withMutableBytes { added.add(bytes, $0.bytes) }
      }
    }
    let first = a.indices.first { a[$0] != b[$0] }
    #expect(whole.different == a.indices.count { a[$0] != b[$0] })
    for other in [whole, added, merged] {
      #expect(other.count == a.count && other.different == whole.different)
      #expect(other.firstDifference == first && other.maxULP == whole.maxULP)
      #expect(other.maxAbsolute == whole.maxAbsolute && other.maxRelative == whole.maxRelative)
    }
  }
}
