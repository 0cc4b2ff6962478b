import Foundation
import TestSupport
import Tensors
import Testing

@testable import HDF5Format

/// Headers of the arrays that index chunks, changed and with a checksum that fits.
@Suite(.row("H27")) struct ArrayIndexTests {
  struct Damage: Sendable, CustomTestStringConvertible {
    let signature: String
    let offset: Int
    let byte: UInt8
    let text: String
    var testDescription: String { "\(signature) + \(offset) = \(byte)" }

    init(_ signature: String, _ offset: Int, _ byte: UInt8, _ text: String) {
      self.signature = signature
      self.offset = offset
      self.byte = byte
      self.text = text
    }
  }

  /// The bytes of each header in front of its checksum.
  private static let sizes = ["EAHD": 68, "FAHD": 24]
  private static let fixtures = [
    "EAHD": "hdf5/index-extensible-array_latest.h5", "FAHD": "hdf5/index-fixed-array_latest.h5",
  ]

  private static let damages =
    [(7, 65), (7, 0), (9, 3), (9, 0), (10, 3), (10, 0), (11, 32)].map {
      Damage("EAHD", $0, $1, "an extensible array of impossible sizes")
    } + [
      Damage("EAHD", 4, 1, "extensible array version 1"),
      Damage("FAHD", 4, 1, "fixed array version 1"), Damage("FAHD", 7, 32, "a fixed array of "),
      Damage("FAHD", 9, 1, "a fixed array of "),
    ]

  @Test(arguments: damages)
  func aHeaderThatCannotBeIsRefused(_ damage: Damage) throws {
    let fixture = try #require(Self.fixtures[damage.signature])
    let size = try #require(Self.sizes[damage.signature])
    var bytes = Array(try Data(contentsOf: URL(filePath: Places.fixture(fixture))))
    let mark = Array(damage.signature.utf8)
    let at = try #require(
      bytes.indices.dropLast(4).first { bytes[$0..<$0 + 4].elementsEqual(mark) })
    bytes[at + damage.offset] = damage.byte
    let checksum = HDF5Builder.checksum(Array(bytes[at..<at + size]))
    bytes.replaceSubrange(at + size..<at + size + 4, with: little(checksum, 4))
    let error = try #require(try fault(bytes))
    #expect(error.message.contains(damage.text), "\(error)")
  }
}
