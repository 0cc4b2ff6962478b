/// An angle as a number of quarter turns, modulo 4, and a rest of at most π/4.
struct QuarterTurns {
  let turns: Int
  let rest: Elementary.Pair

  // π/2 in three parts.
  private static var halfPi: (Double, Double, Double) {
    (0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110)
  }

  /// Angles from here on take more of 2/π than three parts of π/2 hold.
  private static var largest: Double { 0x1p31 }

  /// Divides a finite angle in radians.
  init(_ x: Double) {
    if x.magnitude <= 0x1.921fb54442d18p-1 {
      self.init(turns: 0, rest: Elementary.Pair(high: x, low: 0))
    } else if x.magnitude < Self.largest {
      self.init(moderate: x)
    } else {
      self.init(large: x.magnitude)
      guard x < 0 else { return }
      self.init(turns: -turns, rest: Elementary.Pair(high: -rest.high, low: -rest.low))
    }
  }

  private init(turns: Int, rest: Elementary.Pair) { (self.turns, self.rest) = (turns, rest) }

  /// x − n·π/2, each part of π/2 taken off with its rounding errors (after Cody and Waite).
  private init(moderate x: Double) {
    let n = (x * 0x1.45f306dc9c883p-1).rounded(.toNearestOrEven)
    let first = Elementary.Pair.product(n, Self.halfPi.0)
    let second = Elementary.Pair.product(n, Self.halfPi.1)
    let once = Elementary.Pair.sum(x - first.high, -first.low)
    let twice = Elementary.Pair.sum(once.high, -second.high)
    let low = once.low + twice.low - second.low - n * Self.halfPi.2
    (turns, rest) = (Int(n), Elementary.Pair.sum(twice.high, low))
  }

  /// The bits of 2/π behind the point.
  private static let twoOverPi: [UInt64] = [
    0xA2F9_836E_4E44_1529, 0xFC27_57D1_F534_DDC0, 0xDB62_9599_3C43_9041, 0xFE51_63AB_DEBB_C561,
    0xB724_6E3A_424D_D2E0, 0x0649_2EEA_09D1_921C, 0xFE1D_EB1C_B129_A73E, 0xE882_35F5_2EBB_4484,
    0xE99C_7026_B45F_7E41, 0x3991_D639_8353_39F4, 0x9C84_5F8B_BDF9_283B, 0x1FF8_97FF_DE05_980F,
    0xEF2F_118B_5A0A_6D1F, 0x6D36_7ECF_27CB_09B7, 0x4F46_3F66_9E5F_EA2D, 0x7527_BAC7_EBE5_F17B,
    0x3D07_39F7_8A52_92EA, 0x6BFB_5FB1_1F8D_5D08, 0x5603_3046_FC7B_6BAB, 0xF0CF_BC20_9AF4_361D,
  ]

  /// x · 2/π modulo 4 in whole numbers (after Payne and Hanek): bits of 2/π that only make whole turns are left out.
  private init(large x: Double) {
    let mantissa = x.significandBitPattern | 1 << 52
    let exponent = Int(x.exponent) - 52
    let skipped = max(0, exponent - 2)
    // 256 bits of 2/π from there on, the most significant word first.
    let window = (0..<4).map { index in
      let (word, shift) = ((skipped + 64 * index) / 64, UInt64(skipped % 64))
      return Self.twoOverPi[word] << shift | Self.twoOverPi[word + 1] >> (64 - shift)
    }
    // Their product with the mantissa in five words, the least significant first.
    var product = [UInt64](repeating: 0, count: 5)
    for (index, word) in window.reversed().enumerated() {
      let (high, low) = mantissa.multipliedFullWidth(by: word)
      let (sum, carries) = product[index].addingReportingOverflow(low)
      product[index] = sum
      product[index + 1] = high &+ (carries ? 1 : 0)
    }
    // In units of 2^−254, so that two bits stand before the point.
    let down = UInt64(2 - (exponent - skipped))
    if down > 0 {
      for index in 0..<4 {
        product[index] = product[index] >> down | product[index + 1] << (64 - down)
      }
    }
    var fraction = Array(product[0..<4])
    let whole = Int(fraction[3] >> 62)
    fraction[3] &= 1 << 62 - 1
    let isAbove = fraction[3] >> 61 == 1
    if isAbove {
      // What is missing to the next quarter turn.
      var carry: UInt64 = 1
      for index in 0..<4 {
        let (sum, carries) = (~fraction[index]).addingReportingOverflow(carry)
        (fraction[index], carry) = (sum, carries ? 1 : 0)
      }
      fraction[3] &= 1 << 62 - 1
    }
    var value = Elementary.Pair(high: 0, low: 0)
    for (index, word) in fraction.reversed().enumerated() {
      for (half, bits) in [word >> 32, word & 0xFFFF_FFFF].enumerated() {
        let unit = Double(sign: .plus, exponent: -30 - 64 * index - 32 * half, significand: 1)
        let sum = Elementary.Pair.sum(value.high, Double(bits) * unit)
        value = Elementary.Pair.sum(sum.high, sum.low + value.low)
      }
    }
    // Times π/2.
    var angle = Elementary.Pair.product(value.high, Self.halfPi.0)
    angle = Elementary.Pair.sum(
      angle.high, angle.low + (value.high * Self.halfPi.1 + value.low * Self.halfPi.0))
    turns = isAbove ? whole + 1 : whole
    rest = isAbove ? Elementary.Pair(high: -angle.high, low: -angle.low) : angle
  }
}
