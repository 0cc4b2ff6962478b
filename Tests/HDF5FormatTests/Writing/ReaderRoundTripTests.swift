import Foundation
@testable import HDF5Format
import TestSupport
import Tensors
import Testing

/// What our own reader makes of our own files: the same tensors, aliases and metadata.
@Suite struct ReaderRoundTripTests {
  private func reread(_ bytes: [UInt8]) throws -> TensorTable {
    try HDF5Reader.read(FormatInput(path: "test.h5", source: ArraySource(bytes)))
  }

  /// Compares what came back; `plan` says which metadata was dropped.
  private func check(
    _ table: TensorTable, _ options: WriteOptions = WriteOptions(),
    chunkTarget: Int = ChunkSplit.usualTarget
  ) throws {
    let plan = try HDF5Writer.plan(table, options, chunkTarget: chunkTarget)
    let back = try reread(PlainExecutor.execute(plan))
    #expect(Set(back.entries.map(\.name)) == Set(table.entries.map(\.name)))
    #expect(back.others.isEmpty)
    let aliases = table.aliasTargets()
    for (index, entry) in table.entries.enumerated() {
      let tensor = try #require(back[entry.name])
      #expect(tensor.elementType == entry.tensor.elementType, "\(entry.name)")
      #expect(tensor.shape == entry.tensor.shape, "\(entry.name)")
      #expect(try tensor.source.everything() == entry.tensor.source.everything(), "\(entry.name)")
      if let target = aliases[index] {
        #expect(tensor.storage == back[table.entries[target].name]?.storage)
      }
    }
    var expected = table.metadata
    for key in plan.droppedMetadata { expected[key] = nil }
    for (key, value) in expected.sorted {
      // A key without a path is an attribute of the root.
      #expect(back.metadata[key.contains("@") ? key : "@" + key] == value, "\(key)")
    }
  }

  @Test(arguments: [WriteOptions.Compression.none, .gzip(level: nil), .gzip(level: 9)])
  func everything(compression: WriteOptions.Compression) throws {
    var options = WriteOptions()
    options.compression = compression
    try check(Samples.everything(), options)
    try check(Samples.everything(), options, chunkTarget: 512)
  }

  @Test func groupsOfAnySize() throws {
    try check(Samples.groups([1, 8, 9, 256, 257, 8192, 8193]))
  }

  @Test(arguments: 0..<40)
  func randomTables(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var table = TensorTable()
    let letters = ["a", "b", "é", "名", "a b", "0", "x:0", "..", "@"]
    func path(_ depth: Int) -> String {
      (0..<depth).map { _ in letters.randomElement(using: &generator) ?? "a" }.joined(
        separator: "/")
    }
    for number in 0..<Int.random(in: 0...60, using: &generator) {
      let rank = Int.random(in: 0...4, using: &generator)
      let shape = (0..<rank).map { _ in Int.random(in: 0...12, using: &generator) }
      let type = Samples.writableTypes.randomElement(using: &generator) ?? .int8
      let seed = generator.next() % 4
      let isShared = Bool.random(using: &generator)
      let group = path(Int.random(in: 0...4, using: &generator))
      try table.append(
        group.isEmpty ? "t\(number)" : "\(group)/t\(number)",
        .random(type, shape, seed: seed, storage: isShared ? "\(type) \(shape) \(seed)" : nil))
    }
    let values: [JSON] = [
      "text", "", 1, -1, .unsigned(.max), 1.5, true, [], ["a", "b"], [1, 2], [1.5], [true],
      [[1, 2], [3, 4]], .null, [1, "a"], .string(String(repeating: "x", count: 70_000)),
    ]
    for number in 0..<30 {
      let owner: ExactString =
        Bool.random(using: &generator)
        ? table.entries.randomElement(using: &generator)?.name ?? "" : ExactString(path(2))
      table.metadata["\(owner)@k\(number)"] = values.randomElement(using: &generator)
    }
    var options = WriteOptions()
    if Bool.random(using: &generator) { options.compression = .gzip(level: 1) }
    try check(table, options, chunkTarget: 64)
  }

  @Test(arguments: [
    "keras2-float16-weights.h5", "keras2-many-names-weights.h5", "keras2-mixed.h5",
    "keras2-optimizer.h5", "keras2-small-weights.h5", "keras2-small.weights.h5",
    "keras3-bfloat16.h5", "keras3-bfloat16.weights.h5", "keras3-float16.weights.h5",
    "keras3-mixed-bfloat16.weights.h5", "keras3-mixed.h5", "keras3-mixed.weights.h5",
    "keras3-optimizer.h5", "keras3-optimizer.weights.h5", "keras3-own-variables.weights.h5",
  ])
  func whatKerasStoredStaysInItsLayout(name: String) throws {
    let path = Places.fixture("keras/\(name)")
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    let table = try reread(bytes)
    let plan = try HDF5Writer.plan(table, kerasOptions(name))
    #expect(plan.droppedMetadata.isEmpty)
    let back = try reread(PlainExecutor.execute(plan))
    #expect(back.entries.map(\.name) == table.entries.map(\.name))
    for (one, other) in zip(back.entries, table.entries) {
      #expect(one.tensor.elementType == other.tensor.elementType)
      #expect(try one.tensor.source.everything() == other.tensor.source.everything())
    }
    #expect(back.metadata == table.metadata)
    #expect(KerasArrangement(of: back) == KerasArrangement(of: table))
    // Written once more, it is the same file.
    let again = try HDF5Writer.plan(back, kerasOptions(name))
    #expect(try PlainExecutor.execute(again) == PlainExecutor.execute(plan))
  }

  /// The C kernel once put the planes of 4- and 8-byte elements in another order.
  @Test func shufflingIsWhatTheFilterDefines() {
    for (width, count) in [(2, 7), (4, 33), (8, 100), (16, 5), (3, 10), (4, 0)] {
      var generator = SeededGenerator(seed: 3)
      let bytes = (0..<width * count).map { _ in UInt8.random(in: 0...255, using: &generator) }
      let plain = (0..<width).flatMap { byte in (0..<count).map { bytes[$0 * width + byte] } }
      #expect(Kernels.shuffled(bytes, elementByteWidth: width) == plain)
    }
  }
}
