import Foundation
@testable import HDF5Format
import TestSupport
import Tensors
import Testing

/// What h5py makes of our files: names, shapes, types, bytes, values, attributes, aliases, compression.
@Suite(.enabled(if: Places.python != nil, "INGOT_PYTHON names no Python with h5py"))
struct PythonReadBackTests {
  private func check(
    _ table: TensorTable, _ options: WriteOptions = WriteOptions(),
    chunkTarget: Int = ChunkSplit.usualTarget
  ) throws {
    let plan = try HDF5Writer.plan(table, options, chunkTarget: chunkTarget)
    var expected = table
    for key in plan.droppedMetadata { expected.metadata[key] = nil }
    var members = try expected.described().object ?? []
    let compressed = plan.parts.compactMap { part -> JSON? in
      guard case .payload(let payload) = part, payload.encoding != nil else { return nil }
      return .string(payload.name)
    }
    members.append(JSON.Member("compressed", .array(compressed)))
    try Places.withTemporaryFolder { folder in
      let file = folder.appending(path: "file.h5")
      let description = folder.appending(path: "table.json")
      try Data(PlainExecutor.execute(plan)).write(to: file)
      try Data(JSON.object(members).text().utf8).write(to: description)
      PythonScript.check("read_back.py", [file.path(), description.path()])
    }
  }

  @Test func everyTypeShapeAndAttribute() throws {
    try check(Samples.everything())
  }

  @Test(arguments: [nil, 1, 9])
  func compressed(level: Int?) throws {
    var table = try Samples.everything()
    // An alias has the compression of its target, which is listed under the target's name only.
    table = try table.replacingEntries(table.entries.filter { $0.name != "a/second" })
    var options = WriteOptions()
    options.compression = .gzip(level: level)
    try check(table, options)
  }

  /// Shapes whose chunks end inside an axis, are cut on any axis, or need an index of two or three levels
  /// (64 chunks in a node).
  @Test(arguments: [64, 256, 1000, ChunkSplit.usualTarget])
  func chunksOnEveryAxis(target: Int) throws {
    let shapes = [
      [1500], [3, 701], [2, 3, 300], [5, 1, 1049], [110, 33, 9], [300, 50], [7, 2, 1024], [64, 64],
      [65, 64], [4097, 64],
    ]
    var options = WriteOptions()
    options.compression = .gzip(level: 1)
    var generator = SeededGenerator(seed: 7)
    var table = TensorTable()
    for shape in shapes {
      for type in shape[0] > 4000 ? [ElementType.uint8] : [.uint8, .float32] {
        // Some chunks compress, and some do not, which are then stored without deflate.
        let bytes = (0..<(try Shape(shape).byteCount(of: type))).map { index in
          index / 500 % 2 == 0 ? 7 : UInt8.random(in: 0...255, using: &generator)
        }
        try table.append("\(type.name) \(shape)", Tensor(type, shape, bytes))
      }
    }
    try check(table, options, chunkTarget: target)
  }

  /// Numbers of members at which nodes fill up: 8 names in a node, 32 nodes under a B-tree node.
  @Test func groupsOfAnySize() throws {
    try check(Samples.groups([1, 8, 9, 256, 257, 8192, 8193]))
  }

  @Test func nothingAtAll() throws {
    try check(TensorTable())
    try check(TensorTable([], metadata: ["@only": "metadata"]))
  }
}
