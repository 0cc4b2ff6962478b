import Compression
import TestSupport
import Tensors
import Testing

@testable import HDF5Format

/// Chunks: their index, their filters, and how their elements come together.
@Suite struct ChunkTests {
  /// A dataset `x` of six bytes in chunks of two; nil leaves a chunk out.
  private func file(
    _ chunks: [[UInt8]?], filters: [(number: Int, parameters: [Int])] = [], masks: [UInt32] = [],
    sizes: [Int: Int] = [:], offsets: [Int: Int] = [:], addresses: [Int: Int] = [:],
    reversed: Bool = false, fill: UInt8? = nil, chunkExtents: [Int] = [2], elementSize: Int = 1
  ) -> [UInt8] {
    var builder = HDF5Builder()
    var records: [(offset: [Int], address: Int, size: Int, mask: UInt32)] = []
    for (index, chunk) in chunks.enumerated() {
      guard let chunk else { continue }
      let address = builder.append(chunk)
      records.append(
        (
          offset: [offsets[index] ?? 2 * index], address: addresses[index] ?? address,
          size: sizes[index] ?? chunk.count, mask: masks.isEmpty ? 0 : masks[index]
        ))
    }
    if reversed { records.reverse() }
    let tree = builder.chunkTree(rank: 1, records)
    var messages: [HDF5Message] = [
      .space([6]), .uint8, .chunked(chunkExtents, elementSize: elementSize, tree: tree),
    ]
    if !filters.isEmpty { messages.append(.filters(filters)) }
    if let fill { messages.append(.fill([fill])) }
    let object = builder.object(messages)
    return builder.finished([("x", object)])
  }

  private static let plain: [[UInt8]?] = [[1, 2], [3, 4], [5, 6]]

  @Test func chunksComeTogether() throws {
    #expect(try HDF5Reader.read(file(Self.plain)).content("x") == [1, 2, 3, 4, 5, 6])
  }

