import TestSupport
import Tensors
import Testing

/// Casts against oracles that look through all numbers of the target, at every level of instructions.
@Suite struct CastTests {
  @Test(arguments: Kernels.Level.allCases, SmallFloat.all.map(\.type))
  func everyCodeOfASmallFloatDecodes(level: Kernels.Level, type: ElementType) throws {
    Kernels.limit(to: level)
    let format = try #require(SmallFloat.all.first { $0.type == type })
    let width = format.bitWidth
    let codes = Array(0..<1 << width)
    let packed: [UInt8]
    switch width {
    case 16: packed = Elements.bytes(of: codes.map { UInt16($0) })
    case 8: packed = codes.map { UInt8($0) }
    default:
      // From the lowest bit of each byte up.
      let bits = codes.flatMap { code in (0..<width).map { code >> $0 & 1 } }
      packed = stride(from: 0, to: bits.count, by: 8).map { start in
        (0..<8).reduce(UInt8(0)) { $0 | UInt8(bits[start + $1]) << UInt8($1) }
      }
    }
    let expected = codes.map(format.decode)
    let (wide, report) = try Elements.cast(packed, type, .float64)
    let single = Elements.values(try Elements.cast(packed, type, .float32).bytes, as: Float.self)
    for (index, value) in Elements.values(wide, as: Double.self).enumerated() {
      let isSame = value.isNaN ? expected[index].isNaN : value == expected[index]
      #expect(isSame && value.sign == expected[index].sign || value.isNaN && isSame)
      #expect(Double(single[index]) == value || value.isNaN && single[index].isNaN)
    }
    #expect(report.nanKept == expected.count(where: \.isNaN))
    #expect(report.inexact == 0)
  }

  /// All numbers of the target, the points halfway between them, their neighbours, and random bits.
  private func edges(_ format: SmallFloat, _ random: inout SeededGenerator) -> [Double] {
    var values: [Double] = [.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 1e300]
    let largest = format.magnitudes[format.magnitudes.count - 1]
    let stride = max(1, format.magnitudes.count / 500)
    var numbers = Swift.stride(from: 0, to: format.magnitudes.count - 1, by: stride).map {
      (format.magnitudes[$0], format.magnitudes[$0 + 1])
    }
    numbers.append((largest, largest + (largest - format.magnitudes[format.magnitudes.count - 2])))
    for (number, next) in numbers {
      for value in [number, number + (next - number) / 2, next] {
        values += [value, value.nextUp, value.nextDown, Double(Float(value).nextUp)]
      }
    }
    for _ in 0..<2000 { values.append(Double(bitPattern: random.next())) }
    for _ in 0..<2000 { values.append(Double.random(in: -3...3, using: &random)) }
    return values.flatMap { [$0, -$0] } + [.nan, -.nan]
  }

