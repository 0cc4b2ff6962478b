import Foundation
import TensorFormats
import TestSupport
import Tensors
import Testing

/// The rules of the format, each broken on purpose (rows S1 to S27).
struct SafetensorsReadingTests {
  private let format = SafetensorsFormat()

  private func verdict(_ bytes: [UInt8]) throws -> ErrorClass? {
    try errorClass { _ = try format.read(bytes: bytes) }
  }

  private func verdict(_ header: String, dataCount: Int = 8) throws -> ErrorClass? {
    try verdict(safetensors(header, [UInt8](repeating: 0, count: dataCount)))
  }

  private func entry(
    _ dtype: String = "\"F32\"", _ shape: String = "[2]", _ offsets: String = "[0,8]"
  ) -> String {
    "{\"dtype\":\(dtype),\"shape\":\(shape),\"data_offsets\":\(offsets)}"
  }

  @Test func tensorsAreReadAsTheHeaderSays() throws {
    let data = (0..<20).map { UInt8($0) }
    let table = try format.read(
      bytes: safetensors(
        #"{"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]},"a":{"dtype":"I16","shape":[2,3],"data_offsets":[0,12]}}  "#,
        data))
    #expect(table.entries.map(\.name) == ["b", "a"])
    #expect(try table["a"]?.source.everything() == Array(data[..<12]))
    #expect(try table["b"]?.source.everything() == Array(data[12...]))
    #expect(table["a"]?.elementType == .int16)
    #expect(table["a"]?.shape.dimensions == [2, 3])
  }

  @Test(.row("S1", "S2", "S3", "S4", "S5")) func lengthMustBeThereAndFit() throws {
    #expect(try verdict([1, 2, 3, 4, 5, 6, 7]) == .malformed)
    #expect(try verdict([]) == .malformed)
    let header = Array("{}".utf8)
    func file(_ length: UInt64) -> [UInt8] {
      var writer = ByteWriter()
      writer.append(length)
      return writer.bytes + header
    }
    #expect(try verdict(file(2)) == nil)
    #expect(try verdict(file(0)) == .malformed)
    #expect(try verdict(file(3)) == .malformed)
    #expect(try verdict(file(100_000_000)) == .malformed)
    #expect(try verdict(file(100_000_001)) == .limit)
    #expect(try verdict(file(1 << 63)) == .malformed)
    #expect(try verdict(file(.max)) == .malformed)
  }

  @Test(
    .row("S7", "S8"),
    arguments: [
      "[]", "nonsense", " {}", "\n{}", "\u{FEFF}{}", "{}{}", "{}\0", "{", "", "null", "{\"a\"}",
    ])
  func headerMustBeOneObjectFromItsFirstByte(header: String) throws {
    #expect(try verdict(header, dataCount: 0) == .malformed)
  }

  @Test(.row("S6")) func headerMustBeUTF8AndTheByteIsNamed() throws {
    let bytes = safetensors(Array("{\"".utf8) + [0xFF] + Array("\":1}".utf8))
    let error = #expect(throws: IngotError.self) { try format.read(bytes: bytes) }
    #expect(error?.errorClass == .malformed)
    #expect(error?.offset == 10)
  }

  @Test(.row("S9")) func blanksMayFollowTheHeader() throws {
    #expect(try verdict("{} \t\r\n ", dataCount: 0) == nil)
  }