  @Test(.row("H27")) func aMissingChunkHoldsTheFillValue() throws {
    #expect(
      try HDF5Reader.read(file([[1, 2], nil, [5, 6]], fill: 9)).content("x") == [1, 2, 9, 9, 5, 6])
  }

  @Test(.row("H27")) func chunksOutsideOrBetweenOrOutOfOrderAreMalformed() throws {
    let damaged = [
      file(Self.plain, offsets: [2: 6]), file(Self.plain, offsets: [1: 3]),
      file(Self.plain, offsets: [1: 0]), file(Self.plain, reversed: true),
    ]
    for bytes in damaged {
      let error = try #require(try fault(bytes))
      #expect(error.errorClass == .malformed)
      #expect(error.tensor == "x")
    }
  }

  @Test(.row("H27")) func chunksThatLeaveTheFileOrOverlapAreMalformed() throws {
    let damaged = [
      file(Self.plain, addresses: [1: 1 << 40]), file(Self.plain, addresses: [1: 48]),
      file(Self.plain, addresses: [0: 8]),
    ]
    for bytes in damaged { #expect(try faultClass(bytes) == .malformed) }
  }

  @Test(.row("H28")) func aChunkOfAnotherSizeIsMalformed() throws {
    for size in [0, 1, 3] {
      #expect(try faultClass(file(Self.plain, sizes: [0: size])) == .malformed)
    }
  }

  @Test(.row("H26")) func chunkExtentsAreChecked() throws {
    let damaged = [
      file(Self.plain, chunkExtents: [0]), file(Self.plain, chunkExtents: [2, 2]),
      file(Self.plain, chunkExtents: [0xFFFF_FFFF], elementSize: 2),
      file(Self.plain, chunkExtents: [0xFFFF_FFFF, 0xFFFF_FFFF]),
    ]
    for bytes in damaged { #expect(try faultClass(bytes) == .malformed) }
  }

  @Test(.row("H26")) func aChunkAboveTheBoundIsALimitThatAnOptionLifts() throws {
    let bytes = file(Self.plain, chunkExtents: [(64 << 20) + 2])
    let error = try #require(try fault(bytes))
    #expect(error.errorClass == .limit)
    #expect(error.hint?.contains("--max-chunk") == true)
    var options = ReadOptions()
    options.largestChunk = 1 << 30
    let table = try HDF5Reader.read(
      FormatInput(path: "x.h5", source: ArraySource(bytes), options: options))
    #expect(table["x"]?.obstacle == nil)
  }

  @Test(
    .row("H27"),
    arguments: [
      ([6, 0], nil), ([7, 0], "a chunk at 7, between multiples of 2"),
      ([6, 2], nil), ([6, 1], "a chunk that starts within an element"),
    ] as [([Int], String?)])
  func theBorderPastTheLastChunkIsOneOfChunks(_ border: [Int], _ message: String?) throws {
    var builder = HDF5Builder()
    let address = builder.append([1, 0, 2, 0])
    let tree = builder.chunkTree(
      rank: 1, [(offset: [0], address: address, size: 4, mask: 0)], border: border)
    let object = builder.object([
      .space([2]), .type([0x10, 0, 0, 0] + little(2, 4) + [0, 0, 16, 0]),
      .chunked([2], elementSize: 2, tree: tree),
    ])
    let error = try fault(builder.finished([("x", object)]))
    #expect(error?.message == message)
    #expect(error?.errorClass == (message == nil ? nil : .malformed))
  }

  @Test(.row("H27")) func aTreeThatLoopsIsMalformed() throws {
    var builder = HDF5Builder()
    let address = builder.append([])
    let tree = builder.chunkTree(
      rank: 1, [(offset: [0], address: address, size: 1, mask: 0)], level: 1)
    #expect(tree == address)
    let object = builder.object([
      .space([6]), .uint8, .chunked([2], elementSize: 1, tree: tree),
    ])
    #expect(try faultClass(builder.finished([("x", object)])) == .malformed)
  }

  // MARK: Filters

  private func deflated(_ bytes: [UInt8]) -> [UInt8] { Deflate.zlibStream(bytes, level: 6) }

  @Test(.row("H28")) func deflatedChunksMustInflateToTheirSize() throws {
    func bytes(_ first: [UInt8]) -> [UInt8] {
      file([first, deflated([3, 4]), deflated([5, 6])], filters: [(1, [6])])
    }
    #expect(try HDF5Reader.read(bytes(deflated([1, 2]))).content("x") == [1, 2, 3, 4, 5, 6])
    #expect(try faultClass(bytes(deflated([1]))) == .malformed)
    #expect(try faultClass(bytes(deflated([1, 2, 3]))) == .malformed)
    #expect(try faultClass(bytes(deflated([UInt8](repeating: 0, count: 1 << 20)))) == .malformed)
    #expect(try faultClass(bytes(Array(deflated([1, 2]).dropLast(5)))) == .malformed)
  }

  @Test(.row("H29", "H32")) func fletcher32IsVerified() throws {
    // Words 0x0102, then 0x0304, 0x0506, with their sums.
    func checked(_ a: UInt8, _ b: UInt8) -> [UInt8] { [a, b, b, a, b, a] }
    let filters = [(number: 3, parameters: [Int]())]
    let good = file([checked(1, 2), checked(3, 4), checked(5, 6)], filters: filters)
    #expect(try HDF5Reader.read(good).content("x") == [1, 2, 3, 4, 5, 6])
    var damaged = [checked(1, 2), checked(3, 4), checked(5, 6)]
    damaged[1][0] ^= 1
    let error = try #require(try fault(file(damaged, filters: filters)))
    #expect(error.errorClass == .integrity)
    #expect(error.tensor == "x")
  }

  @Test(.row("H33")) func aMaskSkipsFiltersOfOneChunk() throws {
    let bytes = file(
      [deflated([1, 2]), [3, 4], deflated([5, 6])], filters: [(1, [6])], masks: [0, 1, 0])
    #expect(try HDF5Reader.read(bytes).content("x") == [1, 2, 3, 4, 5, 6])
  }

  @Test(.row("H30"), arguments: [(4, "szip"), (5, "nbit"), (6, "scale-offset"), (32_001, "32001")])
  func aFilterWeDoNotUndoIsUnsupportedByName(_ number: Int, _ word: String) throws {
    let table = try HDF5Reader.read(file(Self.plain, filters: [(number, [])]))
    let obstacle = try #require(table["x"]?.obstacle)
    #expect(obstacle.errorClass == .unsupported)
    #expect(obstacle.message.contains(word))
    #expect(obstacle.message.contains("\(number)"))
  }

  @Test(.row("H28")) func aFilteredChunkOfNoBytesIsRefusedUnread() throws {
    let error = try #require(
      try fault(file(Self.plain, filters: [(1, [6])], sizes: [1: 0])))
    #expect(error.message == "a chunk of 0 bytes where 2 are due")
  }

  @Test(.row("H31")) func moreThanEightFiltersAreMalformed() throws {
    let filters = [(number: Int, parameters: [Int])](repeating: (1, [6]), count: 9)
    #expect(try faultClass(file(Self.plain, filters: filters)) == .malformed)
  }

  @Test(.row("H31")) func aFilterPipelineThatLiesAboutItsParametersIsMalformed() throws {
    let lie = HDF5Message(11, [2, 1] + little(1, 2) + little(0, 2) + little(60_000, 2))
    let bytes = HDF5Builder.dataset([
      .space([6]), .uint8, .chunked([2], elementSize: 1, tree: nil), lie,
    ])
    #expect(try faultClass(bytes) == .malformed)
  }

  @Test(.row("H30")) func lzfIsDecompressed() throws {
    // Literal "abc", a copy of 6 at distance 3, a run of 12 at distance 1.
    let stream: [UInt8] = [2, 0x61, 0x62, 0x63, 4 << 5, 2, 7 << 5, 3, 0]
    let expected = Array("abcabcabccccccccccccc".utf8)
    #expect(try LZF.decompress(stream, count: 21) == expected)
    for count in [20, 22] {
      #expect(throws: IngotError.self) { try LZF.decompress(stream, count: count) }
    }
    for cut in stream.indices.dropFirst() where cut != 4 && cut != 6 {
      #expect(throws: IngotError.self) { try LZF.decompress(Array(stream[..<cut]), count: 21) }
    }
    #expect(throws: IngotError.self) { try LZF.decompress([1 << 5, 0], count: 3) }
  }

  @Test func lookup3MatchesItsAuthorsVectors() {
    let text = Array("Four score and seven years ago".utf8)
    #expect(Lookup3.checksum(text, 0..<text.count) == 0x1777_0551)
    #expect(Lookup3.checksum([], 0..<0) == 0xDEAD_BEEF)
  }

  // MARK: Geometry

  /// A dataset of random shape, chunks, order and filters, some chunks missing, and its elements.
  private struct Random {
    let file: [UInt8]
    let expected: [UInt8]
  }

  private func random(_ generator: inout SeededGenerator) -> Random {
    let rank = Int.random(in: 1...4, using: &generator)
    let shape = (0..<rank).map { _ in Int.random(in: 1...7, using: &generator) }
    let chunk = shape.map { Int.random(in: 1...($0 + 2), using: &generator) }
    let isBig = Bool.random(using: &generator)
    let isShuffled = Bool.random(using: &generator)
    let count = shape.reduce(1, *)
    var expected = (0..<4 * count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    let fill: [UInt8] = [9, 8, 7, 6]
    var builder = HDF5Builder()
    var records: [(offset: [Int], address: Int, size: Int, mask: UInt32)] = []
    let counts = zip(shape, chunk).map { ($0 + $1 - 1) / $1 }
    for position in 0..<counts.reduce(1, *) {
      let origin = zip(indexes(position, counts), chunk).map { $0 * $1 }
      let isMissing = Int.random(in: 0..<5, using: &generator) == 0
      var content: [UInt8] = []
      for inner in 0..<chunk.reduce(1, *) {
        let place = zip(origin, indexes(inner, chunk)).map { $0 + $1 }
        var element: [UInt8] = [0, 0, 0, 0]
        if zip(place, shape).allSatisfy({ $0 < $1 }) {
          let offset = 4 * zip(place, shape).reduce(0) { $0 * $1.1 + $1.0 }
          if isMissing { expected.replaceSubrange(offset..<offset + 4, with: fill) }
          element = Array(expected[offset..<offset + 4])
        }
        content += isBig ? element.reversed() : element
      }
      if isMissing { continue }
      if isShuffled {
        content = (0..<4).flatMap { byte in
          stride(from: byte, to: content.count, by: 4).map { content[$0] }
        }
      }
      let address = builder.append(content)
      records.append((offset: origin, address: address, size: content.count, mask: 0))
    }
    let tree = builder.chunkTree(rank: rank, records)
    var messages: [HDF5Message] = [
      .space(shape), .type(HDF5Message.float(order: isBig ? 1 : 0)),
      .chunked(chunk, elementSize: 4, tree: tree), .fill(isBig ? fill.reversed() : fill),
    ]
    if isShuffled { messages.append(.filters([(2, [4])])) }
    let object = builder.object(messages)
    return Random(file: builder.finished([("x", object)]), expected: expected)
  }

  private func indexes(_ position: Int, _ counts: [Int]) -> [Int] {
    var rest = position
    return counts.reversed().map { count in
      defer { rest /= count }
      return rest % count
    }.reversed()
  }

  @Test func anyRangeOfAnyGridHoldsTheElementsInOrder() throws {
    var generator = SeededGenerator(seed: 11)
    for _ in 0..<120 {
      let sample = random(&generator)
      let tensor = try #require(try HDF5Reader.read(sample.file)["x"])
      #expect(try tensor.source.everything() == sample.expected)
      for _ in 0..<6 {
        let start = Int.random(in: 0..<sample.expected.count, using: &generator)
        let end = Int.random(in: start...sample.expected.count, using: &generator)
        #expect(
          try tensor.source.bytes(at: start, count: end - start, "a part")
            == Array(sample.expected[start..<end]))
      }
    }
  }

  @Test func theGranularityIsABandOfChunks() throws {
    var builder = HDF5Builder()
    let tree = builder.chunkTree(rank: 2, [])
    let object = builder.object([
      .space([10, 6]), .float32, .chunked([4, 3], elementSize: 4, tree: tree),
    ])
    let table = try HDF5Reader.read(builder.finished([("x", object)]))
    #expect(table["x"]?.source.granularity == 4 * 6 * 4)
  }

  @Test func bandsTooLargeForMemoryGoThroughATemporaryFile() throws {
    // Two rows of 5 × 10⁶ bytes in chunks of 2 × 10⁶: a band of 10⁷, strips of four chunks and of one.
    let (columns, width) = (5_000_000, 1_000_000)
    var builder = HDF5Builder()
    var records: [(offset: [Int], address: Int, size: Int, mask: UInt32)] = []
    for index in 0..<5 where index != 3 {
      var chunk = [UInt8](repeating: UInt8(index), count: 2 * width)
      chunk[width - 1] = 100
      records.append(
        (offset: [0, index * width], address: builder.append(chunk), size: chunk.count, mask: 0))
    }
    let tree = builder.chunkTree(rank: 2, records)
    let object = builder.object([
      .space([2, columns]), .uint8, .chunked([2, width], elementSize: 1, tree: tree), .fill([55]),
    ])
    let source = try #require(try HDF5Reader.read(builder.finished([("x", object)]))["x"]).source
    #expect(source.granularity == 1)
    #expect(try source.bytes(at: width - 2, count: 3, "an edge") == [0, 100, 1])
    #expect(try source.bytes(at: 3 * width - 1, count: 2, "a gap") == [100, 55])
    #expect(try source.bytes(at: 4 * width - 1, count: 2, "a gap's end") == [55, 4])
    #expect(try source.bytes(at: columns + width - 1, count: 2, "the second row") == [0, 1])
    #expect(try source.bytes(at: 2 * columns - 1, count: 1, "the end") == [4])
  }
}
