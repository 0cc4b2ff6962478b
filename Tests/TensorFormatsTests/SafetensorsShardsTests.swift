import Foundation
import TensorFormats
import TestSupport
import Tensors
import Testing

/// Shard indexes (rows S28 to S30) and their writing.
struct SafetensorsShardsTests {
  private func shard(_ tensors: [(String, Int)], metadata: String? = nil) throws -> [UInt8] {
    var table = TensorTable()
    for (name, count) in tensors {
      try table.append(name, Tensor(.int8, [count], [UInt8](repeating: 1, count: count)))
    }
    table.metadata["format"] = metadata.map(JSON.string)
    return try SafetensorsFormat().write(table)
  }

  private func siblings() throws -> Siblings {
    Siblings(files: [
      "s1.safetensors": try shard([("a", 3), ("b", 4)]), "s2.safetensors": try shard([("c", 5)]),
    ])
  }

  private func index(_ map: String, _ metadata: String = #"{"total_size":12}"#) -> String {
    "{\"metadata\":\(metadata),\"weight_map\":{\(map)}}"
  }

  private let rightMap =
    #""a":"s1.safetensors","b":"s1.safetensors","c":"s2.safetensors""#

  private func verdict(_ text: String) throws -> ErrorClass? {
    try errorClass { _ = try siblings().readIndex(text) }
  }

