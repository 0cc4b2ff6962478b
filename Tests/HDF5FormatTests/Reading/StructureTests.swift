import Foundation
import TestSupport
import Tensors
import Testing

@testable import HDF5Format

/// The rules of superblocks, object headers, groups and links, one test each.
@Suite struct StructureTests {
  static let data: [UInt8] = Array(0..<16)

  /// A dataset `x` of four float32 in one stretch.
  private func plain(_ change: (inout HDF5Builder) -> Void = { _ in }) -> [UInt8] {
    var builder = HDF5Builder()
    change(&builder)
    let address = builder.append(Self.data)
    let object = builder.object([.space([4]), .float32, .contiguous(address, 16)])
    return builder.finished([("x", object)])
  }

  @Test func aDatasetInOneStretchIsRead() throws {
    let table = try HDF5Reader.read(plain())
    #expect(table["x"]?.elementType == .float32)
    #expect(table["x"]?.shape.dimensions == [4])
    #expect(try table.content("x") == Self.data)
  }

  @Test(.row("G6", "H4")) func everyTruncationIsMalformed() throws {
    let bytes = plain()
    for count in bytes.indices {
      #expect(try faultClass(Array(bytes[..<count])) == .malformed)
    }
  }

  @Test(arguments: [(64, 1), (60, 5), (0, 65), (65, 0), (-1, 2), (8, -1), (8, .max)])
  func whatReachesBeyondTheFileIsNamed(_ address: Int, _ count: Int) {
    let view = FileView(ArraySource([UInt8](repeating: 7, count: 64)), FieldWidths())
    #expect(
      throws: IngotError(
        .malformed, "a heap needs \(count) bytes at \(address), the file ends at 64",
        offset: max(0, min(address, 64)))
    ) {
      try view.reader(at: address, atLeast: count, "a heap")
    }
  }

  @Test(.row("H4")) func bytesAfterTheEndAreMalformed() throws {
    #expect(try faultClass(plain() + [0]) == .malformed)
  }

  @Test(.row("H7")) func everyChangedByteOfCheckedStructuresIsNoticed() throws {
    let bytes = plain()
    let data = 48..<64
    for index in bytes.indices where !data.contains(index) {
      var changed = bytes
      changed[index] ^= 0x10
      // Padding between structures is free.
      guard let error = try fault(changed) else { continue }
      #expect([.integrity, .malformed, .unsupported].contains(error.errorClass))
    }
    var changed = bytes
    changed[20] ^= 1
    #expect(try faultClass(changed) == .integrity)
  }

  @Test(.row("H3")) func anUnknownSuperblockVersionIsUnsupported() throws {
    var bytes = plain()
    bytes[8] = 9
    #expect(try faultClass(bytes) == .unsupported)
  }

  @Test(.row("H3"), arguments: [(3, ErrorClass.malformed), (16, .unsupported), (0, .malformed)])
  func widthsOtherThan2And4And8AreRefused(_ width: Int, _ expected: ErrorClass) throws {
    var bytes = plain()
    bytes[9] = UInt8(width)
    #expect(try faultClass(bytes) == expected)
  }

  @Test(.row("H5", "G9"), arguments: [512, 1024, 2048])
  func aUserBlockIsUnsupportedByName(_ size: Int) throws {
    let error = try #require(try fault([UInt8](repeating: 0x20, count: size) + plain()))
    #expect(error.errorClass == .unsupported)
    #expect(error.message.contains("user block"))
  }

  @Test(.row("H5")) func aBaseAddressIsUnsupported() throws {
    #expect(try faultClass(plain { $0.base = 8 }) == .unsupported)
  }

  @Test(.row("H8"), arguments: [1, 4, 5])
  func aFileMarkedAsOpenForWritingIsMalformedWithAdvice(_ flags: UInt8) throws {
    let error = try #require(try fault(plain { $0.flags = flags }))
    #expect(error.errorClass == .malformed)
    #expect(error.hint != nil)
  }

  @Test(.row("H6")) func aSplitFileIsUnsupported() throws {
    let bytes = plain { builder in
      builder.extensionAddress = builder.object([
        HDF5Message(0x14, [UInt8](repeating: 0, count: 16))
      ])
    }
    #expect(try faultClass(bytes) == .unsupported)
  }

  @Test(.row("H9")) func aMetadataCacheImageIsUnsupported() throws {
    let bytes = plain { builder in
      builder.extensionAddress = builder.object([
        HDF5Message(0x18, [UInt8](repeating: 0, count: 17))
      ])
    }
    #expect(try faultClass(bytes) == .unsupported)
  }

  // MARK: Object headers

  @Test(.row("H10")) func aMessagePastItsBlockIsMalformed() throws {
    var builder = HDF5Builder()
    var header = HDF5Builder.header([.space([4]), .float32])
    header[header.count - HDF5Message.float32.body.count - 3] = 200
    let object = builder.appendChecked(header)
    #expect(try faultClass(builder.finished([("x", object)])) == .malformed)
  }

  @Test(.row("H11")) func aContinuationThatLoopsIsMalformed() throws {
    var builder = HDF5Builder()
    let address = builder.bytes.count
    let block =
      Array("OCHK".utf8) + [0x10] + little(16, 2) + [0] + little(address, 8) + little(28, 8)
    #expect(builder.appendChecked(block) == address)
    let object = builder.object([HDF5Message(0x10, little(address, 8) + little(28, 8))])
    #expect(try faultClass(builder.finished([("x", object)])) == .malformed)
  }

  @Test(.row("H10")) func aContinuationPastTheFileIsMalformed() throws {
    let bytes = HDF5Builder.dataset([HDF5Message(0x10, little(1 << 40, 8) + little(28, 8))])
    #expect(try faultClass(bytes) == .malformed)
  }

  @Test(.row("H10")) func moreThan4096MessagesAreMalformed() throws {
    let messages = [HDF5Message](repeating: HDF5Message(0x0D, [0]), count: 4_097)
    #expect(try faultClass(HDF5Builder.dataset(messages)) == .malformed)
  }

  @Test func twoMessagesOfAKindThatComesOnceAreMalformed() throws {
    #expect(
      try faultClass(
        HDF5Builder.dataset([.space([1]), .space([1]), .uint8, .compact([1])])) == .malformed)
  }

  @Test func anUnknownMessageThatMustBeUnderstoodIsUnsupported() throws {
    let known: [HDF5Message] = [.space([1]), .uint8, .compact([1])]
    #expect(try faultClass(HDF5Builder.dataset(known + [HDF5Message(0x70, [])])) == nil)
    #expect(
      try faultClass(HDF5Builder.dataset(known + [HDF5Message(0x70, flags: 0x80, [])]))
        == .unsupported)
  }

  @Test func aLayoutCannotBeShared() throws {
    var layout = HDF5Message.compact([1])
    layout.flags = 2
    #expect(try faultClass(HDF5Builder.dataset([.space([1]), .uint8, layout])) == .malformed)
  }

  // MARK: Groups and links

  @Test(.row("H11")) func aGroupThatContainsItselfIsMalformed() throws {
    var builder = HDF5Builder()
    let address = builder.append([])
    let inner = builder.group([("again", address)])
    #expect(inner == address)
    #expect(try faultClass(builder.finished([("loop", inner)])) == .malformed)
  }

  @Test(.row("H11", "G22")) func groupsNestedTooDeepAreALimit() throws {
    var builder = HDF5Builder()
    var group = builder.group([])
    for _ in 0..<Limits.depth { group = builder.group([("g", group)]) }
    #expect(try faultClass(builder.finished([("g", group)])) == .limit)
  }

  @Test(.row("H11")) func moreObjectsThanTheBoundAreALimit() throws {
    var builder = HDF5Builder()
    let dataset = builder.object([.space([2]), .uint8, .compact([1, 2])])
    let group = builder.group([("a", dataset), ("b", dataset)])
    let source = ArraySource(builder.finished([("g", group)]))
    func count(most: Int) throws -> Int {
      let superblock = try Superblock.read(source)
      return try ObjectTree.read(FileView(source, superblock.widths), superblock, most: most)
        .nodes.count
    }
    // The root, a group, and one dataset under two names.
    #expect(try count(most: 3) == 3)
    let error = #expect(throws: IngotError.self) { try count(most: 2) }
    #expect(error?.errorClass == .limit)
    #expect(error?.message == "more than 2 groups and datasets")
    #expect(error?.offset == group)
  }

  @Test(.row("H11")) func aGroupUnderManyNamesDoesNotMultiplyWithoutBound() throws {
    var builder = HDF5Builder()
    var group = builder.group([])
    for _ in 0..<40 { group = builder.group([("a", group), ("b", group)]) }
    let error = try fault(builder.finished([("g", group)]))
    #expect(error?.errorClass == .limit)
    #expect(error?.message == "names longer than the file explains")
  }

  @Test(.row("H11")) func moreNamesThanTheBoundAreALimit() throws {
    var budget = try NameBudget(fileSize: 100, most: 2)
    try budget.spend("a")
    try budget.spend("b")
    let error = #expect(throws: IngotError.self) { try budget.spend("c") }
    #expect(error?.errorClass == .limit)
    #expect(error?.message == "more than 2 names")
    #expect(error?.tensor == "c")
    // Every tensor may lie in a group and have an attribute.
    #expect(Limits.objects > 3 * Limits.tensors)
  }

  @Test func hardLinksAreAliases() throws {
    var builder = HDF5Builder()
    let object = builder.object([.space([2]), .uint8, .compact([1, 2])])
    let group = builder.group([("inner", object)])
    let table = try HDF5Reader.read(
      builder.finished([("a", object), ("b", object), ("g", group), ("h", group)]))
    #expect(table.entries.map(\.name) == ["a", "b", "g/inner", "h/inner"])
    #expect(table.aliasTargets() == [nil, 0, 0, 0])
  }

  @Test(
    .row("H12", "H13", "H14"),
    arguments: [(UInt8(1), "soft link"), (64, "external link"), (187, "user-defined link")])
  func linksThatLeaveTheirFileAreUnsafe(_ kind: UInt8, _ words: String) throws {
    var builder = HDF5Builder()
    let target = Array("\0/etc/passwd\0/x\0".utf8)
    let group = builder.object([.linkInformation, .link("out", kind: kind, target)])
    let error = try #require(try fault(builder.finished([("g", group)])))
    #expect(error.errorClass == .unsafe)
    #expect(error.message.contains(words))
  }

  @Test(.row("H40"), arguments: ["a/b", ".", "", "nul\0"])
  func aNameThatIsNoComponentOfAPathIsMalformed(_ name: String) throws {
    var builder = HDF5Builder()
    let object = builder.object([.space([1]), .uint8, .compact([1])])
    #expect(try faultClass(builder.finished([(name, object)])) == .malformed)
  }

  @Test(.row("H40")) func aNameThatIsNotUTF8IsRefused() throws {
    for (isUTF8, expected) in [(true, ErrorClass.malformed), (false, .unsupported)] {
      var builder = HDF5Builder()
      let object = builder.object([.space([1]), .uint8, .compact([1])])
      let root = builder.object([
        .linkInformation, .link([0x66, 0xFC, 0x72], to: object, isUTF8: isUTF8),
      ])
      #expect(try faultClass(builder.finished(root: root)) == expected)
    }
  }

  @Test func theSameNameTwiceIsMalformed() throws {
    var builder = HDF5Builder()
    let object = builder.object([.space([1]), .uint8, .compact([1])])
    #expect(try faultClass(builder.finished([("a", object), ("a", object)])) == .malformed)
  }

  @Test(.row("H41")) func membersComeInCreationOrderWhereItIsKept() throws {
    var builder = HDF5Builder()
    let object = builder.object([.space([1]), .uint8, .compact([1])])
    let links = ["z", "a", "m"].enumerated().map { order, name in
      HDF5Message(6, [1, 4] + little(order, 8) + [1] + Array(name.utf8) + little(object, 8))
    }
    let ordered = try HDF5Reader.read(
      builder.finished(root: builder.object([.linkInformation] + links)))
    #expect(ordered.entries.map(\.name) == ["z", "a", "m"])
    let sorted = try HDF5Reader.read(
      builder.finished([("z", object), ("a", object), ("m", object)]))
    #expect(sorted.entries.map(\.name) == ["a", "m", "z"])
  }

  @Test func anObjectOfNoKindIsMalformed() throws {
    #expect(try faultClass(HDF5Builder.dataset([.space([1])])) == .malformed)
  }

  @Test func theRootMustBeAGroup() throws {
    var builder = HDF5Builder()
    let object = builder.object([.space([1]), .uint8, .compact([1])])
    #expect(try faultClass(builder.finished(root: object)) == .malformed)
  }

  // MARK: Structures over each other

  @Test(.row("H24")) func twoDatasetsOverTheSameBytesAreMalformed() throws {
    var builder = HDF5Builder()
    let address = builder.append(Self.data)
    let one = builder.object([.space([4]), .float32, .contiguous(address, 16)])
    let two = builder.object([.space([2]), .float32, .contiguous(address + 8, 8)])
    #expect(try faultClass(builder.finished([("one", one), ("two", two)])) == .malformed)
  }

  @Test(.row("H24")) func dataOverTheFilesOwnStructuresIsMalformed() throws {
    let bytes = HDF5Builder.dataset([.space([4]), .float32, .contiguous(8, 16)])
    #expect(try faultClass(bytes) == .malformed)
  }
}
