import TestSupport
import Testing

@testable import ReferenceModel

/// Matrix products by the library and by our own loops.
@Suite(.serialized) struct ProductTests {
  @Test(arguments: [
    (1, 1, 1), (1, 50, 7), (50, 1, 7), (3, 5, 1), (17, 33, 65), (64, 64, 64), (129, 70, 31),
    (40, 200, 300),
  ])
  func `agree in both precisions`(rows: Int, columns: Int, inner: Int) {
    check(rows, columns, inner, Double.self, 1e-14)
    check(rows, columns, inner, Float.self, 1e-5)
  }

  private func check<Scalar: Real>(
    _ rows: Int, _ columns: Int, _ inner: Int, _: Scalar.Type, _ bound: Double
  ) {
    var random = SeededGenerator(seed: 17)
    let a = [Double].random(rows * inner, &random).map { Scalar($0) }
    let b = [Double].random(columns * inner, &random).map { Scalar($0) }
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
    for jobs in [1, 2, 3] {
      var c = before
      Products.multiply(
        a, rows: rows, byTransposed: b, columns: columns, inner: inner, into: &c, at: 2,
        pitch: pitch, adding: true, jobs: jobs)
      #expect(c.map { Double($0) }.maxRelative(to: expected) < bound * Double(inner))
    }
  }
}
