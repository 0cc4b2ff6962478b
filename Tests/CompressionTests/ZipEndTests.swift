import TestSupport
import Tensors
import Testing

@testable import Compression

/// The end of an archive: its records, and what lies round them.
extension ZipReadingTests {
  @Test(.row("Z1", "G6")) func anArchiveCutAnywhereIsMalformed() {
    let whole = ZipBuilder([Self.stored, Self.deflated("other")]).build()
    for count in 0..<whole.count {
      #expect(Self.refusal(Array(whole.prefix(count)))?.errorClass == .malformed)
    }
  }

  @Test(.row("Z2")) func twoEndRecordsAreMalformed() {
    let inner = ZipBuilder([Member("inner", [1])]).build()
    var outer = ZipBuilder([Self.stored])
    outer.comment = inner
    #expect(Self.refusal(outer.build())?.errorClass == .malformed)
  }

  @Test(.row("Z3", "G9")) func bytesThatBelongToNothingAreMalformed() {
    let junk: [UInt8] = [1, 2, 3]
    var builders = [ZipBuilder](repeating: ZipBuilder([Self.stored, Self.deflated("b")]), count: 5)
    builders[0].prefix = junk
    builders[1].suffix = junk
    builders[2].beforeDirectory = junk
    builders[3].afterDirectory = junk
    builders[4].members[0].trailer = junk
    for builder in builders { #expect(Self.refusal(builder.build())?.errorClass == .malformed) }
    var empty = ZipBuilder([])
    empty.prefix = junk
    #expect(Self.refusal(empty.build())?.errorClass == .malformed)
  }

  @Test(
    .row("Z4", "Z5"),
    arguments: [
      // Counts, and size and offset of the directory.
      (8, [9, 0]), (10, [9, 0]), (8, [1, 0, 1, 0]), (8, [3, 0, 3, 0]), (10, [0xFF, 0xFF]),
      (8, [0xFF, 0xFF, 0xFF, 0xFF]), (12, [0xFF, 0xFF, 0, 0]), (12, [0]), (16, [0xFF, 0xFF, 0, 0]),
      (16, [0]), (16, [0xFF, 0xFF, 0xFF, 0xFF]), (20, [1]),
    ] as [(Int, [UInt8])])
  func anEndRecordThatDisagreesIsMalformed(position: Int, bytes: [UInt8]) {
    var builder = ZipBuilder([Self.stored, Self.deflated("b")])
    builder.changeEnd = { $0.replaceSubrange(position..<position + bytes.count, with: bytes) }
    #expect(Self.refusal(builder.build())?.errorClass == .malformed)
  }

  @Test(
    .row("Z4", "Z5"),
    arguments: [
      (0, [0], .malformed), (4, [43], .malformed), (4, [45], .malformed), (16, [1], .unsupported),
      (24, [9], .unsupported), (24, [9, 0, 0, 0, 0, 0, 0, 0, 9], .malformed), (40, [1], .malformed),
      (48, [1], .malformed), (47, [0x80], .malformed), (55, [0xFF], .malformed),
    ] as [(Int, [UInt8], ErrorClass)])
  func aZip64EndRecordThatDisagreesIsRefused(
    position: Int, bytes: [UInt8], expected: ErrorClass
  ) {
    var builder = ZipBuilder([Self.stored, Self.deflated("b")])
    builder.changeWideEnd = { _ in }
    #expect(Self.refusal(builder.build()) == nil)
    builder.changeWideEnd = { $0.replaceSubrange(position..<position + bytes.count, with: bytes) }
    #expect(Self.refusal(builder.build())?.errorClass == expected)
  }

  @Test func theDirectoryEndsWhereTheEndRecordsBegin() {
    var builder = ZipBuilder([Self.stored])
    builder.afterDirectory = [1, 2, 3]
    #expect(
      Self.refusal(builder.build())?.message
        == "3 bytes lie between the central directory and the end record")
    builder.afterDirectory = []
    builder.changeEnd = { $0.replaceSubrange(12..<16, with: [0xFF, 0xFF, 0, 0]) }
    #expect(
      Self.refusal(builder.build())?.message
        == "the central directory of 65535 bytes at 40 leaves the 92 bytes before the end record")
    // An end that no Int holds.
    builder.changeEnd = { $0.replaceSubrange(12..<20, with: repeatElement(0xFF, count: 8)) }
    builder.changeWideEnd = {
      $0.replaceSubrange(40..<56, with: ZipBuilder.little(.max, 8) + ZipBuilder.little(.max, 8))
    }
    #expect(Self.refusal(builder.build())?.message.hasSuffix("before the end record") == true)
  }

  @Test(.row("Z6")) func severalDisksAreUnsupported() {
    var builder = ZipBuilder([Self.stored])
    // This disk, and the directory's.
    for position in [4, 6] {
      builder.changeEnd = { $0[position] = 1 }
      #expect(Self.refusal(builder.build())?.errorClass == .unsupported)
    }
    #expect(Self.refusal(of: Self.stored) { $0.central.disk = 1 } == .malformed)
  }
}
