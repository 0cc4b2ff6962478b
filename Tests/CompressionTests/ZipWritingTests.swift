import TestSupport
import Tensors
import Testing

@testable import Compression

@Suite struct ZipWritingTests {
  /// An archive of stored members as a format would write it.
  private static func archive(_ members: [(String, [UInt8])], alignment: Int = 1) -> [UInt8] {
    var file: [UInt8] = []
    var records: [ZipMemberRecord] = []
    for (name, content) in members {
      var record = ZipMemberRecord(
        name: ExactString(name), method: .stored, headerOffset: file.count, alignment: alignment)
      record.crc32 = CRC32.of(content)
      record.compressedSize = content.count
      record.uncompressedSize = content.count
      #expect(record.localHeader().count == record.headerSize)
      file += record.localHeader() + content
      records.append(record)
    }
    return file + ZipDirectory.bytes(of: records, at: file.count)
  }

  @Test func whatIsWrittenIsReadBack() throws {
    let members = [("a", [1, 2, 3]), ("größe/b", []), ("c", [9])] as [(String, [UInt8])]
    for alignment in [1, 64, 4096] {
      let archive = try ZipArchive(ArraySource(Self.archive(members, alignment: alignment)))
      for (member, expected) in zip(try archive.members(), members) {
        #expect(member.entry.name == expected.0)
        #expect(member.dataOffset % alignment == 0)
        #expect(try archive.content(of: member).everything() == expected.1)
      }
    }
  }

  @Test func anArchiveWithoutMembersIsTwentyTwoBytes() {
    #expect(Self.archive([]).count == 22)
  }

  @Test func whatDoesNotFit32BitsGoesIntoZip64Fields() throws {
    var record = ZipMemberRecord(name: "large", method: .deflated, headerOffset: 5 << 32)
    record.compressedSize = 6 << 32
    record.uncompressedSize = 7 << 32
    let directory = ZipDirectory.bytes(of: [record], at: 20 << 32)
    var position = 0
    let entry = try ZipCentralHeader(directory.span, at: &position, base: 0, largestExpansion: 200)
    #expect(entry.headerOffset == 5 << 32)
    #expect(entry.compressedSize == 6 << 32)
    #expect(entry.uncompressedSize == 7 << 32)
    #expect(directory.count == position + 56 + 20 + 22)
  }

  @Test func moreThan65534MembersHaveAZip64EndRecord() throws {
    for count in [65_534, 65_535, 65_536] {
      let file = Self.archive((0..<count).map { ("\($0)", []) })
      let archive = try ZipArchive(ArraySource(file))
      #expect(archive.entries.count == count)
    }
  }
}