  @Test(.row("S10", "S11")) func keysOccurOnce() throws {
    #expect(try verdict("{\"a\":\(entry()),\"a\":\(entry())}") == .malformed)
    #expect(
      try verdict("{\"a\":\(entry()),\"a\":\(entry("\"F32\"", "[2]", "[8,16]"))}", dataCount: 16)
        == .malformed)
    #expect(try verdict(#"{"__metadata__":{},"__metadata__":{}}"#, dataCount: 0) == .malformed)
    #expect(try verdict(#"{"__metadata__":{"a":"1","a":"1"}}"#, dataCount: 0) == .malformed)
    #expect(
      try verdict(#"{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#)
        == .malformed)
  }

  @Test(.row("S12"), arguments: ["1", "null", "{}", "[\"a\"]", "true"])
  func metadataValuesAreStrings(value: String) throws {
    #expect(try verdict("{\"__metadata__\":{\"a\":\(value)}}", dataCount: 0) == .malformed)
    #expect(
      try verdict("{\"__metadata__\":\(value)}", dataCount: 0) == (value == "{}" ? nil : .malformed)
    )
  }

  @Test(.row("S13", "S14")) func entriesHaveTheirThreeFieldsAndNoOthers() throws {
    #expect(try verdict("{\"a\":\(entry())}") == nil)
    #expect(try verdict(#"{"a":{"shape":[2],"data_offsets":[0,8]}}"#) == .malformed)
    #expect(try verdict(#"{"a":{"dtype":"F32","data_offsets":[0,8]}}"#) == .malformed)
    #expect(try verdict(#"{"a":{"dtype":"F32","shape":[2]}}"#) == .malformed)
    #expect(
      try verdict(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}"#) == .malformed)
    #expect(try verdict(#"{"a":[]}"#) == .malformed)
  }

  @Test(.row("S15")) func unknownElementTypesAreUnsupportedAndMisspeltOnesMalformed() throws {
    #expect(try verdict("{\"a\":\(entry("\"F33\""))}") == .unsupported)
    #expect(try verdict("{\"a\":\(entry("\"C128\""))}") == .unsupported)
    #expect(try verdict("{\"a\":\(entry("\"f32\""))}") == .malformed)
    #expect(try verdict("{\"a\":\(entry("\"\""))}") == .malformed)
    #expect(try verdict("{\"a\":\(entry("32"))}") == .malformed)
  }

  @Test(
    .row("S16"),
    arguments: [
      "[0]", "[0,8,8]", "[]", "[-1,8]", "[8,0]", "[0.0,8]", "[0,8e0]", "\"0,8\"",
      "[0,18446744073709551616]",
      "[0,9223372036854775808]",
    ])
  func offsetsAreABeginAndAnEnd(offsets: String) throws {
    #expect(try verdict("{\"a\":\(entry("\"F32\"", "[2]", offsets))}") == .malformed)
  }

  @Test(.row("S17"), arguments: ["\"2\"", "[-2]", "[2.0]", "2", "[[2]]"])
  func shapesAreWholeNumbers(shape: String) throws {
    #expect(try verdict("{\"a\":\(entry("\"F32\"", shape))}") == .malformed)
    let digits = String(repeating: "9", count: 4000)
    #expect(try verdict("{\"a\":\(entry("\"F32\"", "[\(digits)]"))}") == .malformed)
  }

  @Test(.row("S18", "G17", "G18", "G19")) func productsThatOverflowAreRefused() throws {
    let half = "9223372036854775807"
    for shape in ["[\(half),2]", "[4611686018427387904]", "[\(half),\(half),0]"] {
      #expect(
        try verdict("{\"a\":\(entry("\"F32\"", shape, "[0,0]"))}", dataCount: 0) == .malformed)
    }
    let ones = Array(repeating: "1", count: 65).joined(separator: ",")
    #expect(try verdict("{\"a\":\(entry("\"F32\"", "[\(ones)]"))}") == .limit)
  }

  @Test(.row("S19", "S25")) func sizesMustFitTheShape() throws {
    let error = #expect(throws: IngotError.self) {
      try format.read(
        bytes: safetensors("{\"a\":\(entry("\"F32\"", "[3]"))}", [UInt8](repeating: 0, count: 8)))
    }
    #expect(error?.errorClass == .malformed)
    #expect(error?.tensor == "a")
    #expect(error?.message.contains("12") == true && error?.message.contains("8") == true)
    // Three elements of 4 bits do not fill bytes.
    #expect(try verdict("{\"a\":\(entry("\"F4\"", "[3]", "[0,2]"))}", dataCount: 2) == .malformed)
    #expect(try verdict("{\"a\":\(entry("\"F4\"", "[4]", "[0,2]"))}", dataCount: 2) == nil)
    #expect(try verdict("{\"a\":\(entry("\"F6_E2M3\"", "[4]", "[0,3]"))}", dataCount: 3) == nil)
  }

  @Test(.row("S20", "S21", "S22")) func dataAreCoveredWithoutHoleOrOverlap() throws {
    func two(_ first: String, _ second: String, _ count: Int) throws -> IngotError? {
      let header =
        "{\"a\":\(entry("\"F32\"", "[2]", first)),\"b\":\(entry("\"F32\"", "[2]", second))}"
      do {
        _ = try format.read(bytes: safetensors(header, [UInt8](repeating: 0, count: count)))
        return nil
      } catch let error as IngotError {
        return error
      }
    }
    #expect(try two("[0,8]", "[8,16]", 16) == nil)
    #expect(try two("[8,16]", "[0,8]", 16) == nil)
    for (first, second, count) in [
      ("[0,8]", "[4,12]", 12), ("[0,8]", "[0,8]", 8), ("[0,8]", "[12,20]", 20),
      ("[4,12]", "[12,20]", 20),
      ("[0,8]", "[8,16]", 17), ("[0,8]", "[8,16]", 14),
    ] {
      #expect(
        try two(first, second, count)?.errorClass == .malformed, "\(first) \(second) \(count)")
    }
    let overlap = try two("[0,8]", "[4,12]", 12)
    #expect(overlap?.tensor == "b" && overlap?.message.contains("'a'") == true)
  }

  @Test(.row("S27")) func emptyTensorsMayShareAnOffset() throws {
    let table = try format.read(
      bytes: safetensors(
        "{\"b\":\(entry()),\"z\":\(entry("\"F32\"", "[0,3]", "[0,0]")),\"y\":\(entry("\"I8\"", "[0]", "[8,8]"))}",
        [UInt8](repeating: 0, count: 8)))
    #expect(table.entries.map(\.tensor.byteCount) == [8, 0, 0])
  }

  @Test(.row("S23", "G22")) func deepNestingIsRefusedAtOnce() throws {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
      let deep =
        String(repeating: open, count: 50_000) + "1" + String(repeating: close, count: 50_000)
      #expect(try verdict("{\"a\":\(deep)}", dataCount: 0) == .malformed)
    }
  }

  @Test(.row("S24", "G13", "G14")) func namesAreAnyUnicodeText() throws {
    for name in ["", "../../etc/passwd", "a/b:0", "\\u0000", "\\ud83c\\udfcb", "tab\\t"] {
      #expect(try verdict("{\"\(name)\":\(entry())}") == nil)
    }
    #expect(try verdict("{\"\\ud800\":\(entry())}") == .malformed)
    let long = String(repeating: "n", count: 65_536)
    #expect(try verdict("{\"\(long)\":\(entry())}") == .limit)
  }

  @Test func everyFixtureHasTheDigestOfTheOracle() throws {
    let folder = Places.fixture("safetensors")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".safetensors") }
    #expect(files.count > 20)
    for file in files {
      let table = try format.read(bytes: try fileBytes(folder + "/" + file))
      let expected = try String(
        contentsOfFile: Places.fixture("digests/safetensors/\(file).digest"), encoding: .utf8)
      #expect(try table.manifest() == expected, "\(file)")
    }
  }

  @Test(.enabled(if: Places.corpus != nil, "INGOT_CORPUS names no corpus"))
  func corpusGetsTheClassesItExpects() throws {
    let folder = try #require(Places.corpus).appending(path: "safetensors/generated")
    let expected = try String(
      contentsOf: folder.appending(path: "expected.tsv"), encoding: .utf8)
    var tried = 0
    for line in expected.split(separator: "\n") {
      let fields = line.split(separator: "\t")
      let path = folder.appending(path: "\(fields[0]).safetensors").path()
      // Some files are kept back for judging.
      guard FileManager.default.fileExists(atPath: path) else { continue }
      let bytes = try fileBytes(path)
      let found = try errorClass {
        for entry in try format.read(bytes: bytes).entries {
          _ = try entry.tensor.source.everything()
        }
      }
      if fields[1] == "malformed_or_ok" {
        #expect(found == nil || found == .malformed)
      } else {
        #expect(
          found == (fields[1].hasPrefix("OK") ? nil : ErrorClass(rawValue: String(fields[1]))),
          "\(line)")
      }
      tried += 1
    }
    #expect(tried >= 28)
  }

  @Test func mutantsAreReadOrRefusedWithAClass() throws {
    let seed = safetensors(
      #"{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"I8","shape":[3],"data_offsets":[8,11]}}"#,
      (0..<11).map { UInt8($0) })
    var tried = 0
    func check(_ bytes: [UInt8]) throws {
      tried += 1
      let found = try errorClass {
        for entry in try format.read(bytes: bytes).entries {
          _ = try entry.tensor.source.everything()
        }
      }
      #expect([nil, .malformed, .unsupported, .limit].contains(found))
    }
    for count in 0..<seed.count {
      #expect(try verdict(Array(seed[..<count])) == .malformed)
      for value in [0, 0xFF, seed[count] ^ 0x80, seed[count] ^ 1, seed[count] &+ 1] {
        var mutant = seed
        mutant[count] = value
        try check(mutant)
      }
    }
    var random = SeededGenerator(seed: 1)
    for _ in 0..<5000 {
      var mutant = seed
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        mutant[Int.random(in: 0..<mutant.count, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      try check(mutant)
    }
    #expect(tried > 5500)
  }
}
