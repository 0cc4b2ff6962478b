import TestSupport
import Tensors
import Testing

@testable import HDF5Format

/// The rules of datatypes, dataspaces, layouts and fill values, one test each.
@Suite struct DatasetTests {
  /// What a dataset of one element of this type becomes.
  private func meaning(_ type: [UInt8], size: Int) throws -> TensorTable {
    try HDF5Reader.read(
      HDF5Builder.dataset([
        .space([1]), .type(type), .compact([UInt8](repeating: 0, count: size)),
      ]))
  }

  @Test(arguments: [UInt8(1), 2, 3])
  func aLayoutHasAtMostOneExtentMoreThanADataspace(version: UInt8) {
    let start = version == 3 ? [3, 2, 34] : [version, 34, 2, 0, 0, 0, 0, 0]
    var reader = ByteReader(start + [UInt8](repeating: 1, count: 8 + 4 * 34))
    #expect(throws: IngotError(.malformed, "a layout of rank 34", offset: 0)) {
      _ = try DataLayout(&reader, FieldWidths())
    }
  }

  @Test func floatsAreKnownByAllOfTheirFields() throws {
    let half = HDF5Message.float(
      size: 2, exponent: (10, 5), mantissa: (0, 10), bias: 15, sign: 15)
    let brain = HDF5Message.float(size: 2, exponent: (7, 8), mantissa: (0, 7), bias: 127, sign: 15)
    let double = HDF5Message.float(
      size: 8, exponent: (52, 11), mantissa: (0, 52), bias: 1023, sign: 63)
    #expect(try meaning(HDF5Message.float(), size: 4)["x"]?.elementType == .float32)
    #expect(try meaning(half, size: 2)["x"]?.elementType == .float16)
    #expect(try meaning(brain, size: 2)["x"]?.elementType == .bfloat16)
    #expect(try meaning(double, size: 8)["x"]?.elementType == .float64)
  }

  @Test(.row("H19")) func aFloatThatIsOddInAnyFieldIsNoTensor() throws {
    let odd: [[UInt8]] = [
      HDF5Message.float(bias: 126),
      HDF5Message.float(exponent: (22, 8), mantissa: (0, 22), sign: 30),
      HDF5Message.float(precision: 31, offset: 1),
      HDF5Message.float(mantissa: (0, 22)), HDF5Message.float(exponent: (23, 7)),
      HDF5Message.float(normalization: 0),
    ]
    for type in odd {
      let table = try meaning(type, size: 4)
      #expect(table.entries.isEmpty)
      #expect(table.others.first?.refusal.errorClass == .unsupported)
    }
  }

  @Test(.row("H19")) func integersThatDoNotFillTheirBytesAreNoTensors() throws {
    let table = try meaning([0x10, 0, 0, 0] + little(2, 4) + [0, 0, 12, 0], size: 2)
    #expect(table.entries.isEmpty && table.others.count == 1)
  }

  /// The body of an enumeration over int8.
  private func enumeration(_ members: [(String, UInt8)]) -> [UInt8] {
    [0x38, UInt8(members.count), 0, 0] + little(1, 4) + HDF5Message.int8.body
      + members.flatMap { Array($0.0.utf8) + [0] } + members.map(\.1)
  }

  @Test(.row("H18")) func anEnumerationOfFalseAndTrueIsBool() throws {
    #expect(
      try meaning(enumeration([("FALSE", 0), ("TRUE", 1)]), size: 1)["x"]?.elementType == .bool)
    for members in [[("NO", UInt8(0)), ("YES", 1)], [("FALSE", 1), ("TRUE", 0)], [("TRUE", 1)]] {
      #expect(try meaning(enumeration(members), size: 1).entries.isEmpty)
    }
  }

  /// The body of a record of floats.
  private func record(_ names: [String]) -> [UInt8] {
    [0x36, UInt8(names.count), 0, 0] + little(4 * names.count, 4)
      + names.enumerated().flatMap { Array($1.utf8) + [0, UInt8(4 * $0)] + HDF5Message.float() }
  }

  @Test(.row("H18")) func aRecordOfRealAndImaginaryPartIsComplex() throws {
    #expect(try meaning(record(["r", "i"]), size: 8)["x"]?.elementType == .complex64)
    for names in [["i", "r"], ["r", "j"], ["r", "i", "k"], ["r"]] {
      #expect(try meaning(record(names), size: 4 * names.count).others.first?.type == "record")
    }
  }

  @Test func opaqueBytesHaveTheTypeThatTheirAttributeNames() throws {
    let opaque: [UInt8] = [0x15, 0, 0, 0] + little(2, 4)
    func table(_ attributes: [HDF5Message]) throws -> TensorTable {
      try HDF5Reader.read(
        HDF5Builder.dataset([.space([1]), .type(opaque), .compact([1, 2])] + attributes))
    }
    #expect(try table([.attribute("dtype", text: "bfloat16")])["x"]?.elementType == .bfloat16)
    #expect(try table([]).entries.isEmpty)
    #expect(try table([.attribute("dtype", text: "float8_e5m2")]).entries.isEmpty)
    #expect(try table([.attribute("dtype", text: "elephant")]).entries.isEmpty)
  }

  @Test(.row("H20")) func aDatatypeOfNoSizeIsMalformed() throws {
    for size in [0, 1 << 31] {
      let type = [0x10, 0, 0, 0] + little(size, 4) + [0, 0, 8, 0]
      #expect(
        try faultClass(HDF5Builder.dataset([.space([1]), .type(type), .compact([])])) == .malformed)
    }
  }

  @Test(.row("H20")) func datatypesNestedTooDeepAreMalformed() throws {
    var type = HDF5Message.uint8.body
    for _ in 0..<40 { type = [0x3A, 0, 0, 0] + little(1, 4) + [1] + little(1, 4) + type }
    #expect(
      try faultClass(HDF5Builder.dataset([.space([1]), .type(type), .compact([0])])) == .malformed)
  }

  // MARK: Dataspaces

  @Test(.row("H21")) func aRankAbove32IsALimit() throws {
    let bytes = HDF5Builder.dataset([
      .space([Int](repeating: 1, count: 33)), .uint8, .compact([0]),
    ])
    #expect(try faultClass(bytes) == .limit)
  }

  @Test(.row("H21")) func aDimensionAboveItsMaximumIsMalformed() throws {
    let bytes = HDF5Builder.dataset([.space([2], largest: [1]), .uint8, .compact([0, 0])])
    #expect(try faultClass(bytes) == .malformed)
  }

  @Test(.row("H21", "G18", "G19")) func aProductOfDimensionsThatWrapsIsMalformed() throws {
    for dimensions in [[1 << 32, 1 << 32], [1 << 62, 8, 0]] {
      #expect(
        try faultClass(HDF5Builder.dataset([.space(dimensions), .uint8, .contiguous(nil, 0)]))
          == .malformed)
    }
  }

  @Test(.row("H21")) func scalarsAndEmptyShapesAreRead() throws {
    let scalar = try HDF5Reader.read(HDF5Builder.dataset([.space([]), .uint8, .compact([7])]))
    #expect(scalar["x"]?.shape == .scalar)
    #expect(try scalar.content("x") == [7])
    let empty = try HDF5Reader.read(
      HDF5Builder.dataset([.space([0, 3]), .float32, .contiguous(nil, 0)]))
    #expect(empty["x"]?.shape.dimensions == [0, 3])
    #expect(try empty.content("x").isEmpty)
  }

  @Test(.row("H21")) func aDatasetWithoutAShapeIsNoTensor() throws {
    let table = try HDF5Reader.read(
      HDF5Builder.dataset([.nullSpace, .float32, .contiguous(nil, 0)]))
    #expect(table.entries.isEmpty)
    #expect(table.others.map(\.type) == ["null"])
  }

  // MARK: Layouts

  @Test(.row("H23", "G20")) func aStretchThatLeavesTheFileIsMalformed() throws {
    for address in [1 << 20, Int.max - 7] {
      let bytes = HDF5Builder.dataset([.space([4]), .float32, .contiguous(address, 16)])
      #expect(try faultClass(bytes) == .malformed)
    }
  }

  @Test(.row("H23", "H25")) func aSizeThatIsNotTheShapesIsMalformed() throws {
    var builder = HDF5Builder()
    let address = builder.append([UInt8](repeating: 0, count: 32))
    let object = builder.object([.space([4]), .float32, .contiguous(address, 20)])
    #expect(try faultClass(builder.finished([("x", object)])) == .malformed)
    #expect(
      try faultClass(HDF5Builder.dataset([.space([4]), .uint8, .compact([1, 2, 3])])) == .malformed)
  }

  @Test(.row("H15", "H16")) func dataInOtherFilesAreUnsafe() throws {
    let external = HDF5Message(7, [1, 0, 0, 0] + little(1, 2) + little(1, 2) + undefinedAddress)
    #expect(
      try faultClass(
        HDF5Builder.dataset([.space([4]), .float32, external, .contiguous(nil, 16)])) == .unsafe)
    let virtual = HDF5Message(8, [4, 3] + undefinedAddress + little(0, 4))
    #expect(try faultClass(HDF5Builder.dataset([.space([4]), .float32, virtual])) == .unsafe)
  }

  @Test(.row("H41")) func bigEndianElementsAreReadLittleEndian() throws {
    let big = HDF5Message.type(HDF5Message.float(order: 1))
    var builder = HDF5Builder()
    let address = builder.append(Array(0..<8))
    let object = builder.object([.space([2]), big, .contiguous(address, 8)])
    let tensor = try #require(try HDF5Reader.read(builder.finished([("x", object)]))["x"])
    #expect(try tensor.source.everything() == [3, 2, 1, 0, 7, 6, 5, 4])
    #expect(try tensor.source.bytes(at: 3, count: 3, "a part") == [0, 7, 6])
  }

  // MARK: Fill values

  @Test(.row("H23")) func aDatasetThatWasNeverWrittenHoldsItsFillValue() throws {
    func content(_ messages: [HDF5Message]) throws -> [UInt8] {
      try HDF5Reader.read(HDF5Builder.dataset([.space([3])] + messages + [.contiguous(nil, 0)]))
        .content("x")
    }
    // The default, which is zero; and the writer's wish not to fill, for which h5py shows zeros.
    #expect(try content([.uint8, HDF5Message(5, [3, 2 << 2])]) == [0, 0, 0])
    #expect(try content([.uint8, HDF5Message(5, [3, 0x10 | 1 << 2])]) == [0, 0, 0])
    #expect(try content([.uint8, HDF5Message(5, [2, 1, 0, 1] + little(0, 4))]) == [0, 0, 0])
    #expect(try content([.uint8, .fill([9])]) == [9, 9, 9])
    #expect(try content([.uint8, HDF5Message(4, little(1, 4) + [8])]) == [8, 8, 8])
    #expect(
      try content([.uint8, HDF5Message(5, [1, 1, 0, 1] + little(1, 4) + [7])]) == [7, 7, 7])
    let big = HDF5Message.type(HDF5Message.float(order: 1))
    #expect(try content([big, .fill([1, 2, 3, 4])]) == [4, 3, 2, 1, 4, 3, 2, 1, 4, 3, 2, 1])
  }

  /// libhdf5 does not read it either: "dataset doesn't exist, no data can be read".
  @Test(.row("H23"))
  func aDatasetThatWasNeverWrittenAndHasNoFillValueHoldsNothing() throws {
    let storages: [HDF5Message] = [
      .contiguous(nil, 0), .chunked([2], elementSize: 1, tree: nil),
    ]
    let messages: [HDF5Message?] = [
      nil, HDF5Message(4, little(0, 4)), HDF5Message(5, [1, 1, 0, 0]),
      HDF5Message(5, [2, 1, 0, 0]), HDF5Message(5, [2, 1, 2, 1] + little(UInt32.max, 4)),
      HDF5Message(5, [3, 0x10 | 2 << 2]),
    ]
    for storage in storages {
      for message in messages {
        let bytes = HDF5Builder.dataset([.space([3]), .uint8, message, storage].compactMap { $0 })
        let obstacle = try HDF5Reader.read(bytes)["x"]?.obstacle
        #expect(obstacle?.errorClass == .unsupported)
        #expect(
          obstacle?.message == "a dataset without data: it was never written, and has no fill value"
        )
      }
    }
    // Nothing is missing where there are no elements.
    let empty = HDF5Builder.dataset([.space([0]), .uint8, .contiguous(nil, 0)])
    #expect(try HDF5Reader.read(empty).content("x") == [])
  }

  @Test(.row("H23")) func aFillValueOfAnotherSizeIsMalformed() throws {
    let bytes = HDF5Builder.dataset([.space([3]), .float32, .fill([9]), .contiguous(nil, 0)])
    #expect(try faultClass(bytes) == .malformed)
  }

  /// libhdf5 leaves unwritten chunks as they are then: with the value filled in, a mutant was read with
  /// other numbers than h5py gives.
  @Test(.row("H23")) func aFillValueOfNoKnownTimeIsMalformed() throws {
    for message in [
      HDF5Message(5, [1, 1, 3, 1] + little(1, 4) + [7]),
      HDF5Message(5, [2, 3, 3, 1] + little(1, 4) + [7]),
      HDF5Message(5, [3, 0x20 | 3 << 2] + little(1, 4) + [7]),
    ] {
      let bytes = HDF5Builder.dataset([.space([3]), .uint8, message, .contiguous(nil, 0)])
      let error = try #require(try fault(bytes))
      #expect(error.errorClass == .malformed)
      #expect(error.message.contains("a fill value set at time 3, where 2 is the last"))
    }
  }

  @Test(.row("H22")) func aShapeFarBeyondTheFileIsALimit() throws {
    for messages: [HDF5Message] in [
      [.contiguous(nil, 0)], [.chunked([1 << 20], elementSize: 4, tree: nil)],
    ] {
      #expect(
        try faultClass(HDF5Builder.dataset([.space([1 << 50]), .float32] + messages)) == .limit)
    }
  }

  @Test(.row("H22")) func manyModestShapesTogetherAreALimitToo() throws {
    var builder = HDF5Builder()
    let object = builder.object([.space([500_000]), .uint8, .contiguous(nil, 0)])
    let members = (0..<50).map { ("\($0)", object) }
    #expect(try faultClass(builder.finished(members)) == .limit)
  }

  // MARK: Attributes

  private func metadata(_ attributes: [HDF5Message]) throws -> TensorTable {
    try HDF5Reader.read(
      HDF5Builder.dataset([.space([1]), .uint8, .compact([1])] + attributes))
  }

  @Test func attributesBecomeMetadataUnderPathAndName() throws {
    let table = try metadata([
      .attribute("text", text: "größe"),
      .attribute("number", .float32, .space([]), [0, 0, 32, 65]),
      .attribute("grid", .uint8, .space([2, 2]), [1, 2, 3, 4]),
      .attribute("negative", .int8, .space([]), [0xFE]),
      .attribute("nothing", .uint8, .nullSpace, []),
    ])
    #expect(table.metadata["x@text"] == .string("größe"))
    #expect(table.metadata["x@number"] == .number(10))
    #expect(table.metadata["x@grid"] == .array([JSON([1, 2]), JSON([3, 4])]))
    #expect(table.metadata["x@negative"] == .integer(-2))
    #expect(table.metadata["x@nothing"] == .null)
  }

  @Test(.row("H39")) func stringsEndByTheirOwnRule() throws {
    let data: [UInt8] = Array("ab\0d ".utf8)
    for (padding, expected) in [(UInt8(0), "ab"), (1, "ab\0d "), (2, "ab\0d")] {
      let table = try metadata([
        .attribute("text", .string(5, padding: padding), .space([]), data)
      ])
      #expect(table.metadata["x@text"] == .string(expected))
    }
  }

  /// A file whose attribute is one variable-length string that lies in a global heap.
  private func variable(
    count: Int = 3, index: Int = 1, address: Int? = nil, objectSize: Int = 3, heapSize: Int = 56
  ) -> [UInt8] {
    var builder = HDF5Builder()
    let heap =
      Array("GCOL".utf8) + [1, 0, 0, 0] + little(heapSize, 8) + little(1, 2) + little(1, 2)
      + little(0, 4) + little(objectSize, 8) + Array("abc".utf8) + [0, 0, 0, 0, 0]
      + [UInt8](repeating: 0, count: 16)
    let heapAddress = builder.append(heap)
    let type = HDF5Message.type([0x19, 1, 0, 0] + little(16, 4) + HDF5Message.uint8.body)
    let data = little(count, 4) + little(address ?? heapAddress, 8) + little(index, 4)
    let object = builder.object([
      .space([1]), .uint8, .compact([1]), .attribute("text", type, .space([]), data),
    ])
    return builder.finished([("x", object)])
  }

  @Test func variableLengthStringsLieInTheGlobalHeap() throws {
    #expect(try HDF5Reader.read(variable()).metadata["x@text"] == .string("abc"))
    #expect(try HDF5Reader.read(variable(count: 0, index: 0)).metadata["x@text"] == .string(""))
  }

  @Test(.row("H37")) func aDamagedGlobalHeapIsMalformedAndNamesTheAttribute() throws {
    let damaged = [
      variable(count: 4), variable(count: 1 << 31), variable(index: 0), variable(index: 2),
      variable(address: 0), variable(address: 1 << 40), variable(objectSize: 1 << 40),
      variable(heapSize: 0), variable(heapSize: 1 << 40), variable(heapSize: 33),
    ]
    for bytes in damaged {
      let error = try #require(try fault(bytes))
      #expect(error.errorClass == .malformed)
      #expect(error.message.contains("'text'"))
    }
  }

  @Test(.row("H38")) func anAttributeLargerThanItsMessageIsMalformed() throws {
    let bytes = HDF5Builder.dataset([
      .space([1]), .uint8, .compact([1]), .attribute("a", .float32, .space([100]), [1, 2, 3]),
    ])
    #expect(try faultClass(bytes) == .malformed)
  }

  @Test(.row("H38")) func anAttributeAboveTheBoundIsALimit() throws {
    let bytes = HDF5Builder.dataset([
      .space([1]), .uint8, .compact([1]), .attribute("a", .uint8, .space([17 << 20]), []),
    ])
    #expect(try faultClass(bytes) == .limit)
  }

  @Test func attributesWithoutATextFormAreListed() throws {
    let reference = HDF5Message.type([0x17, 0, 0, 0] + little(8, 4))
    let table = try metadata([
      .attribute("link", reference, .space([]), [UInt8](repeating: 0, count: 8))
    ])
    #expect(table.metadata["x@link"] == nil)
    #expect(table.others.map(\.name) == ["x@link"])
  }

  @Test func theSameAttributeTwiceIsMalformed() throws {
    let bytes = HDF5Builder.dataset([
      .space([1]), .uint8, .compact([1]), .attribute("a", text: "1"), .attribute("a", text: "2"),
    ])
    #expect(try faultClass(bytes) == .malformed)
  }

  @Test(.row("H17")) func aCommittedDatatypeIsResolved() throws {
    var builder = HDF5Builder()
    let type = builder.object([.float32])
    let pointer = HDF5Message(3, flags: 2, [3, 2] + little(type, 8))
    let object = builder.object([.space([1]), pointer, .compact([1, 2, 3, 4])])
    let table = try HDF5Reader.read(builder.finished([("type", type), ("x", object)]))
    #expect(table["x"]?.elementType == .float32)
    let loop = builder.append([])
    let looping = builder.object([HDF5Message(3, flags: 2, [3, 2] + little(loop, 8))])
    #expect(looping == loop)
    #expect(try faultClass(builder.finished([("type", looping)])) == .malformed)
  }
}
