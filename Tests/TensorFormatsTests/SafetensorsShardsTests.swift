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

  @Test(
    .row("S28"),
    arguments: [
      "../s1.safetensors", "/s1.safetensors", "sub/s1.safetensors", "..", ".", "", "sub\\\\s1",
      "s1.safetensors\\u0000",
    ])
  func shardsArePlainNamesBesideTheIndex(name: String) throws {
    #expect(try verdict(index(#""a":"\#(name)""#)) == .malformed)
  }

  @Test(.row("S28")) func anAbsentShardIsUnreadableAndNamed() throws {
    let error = #expect(throws: IngotError.self) {
      try siblings().readIndex(index(rightMap + #","d":"s3.safetensors""#))
    }
    #expect(error?.errorClass == .unreadable)
    #expect(error?.file == "folder/s3.safetensors")
  }

  @Test(.row("S29")) func indexAndShardsMustAgreeAndAllOffendersAreNamed() throws {
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

  @Test(.row("S30")) func aWrongTotalSizeIsNotedAndNotTrusted() throws {
    for stated in ["13", "-1", "1e300", "18446744073709551615", "\"12\""] {
      let table = try siblings().readIndex(index(rightMap, "{\"total_size\":\(stated)}"))
      #expect(table.entries.count == 3)
      #expect(table.notes.count == 1)
    }
    #expect(try siblings().readIndex(index(rightMap, "{}")).notes.isEmpty)
    #expect(try siblings().readIndex("{\"weight_map\":{\(rightMap)}}").notes.isEmpty)
  }

  @Test(
    .row("S29"),
    arguments: [
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
    func sizes(_ sizes: [Int], _ bound: Int) throws -> [[Int]] {
      try SafetensorsFormat().shards(
        of: try table(sizes), maximumBytes: bound, fileName: "m.safetensors"
      ).files.map { $0.table.entries.map(\.tensor.byteCount) }
    }
    #expect(try sizes([3, 3, 4, 2], 6) == [[3, 3], [4, 2]])
    #expect(try sizes([3, 9, 3, 3], 6) == [[3], [9], [3, 3]])
    #expect(try sizes([3, 3, 0, 0], 6) == [[3, 3, 0, 0]])
    #expect(try sizes([1, 2, 3], 100) == [[1, 2, 3]])
    #expect(try sizes([5, 5], 0) == [[5], [5]])
    #expect(try sizes([], 6) == [])
  }

  @Test func namesCountTheShards() throws {
    let set = try SafetensorsFormat().shards(
      of: try table([3, 3]), maximumBytes: 3, fileName: "model.safetensors")
    #expect(
      set.files.map(\.name)
        == ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"])
    #expect(set.indexName == "model.safetensors.index.json")
  }

  @Test func whatNoShardCanHoldIsRefusedWithAllOffenders() throws {
    var table = TensorTable()
    for name in ["a", "b"] {
      try table.append(name, Tensor(.complex128, [1], [UInt8](repeating: 0, count: 16)))
    }
    let error = #expect(throws: IngotError.self) {
      try SafetensorsFormat().shards(of: table, maximumBytes: 16, fileName: "m.safetensors")
    }
    #expect(error?.errorClass == .unsupported)
    #expect(error?.message.contains("'a'") == true && error?.message.contains("'b'") == true)
  }

  @Test func aWrittenSetIsReadBack() throws {
    let table = try table([3, 3, 4, 2])
    let set = try SafetensorsFormat().shards(
      of: table, maximumBytes: 6, fileName: "m.safetensors")
    var siblings = Siblings(files: [:])
    for file in set.files {
      siblings.files[file.name.text] = try SafetensorsFormat().write(file.table)
    }
    let index = set.index
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
