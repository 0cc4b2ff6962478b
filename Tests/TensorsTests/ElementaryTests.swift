import Foundation
import Tensors
import Testing

/// Elementary functions beside the C library's, and their bits, which no processor may change.
@Suite struct ElementaryTests {
  private struct Function: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let range: ClosedRange<Double>
    let own: @Sendable (Double) -> Double
    let library: @Sendable (Double) -> Double
    /// The hash of the bits of the first thousand results.
    let bits: UInt64
  }

  private static let functions = [
    Function(
      testDescription: "exp", range: -745...709, own: Elementary.exp, library: Foundation.exp,
      bits: 0xA6A7_BCC7_D78E_710B),
    Function(
      testDescription: "exp near 0", range: -1...1, own: Elementary.exp, library: Foundation.exp,
      bits: 0xFD5C_4219_7776_09BF),
    Function(
      testDescription: "log", range: 1e-300...1e300, own: Elementary.log, library: Foundation.log,
      bits: 0xD9C4_4D6A_1BA6_4273),
    Function(
      testDescription: "log near 1", range: 0.5...2, own: Elementary.log, library: Foundation.log,
      bits: 0xDB82_9503_9780_6815),
    Function(
      testDescription: "sin", range: -1e5...1e5, own: Elementary.sin, library: Foundation.sin,
      bits: 0x06C8_B9E7_8E47_FA7A),
    Function(
      testDescription: "cos", range: -1e5...1e5, own: Elementary.cos, library: Foundation.cos,
      bits: 0x9771_1F32_C243_A55B),
    Function(
      testDescription: "sin of large angles", range: 0x1p31...0x1p40, own: Elementary.sin,
      library: Foundation.sin, bits: 0xF452_E292_9548_5AC2),
    Function(
      testDescription: "cos of large angles", range: -1e300...1e300, own: Elementary.cos,
      library: Foundation.cos, bits: 0x87ED_EEF8_561B_1256),
    Function(
      testDescription: "powers of 10,000", range: -2...2, own: { Elementary.pow(10_000, $0) },
      library: { Foundation.pow(10_000, $0) }, bits: 0x8A7C_39CF_0801_F065),
    Function(
      testDescription: "cubes", range: -1e100...1e100, own: { Elementary.pow($0, 3) },
      library: { Foundation.pow($0, 3) }, bits: 0x81D1_F763_C106_624F),
  ]

  @Test(arguments: functions)
  private func `within one unit in the last place, the same bits everywhere`(
    function: Function
  ) {
    var random = SeededGenerator(seed: 41)
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    var nearest = 0
    for _ in 0..<1000 {
      let x = Double.random(in: function.range, using: &random)
      let (found, wanted) = (function.own(x), function.library(x))
      #expect(abs(found - wanted) <= wanted.ulp, "\(x)")
      nearest += found == wanted ? 1 : 0
      for shift in stride(from: 0, to: 64, by: 8) {
        hash = (hash ^ (found.bitPattern >> UInt64(shift) & 0xFF)) &* 0x100_0000_01B3
      }
    }
    #expect(nearest > 850)
    #expect(hash == function.bits, "0x\(String(hash, radix: 16))")
  }

  @Test func `limits are IEEE 754's`() {
    for (x, y) in [
      (0.0, 2.0), (0, -2), (-2, 3), (-2, 4), (.infinity, -1), (.infinity, 2), (2, .infinity),
      (2, -.infinity), (0.5, .infinity), (2, 5000), (2, -5000), (1, .nan), (.nan, 0), (2, -1074),
      (10, 308),
    ] as [(Double, Double)] {
      #expect(Elementary.pow(x, y) == Foundation.pow(x, y), "\(x), \(y)")
    }
    #expect(Elementary.pow(-2, 0.5).isNaN && Elementary.pow(.nan, 1).isNaN)
    #expect(Elementary.log(0) == -.infinity && Elementary.log(-1).isNaN)
    #expect(Elementary.log(.infinity) == .infinity && Elementary.log(1) == 0)
    #expect(Elementary.exp(-.infinity) == 0 && Elementary.exp(.infinity) == .infinity)
    #expect(Elementary.exp(710) == .infinity && Elementary.exp(-750) == 0 && Elementary.exp(0) == 1)
    #expect(Elementary.exp(.nan).isNaN && Elementary.sin(.nan).isNaN && Elementary.cos(.nan).isNaN)
    #expect(Elementary.sin(.infinity).isNaN && Elementary.cos(-.infinity).isNaN)
    #expect(Elementary.sin(0) == 0 && Elementary.cos(0) == 1)
  }
}