  @Test(arguments: Kernels.Level.allCases, SmallFloat.targets.map(\.type))
  func roundsOnceToTheNearestAndReportsIt(level: Kernels.Level, type: ElementType) throws {
    Kernels.limit(to: level)
    let format = try #require(SmallFloat.targets.first { $0.type == type })
    var random = SeededGenerator(seed: 17)
    let wide = edges(format, &random)
    let single = wide.map { Float($0) }
    for (bytes, values, source) in [
      (Elements.bytes(of: wide), wide, ElementType.float64),
      (Elements.bytes(of: single), single.map { Double($0) }, .float32),
    ] {
      let (codes, report) = try Elements.cast(bytes, source, type)
      let results = Elements.values(
        try Elements.cast(codes, type, .float64).bytes, as: Double.self)
      for (value, result) in zip(values, results) {
        if value.isNaN {
          #expect(result.isNaN)
        } else {
          let expected = format.round(value)
          #expect(
            result == expected && (result.sign == expected.sign),
            "\(source.name) \(value) became \(result), not \(expected)")
        }
      }
      #expect(report == format.report(values))
    }
  }

  /// Blocks without exceptions take another way than blocks with them.
  @Test(arguments: Kernels.Level.allCases, SmallFloat.targets.map(\.type))
  func reportOfOrdinaryValuesIsExact(level: Kernels.Level, type: ElementType) throws {
    Kernels.limit(to: level)
    let format = try #require(SmallFloat.targets.first { $0.type == type })
    var random = SeededGenerator(seed: 23)
    let values = (0..<10_000).map { _ in Float.random(in: -1...1, using: &random) * 0.01 }
    let (_, report) = try Elements.cast(Elements.bytes(of: values), .float32, type)
    #expect(report == format.report(values.map { Double($0) }))
    // Numbers that are on a coarse grid already attain the largest error many times.
    let coarse = (0..<10_000).map { Float($0 % 300) / 16 }
    let again = try Elements.cast(Elements.bytes(of: coarse), .float32, type).report
    #expect(again == format.report(coarse.map { Double($0) }))
  }

  /// What the rules say of values every implementation is asked about.
  @Test func knownValues() throws {
    func float32(_ values: [Float], _ type: ElementType) throws -> [UInt8] {
      try Elements.cast(Elements.bytes(of: values), .float32, type).bytes
    }
    #expect(
      Elements.values(
        try float32([1, 65504, 65519.996, 65520, 5.9604645e-8, 2.9802322e-8, -0.0], .float16),
        as: UInt16.self) == [0x3C00, 0x7BFF, 0x7BFF, 0x7C00, 1, 0, 0x8000])
    #expect(
      Elements.values(
        try float32([1.00390625, 1.01171875, 3.4e38, 3.3961776e38, .infinity], .bfloat16),
        as: UInt16.self) == [0x3F80, 0x3F82, 0x7F80, 0x7F80, 0x7F80])
    #expect(
      try float32([448, 464, 465, .infinity, -500], .float8E4M3FN) == [126, 126, 126, 126, 254])
    #expect(
      try float32([57344, 61440, 61439, .infinity], .float8E5M2) == [0x7B, 0x7C, 0x7B, 0x7C])
    #expect(try float32([240, 1e9, -0.0, -1e-9, .nan], .float8E4M3FNUZ) == [127, 127, 0, 0, 128])
    // 1 + 2^-11 + 2^-40: by way of float32 it would be a tie, and go down.
    let close = Elements.bytes(of: [1 + 0x1p-11 + 0x1p-40])
    #expect(
      Elements.values(try Elements.cast(close, .float64, .float16).bytes, as: UInt16.self)
        == [0x3C01])
  }

  @Test func nanKeepsSignAndUpperPayload() throws {
    let patterns: [UInt32] = [0x7FC0_0000, 0xFFC0_0000, 0x7F80_0001, 0x7FA0_0000, 0xFFFF_FFFF]
    func cast(_ type: ElementType) throws -> [UInt8] {
      try Elements.cast(Elements.bytes(of: patterns), .float32, type).bytes
    }
    for level in Kernels.Level.allCases {
      Kernels.limit(to: level)
      #expect(
        Elements.values(try cast(.float16), as: UInt16.self)
          == [0x7E00, 0xFE00, 0x7E00, 0x7F00, 0xFFFF])
      #expect(
        Elements.values(try cast(.bfloat16), as: UInt16.self)
          == [0x7FC0, 0xFFC0, 0x7FC0, 0x7FE0, 0xFFFF])
      #expect(
        Elements.values(try cast(.float64), as: UInt64.self).map { $0 >> 44 }
          == [0x7FF80, 0xFFF80, 0x7FF80, 0x7FFC0, 0xFFFFF])
      #expect(try cast(.float8E4M3FN) == [0x7F, 0xFF, 0x7F, 0x7F, 0xFF])
    }
  }

  @Test(arguments: Kernels.Level.allCases)
  func float64BecomesFloat32AsTheLanguageDoesIt(level: Kernels.Level) throws {
    Kernels.limit(to: level)
    var random = SeededGenerator(seed: 31)
    var values = (0..<20_000).map { _ in Double(bitPattern: random.next()) }
    values += (0..<20_000).map { _ in
      Double(Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))).nextUp
    }
    values += [0x1.fffffep127, 0x1.ffffffp127, 0x1.fffffefffffffp127, 0x1p-150, 0x1.8p-150]
    let (bytes, report) = try Elements.cast(Elements.bytes(of: values), .float64, .float32)
    let results = Elements.values(bytes, as: Float.self)
    var expected = CastReport(elements: values.count)
    for (value, result) in zip(values, results) {
      guard !value.isNaN else {
        #expect(result.isNaN && result.sign == value.sign)
        expected.nanKept += 1
        continue
      }
      let rounded = Float(value)
      #expect(result == rounded && result.sign == rounded.sign)
      if Double(rounded) != value { expected.inexact += 1 }
      if rounded.isInfinite {
        if value.isFinite { expected.overflowedToInfinity += 1 }
      } else if rounded == 0 {
        if value != 0 { expected.underflowedToZero += 1 }
      } else {
        expected.largestRelativeError = max(
          expected.largestRelativeError, abs(Double(rounded) - value) / abs(value))
      }
    }
    #expect(report == expected)
  }

  @Test func powersOfTwoRoundToTheNearestUpOnTies() throws {
    let values: [Float] = [1, 1.25, 1.5, 1.75, 3, 5.99, 0, -1, .nan, .infinity, 0x1p-127, 0x1p-140]
    let (codes, report) = try Elements.cast(Elements.bytes(of: values), .float32, .float8E8M0FNU)
    #expect(codes == [127, 127, 128, 128, 129, 129, 255, 255, 255, 254, 0, 0])
    #expect(report.nanMade == 2 && report.nanKept == 1 && report.saturated == 2)
    let all = (0...255).map { UInt8($0) }
    let powers = Elements.values(
      try Elements.cast(all, .float8E8M0FNU, .float32).bytes, as: Float.self)
    #expect(
      powers[0] == 0x1p-127 && powers[127] == 1 && powers[254] == 0x1p127 && powers[255].isNaN)
    #expect(try Elements.cast(Elements.bytes(of: powers), .float32, .float8E8M0FNU).bytes == all)
  }

  private static let integerTypes: [ElementType] = [
    .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64,
  ]

  /// The integers of `bytes`, which are of `type`.
  private func integers(_ bytes: [UInt8], _ type: ElementType) -> [Int128] {
    let width = type.layout.bytesPerBlock
    return stride(from: 0, to: bytes.count, by: width).map { start in
      var value: UInt64 = 0
      for byte in (0..<width).reversed() { value = value << 8 | UInt64(bytes[start + byte]) }
      let isNegative = type.kind == .signedInteger && value >> UInt64(8 * width - 1) == 1
      return Int128(value) - (isNegative ? Int128(1) << Int128(8 * width) : 0)
    }
  }

  private func range(_ type: ElementType) -> ClosedRange<Int128> {
    let width = Int128(8 * type.layout.bytesPerBlock)
    return type.kind == .signedInteger
      ? -(1 << (width - 1))...(1 << (width - 1)) - 1
      : 0...(1 << width) - 1
  }

  @Test(arguments: integerTypes)
  func integersSaturateAsIntegersAndRoundAsFloats(type: ElementType) throws {
    var random = SeededGenerator(seed: 41)
    let width = type.layout.bytesPerBlock
    var bytes = (0..<500 * width).map { _ in UInt8.random(in: 0...255, using: &random) }
    // Small magnitudes, and the ends.
    for index in 0..<200 where width > 1 {
      bytes[index * width + width - 1] = index % 2 == 0 || type.kind != .signedInteger ? 0 : 255
    }
    for byte in 0..<width {
      bytes[byte] = byte == width - 1 && type.kind == .signedInteger ? 127 : 255
      bytes[width + byte] = byte == width - 1 && type.kind == .signedInteger ? 128 : 0
    }
    let values = integers(bytes, type)
    for target in Self.integerTypes where target != type {
      let (result, report) = try Elements.cast(bytes, type, target)
      let expected = values.map { min(max($0, range(target).lowerBound), range(target).upperBound) }
      #expect(integers(result, target) == expected, "to \(target.name)")
      #expect(report.saturated == zip(values, expected).count { $0 != $1 })
    }
    #expect(try Elements.cast(bytes, type, .bool).bytes == values.map { $0 == 0 ? 0 : 1 })
    let doubles = Elements.values(try Elements.cast(bytes, type, .float64).bytes, as: Double.self)
    #expect(doubles == values.map { $0 < 0 ? Double(Int64($0)) : Double(UInt64($0)) })
    let floats = Elements.values(try Elements.cast(bytes, type, .float32).bytes, as: Float.self)
    #expect(floats == values.map { $0 < 0 ? Float(Int64($0)) : Float(UInt64($0)) })
    for format in SmallFloat.targets {
      let codes = try Elements.cast(bytes, type, format.type).bytes
      let results = Elements.values(
        try Elements.cast(codes, format.type, .float64).bytes, as: Double.self)
      for (value, result) in zip(values, results) {
        // Rounding the exact value: a double with the last bit set where bits were cut off.
        let magnitude = UInt64(value.magnitude)
        let cut = UInt64(max(0, 64 - magnitude.leadingZeroBitCount - 53))
        let kept = (magnitude >> cut) << cut
        let sticky = Double(kept == magnitude ? kept : kept | 1 << cut)
        #expect(
          result == format.round(value < 0 ? -sticky : sticky), "\(value) as \(format.type.name)")
      }
    }
  }

  @Test(arguments: [ElementType.float64, .float32, .float16, .bfloat16])
  func floatsRoundToTheNearestIntegerAndSaturate(type: ElementType) throws {
    var random = SeededGenerator(seed: 43)
    var wide: [Double] = [
      0, -0.0, 0.5, 1.5, 2.5, -0.5, -1.5, 127.5, 128, -128.5, -129, 255.5, 0x1p31, 0x1p63, -0x1p63,
      0x1p64, 0x1p52 + 1, 0.49999999999999994, .infinity, -.infinity, .nan,
    ]
    for exponent in -3..<70 {
      wide.append(
        Double.random(in: -1...1, using: &random)
          * Double(sign: .plus, exponent: exponent, significand: 1))
    }
    let bytes = try Elements.cast(Elements.bytes(of: wide), .float64, type).bytes
    let source = type == .float64 ? Elements.bytes(of: wide) : bytes
    let values = Elements.values(
      type == .float64 ? source : try Elements.cast(source, type, .float64).bytes, as: Double.self)
    for target in Self.integerTypes {
      let (result, report) = try Elements.cast(source, type, target)
      let bounds = range(target)
      var saturated = 0
      let expected = values.map { value -> Int128 in
        guard !value.isNaN else { return 0 }
        let rounded = value.rounded(.toNearestOrEven)
        if rounded < Double(bounds.lowerBound) || rounded >= Double(bounds.upperBound + 1) {
          saturated += 1
          return value < 0 ? bounds.lowerBound : bounds.upperBound
        }
        return Int128(rounded)
      }
      #expect(integers(result, target) == expected, "to \(target.name)")
      #expect(report.saturated == saturated && report.nanKept == values.count(where: \.isNaN))
      #expect(report.underflowedToZero == values.count { $0 != 0 && abs($0) <= 0.5 })
    }
  }

  @Test func truthIsAnyByteButZero() throws {
    #expect(try Elements.cast([0, 1, 2, 255], .bool, .uint8).bytes == [0, 1, 1, 1])
    #expect(try Elements.cast([0, 1, 2, 255], .uint8, .bool).bytes == [0, 1, 1, 1])
    let floats = Elements.bytes(of: [0, -0.0, 0.25, Float.nan])
    let (bools, report) = try Elements.cast(floats, .float32, .bool)
    #expect(bools == [0, 0, 1, 1] && report.nanKept == 1)
  }

  @Test func complexNumbersAreCastByComponents() throws {
    let values = [1.5, -0x1p200, 0x1p-30, .nan]
    let (bytes, report) = try Elements.cast(Elements.bytes(of: values), .complex128, .complex64)
    let components = Elements.values(bytes, as: Float.self)
    #expect(components[0] == 1.5 && components[1] == -.infinity && components[2] == 0x1p-30)
    #expect(components[3].isNaN && report.overflowedToInfinity == 1 && report.elements == 4)
    for (from, to) in [
      (ElementType.complex64, ElementType.float32), (.float32, .complex64),
      (.float32, .float4E2M1FN), (.float32, .float6E2M3FN),
    ] {
      let error = #expect(throws: IngotError.self) {
        _ = try CastSource(ArraySource(.init(repeating: 0, count: 16)), from: from, to: to)
      }
      #expect(error?.errorClass == .unsupported)
    }
  }

  @Test(arguments: [
    (ElementType.float32, ElementType.float16), (.float16, .float64), (.float64, .int8),
    (.float4E2M1FN, .float32), (.float6E3M2FN, .bfloat16), (.complex128, .complex64),
    (.int8, .int64),
  ])
  func anyRangeOfACastIsThatRangeOfTheWhole(source: ElementType, target: ElementType) throws {
    var random = SeededGenerator(seed: 53)
    let bytes = (0..<48_000).map { _ in UInt8.random(in: 0...60, using: &random) }
    let (whole, report) = try Elements.cast(bytes, source, target)
    let recorder = CastRecorder()
    let view = try CastSource(ArraySource(bytes), from: source, to: target, recorder: recorder)
    var ranges = (0..<60).map { _ in
      let lower = Int.random(in: 0...whole.count, using: &random)
      return lower..<Int.random(in: lower...whole.count, using: &random)
    }
    ranges += [0..<whole.count, 0..<whole.count]
    for range in ranges {
      #expect(
        try view.bytes(at: range.lowerBound, count: range.count, "a range") == Array(whole[range]))
    }
    // However often elements are read, they are reported once.
    #expect(recorder.report == report)
  }

  @Test func reportIsTheSameFromManyThreads() async throws {
    var random = SeededGenerator(seed: 59)
    let values = (0..<100_000).map { _ in
      Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
    }
    let bytes = Elements.bytes(of: values)
    let expected = try Elements.cast(bytes, .float32, .float16).report
    let recorder = CastRecorder()
    let view = try CastSource(ArraySource(bytes), from: .float32, to: .float16, recorder: recorder)
    try await withThrowingTaskGroup { group in
      for task in 0..<20 {
        group.addTask { _ = try view.bytes(at: task * 10_000, count: 10_000, "a part") }
      }
      try await group.waitForAll()
    }
    #expect(recorder.report == expected)
  }

  @Test func castTensorsStayLazyAndKeepTheirObstacles() throws {
    let tensor = try Tensor(
      elementType: .float32, shape: Shape([2]),
      source: ArraySource(Elements.bytes(of: [Float(1), 2])),
      storage: StorageIdentity("here"))
    let half = try tensor.cast(to: .float16)
    #expect(half.elementType == .float16 && half.byteCount == 4)
    #expect(
      half.storage == (try tensor.cast(to: .float16).storage) && half.storage != tensor.storage)
    #expect(try tensor.cast(to: .float32).storage == tensor.storage)
    let obstacle = IngotError(.unsupported, "szip")
    let closed = try Tensor(elementType: .float32, shape: Shape([2]), obstacle: obstacle)
    #expect(try closed.cast(to: .float16).obstacle == obstacle)
  }
}
