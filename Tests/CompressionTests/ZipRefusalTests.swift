import TestSupport
import Tensors
import Testing

@testable import Compression

/// The words of every refusal of an archive: each of the reader's checks, met alone.
@Suite struct ZipRefusalTests {
  private typealias Member = ZipBuilder.Member

  private static func refusal(_ builder: ZipBuilder) -> String? { refusal(builder.build()) }

  /// The class and words with which an archive is refused; nil where it is read.
  private static func refusal(_ bytes: [UInt8]) -> String? {
    TestSupport.refusal {
      let archive = try ZipArchive(ArraySource(bytes))
      for member in try archive.members() { _ = try archive.content(of: member).everything() }
    }
  }

  private static func refusal(_ members: [Member]) -> String? { refusal(ZipBuilder(members)) }

  /// 40 bytes before the directory, which has 52.
  private static let member = Member("member", [5, 6, 7, 8])

  private static func archive(_ change: (inout ZipBuilder) -> Void) -> ZipBuilder {
    ZipBuilder([member]).with(change)
  }

  private static func put(_ value: Int, _ width: Int, at position: Int) -> (inout [UInt8]) -> Void {
    { $0.replaceSubrange(position..<position + width, with: ZipBuilder.little(value, width)) }
  }

  // MARK: The end records

  @Test func anEndRecordThatContradictsTheZip64Record() {
    let expected = "malformed: the end record and the zip64 end record disagree"
    for (value, width, position) in [(2, 2, 10), (53, 4, 12), (41, 4, 16)] {
      let found = Self.refusal(
        Self.archive {
          $0.changeWideEnd = { _ in }
          $0.changeEnd = Self.put(value, width, at: position)
        })
      #expect(found == expected)
    }
  }

  @Test func anEndRecordThatRefersToNoZip64Record() {
    let expected =
      "malformed: the end record refers to a zip64 end record, there is none"
    let changes = [
      Self.put(0xFFFF_FFFF, 4, at: 8), Self.put(0xFFFF_FFFF, 4, at: 12),
      Self.put(0xFFFF_FFFF, 4, at: 16),
    ]
    for change in changes {
      #expect(Self.refusal(Self.archive { $0.changeEnd = change }) == expected)
    }
  }

