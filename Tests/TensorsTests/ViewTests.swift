import TestSupport
import Tensors
import Testing

/// Every view against its element-by-element oracle.
///
/// Axes: random shapes of rank 0 to 6 with zero and
/// one dimensions, element widths 1 to 16, bases of every manner, whole reads and random ranges.
@Suite struct ViewTests {
  /// Random bytes.
  private func bytes(_ count: Int, _ random: inout SeededGenerator) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  private func dimensions(
    rank: Int, upTo elements: Int, _ random: inout SeededGenerator
  ) -> [Int] {
    while true {
      let dimensions = (0..<rank).map { _ in
        let kind = Int.random(in: 0..<20, using: &random)
        return kind == 0
          ? 0 : kind < 4 ? 1 : Int.random(in: 2...(rank > 3 ? 9 : 90), using: &random)
      }
      if dimensions.reduce(1, { $0 * max(1, $1) }) <= elements { return dimensions }
    }
  }

  /// Compares a view with its bytes: in one read, and in random ranges.
  private func expect(
    _ view: any ByteSource, holds expected: [UInt8], _ random: inout SeededGenerator,
    _ comment: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    #expect(view.byteCount == expected.count, "\(comment)", sourceLocation: sourceLocation)
    #expect(view.granularity >= 1, "\(comment)", sourceLocation: sourceLocation)
    #expect(try view.everything() == expected, "\(comment)", sourceLocation: sourceLocation)
    for _ in 0..<5 {
      let lower = Int.random(in: 0...expected.count, using: &random)
      let upper = Int.random(in: lower...expected.count, using: &random)
      let part = try view.bytes(at: lower, count: upper - lower, "a part")
      #expect(
        part == Array(expected[lower..<upper]), "\(comment), bytes \(lower)..<\(upper)",
        sourceLocation: sourceLocation)
      let parts = try parts(of: lower..<upper, view)
      #expect(
        parts.flatMap(\.self) == part, "\(comment), parts of \(lower)..<\(upper)",
        sourceLocation: sourceLocation)
    }
  }

  /// The parts in which a range is handed out, which must follow each other.
  private func parts(of range: Range<Int>, _ view: any ByteSource) throws -> [[UInt8]] {
    var memory = [UInt8](repeating: 0, count: range.count)
    var parts: [[UInt8]] = []
    var end = range.lowerBound
    try memory.withMutableBytes {
      try view.readParts(of: range, using: &$0) { bytes, offset in
        #expect(offset == end)
        end += bytes.byteCount
        parts.append(bytes.withUnsafeBytes(Array.init))
      }
    }
    return parts
  }

  /// The same bytes behind sources that like to be read in different ways.
  private func manners(_ bytes: [UInt8]) -> [any ByteSource] {
    [
      ArraySource(bytes),
      PickySource(base: ArraySource(bytes), access: .sequential),
      PickySource(base: ArraySource(bytes), granularity: 96),
    ]
  }

  @Test(arguments: [1, 2, 3, 4, 8, 16])
  func transposedIsTheOracle(width: Int) throws {
    var random = SeededGenerator(seed: UInt64(width))
    for round in 0..<70 {
      let dimensions = dimensions(rank: round % 7, upTo: 8000 / width, &random)
      let axes = Array(0..<dimensions.count).shuffled(using: &random)
      let bytes = bytes(dimensions.reduce(width, *), &random)
      let expected = ViewOracle.transposed(bytes, width: width, dimensions, axes)
      for source in manners(bytes) {
        let view = try Transposed(
          source, elementByteWidth: width, shape: Shape(dimensions), axes: axes)
        try expect(view, holds: expected, &random, "\(dimensions) by \(axes)")
      }
    }
  }

  /// Larger than a tile in every direction, with rows that are read through and rows that are skipped.
  @Test(arguments: [
    ([400, 600], [1, 0], 4), ([3, 100_000], [1, 0], 2), ([100_000, 3], [1, 0], 2),
    ([9, 40, 520], [2, 1, 0], 4), ([9, 40, 520], [1, 0, 2], 4),
    ([40, 30, 20, 25], [3, 1, 2, 0], 1),
    ([200, 3001], [1, 0], 4), ([5, 1500, 70], [0, 2, 1], 1),
    ([2, 3, 20_000], [1, 0, 2], 8), ([900, 1100], [1, 0], 1),
  ])
  func largeTranspositionIsTheOracle(dimensions: [Int], axes: [Int], width: Int) throws {
    var random = SeededGenerator(seed: 7)
    let count = dimensions.reduce(width, *)
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
    let view = try Transposed(
      ArraySource(bytes), elementByteWidth: width, shape: Shape(dimensions), axes: axes)
    let expected = ViewOracle.transposed(bytes, width: width, dimensions, axes)
    try expect(view, holds: expected, &random, "\(dimensions) by \(axes)")
  }

  /// The pieces in which a large tensor is read come in parts that stay in a processor's cache, unless the
  /// columns of one cache line are too long for that, or runs are long enough to be read as they are.
  @Test(arguments: [
    ([1000, 1507], [1, 0], 4, true), ([1507, 1000], [1, 0], 2, true),
    ([700, 3, 901], [2, 1, 0], 4, true), ([700, 901, 3], [1, 0, 2], 4, true),
    ([3000, 40, 17], [1, 2, 0], 2, true), ([20_011, 130], [1, 0], 4, false),
    ([9, 11, 20_001], [1, 0, 2], 1, false),
  ])
  func largePiecesComeInParts(
    dimensions: [Int], axes: [Int], width: Int, severalAreExpected: Bool
  ) throws {
    let bytes = (0..<dimensions.reduce(width, *)).map {
      UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13)
    }
    let view = try Transposed(
      ArraySource(bytes), elementByteWidth: width, shape: Shape(dimensions), axes: axes)
    let expected = ViewOracle.transposed(bytes, width: width, dimensions, axes)
    let piece = view.granularity
    for first in stride(from: 0, to: bytes.count, by: piece) {
      let range = first..<min(first + piece, bytes.count)
      let parts = try parts(of: range, view)
      #expect(parts.flatMap(\.self) == Array(expected[range]))
      if range.count == piece { #expect((parts.count > 1) == severalAreExpected) }
      if parts.count > 1 { #expect(parts.allSatisfy { $0.count <= 1 << 20 }) }
    }
  }

  /// A base that is costly to read in parts and too large to be read whole is set aside in transposed
  /// slabs; so is one whose rows are so many that a piece of the result finds little in each.
  @Test(arguments: [
    ([3000, 3001], [1, 0], AccessPattern.sequential, 1),
    ([3000, 3001], [1, 0], .random, 5000), ([300, 100, 301], [2, 1, 0], .random, 96),
    ([300, 100, 301], [1, 0, 2], .sequential, 1), ([150_000, 64], [1, 0], .random, 1),
  ])
  func largeAwkwardBaseIsTransposedInTwoPasses(
    dimensions: [Int], axes: [Int], access: AccessPattern, granularity: Int
  ) throws {
    var random = SeededGenerator(seed: 5)
    let bytes = (0..<dimensions.reduce(1, *)).map {
      UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13)
    }
    let view = try Transposed(
      PickySource(base: ArraySource(bytes), access: access, granularity: granularity),
      elementByteWidth: 1, shape: Shape(dimensions), axes: axes)
    #expect(view.access == .random)
    let expected = ViewOracle.transposed(bytes, width: 1, dimensions, axes)
    try expect(view, holds: expected, &random, "\(dimensions) by \(axes)")
  }

  /// One step of the slowest axis is too large for memory, so the base is set aside as it is.
  @Test func fewHugeRowsOfASequentialBaseAreSpooled() throws {
    let columns = 17 << 20
    var bytes = [UInt8](repeating: 0, count: 2 * columns)
    for (index, column) in [0, 1 << 20, columns - 1].enumerated() {
      bytes[column] = UInt8(2 * index + 1)
      bytes[columns + column] = UInt8(2 * index + 2)
    }
    let view = try Transposed(
      PickySource(base: ArraySource(bytes), access: .sequential), elementByteWidth: 1,
      shape: Shape([2, columns]), axes: [1, 0])
    for column in [0, 1 << 20, columns - 1] {
      #expect(
        try view.bytes(at: column * 2, count: 2, "a column") == [
          bytes[column], bytes[columns + column],
        ])
    }
  }

  @Test func transpositionOfATranspositionReadsTheOriginal() throws {
    let shape = try Shape([3, 4, 5])
    let bytes = (0..<60).map { UInt8($0) }
    let once = try Transposed(
      PickySource(base: ArraySource(bytes), access: .sequential), elementByteWidth: 1,
      shape: shape, axes: [2, 0, 1])
    let back = try Transposed(
      once, elementByteWidth: 1, shape: Shape([5, 3, 4]), axes: [1, 2, 0])
    #expect(back.access == .sequential)
    #expect(try back.everything() == bytes)
    let other = try Transposed(
      once, elementByteWidth: 1, shape: Shape([5, 3, 4]), axes: [0, 2, 1])
    #expect(
      try other.everything() == ViewOracle.transposed(bytes, width: 1, [3, 4, 5], [2, 1, 0]))
  }

  /// A piece of `granularity` bytes is made of whole output rows, so that pieces meet no row twice.
  @Test func granularityIsWholeRowsOfTheResult() throws {
    struct Nothing: ByteSource {
      let byteCount: Int
      func read(into buffer: inout MutableRawSpan, at offset: Int) throws {}
    }
    for (dimensions, width) in [([768, 3072], 4), ([50257, 768], 4), ([11000, 11000], 4)] {
      let view = try Transposed(
        Nothing(byteCount: dimensions.reduce(width, *)), elementByteWidth: width,
        shape: Shape(dimensions), axes: [1, 0])
      #expect(view.granularity % (dimensions[0] * width) == 0)
      #expect(view.granularity <= 16 << 20)
      #expect(view.granularity >= 1 << 20)
    }
  }

  @Test func axesThatAreNoPermutationAreRefused() throws {
    for axes in [[0], [0, 0], [0, 2], [1, 0, 2], [-1, 0]] {
      let error = #expect(throws: IngotError.self) {
        _ = try Transposed(
          ArraySource(.init(repeating: 0, count: 6)), elementByteWidth: 1, shape: Shape([2, 3]),
          axes: axes)
      }
      #expect(error?.errorClass == .malformed)
    }
  }

  @Test(arguments: [1, 2, 4, 8])
  func byteSwappedReversesEachWord(width: Int) throws {
    var random = SeededGenerator(seed: UInt64(width))
    for words in [0, 1, 2, 5, 64, 1001] {
      let bytes = bytes(words * width, &random)
      let expected = stride(from: 0, to: bytes.count, by: width).flatMap {
        bytes[$0..<$0 + width].reversed()
      }
      try expect(
        ByteSwapped(ArraySource(bytes), wordWidth: width), holds: expected, &random, "\(words)")
    }
  }

  @Test(arguments: [ElementType.int8, .float16, .float32, .float64, .complex128])
  func slicedIsTheOracle(type: ElementType) throws {
    let width = try #require(type.layout.bytesPerElement)
    var random = SeededGenerator(seed: UInt64(width) + 100)
    for round in 0..<70 {
      let dimensions = dimensions(rank: 1 + round % 6, upTo: 8000 / width, &random)
      let axis = Int.random(in: 0..<dimensions.count, using: &random)
      let lower = Int.random(in: 0...dimensions[axis], using: &random)
      let range = lower..<Int.random(in: lower...dimensions[axis], using: &random)
      let bytes = bytes(dimensions.reduce(width, *), &random)
      let expected = ViewOracle.sliced(bytes, width: width, dimensions, axis: axis, range)
      for source in manners(bytes) {
        let view = try Sliced(
          source, elementType: type, shape: Shape(dimensions), axis: axis, range: range)
        try expect(view, holds: expected, &random, "\(dimensions) axis \(axis) \(range)")
      }
    }
  }

  /// Gaps above the limit are skipped, runs longer than a stage are read directly.
  @Test(arguments: [
    ([40, 5000], 1, 3..<10), ([3, 400_000], 1, 1000..<390_000), ([90_000, 7], 1, 2..<4),
  ])
  func largeSliceIsTheOracle(dimensions: [Int], axis: Int, range: Range<Int>) throws {
    var random = SeededGenerator(seed: 3)
    let bytes = bytes(dimensions.reduce(2, *), &random)
    let view = try Sliced(
      ArraySource(bytes), elementType: .float16, shape: Shape(dimensions), axis: axis, range: range)
    let expected = ViewOracle.sliced(bytes, width: 2, dimensions, axis: axis, range)
    try expect(view, holds: expected, &random, "\(dimensions) \(range)")
  }

  @Test(arguments: [ElementType.int8, .float16, .float32, .float64, .complex128])
  func concatenatedIsTheOracle(type: ElementType) throws {
    let width = try #require(type.layout.bytesPerElement)
    var random = SeededGenerator(seed: UInt64(width) + 200)
    for round in 0..<100 {
      let dimensions = dimensions(rank: 1 + round % 5, upTo: 6000 / width, &random)
      let axis = Int.random(in: 0..<dimensions.count, using: &random)
      let parts = (0..<Int.random(in: 1...4, using: &random)).map { _ in
        var part = dimensions
        part[axis] = Int.random(in: 0...9, using: &random)
        return (bytes: bytes(part.reduce(width, *), &random), dimensions: part)
      }
      let view = try Concatenated(
        parts.enumerated().map { manners($1.bytes)[$0 % 3] }, elementType: type,
        shapes: parts.map { try Shape($0.dimensions) }, axis: axis)
      let expected = ViewOracle.concatenated(parts, width: width, axis: axis)
      try expect(view, holds: expected, &random, "\(parts.map(\.dimensions)) axis \(axis)")
    }
  }

  @Test func slicesOfAllPartsJoinToTheWhole() throws {
    var random = SeededGenerator(seed: 11)
    let bytes = bytes(48 * 30_000 * 2, &random)
    let tensor = try Tensor(.float16, [48, 30_000], bytes)
    let parts = try [0..<100, 100..<20_100, 20_100..<30_000].map {
      try tensor.sliced(axis: 1, range: $0)
    }
    let joined = try Tensor.concatenated(parts, axis: 1)
    #expect(joined.shape == tensor.shape)
    #expect(try joined.source.everything() == bytes)
  }

  @Test func shapesThatDifferBesideTheAxisAreNotJoined() throws {
    let a = try Tensor(.int8, [2, 3], .init(repeating: 0, count: 6))
    let b = try Tensor(.int8, [3, 2], .init(repeating: 0, count: 6))
    let c = try Tensor(.uint8, [2, 3], .init(repeating: 0, count: 6))
    for parts in [[a, b], [a, c], []] {
      let error = #expect(throws: IngotError.self) { _ = try Tensor.concatenated(parts, axis: 0) }
      #expect(error?.errorClass == .malformed)
    }
  }

  @Test func viewsOfOneStorageShareAnIdentity() throws {
    let storage = StorageIdentity("block 7")
    func tensor() throws -> Tensor {
      try Tensor(
        elementType: .int8, shape: Shape([2, 3]),
        source: ArraySource(.init(repeating: 0, count: 6)), storage: storage)
    }
    let once = try tensor().transposed([1, 0])
    #expect(once.shape.dimensions == [3, 2])
    #expect(once.storage == (try tensor().transposed([1, 0]).storage))
    #expect(once.storage != storage)
    #expect(try tensor().transposed([0, 1]).storage == storage)
    #expect(try tensor().reshaped(to: Shape([6])).storage == storage)
    #expect(
      try tensor().sliced(axis: 0, range: 0..<1).storage
        != tensor().sliced(axis: 0, range: 1..<2).storage)
  }

  @Test func elementsBelowEightBitsMoveOnlyInWholeBytes() throws {
    let bytes = (0..<12).map { UInt8($0) }
    let tensor = try Tensor(.float4E2M1FN, [2, 3, 4], bytes)
    #expect(
      try tensor.transposed([1, 0, 2]).source.everything()
        == ViewOracle.transposed(bytes, width: 2, [2, 3], [1, 0]))
    #expect(try tensor.sliced(axis: 2, range: 2..<4).source.everything() == [1, 3, 5, 7, 9, 11])
    for attempt in [
      { try tensor.transposed([0, 2, 1]) }, { try tensor.sliced(axis: 2, range: 1..<3) },
    ] {
      let error = #expect(throws: IngotError.self) { _ = try attempt() }
      #expect(error?.errorClass == .unsupported)
    }
  }

  @Test func viewsOfAnUnreadableTensorStayUnreadable() throws {
    let obstacle = IngotError(.unsupported, "szip")
    let tensor = try Tensor(elementType: .int8, shape: Shape([2, 3]), obstacle: obstacle)
    for view in [
      try tensor.transposed([1, 0]), try tensor.sliced(axis: 1, range: 0..<2),
      try tensor.reshaped(to: Shape([6])), try Tensor.concatenated([tensor, tensor], axis: 0),
    ] {
      #expect(view.obstacle == obstacle)
      #expect(throws: obstacle) { _ = try view.source.everything() }
    }
  }

  @Test func viewsAreReadFromManyThreadsAtOnce() async throws {
    let bytes = (0..<600 * 700).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
    let view = try Transposed(
      ArraySource(bytes), elementByteWidth: 1, shape: Shape([600, 700]), axes: [1, 0])
    let expected = ViewOracle.transposed(bytes, width: 1, [600, 700], [1, 0])
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for task in 0..<16 {
        group.addTask {
          let start = task * 26_250
          return try view.bytes(at: start, count: 26_250, "a part")
            == Array(expected[start..<start + 26_250])
        }
      }
      for try await isEqual in group { #expect(isEqual) }
    }
  }
}
