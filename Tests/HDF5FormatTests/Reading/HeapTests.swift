import Foundation
import TestSupport
import Tensors
import Testing

@testable import HDF5Format

/// Fractal heaps that are damaged where no checksum tells: what is changed gets a checksum that fits.
@Suite struct HeapTests {
  /// The bytes of a library's file whose root has 300 members.
  private static let sound = Result {
    Array(try Data(contentsOf: URL(filePath: Places.fixture("hdf5/group-300-children_latest.h5"))))
  }

  /// The place of a structure in the file that begins so.
  private static func place(of beginning: [UInt8], in bytes: [UInt8]) throws -> Int {
    try #require(bytes.firstRange(of: beginning)).lowerBound
  }

  private static func number(_ bytes: [UInt8], at place: Int, width: Int) -> Int {
    bytes[place..<place + width].reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  @Test(
    .row("H36"),
    arguments: [
      (5, 1, 2), (110, 0, 2), (110, 1025, 2), (112, 3, 8), (112, 1 << 20, 8), (120, 3, 8),
      (120, 1 << 32, 8), (128, 0, 2), (128, 64, 2), (140, 65, 2),
    ])
  func aHeapOfImpossibleSizesIsMalformed(at offset: Int, value: Int, width: Int) throws {
    var bytes = try Self.sound.get()
    let start = try Self.place(of: Array("FRHP".utf8), in: bytes)
    let end = start + 142
    bytes.replaceSubrange(start + offset..<start + offset + width, with: little(value, width))
    bytes.replaceSubrange(
      end..<end + 4, with: little(HDF5Builder.checksum(Array(bytes[start..<end])), 4))
    let error = try fault(bytes)
    #expect(error?.errorClass == .malformed)
    #expect(error?.message == "a fractal heap of impossible sizes")
    #expect(error?.offset == start)
  }

  /// A block says which heap it belongs to, and where in it.
  @Test(.row("H36"), arguments: ["FHDB", "FHIB"], [5, 13])
  func aHeapBlockInTheWrongPlaceIsMalformed(_ signature: String, at offset: Int) throws {
    var bytes = try Self.sound.get()
    let heap = try Self.place(of: Array("FRHP".utf8), in: bytes)
    let placeWidth = (Self.number(bytes, at: heap + 128, width: 2) + 7) / 8
    let first = Array(signature.utf8) + [0] + little(heap, 8) + little(0, placeWidth)
    let start = try Self.place(of: first, in: bytes)
    let head = 5 + 8 + placeWidth
    let checksum: Int
    let end: Int
    if signature == "FHDB" {
      // The checksum stands before the content, and counts as zeros.
      checksum = start + head
      end = start + Self.number(bytes, at: heap + 112, width: 8)
      bytes.replaceSubrange(checksum..<checksum + 4, with: little(0, 4))
    } else {
      let entries =
        Self.number(bytes, at: heap + 140, width: 2) * Self.number(bytes, at: heap + 110, width: 2)
      checksum = start + head + 8 * entries
      end = checksum
    }
    func seal() {
      bytes.replaceSubrange(
        checksum..<checksum + 4, with: little(HDF5Builder.checksum(Array(bytes[start..<end])), 4))
    }
    let before = bytes
    seal()
    #expect(try fault(bytes) == nil)
    bytes = before
    bytes[start + offset] ^= 1
    seal()
    let error = try fault(bytes)
    #expect(error?.errorClass == .malformed)
    #expect(error?.message == "a heap block in the wrong place")
  }
}
