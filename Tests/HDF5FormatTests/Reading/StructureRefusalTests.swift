import Foundation
import TestSupport
import Tensors
import Testing

@testable import HDF5Format

/// Every rule of superblocks, object headers and groups by its words.
@Suite struct StructureRefusalTests {
  private static let dataset: [HDF5Message] = [.space([1]), .uint8, .compact([1])]

  /// A file with the dataset `x`, and what `change` makes of its builder.
  private static func file(_ change: (inout HDF5Builder) -> Void) -> [UInt8] {
    var builder = HDF5Builder()
    change(&builder)
    let object = builder.object(dataset)
    return builder.finished([("x", object)])
  }

  private static func `extension`(_ message: HDF5Message) -> [UInt8] {
    file { $0.extensionAddress = $0.object([message]) }
  }

  private static func nodeSizes(inner: Int, leaf: Int) -> [UInt8] {
    `extension`(HDF5Message(0x13, [0] + little(32, 2) + little(inner, 2) + little(leaf, 2)))
  }

  private static func sharedTable(_ count: UInt8) -> [UInt8] {
    `extension`(HDF5Message(0x0F, [0] + little(64, 8) + [count]))
  }

  private static let superblocks: [Verdict] = [
    .refused("empty file", []), .refused("no HDF5 signature", Array(HDF5Builder.signature[..<3])),
    .refused("no HDF5 signature", [UInt8](repeating: 1, count: 8)),
    .legal("room for two entries", nodeSizes(inner: 1, leaf: 1)),
    .refused("B-tree nodes without room for entries", nodeSizes(inner: 0, leaf: 1)),
    .refused("B-tree nodes without room for entries", nodeSizes(inner: 1, leaf: 0)),
    .refused("0 shared message indexes", sharedTable(0)),
    .refused("9 shared message indexes", sharedTable(9)),
  ]

  // MARK: Object headers

  /// A dataset with a continuation block of these bytes.
  private static func continued(_ block: [UInt8]) -> [UInt8] {
    var builder = HDF5Builder()
    let address = builder.append(block)
    let object = builder.object(
      dataset + [HDF5Message(0x10, little(address, 8) + little(block.count, 8))])
    return builder.finished([("x", object)])
  }

  private static func many(_ count: Int) -> [UInt8] {
    HDF5Builder.dataset(
      dataset + [HDF5Message](repeating: HDF5Message(0x0D, [0]), count: count - dataset.count))
  }

  private static func sharing(_ flags: UInt8) -> [UInt8] {
    var messages = dataset
    messages[2].flags = flags
    return HDF5Builder.dataset(messages)
  }

  private static func sharedType() -> [UInt8] {
    var builder = HDF5Builder()
    let address = builder.append([])
    let type = builder.object([HDF5Message(3, flags: 2, [3, 2] + little(address, 8))])
    return builder.finished([("type", type)])
  }

  private static let emptyBlock =
    Array("OCHK".utf8) + little(HDF5Builder.checksum(Array("OCHK".utf8)), 4)

  private static let headers: [Verdict] = [
    .legal("a block without messages", continued(emptyBlock)),
    .refused("an object header block of 7 bytes", continued(Array(emptyBlock[..<7]))),
    .legal("4096 messages", many(4_096)),
    .refused("an object header with more than 4096 messages", many(4_097)),
    .refused("an object header message of kind 8 cannot be shared", sharing(1 << 1)),
    .refused("an object header message of kind 8 cannot be shared", sharing(1 << 6)),
    .refused("a committed datatype that is itself shared", sharedType()),
  ]

  // MARK: Groups

  private static func group(_ messages: [HDF5Message]) -> [UInt8] {
    var builder = HDF5Builder()
    let link = HDF5Message.link("y", to: builder.object(dataset))
    let group = builder.object(messages + [link])
    return builder.finished([("g", group)])
  }

  private static func tabled(_ other: (Int) -> HDF5Message) -> [UInt8] {
    var builder = HDF5Builder()
    let other = other(builder.object(dataset))
    let group = builder.object([HDF5Message(0x11, little(64, 8) + little(64, 8)), other])
    return builder.finished([("g", group)])
  }

  private static let groups: [Verdict] = [
    .legal("links in the header", group([.linkInformation])),
    .refused(
      "a group with links both in its header and in a heap",
      group([HDF5Message(2, [0, 0] + little(64, 8) + little(64, 8))])),
    .refused("a group of both kinds", tabled { _ in .linkInformation }),
    .refused("a group of both kinds", tabled { .link("y", to: $0) }),
  ]

  @Test(arguments: superblocks + headers + groups)
  func aStructureIsRefusedByTheRuleItBreaks(_ verdict: Verdict) throws {
    try verdict.expectOfFile()
  }