  @Test func shardsAreOneTableInTheIndexsOrder() throws {
    let table = try siblings().readIndex(
      index(#""c":"s2.safetensors","b":"s1.safetensors","a":"s1.safetensors""#))
    #expect(table.entries.map(\.name) == ["c", "b", "a"])
    #expect(table.entries.map(\.tensor.byteCount) == [5, 4, 3])
    #expect(table.notes.isEmpty)
  }

  @Test(arguments: [
    "../s1.safetensors", "/s1.safetensors", "sub/s1.safetensors", "..", ".", "", "sub\\\\s1",
    "s1.safetensors\\u0000",
  ])
  func shardsArePlainNamesBesideTheIndex(name: String) throws {
    #expect(try verdict(index(#""a":"\#(name)""#)) == .malformed)
  }

  @Test func anAbsentShardIsUnreadableAndNamed() throws {
    let error = #expect(throws: IngotError.self) {
      try siblings().readIndex(index(rightMap + #","d":"s3.safetensors""#))
    }
    #expect(error?.errorClass == .unreadable)
    #expect(error?.file == "folder/s3.safetensors")
  }

  @Test func indexAndShardsMustAgreeAndAllOffendersAreNamed() throws {
    #expect(try verdict(index(rightMap + #","a":"s1.safetensors""#)) == .malformed)
    let error = #expect(throws: IngotError.self) {
      try siblings().readIndex(
        index(#""a":"s2.safetensors","x":"s1.safetensors","c":"s2.safetensors""#))
    }
    #expect(error?.errorClass == .malformed)
    for part in [
      "'a' is not in s2.safetensors", "'x' is not in s1.safetensors",
      "'a' in s1.safetensors is not listed", "'b' in s1.safetensors is not listed",
    ] {
      #expect(error?.message.contains(part) == true, "\(part)")
    }
  }

  @Test func aWrongTotalSizeIsNotedAndNotTrusted() throws {
    for stated in ["13", "-1", "1e300", "18446744073709551615", "\"12\""] {
      let table = try siblings().readIndex(index(rightMap, "{\"total_size\":\(stated)}"))
      #expect(table.entries.count == 3)
      #expect(table.notes.count == 1)
    }
    #expect(try siblings().readIndex(index(rightMap, "{}")).notes.isEmpty)
    #expect(try siblings().readIndex("{\"weight_map\":{\(rightMap)}}").notes.isEmpty)
  }

  @Test(arguments: [
    "[]", "{}", #"{"weight_map":[]}"#, #"{"weight_map":{"a":1}}"#,
    #"{"weight_map":{},"weight_map":{}}"#,
    #"{"weight_map":{},"other":1}"#, #"{"metadata":3,"weight_map":{}}"#, #"{"weight_map":{}} x"#,
    "",
  ])
  func theIndexIsReadStrictly(text: String) throws {
    #expect(try verdict(text) == .malformed)
  }

  @Test func metadataOfTheShardsIsMerged() throws {
    let siblings = Siblings(files: [
      "s1.safetensors": try shard([("a", 1)], metadata: "pt"),
      "s2.safetensors": try shard([("b", 1)], metadata: "np"),
    ])
    let table = try siblings.readIndex(
      index(
        #""a":"s1.safetensors","b":"s2.safetensors""#, #"{"total_size":2,"total_parameters":2}"#))
    #expect(table.metadata["format"] == .string("pt"))
    #expect(table.metadata["total_parameters"] == .integer(2))
    #expect(table.metadata["total_size"] == nil)
    #expect(table.notes.count == 1)
  }

  @Test func contentTellsAnIndex() throws {
    let format = SafetensorsIndexFormat()
    func recognizes(_ text: String) -> Bool {
      format.recognizes(Array(text.utf8), fileSize: text.utf8.count)
    }
    #expect(recognizes("\n " + index(rightMap)))
    #expect(!recognizes(#"{"metadata":{},"weight_map":{"/l/vars":["m_0.weights.h5"]}}"#))
    #expect(!recognizes(#"{"model_type":"gpt2"}"#))
    #expect(!SafetensorsFormat().recognizes(Array(index(rightMap).utf8), fileSize: 100))
  }

  @Test func theFixtureOfASetIsReadAsOne() throws {
    let folder = Places.fixture("safetensors")
    let table = try SafetensorsIndexFormat().read(
      FormatInput(
        path: folder + "/sharded.safetensors.index.json",
        source: InputFile(path: folder + "/sharded.safetensors.index.json"),
        openSibling: { try InputFile(path: folder + "/" + $0) }))
    let expected = try String(
      contentsOfFile: Places.fixture("digests/safetensors/sharded.safetensors.index.json.digest"),
      encoding: .utf8)
    #expect(try table.manifest() == expected)
    #expect(table.notes.isEmpty)
  }

  // MARK: Writing

  private func table(_ sizes: [Int]) throws -> TensorTable {
    var table = TensorTable()
    for (index, size) in sizes.enumerated() {
      try table.append("t\(index)", Tensor(.int8, [size], [UInt8](repeating: 0, count: size)))
    }
    return table
  }

  @Test func shardsAreFilledInOrderUpToTheBound() throws {
    func partition(_ sizes: [Int], _ bound: Int) throws -> [[Int]] {
      try table(sizes).partition(maximumBytes: bound)
    }
    #expect(try partition([3, 3, 4, 2], 6) == [[0, 1], [2, 3]])
    #expect(try partition([3, 9, 3, 3], 6) == [[0], [1], [2, 3]])
    #expect(try partition([3, 3, 0, 0], 6) == [[0, 1, 2, 3]])
    #expect(try partition([1, 2, 3], 100) == [[0, 1, 2]])
    #expect(try partition([5, 5], 0) == [[0], [1]])
    #expect(try partition([], 6) == [])
  }

  @Test func namesCountTheShards() {
    #expect(
      SafetensorsShards.fileNames(for: "model.safetensors", count: 2)
        == ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"])
    #expect(SafetensorsShards.indexName(for: "m.safetensors") == "m.safetensors.index.json")
    #expect(
      SafetensorsShards.fileNames(for: "m.safetensors", count: 123_456).last
        == "m-123456-of-123456.safetensors")
  }

  @Test func aWrittenSetIsReadBack() throws {
    let table = try table([3, 3, 4, 2])
    let shards = table.partition(maximumBytes: 6)
    let names = SafetensorsShards.fileNames(for: "m.safetensors", count: shards.count)
    var siblings = Siblings(files: [:])
    for (indexes, name) in zip(shards, names) {
      siblings.files[name] = try SafetensorsFormat().write(
        try table.replacingEntries(indexes.map { table.entries[$0] }))
    }
    let index = SafetensorsShards.index(table, shards: shards, fileNames: names)
    let back = try siblings.readIndex(String(decoding: index, as: UTF8.self))
    #expect(try back.manifest() == table.manifest())
    #expect(back.notes.isEmpty)
    #expect(
      String(decoding: index, as: UTF8.self) == """
        {
          "metadata": {
            "total_size": 12
          },
          "weight_map": {
            "t0": "m-00001-of-00002.safetensors",
            "t1": "m-00001-of-00002.safetensors",
            "t2": "m-00002-of-00002.safetensors",
            "t3": "m-00002-of-00002.safetensors"
          }
        }

        """)
  }
}
