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

  @Test(arguments: Activation.allCases)
  func `every level gives the same bits`(function: Activation) {
    var random = SeededGenerator(seed: 31)
    for count in [1, 7, 16, 37, 1000] {
      var x = [Double].random(count, &random).map { 20 * $0 }
      x[count / 2] = -0.0
      let width = [1, 7, 8, 37, 250][[1, 7, 16, 37, 1000].firstIndex(of: count) ?? 0]
      let scale = [Double].random(width, &random)
      func results<Scalar: Real>(_: Scalar.Type, _ level: Kernels.Level) -> [[Scalar]] {
        level.use {
          var all: [[Scalar]] = []
          func run(_ body: (inout MutableSpan<Scalar>) -> Void) {
            var copy = x.map { Scalar($0) }
            var span = copy.mutableSpan
            body(&span)
            all.append(copy)
          }
          run { Rows.activate(&$0, function) }
          run { Rows.softmax(&$0, 0, count, scale: 0.125) }
          run { Rows.softCap(&$0, 0, count, 3.5) }
          let factors = scale.map { Scalar($0) }
          for kind in Operation.Norm.Kind.allCases where kind != .bessel || width > 1 {
            guard count % width == 0 else { continue }
            run { Rows.normalize(&$0, kind, epsilon: 1e-5, scale: factors, shift: factors) }
          }
          return all
        }
      }
      let (double, single) = (results(Double.self, .plain), results(Float.self, .plain))
      for level in Kernels.Level.allCases.dropFirst() {
        #expect(results(Double.self, level) == double, "\(level), \(count)")
        #expect(results(Float.self, level) == single, "\(level), \(count)")
      }
    }
  }

  @Test func `tanh is the C library's within three units in the last place`() {
    var random = SeededGenerator(seed: 37)
    var x = [Double].random(10_000, &random).map { 4 * $0 }
    x += [Double].random(1000, &random).map { 1e-9 * $0 }
    x += [
      0, -0.0, 30, -30, 1e300, .infinity, -.infinity, .leastNonzeroMagnitude,
      -.leastNormalMagnitude / 1024,
    ]
    let expected = x.map { Functions.tanh($0) }
    var (single, expectedSingle) = (
      x.map { Float($0) }, x.map { Float(Functions.tanh(Double(Float($0)))) }
    )
    do {
      var span = x.mutableSpan
      Rows.activate(&span, .tanh)
    }
    do {
      var span = single.mutableSpan
      Rows.activate(&span, .tanh)
    }
    for (found, wanted) in zip(x, expected) {
      #expect(abs(found - wanted) <= 3 * wanted.ulp && found.sign == wanted.sign)
    }
    for (found, wanted) in zip(single, expectedSingle) {
      #expect(abs(found - wanted) <= 3 * wanted.ulp && found.sign == wanted.sign)
    }
    expectedSingle = [.nan]
    var span = expectedSingle.mutableSpan
    Rows.activate(&span, .tanh)
    #expect(expectedSingle[0].isNaN)
  }
}
