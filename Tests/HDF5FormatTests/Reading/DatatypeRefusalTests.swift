import TestSupport
import Tensors
import Testing

@testable import HDF5Format

/// Every rule of datatypes by its words, and what just keeps it.
@Suite struct DatatypeRefusalTests {
  private static func head(
    _ kind: UInt8, version: UInt8 = 3, flags: Int = 0, size: Int
  ) -> [UInt8] {
    [version << 4 | kind] + little(flags, 3) + little(size, 4)
  }

  private static func integer(bits: Int, at offset: Int) -> [UInt8] {
    head(0, size: 4) + little(offset, 2) + little(bits, 2)
  }

  /// A record of version 1 with one member, which may be an array.
  private static func record(
    _ size: Int, at offset: Int = 0, rank: UInt8 = 0, _ dimensions: [Int] = [],
    of type: [UInt8] = HDF5Message.uint8.body
  ) -> [UInt8] {
    head(6, version: 1, flags: 1, size: size) + Array("a\0\0\0\0\0\0\0".utf8)
      + little(offset, 4) + [rank] + [UInt8](repeating: 0, count: 11)
      + (0..<4).flatMap { little($0 < dimensions.count ? dimensions[$0] : 0, 4) } + type
  }

  private static func array(_ dimensions: [Int], size: Int) -> [UInt8] {
    head(10, size: size) + [UInt8(dimensions.count)] + dimensions.flatMap { little($0, 4) }
      + HDF5Message.uint8.body
  }

  private static let heads: [Verdict] = [
    .refused("datatype version 0", head(7, version: 0, size: 8)),
    .legal("version 5", head(7, version: 5, size: 8)),
    .refused("datatype version 6", as: .unsupported, head(7, version: 6, size: 8)),
    .refused("a datatype of 0 bytes", head(7, size: 0)),
    .legal("a byte less than 2 GiB", head(7, size: 1 << 31 - 1)),
    .refused("a datatype of 2147483648 bytes", head(7, size: 1 << 31)),
  ]

  private static let numbers: [Verdict] = [
    .refused("an integer of 0 bits in 4 bytes", integer(bits: 0, at: 0)),
    .legal("31 bits behind one", integer(bits: 31, at: 1)),
    .refused("an integer of 32 bits in 4 bytes", integer(bits: 32, at: 1)),
    .legal("a sign between the fields", float(exponent: (0, 8), mantissa: (9, 23), sign: 8)),
    .refused(outside, float(exponent: (0, 8), mantissa: (9, 24), sign: 8)),
    .refused(outside, float(exponent: (24, 9), mantissa: (0, 23), sign: 23)),
    .refused(outside, float(exponent: (23, 8), mantissa: (0, 23), sign: 32)),
    .refused(outside, HDF5Message.float(precision: 33)),
    .refused(outside, HDF5Message.float(precision: 0, offset: 32)),
  ]

  private static let outside = "a float whose fields leave its 4 bytes"

  private static func float(
    exponent: (UInt8, UInt8), mantissa: (UInt8, UInt8), sign: UInt8
  ) -> [UInt8] {
    HDF5Message.float(
      exponent: (at: exponent.0, bits: exponent.1), mantissa: (at: mantissa.0, bits: mantissa.1),
      sign: sign)
  }

  private static let composites: [Verdict] = [
    .refused("a record without members", head(6, size: 4)),
    .legal("a member of rank 4", record(4, rank: 4, [1, 2, 2, 1])),
    .refused("a member of rank 5", record(4, rank: 5, [1, 2, 2, 1])),
    .refused("a member's dimensions", record(4, rank: 1, [0])),
    .legal("a member a byte less than 2 GiB", record(1 << 31 - 1, rank: 1, [1 << 31 - 1])),
    .refused("a member's dimensions", record(1 << 31 - 1, rank: 1, [1 << 31])),
    .legal("a member at the end", record(4, at: 3)),
    .refused("a member that leaves its record", record(4, at: 4)),
    .refused("a member that leaves its record", record(4, at: 5)),
    .refused("a member that leaves its record", record(4, rank: 1, [5])),
    .refused(
      "an enumeration that is not over integers of its size",
      head(8, size: 2) + HDF5Message.int8.body),
    .refused("an array datatype of rank 0", array([], size: 1)),
    .legal("an array of rank 32", array([Int](repeating: 1, count: 32), size: 1)),
    .refused("an array datatype of rank 33", array([Int](repeating: 1, count: 33), size: 1)),
    .refused("an array datatype of 4 bytes that needs 3", array([3], size: 4)),
  ]

  @Test(arguments: heads + numbers + composites)
  func aDatatypeIsRefusedByTheRuleItBreaks(_ verdict: Verdict) throws {
    try verdict.expect { _ = try Datatype(&$0) }
  }
}
