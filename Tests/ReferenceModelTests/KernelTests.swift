import TestSupport
import Tensors
import Testing

@testable import Architectures
@testable import ReferenceModel

/// Vector kernels against their definitions.
@Suite struct KernelTests {
  @Test(arguments: [1, 2, 15, 16, 17, 100, 1000])
  func `softmax is its definition`(count: Int) {
    var random = SeededGenerator(seed: UInt64(count))
    for scale in [1, 0.125] {
      var x = [Double].random(count, &random).map { 60 * $0 }
      if count > 2 { x[count / 2] = -.infinity }
      var (fast, plain) = (x, x)
      do {
        var span = fast.mutableSpan
        Rows.softmax(&span, 0, count, scale: scale)
      }
      do {
        var span = plain.mutableSpan
        Rows.softmaxPlainly(&span, 0, count, scale: scale)
      }
      for (a, b) in zip(fast, plain) { #expect(abs(a - b) <= 1e-13 * abs(b)) }
      var (single, plainSingle) = (x.map { Float($0) }, x.map { Float($0) })
      do {
        var span = single.mutableSpan
        Rows.softmax(&span, 0, count, scale: Float(scale))
      }
      do {
        var span = plainSingle.mutableSpan
        Rows.softmaxPlainly(&span, 0, count, scale: Float(scale))
      }
      for (a, b) in zip(single, plainSingle) { #expect(abs(a - b) <= 2e-5 * abs(b) + 1e-37) }
    }
  }

  @Test func `softmax of nothing visible is 0, and NaN stays`() {
    let cases: [(row: [Double], expected: [Double])] = [
      ([-Double.infinity, -Double.infinity], [0, 0]), ([0, -Double.infinity], [1, 0]),
      ([1000, 1000], [0.5, 0.5]), ([-1000, 0], [0, 1]),
    ]
    for (row, expected) in cases {
      var x = row
      var span = x.mutableSpan
      Rows.softmax(&span, 0, 2)
      #expect(x == expected)
    }
    var x = [1, Double.nan, 2]
    var span = x.mutableSpan
    Rows.softmax(&span, 0, 3)
    #expect(x.filter(\.isNaN).count == 3)
  }

  @Test(arguments: Operation.Norm.Kind.allCases, [2, 16, 37, 768])
  func `norms are their definitions`(kind: Operation.Norm.Kind, width: Int) {
    var random = SeededGenerator(seed: 23)
    let (scale, shift) = ([Double].random(width, &random), [Double].random(width, &random))
    let x = [Double].random(3 * width, &random).map { 5 * $0 + 100 }
    var (fast, plain) = (x, x)
    do {
      var span = fast.mutableSpan
      Rows.normalize(&span, kind, epsilon: 1e-5, scale: scale, shift: shift)
    }
    do {
      var span = plain.mutableSpan
      for row in 0..<3 {
        Rows.normalizePlainly(
          &span, row * width, width, kind, epsilon: 1e-5, scale: scale, shift: shift)
      }
    }
    #expect(fast.maxRelative(to: plain) < 1e-11)
  }
}
