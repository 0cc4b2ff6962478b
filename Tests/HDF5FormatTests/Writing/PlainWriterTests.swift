import Compression
import TestSupport
import Tensors
import Testing

@testable import HDF5Format

@Suite struct PlainWriterTests {
  private static let one = Result { try Tensor(.float32, [2], [1, 2, 3, 4, 5, 6, 7, 8]) }

  @Test func theSameTableGivesTheSameBytes() throws {
    let table = try Samples.everything()
    #expect(try written(table) == written(table))
    var options = WriteOptions()
    options.compression = .gzip(level: 4)
    #expect(try written(table, options) == written(table, options))
  }

  @Test func theEndOfFileIsWhereTheFileEnds() throws {
    for compression in [WriteOptions.Compression.none, .gzip(level: nil)] {
      var options = WriteOptions()
      options.compression = compression
      for table in [TensorTable(), try Samples.everything()] {
        let file = try written(table, options)
        #expect(file[40..<48].reversed().reduce(0) { $0 << 8 | Int($1) } == file.count)
      }
    }
  }

  @Test(arguments: [nil, 8, 512, 65_536])
  func dataIsAligned(to alignment: Int?) throws {
    var options = WriteOptions()
    options.alignment = alignment
    let marker: [UInt8] = Array("the bytes of one tensor".utf8)
    let table = try TensorTable([
      ("odd", .random(.uint8, [3])), ("marked", Tensor(.uint8, [marker.count], marker)),
    ])
    let file = try written(table, options)
    let position = try #require(file.firstRange(of: marker)).lowerBound
    #expect(position % (alignment ?? 64) == 0)
  }

