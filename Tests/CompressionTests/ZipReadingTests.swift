import TestSupport
import Tensors
import Testing

@testable import Compression

/// The rules of zip archives, each broken once in an otherwise sound archive.
@Suite struct ZipReadingTests {
  typealias Member = ZipBuilder.Member

  static let text = Array("a short text, a short text, a short text".utf8)

  /// A small deflated member.
  static func deflated(_ name: String, _ content: [UInt8] = text) -> Member {
    Member(name, Deflate.piece(content, level: 6, isLast: true), content: content)
  }

  /// Everything that the archive holds, by name.
  static func contents(_ archive: [UInt8]) throws -> [String: [UInt8]] {
    let archive = try ZipArchive(ArraySource(archive))
    var contents: [String: [UInt8]] = [:]
    for member in try archive.members() {
      contents[member.entry.name.text] = try archive.content(of: member).everything()
    }
    return contents
  }

  /// The class and the message of the refusal of an archive; nil where it is read.
  static func refusal(_ archive: [UInt8]) -> IngotError? {
    do {
      _ = try contents(archive)
      return nil
    } catch {
      return error as? IngotError ?? IngotError(.internal, "\(error)")
    }
  }

  static func refusal(_ members: [Member]) -> IngotError? {
    refusal(ZipBuilder(members).build())
  }

  static func refusal(
    of member: Member, _ change: (inout Member) -> Void
  ) -> ErrorClass? {
    refusal([Member("first", [1, 2, 3]), member.with(change), Member("last", [4])])?.errorClass
  }

  static let stored = Member("member", [5, 6, 7, 8])

  // MARK: What is read