  @Test func aNameIsBounded() throws {
    var budget = try NameBudget(fileSize: 100)
    try budget.spend(ExactString(String(repeating: "a", count: Limits.nameBytes)))
    let error = #expect(throws: IngotError.self) {
      try budget.spend(ExactString(String(repeating: "a", count: Limits.nameBytes + 1)))
    }
    #expect(error?.errorClass == .limit)
    #expect(error?.message == "a name of 65536 bytes is above 65535")
  }

  // MARK: The account of bytes

  @Test func structuresTakeNoMoreThanTheFile() throws {
    let view = FileView(ArraySource([UInt8](repeating: 0, count: 64)), FieldWidths())
    try view.claim(0, 64, .data)
    try view.revisit(8, 64, .objectHeader)
    #expect(throws: IngotError(.malformed, "a B-tree node overlaps other structures", offset: 9)) {
      try view.claim(9, 1, .treeNode)
    }
    #expect(throws: IngotError(.malformed, "a fractal heap overlaps other structures", offset: 9)) {
      try view.revisit(9, 1, .fractalHeap)
    }
  }

  @Test func structuresSideBySideAreNotOverEachOther() throws {
    let view = FileView(ArraySource([UInt8](repeating: 0, count: 64)), FieldWidths())
    for start in [0, 32, 8] { try view.claim(start, 8, .data) }
    #expect(try view.checkedExtents().map(\.start) == [0, 8, 32])
    try view.claim(15, 1, .treeNode)
    let error = #expect(throws: IngotError.self) { try view.checkedExtents() }
    #expect(error?.message == "a B-tree node at 15 overlaps a dataset at 8..<16")
  }

  // MARK: Files of the old kind

  /// The tensors `one` and `two` in a symbol table, with bytes put at a distance behind a signature.
  private static func old(_ signature: String, _ changes: [(at: Int, bytes: [UInt8])]) throws
    -> [UInt8]
  {
    var bytes = try written(
      TensorTable([("one", Tensor(.uint8, [1], [1])), ("two", Tensor(.uint8, [1], [2]))]))
    let mark = signature.isEmpty ? Superblock.signature : Array(signature.utf8)
    let start = try #require(bytes.firstRange(of: mark)).lowerBound
    for (at, new) in changes {
      bytes.replaceSubrange(start + at..<start + at + new.count, with: new)
    }
    return bytes
  }

  @Test func anOldStructureIsRefusedByTheRuleItBreaks() throws {
    let noRoom = "B-tree nodes without room for entries"
    let verdicts: [Verdict] = [
      .refused(noRoom, try Self.old("", [(16, [0, 0])])),
      .refused(noRoom, try Self.old("", [(18, [0, 0])])),
      .refused(
        "a file split by an HDF5 driver (family, multi)", as: .unsupported,
        try Self.old("", [(48, little(64, 8))])),
      .refused("a group's B-tree of kind 1", try Self.old("TREE", [(4, [1])])),
      .refused(
        "a B-tree node of 200 children, above its size", try Self.old("TREE", [(6, [200])])),
      .refused(
        "a symbol table node of 200 entries, above its size", try Self.old("SNOD", [(6, [200])])),
      .refused("the symbol 'one' names no object", try Self.old("SNOD", [(8 + 16, [3])])),
      .refused(
        "the symbol 'one' names no object", try Self.old("SNOD", [(8 + 8, undefinedAddress)])),
    ]
    for verdict in verdicts { try verdict.expectOfFile() }
  }

  @Test func aFreeBlockHasASize() throws {
    let sound = try Self.old("HEAP", [])
    let heap = try #require(sound.firstRange(of: Array("HEAP".utf8))).lowerBound
    let size = sound[heap + 8..<heap + 16].reversed().reduce(0) { $0 << 8 | Int($1) }
    try Verdict.refused(
      "a free block of 0 bytes in a local heap of \(size)",
      try Self.old("HEAP", [(16, little(0, 8)), (32, little(1, 8) + little(0, 8))])
    ).expectOfFile()
  }

  @Test func symbolsAreInTheOrderOfTheirNames() throws {
    let sound = try Self.old("SNOD", [])
    let node = try #require(sound.firstRange(of: Array("SNOD".utf8))).lowerBound
    let (first, second) = (sound[node + 8..<node + 48], sound[node + 48..<node + 88])
    try Verdict.refused(
      "the link 'one' is out of order", try Self.old("SNOD", [(8, Array(second + first))])
    ).expectOfFile()
  }

  /// A library's group of 300 members: each of its leaves names the one on either side.
  @Test(arguments: [(0, 16), (1, 8)])
  func neighboursNameEachOther(_ leaf: Int, _ offset: Int) throws {
    let path = Places.fixture("hdf5/group-300-children_v0.h5")
    var bytes = Array(try Data(contentsOf: URL(filePath: path)))
    let root = try #require(bytes.firstRange(of: Array("TREE".utf8) + [0, 1])).lowerBound
    // Children stand behind the head, each behind a key.
    let place = root + 32 + 16 * leaf
    let child = bytes[place..<place + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
    bytes.replaceSubrange(child + offset..<child + offset + 8, with: undefinedAddress)
    try Verdict.refused("a B-tree node's siblings are not the nodes beside it", bytes)
      .expectOfFile()
  }
}
