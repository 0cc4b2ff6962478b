import Compression
import TestSupport
import Tensors
import Testing

@testable import HDF5Format

/// Every rule of chunks and of the indexes that find them, by its words.
@Suite struct ChunkIndexTests {
  /// A dataset `x` of six bytes, of which `content` lies at the address that `layout` is told.
  private static func file(
    _ content: [UInt8], filters: [Int] = [], shape: [Int] = [6], largest: [Int]? = nil,
    _ layout: (inout HDF5Builder, _ address: Int) -> HDF5Message
  ) -> [UInt8] {
    var builder = HDF5Builder()
    let address = builder.append(content)
    let messages: [HDF5Message] = [
      .space(shape, largest: largest), .uint8, layout(&builder, address),
    ]
    let pipeline = filters.map { (number: $0, parameters: [Int]()) }
    let object = builder.object(messages + (filters.isEmpty ? [] : [.filters(pipeline)]))
    return builder.finished([("x", object)])
  }

  // MARK: Trees of version 1

  /// A tree of three chunks of two bytes, the first of them as told, and changed.
  private static func tree(
    first: [UInt8] = [1, 2], filters: [Int] = [], mask: UInt32 = 0, address: Int? = nil,
    _ change: (inout HDF5Builder, _ tree: Int) -> Void = { _, _ in }
  ) -> [UInt8] {
    file(first, filters: filters) { builder, place in
      let others = [builder.append([3, 4]), builder.append([5, 6])]
      let chunks = [(address ?? place, first.count)] + others.map { ($0, 2) }
      let tree = builder.chunkTree(
        rank: 1,
        chunks.enumerated().map { index, chunk in
          (offset: [2 * index], address: chunk.0, size: chunk.1, mask: index == 0 ? mask : .max)
        })
      change(&builder, tree)
      return .chunked([2], elementSize: 1, tree: tree)
    }
  }

  /// A tree of two levels, whose lower node says of itself that it is of `level`.
  private static func nested(level: UInt8) -> [UInt8] {
    file([1, 2]) { builder, place in
      let leaf = builder.chunkTree(
        rank: 1, [(offset: [0], address: place, size: 2, mask: 0)], level: level)
      let root = builder.chunkTree(
        rank: 1, [(offset: [0], address: leaf, size: 2, mask: 0)], level: 1)
      return .chunked([2], elementSize: 1, tree: root)
    }
  }

  private static func deflated(_ bytes: [UInt8]) -> [UInt8] { Deflate.zlibStream(bytes, level: 6) }

  private static let trees: [Verdict] = [
    .legal("three chunks", tree()),
    .refused("a chunk B-tree of kind 0", tree { $0.bytes[$1 + 4] = 0 }),
    .legal("two levels", nested(level: 0)),
    .refused("a B-tree node of level 1 where 0 is due", nested(level: 1)),
    // The offset within an element stands behind the head, size, mask and the one offset.
    .refused("a chunk that starts within an element", tree { $0.bytes[$1 + 24 + 16] = 1 }),
    .refused("a chunk of 1 bytes where 2 are due", tree(first: [1])),
    .refused("a chunk of 3 bytes where 2 are due", tree(first: [1, 2, 3])),
    .refused(
      "a chunk of 2 bytes at 1099511627776, the file ends at \(tree().count)",
      tree(address: 1 << 40)),
    .refused(
      "a chunk of 2 bytes at \(tree().count - 1), the file ends at \(tree().count)",
      tree(address: tree().count - 1)),
  ]

  private static let filtered: [Verdict] = [
    .legal("a deflated chunk", tree(first: deflated([1, 2]), filters: [1])),
    .legal("deflated twice", tree(first: deflated(deflated([1, 2])), filters: [1, 1])),
    .refused(
      "chunk at [0]: a chunk inflates to 1 bytes where 2 are due",
      tree(first: deflated([1]), filters: [1])),
    .legal("a chunk that skips its filter", tree(filters: [1], mask: 1)),
    .refused(
      "chunk at [0]: a chunk of 3 bytes where 2 are due",
      tree(first: [1, 2, 3], filters: [1], mask: 1)),
    .refused(
      "chunk at [0]: a chunk of 4 bytes with a checksum of 4",
      tree(first: [0, 0, 0, 0], filters: [3])),
    .refused(
      "chunk at [0]: a chunk of 3 bytes with a checksum of 4",
      tree(first: [0, 0, 0], filters: [3])),
  ]

  @Test(arguments: trees + filtered)
  func aChunkIsRefusedByTheRuleItBreaks(_ verdict: Verdict) throws {
    try verdict.expectOfFile()
  }

  @Test func aChunkHasLessThan4GiB() throws {
    func file(_ extent: Int) -> [UInt8] {
      HDF5Builder.dataset([
        .space([6]), .type([0x10, 0, 0, 0] + little(2, 4) + [0, 0, 16, 0]), .fill([1, 0]),
        .chunked([extent], elementSize: 2, tree: nil),
      ])
    }
    try Verdict.refused("a chunk of [2147483648] elements exceeds 4 GiB", file(1 << 31))
      .expectOfFile()
    let tensor = try HDF5Reader.read(file(1 << 31 - 1))["x"]
    #expect(tensor?.obstacle?.message == "chunks of 4294967294 bytes are above 67108864")
  }

