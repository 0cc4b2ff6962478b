import Foundation
import Ingot
import TensorFormats
import TestSupport
import Tensors
import Testing

/// What a golden must hold.
@Suite struct GoldenTests {
  private typealias Entry = (name: String, tensor: Tensor)

  /// The refusal of a golden of an input, an output, and `more`.
  private static func refused(_ more: Entry...) throws -> String? {
    try refused(
      [
        ("input/ids", Tensor(.int64, [1], [1, 0, 0, 0, 0, 0, 0, 0])),
        ("output/logits", Tensor(.float32, [1], [0, 0, 128, 63])),
      ] + more)
  }

  private static func refused(_ entries: [Entry]) throws -> String? {
    var table = TensorTable()
    for entry in entries { try table.append(entry.name, entry.tensor) }
    return try refused(table)
  }

  private static func refused(_ table: TensorTable) throws -> String? {
    let bytes = try PlainExecutor.execute(SafetensorsFormat().plan(table, WriteOptions()))
    return try Places.withTemporaryFolder { folder in
      let file = folder.appending(path: "golden.safetensors")
      try Data(bytes).write(to: file)
      return refusal { _ = try Golden(path: file.filePath) }
    }
  }

  private static func ones(_ type: ElementType = .float32) throws -> Tensor {
    try Tensor(type, [1], [0, 0, 128, 63])
  }

  @Test(arguments: ["other/x", "output/", "input/", "output", "hidden"])
  func namesThatNoStateHas(name: String) throws {
    #expect(try Self.refused((name, Self.ones())) == "malformed: is no part of a golden")
  }

  @Test(arguments: ["hidden/0", "trace/block.0", "output/a/b", "input/mask"])
  func namesThatAStateHas(name: String) throws {
    #expect(try Self.refused((name, Self.ones())) == nil)
  }

  @Test func statesAreRealNumbers() throws {
    #expect(
      try Self.refused(("hidden/0", Self.ones(.int32)))
        == "malformed: expected real numbers, found int32")
  }

  @Test func inputsAndStatesMustBeThere() throws {
    #expect(
      try Self.refused([("output/logits", Self.ones())]) == "malformed: the golden has no input/…")
    #expect(
      try Self.refused([("input/ids", Self.ones())])
        == "malformed: the golden has no output/… and no other state")
  }

  @Test(arguments: [("float16", true), ("int32", false), ("float128", false)])
  func theRecordedPrecisionIsAType(text: String, isOne: Bool) throws {
    var table = TensorTable()
    try table.append("input/ids", Self.ones())
    try table.append("output/logits", Self.ones())
    table.metadata["precision"] = .string(text)
    #expect(
      try Self.refused(table)
        == (isOne ? nil : "malformed: the metadata's precision '\(text)' is none"))
  }
}
