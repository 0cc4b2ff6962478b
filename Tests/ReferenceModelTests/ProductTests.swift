import TestSupport
import Tensors
import Testing

@testable import ReferenceModel

/// Matrix products by the library, by our own vectors and by their definition.
@Suite struct ProductTests {
  @Test(arguments: [
    (1, 1, 1), (1, 50, 7), (50, 1, 7), (3, 5, 1), (17, 33, 65), (64, 64, 64), (129, 70, 31),
    (40, 200, 300), (4, 129, 70), (150, 400, 600),
  ])
  func `agree in both precisions`(rows: Int, columns: Int, inner: Int) {
    check(rows, columns, inner, Double.self, by: Double.self, 1e-14)
    check(rows, columns, inner, Double.self, by: Float.self, 1e-14)
    check(rows, columns, inner, Float.self, by: Float.self, 1e-5)
  }

  private func check<Scalar: Real, Stored: Real>(
    _ rows: Int, _ columns: Int, _ inner: Int, _: Scalar.Type, by _: Stored.Type, _ bound: Double
  ) {
    var random = SeededGenerator(seed: 17)
    let a = [Double].random(rows * inner, &random).map { Scalar($0) }
    let b = [Double].random(columns * inner, &random).map { Stored($0) }
    let pitch = columns + 3
    let before = [Double].random(rows * pitch, &random).map { Scalar($0) }
    var expected = before.map { Double($0) }
    for i in 0..<rows {
      for j in 0..<columns {
        for l in 0..<inner {
          expected[i * pitch + 2 + j] += Double(a[i * inner + l]) * Double(b[j * inner + l])
        }
      }
    }
    for (jobs, way) in [
      (1, Products.Way.best), (2, .best), (3, .vectors), (1, .vectors), (1, .plain),
    ] {
      var c = before
      Products.multiply(
        a, rows: rows, by: b, .outputsFirst, columns: columns, inner: inner, into: &c, at: 2,
        pitch: pitch, adding: true, jobs: jobs, by: way)
      #expect(c.map { Double($0) }.maxRelative(to: expected) < bound * Double(inner))
      // The same with b the other way round, and in two parts of the inner elements.
      c = before
      for part in [0..<inner / 3, inner / 3..<inner] {
        let rowsOfB = part.flatMap { l in (0..<columns).map { j in b[j * inner + l] } }
        Products.multiply(
          a, rows: rows, from: part.lowerBound, width: inner, by: rowsOfB, .inputsFirst,
          columns: columns, inner: part.count, into: &c, at: 2, pitch: pitch, adding: true,
          jobs: jobs, by: way)
      }
      #expect(c.map { Double($0) }.maxRelative(to: expected) < bound * Double(inner))
    }
  }

  @Test func `the library gets a copy of what is stored as a smaller type, and nothing else`() {
    let stored: [Float] = [0.1, -2, .infinity, .leastNonzeroMagnitude]
    stored.withUnsafeBufferPointer { stored in
      guard let first = stored.baseAddress else { return }
      Products.withWidened(first, stored.count) { (wide: UnsafePointer<Double>) in
        #expect((0..<stored.count).map { wide[$0] } == stored.map(Double.init))
      }
      Products.withWidened(first, stored.count) { (same: UnsafePointer<Float>) in
        #expect(same == first)
      }
    }
  }

  @Test(arguments: [false, true], [false, true])
  func `our vectors take either matrix transposed`(aIs: Bool, bIs: Bool) {
    for (m, n, k) in [(1, 9, 5), (37, 41, 53), (200, 65, 520), (3, 100, 1)] {
      var random = SeededGenerator(seed: 29)
      let (aPitch, bPitch) = ((aIs ? m : k) + 2, (bIs ? k : n) + 1)
      let a = [Double].random((aIs ? k : m) * aPitch, &random)
      let b = [Double].random((bIs ? n : k) * bPitch, &random)
      // What is there must not count, not even NaN.
      var (c, expected) = (
        [Double](repeating: .nan, count: m * n), [Double](repeating: 0, count: m * n)
      )
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          c.withUnsafeMutableBufferPointer { c in
            guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else {
              return
            }
            Products.multiply(
              a, pitch: aPitch, isTransposed: aIs, b, pitch: bPitch, isTransposed: bIs, into: c,
              pitch: n, adding: 0, m: m, n: n, k: k, by: .vectors)
          }
        }
      }
      for i in 0..<m {
        for j in 0..<n {
          for l in 0..<k {
            expected[i * n + j] +=
              a[aIs ? l * aPitch + i : i * aPitch + l] * b[bIs ? j * bPitch + l : l * bPitch + j]
          }
        }
      }
      #expect(c.maxRelative(to: expected) < 1e-14 * Double(k + 9))
    }
  }
}
