internal import Tensors

/// Puts right the checksums of a changed file, so that what lies behind them is reached as well: few
/// changes that a fuzzer makes would otherwise get past the first.
enum ChecksumRepair {
  /// As many as a fuzzer breaks in the course of a run.
  private static let mostRepairs = 32

  /// Calls `body` with the bytes, and again with one checksum more put right, until none is wrong.
  static func run(_ bytes: [UInt8], _ body: ([UInt8]) throws -> Void) throws {
    var bytes = bytes
    for _ in 0..<mostRepairs {
      do {
        return try body(bytes)
      } catch let error as IngotError where error.errorClass == .integrity {
        guard let (stored, computed) = checksums(in: error.message),
          replace(stored, by: computed, in: &bytes)
        else { throw error }
      }
    }
    try body(bytes)
  }

  /// The two numbers in the message of a mismatch (`Checksum.mismatch`).
  private static func checksums(in message: String) -> (stored: UInt32, computed: UInt32)? {
    let numbers = message.split(whereSeparator: { " ,".contains($0) })
      .filter { $0.hasPrefix("0x") }.compactMap { UInt32($0.dropFirst(2), radix: 16) }
    return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
  }

  /// Replaces four bytes wherever they are found, in either order, and says whether they were.
  private static func replace(
    _ stored: UInt32, by computed: UInt32, in bytes: inout [UInt8]
  ) -> Bool {
    func littleEndian(_ value: UInt32) -> [UInt8] {
      (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
    }
    var isFound = false
    for (old, new) in [
      (littleEndian(stored), littleEndian(computed)),
      (littleEndian(stored).reversed(), littleEndian(computed).reversed()),
    ] where !isFound {
      var index = 0
      while index + 4 <= bytes.count {
        if bytes[index] == old[0], bytes[index..<index + 4].elementsEqual(old) {
          bytes.replaceSubrange(index..<index + 4, with: new)
          isFound = true
          index += 4
        } else {
          index += 1
        }
      }
    }
    return isFound
  }
}
