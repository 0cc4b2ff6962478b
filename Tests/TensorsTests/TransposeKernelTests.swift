import TestSupport
import Testing

@testable import Tensors

/// The transposing kernel against its definition, with every set of instructions.
@Suite struct TransposeKernelTests {
  /// Whole blocks and what is left beside them, rows that lie pages apart on either side, and not.
  @Test(arguments: Kernels.Level.allCases, [1, 2, 3, 4, 8, 16])
  func everyElementChangesPlaces(_ level: Kernels.Level, width: Int) {
    Kernels.limit(to: level)
    defer { Kernels.limit(to: .avx512) }
    var random = SeededGenerator(seed: UInt64(width))
    let page = 4096
    for (rows, columns) in [(1, 1), (3, 50), (64, 16), (150, 33), (257, 64), (33, 257)] {
      for sourcePitch in [columns * width, columns * width + 24, 2 * page] {
        for targetPitch in [rows * width, rows * width + 40, 2 * page] {
          let source = (0..<rows * sourcePitch).map { _ in
            UInt8.random(in: .min ... .max, using: &random)
          }
          var expected = [UInt8](repeating: 7, count: columns * targetPitch)
          for row in 0..<rows {
            for column in 0..<columns {
              for byte in 0..<width {
                expected[column * targetPitch + row * width + byte] =
                  source[row * sourcePitch + column * width + byte]
              }
            }
          }
          var found = [UInt8](repeating: 7, count: expected.count)
          found.withMutableBytes {
            Kernels.transpose(
              rows: rows, columns: columns, width: width, from: source.rawSpan, at: 0,
              pitch: sourcePitch, into: &$0, at: 0, pitch: targetPitch)
          }
          #expect(
            found == expected, "\(rows) × \(columns), pitches \(sourcePitch), \(targetPitch)")
        }
      }
    }
  }
}
