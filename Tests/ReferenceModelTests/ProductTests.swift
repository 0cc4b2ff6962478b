import TestSupport
import Tensors
import Testing

@testable import ReferenceModel

/// Matrix products: the bits of their definition on every level of instructions, however the work is split.
@Suite struct ProductTests {
  @Test(arguments: [
    (1, 1, 1), (1, 50, 7), (50, 1, 7), (3, 5, 1), (17, 33, 65), (64, 64, 64), (129, 70, 31),
    (40, 200, 300), (2, 35, 11), (3, 67, 129), (4, 129, 70), (150, 400, 600),
  ])
  func `have the bits of their definition`(rows: Int, columns: Int, inner: Int) {
    for level in Kernels.Level.allCases {
      level.use {
        check(rows, columns, inner, Double.self, by: Double.self)
        check(rows, columns, inner, Double.self, by: Float.self)
        check(rows, columns, inner, Float.self, by: Float.self)
      }
    }
  }

  private func check<Scalar: Real, Stored: Real>(
    _ rows: Int, _ columns: Int, _ inner: Int, _: Scalar.Type, by _: Stored.Type
  ) {
    var random = SeededGenerator(seed: 17)
    let a = [Double].random(rows * inner, &random).map { Scalar($0) }
    let b = [Double].random(columns * inner, &random).map { Stored($0) }
    let pitch = columns + 3
    let before = [Double].random(rows * pitch, &random).map { Scalar($0) }
    for isSum in [true, false] {
      var expected = before
      for i in 0..<rows {
        for j in 0..<columns {
          var sum = isSum ? before[i * pitch + 2 + j] : 0
          for l in 0..<inner { sum.addProduct(a[i * inner + l], Scalar(b[j * inner + l])) }
          expected[i * pitch + 2 + j] = sum
        }
      }
      for (jobs, way) in [(3, Products.Way.vectors), (2, .vectors), (1, .vectors), (1, .plain)] {
        var c = before
        Products.multiply(
          a, rows: rows, by: b, .outputsFirst, columns: columns, inner: inner, into: &c, at: 2,
          pitch: pitch, adding: isSum, jobs: jobs, by: way)
        #expect(c == expected, "\(jobs) jobs, \(way)")
        // The same with b the other way round, and in two parts of the inner elements.
        c = before
        for part in [0..<inner / 3, inner / 3..<inner] {
          let rowsOfB = part.flatMap { l in (0..<columns).map { j in b[j * inner + l] } }
          Products.multiply(
            a, rows: rows, from: part.lowerBound, width: inner, by: rowsOfB, .inputsFirst,
            columns: columns, inner: part.count, into: &c, at: 2, pitch: pitch,
            adding: isSum || part.lowerBound > 0, jobs: jobs, by: way)
        }
        #expect(c == expected, "in parts, \(jobs) jobs, \(way)")
      }
    }
  }

  @Test(arguments: [false, true], [false, true])
  func `take either matrix transposed`(aIs: Bool, bIs: Bool) {
    for (m, n, k) in [(1, 9, 5), (37, 41, 53), (200, 65, 520), (3, 100, 1)] {
      var random = SeededGenerator(seed: 29)
      let (aPitch, bPitch) = ((aIs ? m : k) + 2, (bIs ? k : n) + 1)
      let a = [Double].random((aIs ? k : m) * aPitch, &random)
      let b = [Double].random((bIs ? n : k) * bPitch, &random)
      var expected = [Double](repeating: 0, count: m * n)
      for i in 0..<m {
        for j in 0..<n {
          for l in 0..<k {
            expected[i * n + j].addProduct(
              a[aIs ? l * aPitch + i : i * aPitch + l], b[bIs ? j * bPitch + l : l * bPitch + j])
          }
        }
      }
      for level in Kernels.Level.allCases {
        // What is there must not count, not even NaN.
        var c = [Double](repeating: .nan, count: m * n)
        level.use {
          a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
              c.withUnsafeMutableBufferPointer { c in
                guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else {
                  return
                }
                Products.multiply(
                  a, pitch: aPitch, isTransposed: aIs, b, pitch: bPitch, isTransposed: bIs,
                  into: c, pitch: n, adding: false, m: m, n: n, k: k)
              }
            }
          }
        }
        #expect(c == expected, "\(level)")
      }
    }
  }
}