  @Test func anEndRecordOfTwoCounts() {
    #expect(
      Self.refusal(Self.archive { $0.changeEnd = Self.put(2, 2, at: 8) })
        == "malformed: the end record counts 2 and 1 members")
  }

  @Test func aDirectoryThatItsMembersCannotTake() {
    for count in [0, 2] {
      let change = Self.put(count | count << 16, 4, at: 8)
      #expect(
        Self.refusal(Self.archive { $0.changeEnd = change })
          == "malformed: \(count) members cannot take a central directory of 52 bytes")
    }
  }

  @Test(.row("Z6")) func severalDisksWhereverTheyAreNamed() {
    let expected = "unsupported: the zip archive is split over several disks"
    for position in [4, 6] {
      #expect(
        Self.refusal(Self.archive { $0.changeEnd = Self.put(1, 2, at: position) }) == expected)
    }
    for (value, position) in [(1, 4), (2, 16)] {
      let found = Self.refusal(
        Self.archive {
          $0.changeWideEnd = { _ in }
          $0.changeLocator = Self.put(value, 4, at: position)
        })
      #expect(found == expected)
    }
    // This disk, the directory's, and members of this disk that are not all.
    for (value, width, position) in [(1, 4, 16), (1, 4, 20), (0, 8, 24)] {
      let found = Self.refusal(
        Self.archive { $0.changeWideEnd = Self.put(value, width, at: position) })
      #expect(found == expected)
    }
  }

  @Test func aLocatorThatPointsElsewhere() {
    func refusal(_ offset: Int) -> String? {
      Self.refusal(
        Self.archive {
          $0.changeWideEnd = { _ in }
          $0.changeLocator = Self.put(offset, 8, at: 8)
        })
    }
    #expect(refusal(93) == "malformed: the zip64 locator points to 93, beyond itself")
    #expect(
      refusal(.min) == "malformed: the zip64 locator points to 9223372036854775808, beyond itself")
    #expect(
      refusal(91) == "malformed: the zip64 locator points to 91, where no zip64 end record is")
  }

  @Test func aZip64RecordOfAnotherSize() {
    #expect(
      Self.refusal(Self.archive { $0.changeWideEnd = Self.put(45, 8, at: 4) })
        == "malformed: the zip64 end record declares 45 bytes and does not end at its locator")
    let extended = Self.archive {
      $0.changeWideEnd = {
        Self.put(52, 8, at: 4)(&$0)
        $0 += [UInt8](repeating: 0, count: 8)
      }
    }
    #expect(
      Self.refusal(extended)
        == "unsupported: the zip64 end record has an extensible data sector")
  }

  // MARK: The directory

  @Test func aDirectoryOfMoreHeaders() {
    let archive = ZipBuilder([Self.member, Member("other", [9])]).with {
      $0.changeEnd = Self.put(1 | 1 << 16, 4, at: 8)
    }
    #expect(
      Self.refusal(archive)
        == "malformed: the central directory goes on for 51 bytes after 1 members")
  }

  @Test func aDirectoryOfFewerHeaders() {
    let archive = ZipBuilder([Member(String(repeating: "n", count: 60), [])]).with {
      $0.changeEnd = Self.put(2 | 2 << 16, 4, at: 8)
    }
    #expect(Self.refusal(archive) == "malformed: the central directory ends inside a header")
  }

  @Test func aCentralHeaderOfAnotherSignature() {
    #expect(
      Self.refusal([Self.member.with { $0.central.signature = [1, 2, 3, 4] }])
        == "malformed: expected a central header, found the signature 0x4030201")
  }

  @Test func aCentralHeaderThatLeavesTheDirectory() {
    // The length of the name, the extra fields and the comment.
    for position in [28, 30, 32] {
      var bytes = ZipBuilder([Self.member]).build()
      bytes[40 + position + 1] = 0xFF
      #expect(
        Self.refusal(bytes)
          == "malformed: a central header's name, extra fields and comment leave the directory")
    }
  }

  @Test func namesThatNoMemberHas() {
    func refusal(_ change: (inout ZipBuilder.Header) -> Void) -> String? {
      Self.refusal([Self.member.with { $0.both(change) }])
    }
    #expect(refusal { $0.name = [] } == "malformed: a member without a name")
    #expect(
      refusal { $0.name = [0x61, 0, 0x62] } == "malformed: a member's name contains a NUL byte")
    #expect(
      refusal {
        $0.name = [0x61, 0xFF]
        $0.flags = 1 << 11
      } == "malformed: a member's name claims to be UTF-8 and is not")
    #expect(
      Self.refusal([Self.member, Self.member])
        == "malformed: the archive has two members of this name")
  }

  @Test func sizesThatNoMemberHas() {
    func refusal(_ change: (inout ZipBuilder.Header) -> Void) -> String? {
      Self.refusal([Self.member.with { $0.both(change) }])
    }
    #expect(
      refusal { $0.uncompressedSize = 3 } == "malformed: a stored member has sizes 4 and 3")
    #expect(
      Self.refusal([Member("member", []).with { $0.both { $0.crc = 7 } }])
        == "integrity: an empty member has the CRC-32 7, not 0")
    #expect(
      Self.refusal([Self.member.with { $0.central.disk = 3 }])
        == "malformed: the member lies on disk 3")
    #expect(
      Self.refusal([Self.member.with { $0.central.externalAttributes = 0o120777 << 16 }])
        == "unsafe: the member is a symbolic link")
  }

  @Test(.row("Z17")) func zip64FieldsThatContradictTheHeader() {
    func refusal(
      _ extra: [Int], _ change: (inout ZipBuilder.Header) -> Void = { _ in }
    ) -> String? {
      Self.refusal([
        Self.member.with {
          change(&$0.central)
          $0.central.extra = [1, 0, UInt8(8 * extra.count), 0]
          for number in extra { $0.central.extra += ZipBuilder.little(number, 8) }
        }
      ])
    }
    #expect(
      refusal([5, 4, 0])
        == "malformed: the header gives the uncompressed size 4, its zip64 extra field 5")
    #expect(
      refusal([4, 5, 0])
        == "malformed: the header gives the compressed size 4, its zip64 extra field 5")
    #expect(
      refusal([4, 4, 1]) == "malformed: the header gives the offset 0, its zip64 extra field 1")
    #expect(
      refusal([]) { $0.compressedSize = .max }
        == "malformed: the zip64 extra field lacks the compressed size")
    #expect(
      refusal([]) { $0.disk = .max } == "malformed: the zip64 extra field lacks the disk number")
    #expect(
      refusal([.min]) { $0.uncompressedSize = .max }
        == "malformed: the uncompressed size 9223372036854775808 exceeds 2^63")
    #expect(refusal([4]) == "malformed: the zip64 extra field holds 8 bytes too many")
  }

  // MARK: The members

  @Test func aMemberThatReachesIntoTheNext() {
    let long = Member("first", [1, 2, 3]).with {
      $0.both {
        $0.compressedSize = 5
        $0.uncompressedSize = 5
      }
    }
    #expect(
      Self.refusal([long, Self.member])
        == "malformed: the member's 5 bytes end at 40, what follows it begins at 38")
  }

  @Test func bytesThatBelongToNoMember() {
    #expect(
      Self.refusal(Self.archive { $0.prefix = [1, 2] })
        == "malformed: 2 bytes that belong to no member lie before this one")
    #expect(
      Self.refusal(Self.archive { $0.beforeDirectory = [1, 2, 3] })
        == "malformed: 3 bytes lie between the last member and the central directory")
  }

  @Test func aLocalHeaderThatIsCutShort() {
    let absent = Member("absent", []).with { $0.hasLocal = false }
    let archive = ZipBuilder([absent]).with {
      $0.beforeDirectory = [UInt8](repeating: 0, count: 29)
    }
    #expect(Self.refusal(archive) == "malformed: the local header is cut short")
    var bytes = ZipBuilder([Self.member]).build()
    bytes[27] = 0xFF
    #expect(
      Self.refusal(bytes)
        == "malformed: the local header's name and extra fields leave the members' part of the file"
    )
  }

  @Test(.row("Z9", "Z10")) func aLocalHeaderThatContradictsTheDirectory() {
    func refusal(_ change: (inout ZipBuilder.Header) -> Void) -> String? {
      Self.refusal([Self.member.with { change(&$0.local) }])
    }
    let both = "malformed: the local header and the central directory give different"
    #expect(refusal { $0.name[0] ^= 1 } == "\(both) names")
    #expect(refusal { $0.flags = 1 << 1 } == "\(both) flags")
    #expect(refusal { $0.method = 8 } == "\(both) methods")
    #expect(
      refusal { $0.signature = [1, 2, 3, 4] }
        == "malformed: expected a local header, found the signature 0x4030201")
    #expect(
      refusal { $0.crc = 1 }?.hasPrefix(
        "malformed: the local header gives the CRC-32 1, the central directory ") == true)
    #expect(
      refusal { $0.compressedSize = 3 }
        == "malformed: the local header gives the compressed size 3, the central directory 4")
    #expect(
      refusal { $0.uncompressedSize = 3 }
        == "malformed: the local header gives the uncompressed size 3, the central directory 4")
    #expect(
      refusal { $0.uncompressedSize = .max }
        == "malformed: local header: the zip64 extra field lacks the uncompressed size")
  }

  @Test func whatFollowsStreamedDataMustBeItsDescriptor() {
    let crc = Int(Self.member.central.crc)
    func refusal(_ numbers: [(Int, Int)]) -> String? {
      Self.refusal([
        Self.member.with {
          $0.both { $0.flags = 1 << 3 }
          $0.trailer = numbers.flatMap(ZipBuilder.little)
        }
      ])
    }
    let signature = (0x0807_4B50, 4)
    // With and without a signature, narrow and wide.
    #expect(refusal([(crc, 4), (4, 4), (4, 4)]) == nil)
    #expect(refusal([signature, (crc, 4), (4, 4), (4, 4)]) == nil)
    #expect(refusal([(crc, 4), (4, 8), (4, 8)]) == nil)
    #expect(refusal([signature, (crc, 4), (4, 8), (4, 8)]) == nil)
    func words(_ count: Int) -> String {
      "malformed: the \(count) bytes after the data are no data descriptor that agrees"
    }
    #expect(refusal([(crc, 4), (4, 4), (4, 4), (0, 1)]) == words(13))
    #expect(refusal([(crc, 4), (4, 4), (4, 4), (0, 10)]) == words(22))
    #expect(refusal([(0, 4), (crc, 4), (4, 4), (4, 4)]) == words(16))
    #expect(refusal([signature, (crc ^ 1, 4), (4, 4), (4, 4)]) == words(16))
    #expect(refusal([signature, (crc, 4), (5, 4), (4, 4)]) == words(16))
    #expect(refusal([signature, (crc, 4), (4, 4), (5, 4)]) == words(16))
  }
}
