/// Elementary functions in double precision: the same bits on every processor and system.
///
/// The C library's functions differ from system to system, and by processor within one: the forward pass is an oracle and
/// cannot depend on them. All are made of IEEE 754's basic operations and of fused multiply-adds. They err by less than
/// one unit in the last place; at least nine of ten results are the nearest number.
package enum Elementary {
  /// A number in two parts: high + low, where low is less than the last place of high.
  struct Pair {
    var high: Double
    var low: Double

    /// The exact sum of two numbers.
    static func sum(_ a: Double, _ b: Double) -> Pair {
      let high = a + b
      let other = high - a
      return Pair(high: high, low: (a - (high - other)) + (b - other))
    }

    /// The exact product of two numbers.
    static func product(_ a: Double, _ b: Double) -> Pair {
      let high = a * b
      return Pair(high: high, low: (-high).addingProduct(a, b))
    }
  }

  // ln 2 in parts; the first has 38 bits, so that its product with an exponent is exact.
  private static var ln2High: Double { 0x1.62e42fefa0000p-1 }
  private static var ln2Low: Double { 0x1.cf79abc9e3b3ap-40 }

  /// e to the power x.
  package static func exp(_ x: Double) -> Double { exp(Pair(high: x, low: 0)) }

  /// x = k·ln 2 + r with |r| ≤ ln 2 / 2; the Taylor series of e^r, times 2^k.
  private static func exp(_ x: Pair) -> Double {
    guard x.high > -746 else { return x.high.isNaN ? .nan : 0 }
    guard x.high < 710 else { return x.high.isNaN ? .nan : .infinity }
    let k = (x.high * 0x1.71547652b82fep+0).rounded(.toNearestOrEven)
    let reduced = Pair.sum(x.high - k * ln2High, x.low - k * ln2Low)
    let r = reduced.high
    var sum = 1 / 87_178_291_200.0 as Double
    sum = sum * r + 1 / 6_227_020_800
    sum = sum * r + 1 / 479_001_600
    sum = sum * r + 1 / 39_916_800
    sum = sum * r + 1 / 3_628_800
    sum = sum * r + 1 / 362_880
    sum = sum * r + 1 / 40_320
    sum = sum * r + 1 / 5040
    sum = sum * r + 1 / 720
    sum = sum * r + 1 / 120
    sum = sum * r + 1 / 24
    sum = sum * r + 1 / 6
    sum = sum * r + 0.5
    let power = 1 + (r + (reduced.low + r * r * sum))
    // Half of the exponent at a time: 2^k itself may be infinite or 0 where the result is neither.
    let half = Int(k) / 2
    return power * Double(sign: .plus, exponent: half, significand: 1)
      * Double(sign: .plus, exponent: Int(k) - half, significand: 1)
  }

  /// The natural logarithm.
  package static func log(_ x: Double) -> Double {
    guard x > 0 else { return x == 0 ? -.infinity : .nan }
    guard x < .infinity else { return x }
    let logarithm = logarithm(of: x)
    return logarithm.high + logarithm.low
  }

  /// ln x of a finite x above 0: x = 2^k·m, and ln m = 2·artanh(s) with s = (m − 1) / (m + 1).
  private static func logarithm(of x: Double) -> Pair {
    var (m, exponent) = (x.significand, x.exponent)
    if m > 0x1.6a09e667f3bcdp+0 { (m, exponent) = (m / 2, exponent + 1) }
    let (f, k) = (m - 1, Double(exponent))
    // m + 1 and s in two parts each.
    let divisor = 2 + f
    let rest = f - (divisor - 2)
    let s = f / divisor
    let sLow = (f.addingProduct(-s, divisor) - s * rest) / divisor
    let z = s * s
    var sum = 2 / 25.0 as Double
    sum = sum * z + 2 / 23
    sum = sum * z + 2 / 21
    sum = sum * z + 2 / 19
    sum = sum * z + 2 / 17
    sum = sum * z + 2 / 15
    sum = sum * z + 2 / 13
    sum = sum * z + 2 / 11
    sum = sum * z + 2 / 9
    sum = sum * z + 2 / 7
    sum = sum * z + 2 / 5
    sum = sum * z + 2 / 3
    let large = Pair.sum(k * ln2High, 2 * s)
    return Pair.sum(large.high, large.low + (2 * sLow + s * z * sum + k * ln2Low))
  }

  /// x to the power y; NaN for a negative x and a y that is not an integer.
  package static func pow(_ x: Double, _ y: Double) -> Double {
    if y == 0 || x == 1 { return 1 }
    if x.isNaN || y.isNaN { return .nan }
    let magnitude = x.magnitude
    guard magnitude > 0, magnitude < .infinity, y.magnitude < .infinity else {
      // The limits: 0 or infinite by whether the base is above 1 and the exponent above 0.
      if magnitude == 1 { return 1 }
      return (magnitude > 1) == (y > 0) ? .infinity : 0
    }
    guard x > 0 || y == y.rounded(.towardZero) else { return .nan }
    let logarithm = logarithm(of: magnitude)
    var power = Pair.product(y, logarithm.high)
    power.low = power.high.magnitude < 1000 ? power.low + y * logarithm.low : 0
    let result = exp(power)
    let isOdd = y.truncatingRemainder(dividingBy: 2).magnitude == 1
    return x < 0 && isOdd ? -result : result
  }

  /// The sine of an angle in radians.
  package static func sin(_ x: Double) -> Double {
    guard x.magnitude < .infinity else { return .nan }
    let angle = QuarterTurns(x)
    return switch angle.turns & 3 {
    case 0: sine(angle.rest)
    case 1: cosine(angle.rest)
    case 2: -sine(angle.rest)
    default: -cosine(angle.rest)
    }
  }

  /// The cosine of an angle in radians.
  package static func cos(_ x: Double) -> Double {
    guard x.magnitude < .infinity else { return .nan }
    let angle = QuarterTurns(x)
    return switch angle.turns & 3 {
    case 0: cosine(angle.rest)
    case 1: -sine(angle.rest)
    case 2: -cosine(angle.rest)
    default: sine(angle.rest)
    }
  }

  /// The Taylor series of the sine of an angle of at most π/4.
  private static func sine(_ angle: Pair) -> Double {
    let r = angle.high
    let z = r * r
    var sum = 1 / 355_687_428_096_000.0 as Double
    sum = sum * z - 1 / 1_307_674_368_000
    sum = sum * z + 1 / 6_227_020_800
    sum = sum * z - 1 / 39_916_800
    sum = sum * z + 1 / 362_880
    sum = sum * z - 1 / 5040
    sum = sum * z + 1 / 120
    sum = sum * z - 1 / 6
    return r + (r * z * sum + angle.low * (1 - 0.5 * z))
  }

  /// The Taylor series of the cosine of an angle of at most π/4.
  private static func cosine(_ angle: Pair) -> Double {
    let r = angle.high
    let z = r * r
    var sum = -1 / 6_402_373_705_728_000.0 as Double
    sum = sum * z + 1 / 20_922_789_888_000
    sum = sum * z - 1 / 87_178_291_200
    sum = sum * z + 1 / 479_001_600
    sum = sum * z - 1 / 3_628_800
    sum = sum * z + 1 / 40_320
    sum = sum * z - 1 / 720
    sum = sum * z + 1 / 24
    let half = 0.5 * z
    let first = 1 - half
    return first + (((1 - first) - half) + (z * z * sum - r * angle.low))
  }
}
