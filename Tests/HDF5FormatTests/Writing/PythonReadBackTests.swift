import Foundation
import HDF5Format
import TestSupport
import Tensors
import Testing

/// What h5py makes of our files: names, shapes, types, bytes, values, attributes, aliases, compression.
@Suite(.enabled(if: Places.python != nil, "INGOT_PYTHON names no Python with h5py"))
struct PythonReadBackTests {
  private func check(
    _ table: TensorTable, _ options: WriteOptions = WriteOptions(),
    leavingOut metadata: Set<String> = []
  ) throws {
    let plan = try HDF5Writer.plan(table, options)
    var expected = table
    for key in plan.droppedMetadata + metadata { expected.metadata[key] = nil }
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

  /// Shapes whose chunks end inside an axis, are cut on any axis, or need an index of several levels.
  @Test(arguments: [
    [1_500_000], [3, 700_001], [2, 3, 300_000], [5, 1, 1_048_577], [1100, 33, 9], [300, 5000],
    [70, 2, 1_048_576],
  ])
  func chunksOnEveryAxis(shape: [Int]) throws {
    var options = WriteOptions()
    options.compression = .gzip(level: 1)
    let count = shape.reduce(1, *)
    // Long runs, so that even the large ones compress at once.
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 >> 12) }
    try check(TensorTable([("t", Tensor(.uint8, shape, bytes))]), options)
    if count % 4 == 0 {
      try check(
        TensorTable([
          ("t", Tensor(.float32, Array(shape.dropLast()) + [shape[shape.count - 1] / 4], bytes))
        ]),
        options)
    }
  }

  /// Numbers of members at which nodes fill up: 8 names in a node, 32 nodes under a B-tree node.
  @Test(arguments: [1, 8, 9, 256, 257, 8192, 8193, 20_000])
  func groupsOfAnySize(count: Int) throws {
    try check(Samples.wide(count))
  }

  @Test func nothingAtAll() throws {
    try check(TensorTable())
    try check(TensorTable([], metadata: ["@only": "metadata"]))
  }
}
