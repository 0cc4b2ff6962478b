import TestSupport
import Tensors
import Testing

/// Statistics against two plain passes over the values.
@Suite struct StatisticsTests {
  private func statistics(_ bytes: [UInt8], _ type: ElementType) -> Statistics {
    var bytes = bytes
    return bytes.withMutableBytes { Statistics(of: $0.bytes, type: type) }
  }

  /// Mean and deviation of finite values, added up with compensation.
  private func plain(_ values: [Double]) -> (mean: Double, deviation: Double) {
    func sum(_ terms: [Double]) -> Double {
      var total = 0.0
      var lost = 0.0
      for term in terms {
        let next = total + term
        lost += abs(total) >= abs(term) ? (total - next) + term : (term - next) + total
        total = next
      }
      return total + lost
    }
    let mean = sum(values) / Double(values.count)
    let squares = sum(values.map { ($0 - mean) * ($0 - mean) })
    return (mean, (squares / Double(values.count)).squareRoot())
  }

  private func expect(
    _ statistics: Statistics, describe values: [Double],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let numbers = values.filter { !$0.isNaN }
    let finite = values.filter(\.isFinite)
    #expect(statistics.count == values.count, sourceLocation: sourceLocation)
    #expect(statistics.zeros == values.count { $0 == 0 }, sourceLocation: sourceLocation)
    #expect(statistics.nan == values.count(where: \.isNaN), sourceLocation: sourceLocation)
    #expect(
      statistics.infinite == values.count(where: \.isInfinite), sourceLocation: sourceLocation)
    #expect(statistics.min == numbers.min(), sourceLocation: sourceLocation)
    #expect(statistics.max == numbers.max(), sourceLocation: sourceLocation)
    guard !finite.isEmpty else {
      #expect(statistics.mean == nil && statistics.standardDeviation == nil)
      return
    }
    let (mean, deviation) = plain(finite)
    let scale = max(abs(mean), deviation)
    #expect(abs((statistics.mean ?? .nan) - mean) <= scale * 1e-14, sourceLocation: sourceLocation)
    // A mean that is rounded by one bit adds that bit's square to the variance.
    let unavoidable = deviation == 0 ? 0 : (mean * .ulpOfOne) * (mean * .ulpOfOne) / deviation
    #expect(
      abs((statistics.standardDeviation ?? .nan) - deviation) <= deviation * 1e-11 + 4
        * unavoidable,
      sourceLocation: sourceLocation)
  }

  @Test(arguments: Kernels.Level.allCases)
  func everyRealTypeIsDescribed(level: Kernels.Level) throws {
    Kernels.limit(to: level)
    var random = SeededGenerator(seed: 3)
    let all = (0..<48_000).map { _ in UInt8.random(in: 0...255, using: &random) }
    for type in ElementType.allCases where type.kind != .complex {
      var bytes = Array(all.dropLast(all.count % type.layout.bytesPerBlock))
      let wide = type == .float64 ? bytes : try Elements.cast(bytes, type, .float64).bytes
      var values = Elements.values(wide, as: Double.self)
      if type == .float64 || type == .float32 || type == .bfloat16 {
        // Random bits spread over so many magnitudes that their squares exceed float64.
        let narrow = (0..<6000).map { _ in Double.random(in: -1...1, using: &random) }
        bytes =
          try type == .float64
          ? Elements.bytes(of: narrow)
          : Elements.cast(Elements.bytes(of: narrow), .float64, type).bytes
        values = try Elements.values(
          type == .float64 ? bytes : Elements.cast(bytes, type, .float64).bytes, as: Double.self)
      }
      expect(statistics(bytes, type), describe: values)
    }
  }

  @Test(arguments: Kernels.Level.allCases)
  func nanAndInfinitiesAreCountedApart(level: Kernels.Level) {
    Kernels.limit(to: level)
    for count in [0, 1, 7, 16, 1024, 3000] {
      for special in [Float.nan, .infinity, -.infinity, 0, -0.0] {
        var values = (0..<count).map { Float($0) - 5.5 }
        for index in stride(from: 0, to: count, by: 3) { values[index] = special }
        expect(
          statistics(Elements.bytes(of: values), .float32), describe: values.map { Double($0) })
        let wide = values.map { Double($0) }
        expect(statistics(Elements.bytes(of: wide), .float64), describe: wide)
      }
    }
    expect(
      statistics(Elements.bytes(of: [Float](repeating: .nan, count: 5)), .float32),
      describe: [Double](repeating: .nan, count: 5))
  }

  @Test func aSmallDeviationAboutALargeMeanSurvives() {
    let values = (0..<100_000).map { 1e9 + Double($0 % 7) * 1e-3 }
    expect(statistics(Elements.bytes(of: values), .float64), describe: values)
  }

  @Test func mergedPiecesDescribeTheWhole() {
    var random = SeededGenerator(seed: 5)
    let values = (0..<20_000).map { _ in Double.random(in: -1...3, using: &random) }
    var merged = Statistics()
    var start = 0
    while start < values.count {
      let end = min(values.count, start + Int.random(in: 0...3000, using: &random))
      merged.merge(statistics(Elements.bytes(of: Array(values[start..<end])), .float64))
      start = end
    }
    expect(merged, describe: values)
  }

  @Test func levelsGiveTheSameBits() {
    var random = SeededGenerator(seed: 9)
    let values = (0..<5003).map { _ in Float.random(in: -1...1, using: &random) }
    let all = Kernels.Level.allCases.map { level -> [Double?] in
      Kernels.limit(to: level)
      let found = statistics(Elements.bytes(of: values), .float32)
      return [found.mean, found.standardDeviation]
    }
    #expect(all.allSatisfy { $0 == all[0] })
  }

  @Test func complexNumbersAreCountedOnly() {
    let values: [Float] = [0, 0, 0, 1, .nan, .infinity, -.infinity, 2]
    let found = statistics(Elements.bytes(of: values), .complex64)
    #expect(found.count == 4 && found.zeros == 1 && found.nan == 1 && found.infinite == 1)
    #expect(found.min == nil && found.max == nil && found.mean == nil)
    #expect(found.standardDeviation == nil)
  }

  @Test func boolsCountAsZeroOrOne() {
    let found = statistics([0, 1, 2, 255], .bool)
    #expect(found.min == 0 && found.max == 1 && found.mean == 0.75 && found.zeros == 1)
  }
}
