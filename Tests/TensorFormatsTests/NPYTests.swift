import TestSupport
import Tensors
import Testing

@testable import TensorFormats

/// The rules of `.npy`: what is read, what is refused and how, and what is written.
@Suite struct NPYTests {
  private static let usual = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }"
  private static let values = [UInt8](0..<16)

  /// A file with this header text and these data.
  private static func file(
    _ text: String, version: (UInt8, UInt8) = (1, 0), _ data: [UInt8] = values
  ) -> [UInt8] {
    let bytes = Array(text.utf8)
    return [0x93] + Array("NUMPY".utf8) + [version.0, version.1]
      + ZipBuilder.little(bytes.count, version.0 == 1 ? 2 : 4) + bytes + data
  }

  private static func read(_ file: [UInt8], path: String = "folder/w.npy") throws -> TensorTable {
    try NPYFormat().read(FormatInput(path: path, source: ArraySource(file)))
  }

  /// The class of the refusal: of the file, or of the item that is no tensor.
  private static func refusal(_ file: [UInt8]) -> ErrorClass? {
    do {
      return try read(file).others.first?.refusal.errorClass
    } catch {
      return (error as? IngotError)?.errorClass ?? .internal
    }
  }

  private static func refusal(_ text: String, _ data: [UInt8] = values) -> ErrorClass? {
    refusal(file(text, data))
  }

  /// A header text with another value in place of the usual one.
  private static func text(
    descr: String = "'<f4'", order: String = "False", shape: String = "(2, 2)"
  ) -> String {
    "{'descr': \(descr), 'fortran_order': \(order), 'shape': \(shape), }"
  }

  // MARK: What is read

  @Test(
    arguments: [
      ("<f8", .float64), ("<f4", .float32), ("<f2", .float16), ("|i1", .int8), ("<i2", .int16),
      ("<i4", .int32), ("<i8", .int64), ("|u1", .uint8), ("<u2", .uint16), ("<u4", .uint32),
      ("<u8", .uint64), ("|b1", .bool), ("<c8", .complex64), ("<c16", .complex128),
      ("=f4", .float32),
      ("f4", .float32), ("float32", .float32), ("?", .bool), ("bool", .bool), ("d", .float64),
      ("<u1", .uint8), ("uint16", .uint16), ("half", .float16), ("|?", .bool),
    ] as [(String, ElementType)])
  func everyNumericTypeIsRead(descr: String, type: ElementType) throws {
    let data = [UInt8](0..<UInt8(type.layout.bytesPerBlock * 3))
    let table = try Self.read(
      Self.file(Self.text(descr: "'\(descr)'", shape: "(3,)"), data))
    let tensor = try #require(table["w"])
    #expect(tensor.elementType == type)
    #expect(tensor.shape.dimensions == [3])
    #expect(try tensor.source.everything() == data)
  }

  @Test(.row("N15")) func bigEndianIsSwapped() throws {
    let table = try Self.read(Self.file(Self.text(descr: "'>i2'", shape: "(2,)"), [1, 2, 3, 4]))
    #expect(try table["w"]?.source.everything() == [2, 1, 4, 3])
    let complex = try Self.read(
      Self.file(Self.text(descr: "'>c8'", shape: "()"), [1, 2, 3, 4, 5, 6, 7, 8]))
    #expect(try complex["w"]?.source.everything() == [4, 3, 2, 1, 8, 7, 6, 5])
  }

  @Test(.row("N15")) func fortranOrderIsTransposed() throws {
    let table = try Self.read(
      Self.file(Self.text(descr: "'|u1'", order: "True", shape: "(2, 3)"), [1, 4, 2, 5, 3, 6]))
    #expect(table["w"]?.shape.dimensions == [2, 3])
    #expect(try table["w"]?.source.everything() == [1, 2, 3, 4, 5, 6])
    let both = try Self.read(
      Self.file(
        Self.text(descr: "'>u2'", order: "True", shape: "(2, 2)"), [0, 1, 0, 3, 0, 2, 0, 4]))
    #expect(try both["w"]?.source.everything() == [1, 0, 2, 0, 3, 0, 4, 0])
  }

  @Test(
    arguments: [
      ("()", [], 4), ("(1,)", [1], 4), ("(0,)", [0], 0), ("(0, 3)", [0, 3], 0),
      ("(2, 0, 5)", [2, 0, 5], 0), ("( 2 ,2, )", [2, 2], 16), ("(2,1,2)", [2, 1, 2], 16),
    ] as [(String, [Int], Int)])
  func shapesOfAnyRankAreRead(shape: String, dimensions: [Int], bytes: Int) throws {
    for order in ["False", "True"] {
      let text = Self.text(order: order, shape: shape)
      let table = try Self.read(Self.file(text, Array(Self.values.prefix(bytes))))
      #expect(table["w"]?.shape.dimensions == dimensions)
      #expect(table["w"]?.byteCount == bytes)
    }
  }

  @Test(
    .row("N15"),
    arguments: [
      "{'shape': (2, 2), 'fortran_order': False, 'descr': '<f4'}",
      "{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (2, 2)}",
      "{'descr':'<f4','fortran_order':False,'shape':(2,2)}",
      " \n{ 'descr' : '<f4' ,\n'fortran_order' : False, 'shape' : ( 2 , 2 , ) , } \n ",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 2L), }",
      "{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (2, 2), }",
    ])
  func theHeaderIsReadByItsGrammar(_ text: String) throws {
    let table = try Self.read(Self.file(text))
    #expect(try table["w"]?.source.everything() == Self.values)
  }

  @Test(arguments: [(1, 0), (2, 0), (3, 0)] as [(UInt8, UInt8)])
  func allVersionsAreRead(major: UInt8, minor: UInt8) throws {
    let table = try Self.read(Self.file(Self.usual, version: (major, minor)))
    #expect(try table["w"]?.source.everything() == Self.values)
  }

  /// The quick way through the usual header gives what the grammar gives.
  @Test(arguments: ["()", "(7,)", "(3, 4)", "(3, 4, 5)", "(0,)", "(10, 20, 30, 40)"])
  func theUsualHeaderMeansWhatTheGrammarSays(_ shape: String) throws {
    for (descr, order) in [("<f4", "False"), (">c16", "True"), ("|b1", "False")] {
      func header(_ end: String) throws -> NPYHeader {
        let text = Self.text(descr: "'\(descr)'", order: order, shape: shape) + end
        let file = Self.file(text, [])
        return try NPYHeader(byteCount: file.count, offset: 0) { Array(file.prefix($0)) }
      }
      var (usual, general) = (try header("   \n"), try header("  \n\n"))
      #expect(usual == general)
      usual.size = 0
      general.size = 0
      #expect(usual == general)
    }
  }

  @Test(arguments: [
    ("a/b/weights.npy", "weights"), ("x", "x"), ("model.v2.npy", "model.v2"), (".npy", ".npy"),
    ("dir.d/t.dat", "t"),
  ])
  func theTensorIsNamedAfterTheFile(path: String, name: String) throws {
    #expect(try Self.read(Self.file(Self.usual), path: path).entries.map(\.name.text) == [name])
  }

  // MARK: What is refused

  @Test(.row("N1")) func aBadMagicIsMalformed() {
    var file = Self.file(Self.usual)
    file[0] = 0x92
    #expect(Self.refusal(file) == .malformed)
  }

  @Test(.row("N1"), arguments: [(0, 0), (4, 0), (1, 1), (3, 1), (255, 255)] as [(UInt8, UInt8)])
  func anUnknownVersionIsUnsupported(major: UInt8, minor: UInt8) {
    #expect(Self.refusal(Self.file(Self.usual, version: (major, minor))) == .unsupported)
  }

  @Test(.row("N11", "G6")) func aFileCutAnywhereIsMalformed() {
    for version: (UInt8, UInt8) in [(1, 0), (2, 0)] {
      let file = Self.file(Self.usual, version: version)
      for count in 0..<file.count {
        #expect(Self.refusal(Array(file.prefix(count))) == .malformed)
      }
    }
  }

  @Test(.row("N11")) func bytesAfterTheDataAreMalformed() {
    #expect(Self.refusal(Self.file(Self.usual) + [0]) == .malformed)
  }

  @Test(.row("N2", "G20")) func aHeaderLengthPastTheEndIsMalformedAndAllocatesNothing() {
    var file = Self.file(Self.usual, version: (2, 0))
    file.replaceSubrange(8..<12, with: [0xFF, 0xFF, 0xFF, 0xFF])
    #expect(Self.refusal(file) == .malformed)
    file.replaceSubrange(8..<12, with: [0, 0, 0, 0])
    #expect(Self.refusal(file) == .malformed)
  }

  @Test(.row("N3")) func aHeaderAbove64KiBIsALimit() {
    let text = Self.usual + String(repeating: " ", count: 65_536)
    #expect(Self.refusal(Self.file(text, version: (2, 0))) == .limit)
    let fits = Self.usual + String(repeating: " ", count: 65_000)
    #expect(Self.refusal(Self.file(fits, version: (2, 0))) == nil)
  }

  @Test(
    .row("N4"),
    arguments: [
      String(repeating: "(", count: 10_000), String(repeating: "[", count: 10_000),
      String(repeating: "{'a':", count: 10_000), String(repeating: "-", count: 9_000) + "1",
      text(shape: String(repeating: "(", count: 9_000) + String(repeating: ",)", count: 9_000)),
    ])
  func deepNestingIsMalformed(_ text: String) {
    #expect(Self.refusal(text) == .malformed)
  }

  @Test(
    .row("N5", "N6"),
    arguments: [
      "", "{}", "[]", "x", "__import__('os')", "dict(descr='<f4')", usual + usual, usual + "x",
      usual + "\0", usual + ",", "{'descr': '<f4', 'shape': (2, 2), }",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), 'x': 1}",
      "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)", "{'descr' '<f4'}",
      "{descr: '<f4', 'fortran_order': False, 'shape': (2, 2)}",
      "{'descr': '<f4' 'fortran_order': False, 'shape': (2, 2)}",
      "{'descr': '<f4, 'fortran_order': False, 'shape': (2, 2)}", "{'descr': '\\q'}",
      "{'descr': '\\ud800'}", "{'descr': '<f4\n'}",
    ])
  func textOutsideTheGrammarIsMalformed(_ text: String) {
    #expect(Self.refusal(text) == .malformed)
  }

  @Test(
    .row("N7", "N8"),
    arguments: [
      "[2, 2]", "(2)", "4", "(-2, 2)", "(-1,)", "(2.0, 2)", "(True, 4)", "(0x2, 2)", "(2_0,)",
      "(02, 2)", "('2', 2)", "(2**1, 2)", "(1+1, 2)", "(,)", "(2, 2", "None", "((2, 2),)",
      "(99999999999999999999,)", "(\(String(repeating: "9", count: 9_000)),)", "(2, 3)", "(1, 2)",
      "(4294967296, 4294967296)", "(4611686018427387905,)", "(1125899906842624,)",
      "(4294967296, 4294967296, 0)", "(9223372036854775807, 9223372036854775807, 0)",
    ])
  func aShapeThatIsNoneIsMalformed(_ shape: String) {
    #expect(Self.refusal(Self.text(shape: shape)) == .malformed)
  }

  @Test(.row("N9", "G17")) func rankAbove64IsALimit() {
    func shape(_ rank: Int) -> String {
      "(" + String(repeating: "1, ", count: rank - 1) + "4)"
    }
    #expect(Self.refusal(Self.text(shape: shape(64))) == nil)
    #expect(Self.refusal(Self.text(shape: shape(65))) == .limit)
  }

  @Test(.row("N10"), arguments: ["0", "1", "None", "'False'", "false"])
  func anOrderThatIsNoBooleanIsMalformed(_ order: String) {
    #expect(Self.refusal(Self.text(order: order)) == .malformed)
  }

  @Test(
    .row("N12"),
    arguments: [
      "'|O'", "'|O8'", "'object'", "[('a', '<f4'), ('b', '|O')]", "('|O', (2,))",
      "[('a', [('b', '|O')])]", "'f4,O'", "[('a', '|O', (2, 2))]",
    ])
  func objectsAreUnsafeAndNeverRead(_ descr: String) {
    #expect(Self.refusal(Self.text(descr: descr), []) == .unsafe)
  }

  @Test(
    .row("N13"),
    arguments: [
      "'<U3'", "'|S3'", "'|V4'", "'<M8[ns]'", "'<m8[s]'", "'<M8'", "'<f16'", "'<f12'", "'<c32'",
      "'longdouble'", "[('a', '<f4')]", "[('a', '<f4'), (('title', 'b'), '<i2', (2,))]",
      "[('', '|V4')]", "[('a', [('b', '<f4')])]", "('<f4', (2,))", "'i4, f4'", "'<V2'", "'<f1'",
    ])
  func whatIsNoTensorIsListedAsUnsupported(_ descr: String) throws {
    let table = try Self.read(Self.file(Self.text(descr: descr)))
    #expect(table.entries.isEmpty)
    let item = try #require(table.others.first)
    #expect(item.name == "w")
    #expect(item.shape?.dimensions == [2, 2])
    #expect(item.refusal.errorClass == .unsupported)
    #expect(item.refusal.message.contains(item.type))
  }

  @Test(
    .row("N14"),
    arguments: [
      "'<f3'", "'<f9999999999'", "'<f99999999999999999999999'", "'<x4'", "''", "'<'", "'<f'",
      "'float33'", "'<float32'", "4", "None", "{'a': 1}", "[]x", "['<f4']", "[('a',)]",
      "[(4, '<f4')]",
      "('<f4',)", "('<f4', (2,), 3)", "'<b2'", "'<i3'", "'<M4'", "'<M8[ns'", "'i4,q9'", "'<f٤'",
      "'<f+4'", "'<f 4'", "'<f-4'",
    ])
  func aTypeThatNumPyLacksIsMalformed(_ descr: String) {
    #expect(Self.refusal(Self.text(descr: descr)) == .malformed)
  }

  @Test func namesInARecordAreLatin1BeforeVersion3() throws {
    let text =
      Array("{'descr': [('".utf8) + [0xE9] + Array("', '<f4')], ".utf8)
      + Array("'fortran_order': False, 'shape': ()}".utf8)
    let start = [0x93] + Array("NUMPY".utf8)
    let old = start + [1, 0] + ZipBuilder.little(text.count, 2) + text
    #expect(Self.refusal(old) == .unsupported)
    let new = start + [3, 0] + ZipBuilder.little(text.count, 4) + text
    #expect(Self.refusal(new) == .malformed)
  }

  @Test func everyChangeOfAByteIsRefusedOrRead() {
    let sound = Self.file(Self.usual + "     \n")
    for position in sound.indices {
      for value in [0, 0xFF, sound[position] ^ 0x80, sound[position] ^ 1, sound[position] &+ 1] {
        var changed = sound
        changed[position] = value
        let result = Result { try Self.read(changed) }
        if case .failure(let error) = result { #expect(error is IngotError) }
        if case .success(let table) = result {
          #expect(throws: Never.self) {
            for entry in table.entries { _ = try entry.tensor.source.everything() }
          }
        }
      }
    }
  }

  // MARK: Writing

  @Test func aFileIsWrittenByteForByteAsNumPyWritesIt() throws {
    var table = TensorTable()
    try table.append("w", Tensor(.float32, [2, 2], Self.values))
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }"
    let expected =
      [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(text.utf8)
      + [UInt8](repeating: 0x20, count: 117 - text.utf8.count) + [0x0A] + Self.values
    #expect(try PlainExecutor.execute(NPYFormat().plan(table, WriteOptions())) == expected)
  }

  /// NumPy reserves room for the first dimension to grow to 21 digits before it rounds to 64.
  @Test func longHeadersGrowBySixtyFourBytes() throws {
    for rank in 0...64 {
      let header = NPYHeader.bytes(descr: "<f4", shape: [Int](repeating: 1, count: rank))
      #expect(header.count % 64 == 0)
      #expect(header.last == 0x0A)
    }
    // What numpy 2.4 wrote for these.
    for (rank, size) in [(0, 128), (14, 128), (15, 192), (64, 320)] {
      let shape = [Int](repeating: 1, count: rank)
      #expect(NPYHeader.bytes(descr: "<f4", shape: shape).count == size)
    }
  }

  @Test func everyTypeThatNumPyHasIsReadBack() throws {
    for type in ElementType.allCases {
      guard let descr = NPYDescription.text(for: type) else { continue }
      let data = [UInt8](0..<UInt8(type.layout.bytesPerBlock * 6))
      #expect(!descr.isEmpty)
      var table = TensorTable()
      try table.append("w", Tensor(type, [2, 3], data))
      let file = try PlainExecutor.execute(NPYFormat().plan(table, WriteOptions()))
      let tensor = try #require(try Self.read(file)["w"])
      #expect(tensor.elementType == type)
      #expect(try tensor.source.everything() == data)
    }
  }

  @Test(arguments: [ElementType.bfloat16, .float8E5M2, .float8E8M0FNU])
  func aTypeThatNumPyLacksIsNotWritten(_ type: ElementType) throws {
    var table = TensorTable()
    let data = [UInt8](repeating: 0, count: type.layout.bytesPerBlock)
    try table.append("w", Tensor(type, [1], data))
    let error = #expect(throws: IngotError.self) { try NPYFormat().plan(table, WriteOptions()) }
    #expect(error?.errorClass == .unsupported)
    #expect(error?.tensor == "w")
  }

  @Test func exactlyOneTensorIsWrittenAndMetadataIsNamedAsDropped() throws {
    var table = TensorTable()
    #expect(throws: IngotError.self) { try NPYFormat().plan(table, WriteOptions()) }
    try table.append("a", Tensor(.uint8, [1], [1]))
    table.metadata["epoch"] = JSON(3)
    #expect(try NPYFormat().plan(table, WriteOptions()).droppedMetadata == ["epoch"])
    try table.append("b", Tensor(.uint8, [1], [1]))
    let error = #expect(throws: IngotError.self) { try NPYFormat().plan(table, WriteOptions()) }
    #expect(error?.errorClass == .unsupported)
  }
}