  @Test func storedAndDeflatedMembersAreRead() throws {
    let archive = ZipBuilder([Member("a/b", [1, 2, 3]), Self.deflated("c"), Member("empty", [])])
    #expect(
      try Self.contents(archive.build()) == ["a/b": [1, 2, 3], "c": Self.text, "empty": []])
  }

  @Test func anArchiveWithoutMembersIsEmpty() throws {
    #expect(try Self.contents(ZipBuilder([]).build()).isEmpty)
  }

  @Test func aCommentIsAllowed() throws {
    var builder = ZipBuilder([Self.stored])
    builder.comment = Array("some words".utf8)
    #expect(try Self.contents(builder.build()).count == 1)
  }

  @Test func theDirectoryNeedNotBeInTheOrderOfTheFile() throws {
    let sound = ZipBuilder([Self.stored, Self.deflated("other")])
    var swapped = sound
    let firstSize = 30 + 6 + 4
    swapped.members[0].central = sound.members[1].central
    swapped.members[0].central.offset = UInt32(firstSize)
    swapped.members[1].central = sound.members[0].central
    swapped.members[1].central.offset = 0
    let archive = try ZipArchive(ArraySource(swapped.build()))
    #expect(archive.entries.map(\.name) == ["other", "member"])
    #expect(try Self.contents(swapped.build()) == Self.contents(sound.build()))
  }

  @Test(.row("Z18"), arguments: [false, true], [4, 8])
  func dataDescriptorsAreReadWithAndWithoutSignature(hasSignature: Bool, width: Int) throws {
    let member = Self.deflated("streamed").with {
      $0.both { $0.flags = 1 << 3 }
      let central = $0.central
      $0.local.crc = 0
      $0.local.compressedSize = 0
      $0.local.uncompressedSize = 0
      $0.trailer =
        (hasSignature ? [0x50, 0x4B, 7, 8] : []) + ZipBuilder.little(Int(central.crc), 4)
        + ZipBuilder.little(Int(central.compressedSize), width)
        + ZipBuilder.little(Int(central.uncompressedSize), width)
    }
    let archive = ZipBuilder([member, Self.stored]).build()
    #expect(try Self.contents(archive)["streamed"] == Self.text)
    var damaged = member
    damaged.trailer[damaged.trailer.count - 1] ^= 1
    #expect(Self.refusal([damaged, Self.stored])?.errorClass == .malformed)
    damaged.trailer = []
    #expect(Self.refusal([damaged, Self.stored])?.errorClass == .malformed)
  }

  /// NumPy's local headers are saturated even for tiny members.
  @Test func sizesAreTakenFromZip64Fields() throws {
    let both = ZipBuilder.little(4, 8) + ZipBuilder.little(4, 8)
    let field = [1, 0, 16, 0] + both
    let numpy = Self.stored.with {
      $0.local.compressedSize = .max
      $0.local.uncompressedSize = .max
      $0.local.extra = field
    }
    let wide = Self.stored.with {
      $0.both {
        $0.name = Array("wide".utf8)
        $0.compressedSize = .max
        $0.uncompressedSize = .max
        $0.extra = field
      }
    }
    var builder = ZipBuilder([numpy, wide])
    builder.changeWideEnd = { _ in }
    builder.changeEnd = { $0.replaceSubrange(8..<20, with: repeatElement(0xFF, count: 12)) }
    #expect(try Self.contents(builder.build()) == ["member": [5, 6, 7, 8], "wide": [5, 6, 7, 8]])
  }

  @Test(.row("Z21")) func moreThan65535MembersAreRead() throws {
    var builder = ZipBuilder((0..<70_000).map { Member("m\($0)", []) })
    builder.changeWideEnd = { _ in }
    builder.changeEnd = { $0.replaceSubrange(8..<12, with: [0xFF, 0xFF, 0xFF, 0xFF]) }
    let archive = try ZipArchive(ArraySource(builder.build()))
    #expect(try archive.members().count == 70_000)
  }

  /// A million tensors in an archive have a few members beside them, such as what NumPy cannot hold.
  @Test(
    .row("Z22"),
    arguments: [
      (1_000_017, .limit, "1000017 members are above 1000016"),
      (1_000_016, .malformed, "1000016 members cannot take a central directory of"),
    ] as [(Int, ErrorClass, String)])
  func moreMembersThanTheBoundAreALimit(_ count: Int, _ expected: ErrorClass, _ text: String) {
    var builder = ZipBuilder([Self.stored])
    builder.changeEnd = { $0.replaceSubrange(8..<12, with: [0xFF, 0xFF, 0xFF, 0xFF]) }
    builder.changeWideEnd = {
      $0.replaceSubrange(24..<40, with: ZipBuilder.little(count, 8) + ZipBuilder.little(count, 8))
    }
    let error = Self.refusal(builder.build())
    #expect(error?.errorClass == expected)
    #expect(error?.message.hasPrefix(text) == true)
  }

  @Test(.row("Z20")) func namesAreUTF8OrCodePage437() throws {
    let western = Self.stored.with { $0.both { $0.name = [0x67, 0x72, 0x94, 0xE1, 0x65] } }
    #expect(try Self.contents(ZipBuilder([western]).build())["größe"] != nil)
    let utf8 = Member("größe", [1])
    #expect(try Self.contents(ZipBuilder([utf8]).build())["größe"] == [1])
    #expect(Self.refusal(of: utf8) { $0.both { $0.name = [0xFF, 0xFE] } } == .malformed)
  }

  @Test(.row("Z20"), arguments: ["../x", "/x", "C:\\x", "a\\b", "a/../../b", "x\u{1B}[31m"])
  func aNameIsALabelAndNeverAPath(_ name: String) throws {
    #expect(try Self.contents(ZipBuilder([Member(name, [1])]).build())[name] == [1])
  }

  // MARK: One member

  @Test(.row("Z7")) func encryptionIsUnsupported() {
    let encrypted = "the member is encrypted"
    for (bit, text) in [
      (0, encrypted), (4, "flags 0x10 have reserved bits"), (5, "the member is a compressed patch"),
      (6, encrypted), (13, encrypted),
    ] {
      let error = Self.refusal([Self.stored.with { $0.both { $0.flags = 1 << bit } }])
      #expect(error?.errorClass == .unsupported)
      #expect(error?.message == text)
    }
  }

  @Test(.row("Z8")) func otherMethodsAreUnsupportedAndNamed() throws {
    let member = Self.stored.with { $0.both { $0.method = 14 } }
    let error = try #require(Self.refusal([member]))
    #expect(error.errorClass == .unsupported)
    #expect(error.message.contains("14"))
  }

  @Test(.row("Z9", "Z10")) func localAndCentralHeaderMustAgree() {
    let changes: [(inout ZipBuilder.Header) -> Void] = [
      { $0.name[0] ^= 1 }, { $0.name += [0x78] }, { $0.flags ^= 1 << 1 }, { $0.method ^= 8 },
      { $0.crc ^= 1 }, { $0.compressedSize += 1 }, { $0.uncompressedSize += 1 },
      { $0.uncompressedSize -= 1 }, { $0.crc = 0 }, { $0.signature[0] = 0 },
    ]
    for change in changes {
      #expect(Self.refusal(of: Self.deflated("member")) { change(&$0.local) } == .malformed)
    }
  }

  @Test(.row("Z10")) func aLocalNameThatRunsPastTheMembersIsMalformed() {
    var archive = ZipBuilder([Self.stored]).build()
    archive[26] = 0xFF
    archive[27] = 0xFF
    #expect(Self.refusal(archive)?.errorClass == .malformed)
  }

  @Test(.row("Z11")) func membersMustNotOverlap() {
    let twin = Self.stored.with {
      $0.both { $0.name = Array("second".utf8) }
      $0.hasLocal = false
      $0.central.offset = 0
    }
    #expect(Self.refusal([Self.stored, twin])?.errorClass == .malformed)
    // The second header lies in the first member's data.
    let inner = ZipBuilder([Member("inner", [1])]).build().prefix(30 + 5 + 1)
    let outer = Member("outer", Array(inner))
    let quoted = Member("inner", [1]).with {
      $0.hasLocal = false
      $0.central.offset = UInt32(30 + 5)
    }
    #expect(Self.refusal([outer, quoted])?.errorClass == .malformed)
  }

  @Test(.row("Z12")) func sizesThatLieAreMalformed() {
    let member = Self.deflated("member")
    for change in [1, -1, 1000] {
      let found = Self.refusal(of: member) {
        $0.both { $0.uncompressedSize = UInt32(Int($0.uncompressedSize) + change) }
      }
      #expect(found == .malformed)
    }
    #expect(Self.refusal(of: Self.stored) { $0.both { $0.uncompressedSize = 3 } } == .malformed)
    #expect(Self.refusal(of: Self.stored) { $0.both { $0.compressedSize = 3 } } == .malformed)
  }

  @Test(.row("Z13")) func aRatioThatDeflateCannotReachIsMalformed() throws {
    let found = try #require(
      Self.refusal([
        Self.deflated("member").with { $0.both { $0.uncompressedSize = 1_000_000 } }
      ]))
    #expect(found.errorClass == .malformed)
    #expect(found.message.contains("ratio"))
  }

  @Test(.row("Z13")) func aBombIsAboveALimitThatAnOptionLifts() throws {
    let member = Self.deflated("member").with {
      $0.data = [UInt8](repeating: 0, count: 100_000)
      $0.both {
        $0.compressedSize = 100_000
        $0.uncompressedSize = 100_000_000
      }
    }
    let found = try #require(Self.refusal([member]))
    #expect(found.errorClass == .limit)
    // 100,000,000 bytes of 100,000.
    #expect(found.hint == "allow it with --max-expansion 1001")
    let archive = ArraySource(ZipBuilder([member]).build())
    #expect(try ZipArchive(archive, largestExpansion: 1001).count == 1)
    #expect(throws: IngotError.self) { try ZipArchive(archive, largestExpansion: 999) }
  }

  @Test(.row("Z14", "G18")) func aSumOfSizesAboveTwoToThe63IsMalformed() {
    let field =
      [1, 0, 16, 0] + ZipBuilder.little(Int.max / 2 + 1, 8)
      + ZipBuilder.little(Int.max / 2 + 1, 8)
    let members = ["a", "b"].map {
      Member($0, []).with {
        $0.both {
          $0.compressedSize = .max
          $0.uncompressedSize = .max
          $0.extra = field
          $0.crc = 1
        }
      }
    }
    #expect(Self.refusal(members)?.errorClass == .malformed)
  }

  @Test(.row("Z15")) func aChecksumThatDiffersIsAnIntegrityErrorNamingTheMember() throws {
    for member in [Self.stored, Self.deflated("member"), Member("member", [])] {
      let damaged = member.with { $0.both { $0.crc ^= 1 } }
      let error = try #require(Self.refusal([Member("first", [1]), damaged]))
      #expect(error.errorClass == .integrity)
      #expect(error.tensor == "member")
    }
  }

  @Test(.row("Z16")) func damagedDeflateIsMalformed() {
    let member = Self.deflated("member")
    #expect(Self.refusal(of: member) { $0.data[0] = 0x07 } == .malformed)
    // Bytes after the stream's end, and a stream without an end.
    #expect(
      Self.refusal(of: member) {
        $0.data += [0]
        $0.both { $0.compressedSize += 1 }
      } == .malformed)
    #expect(
      Self.refusal(of: member) {
        $0.data.removeLast()
        $0.both { $0.compressedSize -= 1 }
      } == .malformed)
  }

  @Test(.row("Z17")) func zip64FieldsMustHoldWhatIsNeeded() {
    func refusal(_ extra: [UInt8], _ change: (inout ZipBuilder.Header) -> Void) -> ErrorClass? {
      Self.refusal(of: Self.stored) {
        change(&$0.central)
        $0.central.extra = extra
      }
    }
    let four = ZipBuilder.little(4, 8)
    #expect(refusal([1, 0, 8, 0] + four) { $0.uncompressedSize = .max } == nil)
    #expect(refusal([]) { $0.uncompressedSize = .max } == .malformed)
    #expect(refusal([1, 0, 4, 0, 4, 0, 0, 0]) { $0.uncompressedSize = .max } == .malformed)
    #expect(refusal([1, 0, 9, 0] + four + [0]) { $0.uncompressedSize = .max } == .malformed)
    #expect(refusal([1, 0, 8, 0] + four) { _ in } == .malformed)
    let field = [1, 0, 8, 0] + four
    #expect(refusal(field + field) { $0.uncompressedSize = .max } == .malformed)
    #expect(
      refusal([1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0x80]) { $0.uncompressedSize = .max } == .malformed)
    // yazl gives all three numbers; those that are not saturated must agree.
    let offset = ZipBuilder.little(30 + 5 + 3, 8)
    #expect(refusal([1, 0, 24, 0] + four + four + offset) { _ in } == nil)
    #expect(refusal([1, 0, 24, 0] + four + offset + offset) { _ in } == .malformed)
  }

  @Test(.row("Z17")) func extraFieldsMustFillTheirArea() {
    for extra in [[9, 9, 5, 0, 1], [9, 9, 0, 0, 1], [1]] as [[UInt8]] {
      #expect(Self.refusal(of: Self.stored) { $0.central.extra = extra } == .malformed)
      #expect(Self.refusal(of: Self.stored) { $0.local.extra = extra } == .malformed)
    }
    // Unknown fields, and zipalign's zeros.
    for extra in [[9, 9, 1, 0, 1], [0, 0, 0]] as [[UInt8]] {
      #expect(Self.refusal(of: Self.stored) { $0.both { $0.extra = extra } } == nil)
    }
  }

  @Test(.row("Z19", "Z20")) func namesThatMeanTwoThingsAreMalformed() {
    #expect(Self.refusal([Self.stored, Self.stored])?.errorClass == .malformed)
    #expect(Self.refusal([Member("a", [1]), Member("A", [1])]) == nil)
    #expect(Self.refusal(of: Self.stored) { $0.both { $0.name = [] } } == .malformed)
    #expect(Self.refusal(of: Self.stored) { $0.both { $0.name = [0x61, 0, 0x62] } } == .malformed)
  }

  @Test(.row("Z20")) func aSymbolicLinkIsUnsafe() {
    let found = Self.refusal(of: Self.stored) { $0.central.externalAttributes = 0o120777 << 16 }
    #expect(found == .unsafe)
  }

  @Test func everyChangeOfAByteIsRefusedOrReadsTheSame() throws {
    let sound = ZipBuilder([Self.stored, Self.deflated("other")]).build()
    let contents = try Self.contents(sound)
    for position in sound.indices {
      for value in [0, 0xFF, sound[position] ^ 0x80, sound[position] ^ 1, sound[position] &+ 1] {
        var changed = sound
        changed[position] = value
        // Names and content are covered by comparisons and checksums; what may change unseen are
        // versions, times and attributes.
        if Self.refusal(changed) == nil { #expect(try Self.contents(changed) == contents) }
      }
    }
  }
}