  @Test(arguments: [
    ("", "an empty name"), ("/a", "an empty part"), ("a/", "an empty part"),
    ("a//b", "an empty part"), (".", "the group itself"), ("a/./b", "the group itself"),
    ("a\0b", "NUL"), (String(repeating: "a/", count: 127) + "a", "levels of groups"),
  ])
  func namesThatAreNoPathsAreRefused(name: String, reason: String) throws {
    let error = #expect(throws: IngotError.self) {
      try written(TensorTable([(name, Self.one.get())]))
    }
    #expect(error?.errorClass == .unsupported)
    #expect(error?.message.contains(reason) == true)
  }

  @Test func aTensorCannotBeAGroupToo() throws {
    for names in [["a", "a/b"], ["a/b", "a"], ["x/a/b/c", "x/a"]] {
      let error = #expect(throws: IngotError.self) {
        try written(TensorTable(names.map { ($0, try Self.one.get()) }))
      }
      #expect(error?.errorClass == .unsupported)
    }
  }

  @Test func moreObjectsThanAreReadBackAreNotWritten() throws {
    let table = try TensorTable([("g/a", Self.one.get()), ("g/b", Self.one.get())])
    var obstacles = Obstacles()
    // The root, a group and two datasets.
    _ = FileTree(table, obstacles: &obstacles, most: 4)
    try obstacles.check("hdf5")
    _ = FileTree(table, obstacles: &obstacles, most: 3)
    let error = #expect(throws: IngotError.self) { try obstacles.check("hdf5") }
    #expect(error?.errorClass == .unsupported)
    #expect(error?.message == "hdf5 cannot hold 4 groups and datasets, above 3")
  }

  @Test func namesThatOnlyLookAlikeAreDifferent() throws {
    let table = try TensorTable([
      ("caf\u{E9}/a", Self.one.get()), ("cafe\u{301}/b", Self.one.get()),
    ])
    let file = try written(table)
    #expect(file.firstRange(of: Array("caf\u{E9}\0".utf8)) != nil)
    #expect(file.firstRange(of: Array("cafe\u{301}\0".utf8)) != nil)
  }

  @Test func allOffendersAreNamedAtOnce() throws {
    let error = #expect(throws: IngotError.self) {
      try written(
        TensorTable([
          ("fine", Self.one.get()), ("a//b", Self.one.get()),
          ("packed", .random(.float4E2M1FN, [2])),
          ("deep", .random(.int8, Array(repeating: 1, count: 33))),
        ]))
    }
    #expect(error?.errorClass == .unsupported)
    for name in ["a//b", "packed", "deep"] { #expect(error?.message.contains("'\(name)'") == true) }
    #expect(error?.message.contains("fine") == false)
  }

  @Test(arguments: ElementType.allCases)
  func aTypeIsWrittenOrRefusedByName(type: ElementType) throws {
    let refused: Set<ElementType> = [.float6E2M3FN, .float6E3M2FN, .float4E2M1FN, .q80, .q40]
    let table = try TensorTable([("t", .random(type, [32]))])
    if refused.contains(type) {
      let error = #expect(throws: IngotError.self) { try written(table) }
      #expect(error?.errorClass == .unsupported)
      #expect(error?.message.contains(type.name) == true)
    } else {
      let bytes = try #require(table["t"]).source.everything()
      #expect(try written(table).suffix(bytes.count).elementsEqual(bytes))
    }
  }

  @Test func aliasesAreStoredOnce() throws {
    let marker: [UInt8] = Array("tied".utf8)
    let tensor = try Tensor(
      elementType: .uint8, shape: Shape([4]), source: ArraySource(marker),
      storage: StorageIdentity("one"))
    let file = try written(TensorTable([("a", tensor), ("b/c", tensor), ("d", tensor)]))
    #expect(file.ranges(of: marker).count == 1)
  }

  @Test func metadataWithoutACounterpartIsNamed() throws {
    let table = try TensorTable(
      [("a/b", Self.one.get())],
      metadata: [
        "@kept": "yes", "a@kept": 1, "a/b@kept": [true, false], "plain": 2.5,
        "@object": ["k": 1], "@null": .null, "@mixed": [1, "a"], "@ragged": [[1], [1, 2]],
        "@nul": "a\0b", "a/b/c@below a tensor": 1, "x//y@no path": 1, "a@": 1,
        "@long": .array(Array(repeating: 1.5, count: 9000)),
        "@signs": [-1, .unsigned(.max)], "@depth": [[1], 2],
      ])
    let plan = try HDF5Writer.plan(table, WriteOptions())
    #expect(
      Set(plan.droppedMetadata) == [
        "@object", "@null", "@mixed", "@ragged", "@nul", "a/b/c@below a tensor", "x//y@no path",
        "a@",
        "@long", "@signs", "@depth",
      ])
  }

  @Test func whatTwoKeysSayOfOneAttributeIsKeptOnce() throws {
    let tensor = try Tensor.random(.int8, [4], storage: "shared")
    let plan = try HDF5Writer.plan(
      TensorTable(
        [("a", tensor), ("b", tensor)],
        metadata: ["a@same": 1, "b@same": 1, "a@other": 1, "b@other": 2, "@key": 1, "key": 2]),
      WriteOptions())
    #expect(plan.droppedMetadata.sorted() == ["b@other", "key"])
  }

  @Test func whatIsSmallerThanAnIndexOfChunksStaysInOneStretch() throws {
    var options = WriteOptions()
    options.compression = .gzip(level: nil)
    let plan = try HDF5Writer.plan(
      TensorTable([
        ("large", .random(.float32, [64, 64])), ("small", .random(.float32, [16])),
        ("scalar", .random(.float64, [])), ("empty", .random(.int8, [0, 3])),
      ]), options)
    var encoded: [String: Bool] = [:]
    for case .payload(let payload) in plan.parts {
      encoded[payload.name.text] = payload.encoding != nil
    }
    #expect(encoded == ["large": true, "small": false, "scalar": false])
  }

  @Test func aLackingChunkIsAnInternalError() throws {
    var options = WriteOptions()
    options.compression = .gzip(level: nil)
    let plan = try HDF5Writer.plan(TensorTable([("t", .random(.float32, [64, 64]))]), options)
    let finish = try #require(plan.finish.first)
    let result = WritePlan.PayloadResult(offset: 1000, byteCount: 10, pieceSizes: [5, 5])
    let error = #expect(throws: IngotError.self) {
      _ = try finish(
        .init(results: [result], file: ArraySource([UInt8](repeating: 0, count: 1010))))
    }
    #expect(error?.errorClass == .internal)
  }
}