  // MARK: Indexes without nodes

  /// A layout of version 4 over chunks of two bytes along each axis.
  private static func layout(
    _ kind: UInt8, _ parameters: [UInt8], _ address: Int, flags: UInt8 = 0, extents: [Int] = [2]
  ) -> HDF5Message {
    HDF5Message(
      8,
      [4, 2, flags, UInt8(extents.count + 1), 1] + extents.map { UInt8($0) } + [1, kind]
        + parameters + little(address, 8))
  }

  private static func single(
    filters: [Int] = [], hasSize: Bool = false, shape: [Int] = [2]
  ) -> [UInt8] {
    let content = filters.isEmpty ? [1, 2] : deflated([1, 2])
    return file(content, filters: filters, shape: shape) { _, address in
      layout(
        1, hasSize ? little(content.count, 8) + little(0, 4) : [], address, flags: hasSize ? 2 : 0)
    }
  }

  private static func implicit(filters: [Int] = [], largest: [Int]? = nil) -> [UInt8] {
    file([1, 2, 3, 4, 5, 6], filters: filters, largest: largest) { _, address in
      layout(2, [], address)
    }
  }

  private static let plain: [Verdict] = [
    .legal("one chunk", single()),
    .legal("one chunk with a filter", single(filters: [1], hasSize: true)),
    .refused("a single chunk whose layout and filters disagree", single(filters: [1])),
    .refused("a single chunk whose layout and filters disagree", single(hasSize: true)),
    .refused("a single chunk smaller than its dataset", single(shape: [3])),
    .legal("chunks in order", implicit()),
    .refused("filters with an index that gives no sizes", implicit(filters: [1])),
    .refused("an unbounded dimension with an index that cannot grow", implicit(largest: [-1])),
  ]

  // MARK: Arrays

  /// Three chunks in a fixed array; each element is as long as told.
  private static func fixed(
    filters: [Int] = [], kind: UInt8 = 0, blockKind: UInt8 = 0, extraOwner: Int = 0, size: Int = 8
  ) -> [UInt8] {
    file([1, 2, 3, 4, 5, 6], filters: filters) { builder, address in
      let header = builder.append([])
      let block = header + 32
      _ = builder.appendChecked(
        Array("FAHD".utf8) + [0, kind, UInt8(size), 10] + little(3, 8) + little(block, 8))
      let elements = (0..<3).flatMap { index in
        little(address + 2 * index, 8) + [UInt8](repeating: 0, count: size - 8)
      }
      _ = builder.appendChecked(
        Array("FADB".utf8) + [0, blockKind] + little(header + extraOwner, 8) + elements)
      return layout(3, [10], header)
    }
  }

  /// Three chunks in an extensible array: one in its index block, two in its first data block.
  private static func extensible(
    offset: Int = 0, shape: [Int] = [6], largest: [Int]? = [-1], extents: [Int] = [2],
    sizes: [UInt8] = [1, 2, 2, 10]
  ) -> [UInt8] {
    file([1, 2, 3, 4, 5, 6], shape: shape, largest: largest) { builder, address in
      let header = builder.append([])
      let (index, block) = (header + 72, header + 72 + 288)
      _ = builder.appendChecked(
        Array("EAHD".utf8) + [0, 0, 8, 32] + sizes + [UInt8](repeating: 0, count: 48)
          + little(index, 8))
      _ = builder.appendChecked(
        Array("EAIB".utf8) + [0, 0] + little(header, 8) + little(address, 8) + little(block, 8)
          + (0..<31).flatMap { _ in undefinedAddress })
      let elements = little(address + 2, 8) + little(address + 4, 8)
      let placed = builder.appendChecked(
        Array("EADB".utf8) + [0, 0] + little(header, 8) + little(offset, 4) + elements)
      precondition(placed == block)
      return layout(4, [32, 1, 2, 2, 10], header, extents: extents)
    }
  }

  private static let impossible = "an extensible array of impossible sizes"

  private static let arrays: [Verdict] = [
    .legal("a fixed array", fixed()),
    .refused("a chunk array of kind 1 that disagrees with the filters", fixed(kind: 1)),
    .refused("a chunk array of kind 1 that disagrees with the filters", fixed(blockKind: 1)),
    .refused("a chunk array of kind 0 that disagrees with the filters", fixed(filters: [1])),
    .refused("a block of another chunk array", fixed(extraOwner: 8)),
    .refused("chunk records of 9 bytes", fixed(size: 9)),
    .refused("chunk records of 12 bytes", fixed(filters: [1], kind: 1, size: 12)),
    .refused("chunk records of 21 bytes", fixed(filters: [1], kind: 1, size: 21)),
    .legal("an extensible array", extensible()),
    .refused(impossible, extensible(sizes: [1, 0, 2, 10])),
    .refused(impossible, extensible(sizes: [1, 2, 0, 10])),
    .refused("an array block at 2 where 0 is due", extensible(offset: 2)),
    .refused("an extensible array for 0 growing axes", extensible(largest: nil)),
    .refused(
      "an extensible array for 2 growing axes",
      extensible(shape: [6, 1], largest: [-1, -1], extents: [2, 1])),
  ]

  @Test(arguments: plain + arrays)
  func anIndexIsRefusedByTheRuleItBreaks(_ verdict: Verdict) throws {
    try verdict.expectOfFile()
  }
}
