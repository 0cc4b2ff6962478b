import Tensors

/// Casts one element at a time by looking through the numbers a type has, the plain way.
struct SmallFloat {
  let type: ElementType
  let exponentBits: Int
  let fractionBits: Int
  let bias: Int
  let hasInfinity: Bool
  /// The codes of magnitudes that are NaN.
  let nanCodes: ClosedRange<Int>?
  let hasNegativeZero: Bool
  /// The finite magnitudes by code.
  let magnitudes: [Double]

  private init(
    _ type: ElementType, exponent: Int, fraction: Int, bias: Int, infinity: Bool = false,
    nan: ClosedRange<Int>? = nil, negativeZero: Bool = true
  ) {
    self.type = type
    exponentBits = exponent
    fractionBits = fraction
    self.bias = bias
    hasInfinity = infinity
    nanCodes = nan
    hasNegativeZero = negativeZero
    let codes = 1 << (exponent + fraction)
    magnitudes = (0..<codes).filter { code in
      !(nan?.contains(code) ?? false) && !(infinity && code == codes - 1 << fraction)
    }.map { code in
      let field = code >> fraction
      let below = Double(code & ((1 << fraction) - 1)) / Double(1 << fraction)
      let scale = Double(sign: .plus, exponent: max(field, 1) - bias, significand: 1)
      return (field == 0 ? below : 1 + below) * scale
    }
  }

  static let all: [SmallFloat] = [
    .init(.float16, exponent: 5, fraction: 10, bias: 15, infinity: true, nan: 0x7C01...0x7FFF),
    .init(.bfloat16, exponent: 8, fraction: 7, bias: 127, infinity: true, nan: 0x7F81...0x7FFF),
    .init(.float8E4M3FN, exponent: 4, fraction: 3, bias: 7, nan: 0x7F...0x7F),
    .init(.float8E5M2, exponent: 5, fraction: 2, bias: 15, infinity: true, nan: 0x7D...0x7F),
    .init(.float8E4M3FNUZ, exponent: 4, fraction: 3, bias: 8, negativeZero: false),
    .init(.float8E5M2FNUZ, exponent: 5, fraction: 2, bias: 16, negativeZero: false),
    .init(.float6E2M3FN, exponent: 2, fraction: 3, bias: 1),
    .init(.float6E3M2FN, exponent: 3, fraction: 2, bias: 3),
    .init(.float4E2M1FN, exponent: 2, fraction: 1, bias: 1),
  ]

  /// Those a cast can produce.
  static let targets = all.filter { $0.type.layout.addressesElements }

  /// The bits of a code: sign, exponent and fraction.
  var bitWidth: Int { 1 + exponentBits + fractionBits }

  /// The value of a code.
  func decode(_ code: Int) -> Double {
    let signBit = 1 << (exponentBits + fractionBits)
    let magnitude = code & (signBit - 1)
    let isNegative = code & signBit != 0
    if isNegative, magnitude == 0, !hasNegativeZero { return .nan }
    if nanCodes?.contains(magnitude) ?? false { return .nan }
    let value = magnitude < magnitudes.count ? magnitudes[magnitude] : .infinity
    return isNegative ? -value : value
  }

  /// What rounding a number to the nearest gives, ties to even.
  func round(_ value: Double) -> Double {
    let magnitude = abs(value)
    let largest = magnitudes[magnitudes.count - 1]
    let step = largest - magnitudes[magnitudes.count - 2]
    // The first code whose number is above; one beyond the last stands for what would come next.
    var lower = 0
    var upper = magnitudes.count
    while lower < upper {
      let middle = (lower + upper) / 2
      if magnitudes[middle] <= magnitude { lower = middle + 1 } else { upper = middle }
    }
    let below = lower - 1
    let above = lower < magnitudes.count ? magnitudes[lower] : largest + step
    // Exact: the numbers have few bits.
    let middle = magnitudes[below] + (above - magnitudes[below]) / 2
    let code = magnitude > middle || magnitude == middle && below % 2 == 1 ? below + 1 : below
    let rounded = code < magnitudes.count ? magnitudes[code] : hasInfinity ? .infinity : largest
    if rounded == 0, !hasNegativeZero { return 0 }
    return value.sign == .minus ? -rounded : rounded
  }

  /// Whether rounding this number leaves the finite ones.
  func exceeds(_ value: Double) -> Bool {
    let largest = magnitudes[magnitudes.count - 1]
    let step = largest - magnitudes[magnitudes.count - 2]
    let limit = largest + step / 2
    return abs(value) > limit || abs(value) == limit && magnitudes.count % 2 == 0
  }

  /// The report that casting `values` one by one gives.
  func report(_ values: [Double]) -> CastReport {
    var report = CastReport(elements: values.count)
    for value in values {
      guard !value.isNaN else {
        report.nanKept += 1
        continue
      }
      let rounded = round(value)
      if rounded != value { report.inexact += 1 }
      if exceeds(value) {
        if !hasInfinity {
          report.saturated += 1
        } else if value.isFinite {
          report.overflowedToInfinity += 1
        }
      } else if rounded == 0 {
        if value != 0 { report.underflowedToZero += 1 }
      } else {
        report.largestRelativeError = max(
          report.largestRelativeError, abs(rounded - value) / abs(value))
      }
    }
    return report
  }
}

/// Elements as little-endian bytes and back.
enum Elements {
  static func bytes<Value>(of values: [Value]) -> [UInt8] {
    unsafe values.withUnsafeBytes { unsafe Array($0) }
  }

  static func values<Value: BitwiseCopyable>(_ bytes: [UInt8], as type: Value.Type) -> [Value] {
    let width = MemoryLayout<Value>.size
    return unsafe bytes.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: width).map {
        unsafe bytes.loadUnaligned(fromByteOffset: $0, as: type)
      }
    }
  }

  /// The elements of `bytes` cast through a view.
  static func cast(
    _ bytes: [UInt8], _ from: ElementType, _ to: ElementType
  ) throws -> (bytes: [UInt8], report: CastReport) {
    let recorder = CastRecorder()
    let view = try CastSource(ArraySource(bytes), from: from, to: to, recorder: recorder)
    let result = try view.bytes(at: 0, count: view.byteCount, "the cast")
    return (result, recorder.report)
  }
}
