import TestSupport
import Tensors
import Testing

/// How near computed numbers lie to expected ones: the vector loops against their definition.
@Suite(.serialized) struct NearnessTests {
  /// Its definition, number by number.
  private struct Plain {
    var outside = 0
    var notFinite = 0
    var maxAbsolute = 0.0
    var sum = 0.0
    var (product, squareA, squareB) = (0.0, 0.0, 0.0)
    var worst = 0.0
    var position: Int?
    var agreeingRows = 0

    init(_ a: [Double], _ b: [Double], width: Int, _ tolerance: Tolerance) {
      for index in a.indices {
        guard a[index].isFinite, b[index].isFinite else {
          notFinite += 1
          outside += 1
          if notFinite == 1 { position = index }
          continue
        }
        let difference = abs(a[index] - b[index])
        let allowed = tolerance.absolute + tolerance.relative * abs(b[index])
        if difference > allowed { outside += 1 }
        maxAbsolute = max(maxAbsolute, difference)
        let ratio = difference == 0 ? 0 : difference / allowed
        if notFinite == 0, ratio > worst { (worst, position) = (ratio, index) }
        sum += difference
        product += a[index] * b[index]
        squareA += a[index] * a[index]
        squareB += b[index] * b[index]
      }
      for row in stride(from: 0, to: a.count, by: width) {
        func largest(_ x: [Double]) -> Int {
          (row..<row + width).reduce(row) { x[$1] > x[$0] ? $1 : $0 }
        }
        if largest(a) == largest(b) { agreeingRows += 1 }
      }
    }
  }

  private func nearness<A, B>(
    _ a: [A], _ typeA: ElementType, _ b: [B], _ typeB: ElementType, width: Int,
    _ tolerance: Tolerance, rows: Range<Int>? = nil
  ) -> Nearness {
    let rows = rows ?? 0..<a.count / width
    let places = rows.lowerBound * width..<rows.upperBound * width
    var nearness = Nearness(tolerance: tolerance)
    var (a, b) = (Elements.bytes(of: Array(a[places])), Elements.bytes(of: Array(b[places])))
    a.withMutableBytes { a in
      let left = a.bytes
      b.withMutableBytes {
        nearness.add(
          left, typeA, expected: $0.bytes, typeB, width: width, at: places.lowerBound)
      }
    }
    return nearness
  }

  private func expect(_ found: Nearness, _ plain: Plain, _ what: String) {
    #expect(found.outside == plain.outside, "\(what)")
    #expect(found.notFinite == plain.notFinite, "\(what)")
    #expect(found.worstPosition == plain.position, "\(what)")
    #expect(found.maxAbsolute == plain.maxAbsolute, "\(what)")
    let count = Double(max(1, found.count))
    #expect(abs(found.meanAbsolute - plain.sum / count) <= 1e-12 * plain.sum / count, "\(what)")
    guard plain.notFinite == 0 else { return }
    #expect(found.worst == plain.worst, "\(what)")
    #expect(found.agreeingRows == plain.agreeingRows, "\(what)")
    let norm = (plain.squareA * plain.squareB).squareRoot()
    #expect(norm == 0 || abs((found.cosine ?? 2) - plain.product / norm) < 1e-12, "\(what)")
  }

  @Test(arguments: Kernels.Level.allCases)
  func theLoopsAreWhatTheirDefinitionSays(level: Kernels.Level) {
    Kernels.limit(to: level)
    defer { Kernels.limit(to: .avx512) }
    var random = SeededGenerator(seed: 3)
    for (width, rows) in [(1, 3), (7, 5), (8, 2), (17, 1), (1023, 2), (1025, 3), (5000, 2)] {
      for special in [[], [Double.nan], [.infinity, -.infinity, .nan]] {
        let b = (0..<width * rows).map { _ in Double.random(in: -3...1, using: &random) }
        var a = b.map { $0 + Double.random(in: -1e-3...1e-3, using: &random) }
        // Some are equal, and the largest of a row may stand twice.
        for index in a.indices where index % 3 == 0 { a[index] = b[index] }
        if width > 8 { a[2] = a.max() ?? 0 }
        for (number, value) in special.enumerated() { a[(number * 37 + width) % a.count] = value }
        let tolerance = Tolerance(relative: 1e-4, absolute: 2e-4)
        let plain = Plain(a, b, width: width, tolerance)
        let what = "\(level) \(rows) × \(width) \(special)"
        let whole = nearness(a, .float64, b, .float64, width: width, tolerance)
        expect(whole, plain, what)
        var merged = nearness(a, .float64, b, .float64, width: width, tolerance, rows: 0..<1)
        merged.merge(
          nearness(a, .float64, b, .float64, width: width, tolerance, rows: 1..<rows))
        expect(merged, plain, what + " in two")
      }
    }
  }

  @Test func narrowerTypesAreWidenedExactly() {
    let a: [Float] = [0.1, -2, 3.5, .leastNonzeroMagnitude]
    let b: [Double] = [0.1, -2.25, 3.5, 0]
    let tolerance = Tolerance(relative: 0.01, absolute: 0.01)
    let found = nearness(a, .float32, b, .float64, width: 2, tolerance)
    expect(found, Plain(a.map(Double.init), b, width: 2, tolerance), "float32 and float64")
    let halves: [UInt16] = [0x3C00, 0xC000, 0x7C00, 0x0001]
    let values: [Double] = [1, -2, .infinity, 0x1p-24]
    let half = nearness(values, .float64, halves, .float16, width: 4, tolerance)
    #expect(half.notFinite == 1 && half.worstPosition == 2 && half.maxAbsolute == 0)
  }

  @Test func nothingIsWithinNoToleranceButWhatIsEqual() {
    let none = nearness([1.0, 0], .float64, [1.0, 0], .float64, width: 2, Tolerance())
    #expect(none.outside == 0 && none.worst == 0 && none.worstPosition == nil)
    let some = nearness([1.0, 0], .float64, [1.0, 1e-300], .float64, width: 2, Tolerance())
    #expect(some.outside == 1 && some.worst == .infinity && some.worstPosition == 1)
    #expect(nearness([0.0], .float64, [0.0], .float64, width: 1, Tolerance()).cosine == nil)
  }

  @Test(arguments: Kernels.Level.allCases) func magnitudesLeaveOutWhatIsNotFinite(
    level: Kernels.Level
  ) {
    Kernels.limit(to: level)
    defer { Kernels.limit(to: .avx512) }
    var values = (0..<2051).map { Double($0) - 1000 }
    var expected = values.reduce(0) { $0 + abs($1) }
    func magnitudes() -> Magnitudes {
      var bytes = Elements.bytes(of: values)
      var magnitudes = Magnitudes()
      bytes.withMutableBytes { magnitudes.add($0.bytes, .float64) }
      return magnitudes
    }
    #expect(magnitudes().sum == expected && magnitudes().largest == 1050)
    expected -= abs(values[2050]) + abs(values[0])
    (values[2050], values[0]) = (.infinity, .nan)
    #expect(magnitudes().sum == expected && magnitudes().largest == 1049)
  }
}
