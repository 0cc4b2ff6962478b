import Compression
import TestSupport
import Tensors
import Testing

@testable import TensorFormats

/// The rules of `.npz`: what is read, what is refused, and what comes back of what is written.
@Suite struct NPZTests {
  private typealias Member = ZipBuilder.Member

  private static func npy(_ descr: String, _ shape: [Int], _ data: [UInt8]) -> [UInt8] {
    NPYHeader.bytes(descr: descr, shape: shape) + data
  }

  private static let array = npy("<f4", [2], [1, 2, 3, 4, 5, 6, 7, 8])

  private static func read(_ file: [UInt8]) throws -> TensorTable {
    let table = try NPZFormat().read(FormatInput(path: "w.npz", source: ArraySource(file)))
    for entry in table.entries { _ = try entry.tensor.source.everything() }
    return table
  }

  private static func read(_ members: [Member]) throws -> TensorTable {
    try read(ZipBuilder(members).build())
  }

  private static func refusal(_ members: [Member]) -> ErrorClass? {
    do {
      _ = try read(members)
      return nil
    } catch {
      return (error as? IngotError)?.errorClass ?? .internal
    }
  }

  private static func write(
    _ table: TensorTable, _ compression: WriteOptions.Compression = .none
  ) throws -> [UInt8] {
    var options = WriteOptions()
    options.compression = compression
    return try PlainExecutor.execute(NPZFormat().plan(table, options))
  }

  // MARK: What is read

  @Test func membersAreTensorsNamedWithoutTheirEnding() throws {
    let deflated = Member(
      "b/c.npy", Deflate.piece(Self.array, level: 6, isLast: true), content: Self.array)
    let table = try Self.read([Member("a.npy", Self.array), deflated, Member("d", Self.array)])
    #expect(table.entries.map(\.name) == ["a", "b/c", "d"])
    for entry in table.entries {
      #expect(try entry.tensor.source.everything() == [1, 2, 3, 4, 5, 6, 7, 8])
    }
    #expect(table.entries.map(\.tensor.source.access) == [.random, .sequential, .random])
  }

  @Test func aDeflatedMemberInFortranOrderIsTransposed() throws {
    let text = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }"
    let file =
      [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
      + [1, 4, 2, 5, 3, 6]
    let member = Member("a.npy", Deflate.piece(file, level: 6, isLast: true), content: file)
    #expect(try Self.read([member])["a"]?.source.everything() == [1, 2, 3, 4, 5, 6])
  }

  @Test func foldersAreNothing() throws {
    let table = try Self.read([Member("folder/", []), Member("folder/a.npy", Self.array)])
    #expect(table.entries.map(\.name) == ["folder/a"])
    #expect(table.others.isEmpty)
  }

  @Test(.row("Z23")) func whatIsNoArrayIsListedWithANote() throws {
    let table = try Self.read([Member("readme.txt", [1, 2]), Member("a.npy", Self.array)])
    #expect(table.entries.map(\.name) == ["a"])
    #expect(table.others.map(\.name) == ["readme.txt"])
    #expect(table.others.first?.refusal.errorClass == .unsupported)
    #expect(table.notes.count == 1)
    #expect(table.notes.first?.contains("readme.txt") == true)
  }

  @Test(.row("N12")) func anObjectMemberIsUnsafeAndTheOthersAreRead() throws {
    let table = try Self.read([
      Member("o.npy", Self.npy("|O", [1], [0x80, 4])), Member("a.npy", Self.array),
    ])
    #expect(table.entries.map(\.name) == ["a"])
    #expect(table.others.map(\.refusal.errorClass) == [.unsafe])
    #expect(table.others.map(\.name) == ["o"])
  }

  // MARK: What is refused

  @Test(.row("Z19")) func aNameWithAndWithoutItsEndingIsMalformed() {
    let plain = Member("a.npy", Self.array)
    #expect(Self.refusal([plain, Member("a", Self.array)]) == .malformed)
    #expect(Self.refusal([plain, Member("a", [1])]) == .malformed)
    let object = Member("a.npy", Self.npy("|O", [1], [0x80]))
    #expect(Self.refusal([object, Member("a", Self.array)]) == .malformed)
    #expect(Self.refusal([object, Member("a", [1])]) == .malformed)
  }

  @Test(.row("G16")) func namesThatDifferOnlyInTheirUnicodeFormAreTwo() {
    let composed = Member("\u{E9}.npy", Self.array)
    #expect(Self.refusal([composed, Member("e\u{301}.npy", Self.array)]) == nil)
  }

  @Test func aMemberCalledNpyThatIsNoneIsMalformed() {
    #expect(Self.refusal([Member("a.npy", [1, 2, 3])]) == .malformed)
    #expect(Self.refusal([Member("a.npy", [])]) == .malformed)
    #expect(Self.refusal([Member("a.npy", Self.array + [0])]) == .malformed)
    #expect(Self.refusal([Member("a.npy", Self.array.dropLast())]) == .malformed)
  }

  @Test(.row("Z15"), arguments: [0, 20, 127, 128, 135])
  func aFlippedBitAnywhereInAMemberIsFound(_ position: Int) throws {
    var damaged = Self.array
    damaged[position] ^= 1
    let sound = Member("a.npy", Self.array)
    let member = sound.with { $0.data = damaged }
    let found = Self.refusal([Member("z.npy", Self.array), member])
    #expect(position < 118 ? found != nil : found == .integrity || found == .malformed)
  }

  @Test(.row("Z15")) func aFlippedBitInAnEmptyTensorIsFoundAtOnce() {
    let empty = Self.npy("<f4", [0], [])
    var damaged = empty
    damaged[120] = 0x09
    let member = Member("a.npy", empty).with { $0.data = damaged }
    #expect(Self.refusal([member]) == .integrity)
  }

  // MARK: There and back

  /// A table with every type, aliases, metadata, and awkward names and shapes.
  private static func fullTable() throws -> TensorTable {
    var generator = SeededGenerator(seed: 5)
    var table = TensorTable()
    for type in ElementType.allCases {
      for dimensions in [[8, 3, 4], [], [0, 2], [2, 64]] {
        guard dimensions != [] || type.layout.addressesElements else { continue }
        let shape = try Shape(dimensions)
        guard shape.fillsBlocks(of: type) else { continue }
        let data = try (0..<shape.byteCount(of: type)).map { _ in
          UInt8.random(in: .min ... .max, using: &generator)
        }
        try table.append("\(type.name)/\(dimensions)", Tensor(type, dimensions, data))
      }
    }
    let shared = ArraySource((0..<20_000).map { UInt8(truncatingIfNeeded: $0 / 7) })
    for name in ["wte", "größe:0", "lm head", ""] {
      try table.append(
        name,
        Tensor(
          elementType: .bfloat16, shape: Shape([100, 100]), source: shared,
          storage: StorageIdentity("tied")))
    }
    table.metadata["epoch"] = JSON(12)
    table.metadata["config"] = [
      "layers": JSON(2), "name": .string("é\u{0}"), "loss": .number(0.25),
    ]
    return table
  }

  private static func expectEqual(_ found: TensorTable, _ expected: TensorTable) throws {
    #expect(found.entries.map(\.name) == expected.entries.map(\.name))
    for (entry, original) in zip(found.entries, expected.entries) {
      #expect(entry.tensor.elementType == original.tensor.elementType)
      #expect(entry.tensor.shape == original.tensor.shape)
      #expect(
        try entry.tensor.source.everything() == original.tensor.source.everything(), "\(entry.name)"
      )
    }
    #expect(found.metadata == expected.metadata)
    #expect(found.aliasTargets() == expected.aliasTargets())
    #expect(found.others.isEmpty)
    #expect(found.notes.isEmpty)
  }

  @Test(arguments: [.none, .gzip(level: nil), .gzip(level: 9)] as [WriteOptions.Compression])
  func everythingComesBack(_ compression: WriteOptions.Compression) throws {
    let table = try Self.fullTable()
    let file = try Self.write(table, compression)
    try Self.expectEqual(try Self.read(file), table)
    #expect(try Self.write(table, compression) == file)
  }

  @Test func aTableThatNumPyHoldsHasNoSidecar() throws {
    var table = TensorTable()
    try table.append("a", Tensor(.float32, [2], [1, 2, 3, 4, 5, 6, 7, 8]))
    let archive = try ZipArchive(ArraySource(Self.write(table)))
    #expect(archive.entries.map(\.name) == ["a.npy"])
    let empty = try ZipArchive(ArraySource(Self.write(TensorTable())))
    #expect(empty.entries.isEmpty)
  }

  @Test func numPySeesTheBitsOfTypesThatItLacks() throws {
    var table = TensorTable()
    try table.append("b", Tensor(.bfloat16, [2, 1], [1, 2, 3, 4]))
    try table.append("f", Tensor(.float4E2M1FN, [2, 2], [5, 6]))
    let archive = try ZipArchive(ArraySource(Self.write(table)))
    let members = try archive.members()
    #expect(members.map(\.entry.name) == ["b.npy", "f.npy", "__ingot__.json"])
    #expect(
      try archive.content(of: members[0]).everything() == Self.npy("<u2", [2, 1], [1, 2, 3, 4]))
    #expect(try archive.content(of: members[1]).everything() == Self.npy("|u1", [2], [5, 6]))
  }

  @Test(arguments: [nil, 4096])
  func elementsOfStoredMembersAreAligned(_ alignment: Int?) throws {
    var table = TensorTable()
    for count in 1..<80 {
      let name = String(repeating: "n", count: count)
      try table.append(name, Tensor(.uint8, [count], [UInt8](repeating: 1, count: count)))
    }
    var options = WriteOptions()
    options.alignment = alignment
    let file = try PlainExecutor.execute(NPZFormat().plan(table, options))
    for member in try ZipArchive(ArraySource(file)).members() {
      #expect((member.dataOffset + 128) % (alignment ?? 64) == 0)
    }
  }

  @Test(.row("Z13")) func aLargeMemberOfZerosIsNoBombToUs() throws {
    struct Zeros: ByteSource {
      let byteCount: Int
      func read(into buffer: inout MutableRawSpan, at offset: Int) throws { buffer.fill(0) }
    }
    for (count, isStretched) in [(64 << 20, true), (64 << 10, false)] {
      var table = TensorTable()
      try table.append(
        "zeros",
        Tensor(elementType: .uint8, shape: Shape([count]), source: Zeros(byteCount: count)))
      var options = WriteOptions()
      options.compression = .gzip(level: nil)
      let plan = try NPZFormat().plan(table, options)
      guard case .payload(let payload) = plan.parts[1] else {
        Issue.record("no payload")
        return
      }
      let encoding = try #require(payload.encoding)
      let piece = [UInt8](repeating: 0, count: encoding.pieceLength)
      for isLast in [false, true] {
        let encoded = try encoding.encode(piece, 0, isLast)
        #expect((encoded.count > piece.count / Limits.suspiciousRatio) == isStretched)
      }
    }
  }

  @Test(arguments: ["a\0b", "__ingot__.json", "a.npy", String(repeating: "n", count: 65_532)])
  func namesThatWouldNotComeBackAreRefusedBeforeWriting(_ name: String) throws {
    var table = TensorTable()
    try table.append("a", Tensor(.uint8, [1], [1]))
    try table.append(name, Tensor(.uint8, [1], [1]))
    let error = #expect(throws: IngotError.self) { try Self.write(table) }
    #expect(error?.errorClass == .unsupported)
  }

  // MARK: The sidecar

  private static func sidecarRefusal(_ json: String) -> ErrorClass? {
    refusal([
      Member("a.npy", npy("<u2", [1], [1, 2])), Member("b.npy", npy("<u2", [1], [1, 2])),
      Member("c.npy", npy("<u2", [1], [1, 3])), Member("__ingot__.json", Array(json.utf8)),
    ])
  }

  private static let start = "{\"format\":\"ingot-npz\",\"version\":1"

  @Test func aSoundSidecarIsObeyed() throws {
    #expect(Self.sidecarRefusal(Self.start + "}") == nil)
    #expect(
      Self.sidecarRefusal(
        Self.start
          + ",\"metadata\":{\"k\":[1]},\"tensors\":{\"a\":{\"dtype\":\"bfloat16\",\"shape\":[1]}}"
          + ",\"aliases\":{}}") == nil)
    #expect(Self.sidecarRefusal(Self.start + ",\"aliases\":{\"b\":\"a\"}}") == nil)
  }

  @Test(arguments: [
    "", "[]", "{}", "{\"format\":\"other\",\"version\":1}", start, start + ",\"more\":1}",
    start + ",\"metadata\":[]}", start + ",\"tensors\":{\"a\":\"bfloat16\"}}",
    start + ",\"tensors\":{\"x\":{\"dtype\":\"bfloat16\",\"shape\":[1]}}}",
    start + ",\"tensors\":{\"a\":{\"dtype\":\"bfloat16\",\"shape\":[2]}}}",
    start + ",\"tensors\":{\"a\":{\"dtype\":\"bfloat16\",\"shape\":[1,1]}}}",
    start + ",\"tensors\":{\"a\":{\"dtype\":\"bfloat16\",\"shape\":[-1]}}}",
    start + ",\"tensors\":{\"a\":{\"dtype\":\"bfloat16\",\"shape\":[1.0]}}}",
    start + ",\"tensors\":{\"a\":{\"dtype\":\"bfloat16\"}}}",
    start + ",\"tensors\":{\"a\":{\"dtype\":\"bfloat16\",\"shape\":[1],\"x\":1}}}",
    start + ",\"tensors\":{\"a\":{\"dtype\":\"float16\",\"shape\":[1]}}}",
    start + ",\"tensors\":{\"a\":{\"dtype\":\"float8_e5m2\",\"shape\":[2]}}}",
    start + ",\"tensors\":{\"a\":{\"dtype\":\"float4_e2m1fn\",\"shape\":[4]}}}",
    start + ",\"aliases\":{\"b\":1}}", start + ",\"aliases\":{\"x\":\"a\"}}",
    start + ",\"aliases\":{\"b\":\"x\"}}", start + ",\"aliases\":{\"c\":\"a\"}}",
    start + ",\"aliases\":{\"a\":\"b\",\"b\":\"c\"}}", start + ",\"aliases\":{\"a\":\"a\"}}",
    start + ",\"version\":1}",
  ])
  func aSidecarThatDoesNotFitIsMalformed(_ json: String) {
    #expect(Self.sidecarRefusal(json) == .malformed)
  }

  @Test(
    arguments: [("<u2", nil), ("<i2", .malformed), ("<f2", .malformed)]
      as [(String, ErrorClass?)])
  func bitsAreStoredAsUnsignedIntegers(descr: String, refusal: ErrorClass?) {
    let sidecar = Self.start + ",\"tensors\":{\"a\":{\"dtype\":\"bfloat16\",\"shape\":[1]}}}"
    let members = [
      Member("a.npy", Self.npy(descr, [1], [1, 2])), Member("__ingot__.json", Array(sidecar.utf8)),
    ]
    #expect(Self.refusal(members) == refusal)
  }

  /// The members of types below 8 bits are rows of bytes, which can be alike where the shapes are not.
  @Test func anAliasHasTheShapeOfItsTarget() throws {
    let row = Self.npy("|u1", [2], [5, 6])
    for (shape, refusal) in [("[4]", nil), ("[2,2]", ErrorClass.malformed)] {
      let sidecar =
        Self.start + ",\"aliases\":{\"b\":\"a\"},\"tensors\":{"
        + "\"a\":{\"dtype\":\"float4_e2m1fn\",\"shape\":[4]},"
        + "\"b\":{\"dtype\":\"float4_e2m1fn\",\"shape\":\(shape)}}}"
      let members = [
        Member("a.npy", row), Member("b.npy", row), Member("__ingot__.json", Array(sidecar.utf8)),
      ]
      #expect(Self.refusal(members) == refusal)
    }
  }

  @Test func anotherVersionOfTheSidecarIsUnsupported() {
    #expect(Self.sidecarRefusal("{\"format\":\"ingot-npz\",\"version\":2}") == .unsupported)
  }

  // MARK: Mutants

  @Test(arguments: [.none, .gzip(level: 6)] as [WriteOptions.Compression])
  func everyChangeOfAByteIsRefusedOrReadsTheSame(_ compression: WriteOptions.Compression) throws {
    var table = TensorTable()
    try table.append("a", Tensor(.float32, [2], [1, 2, 3, 4, 5, 6, 7, 8]))
    try table.append("b", Tensor(.bfloat16, [1], [9, 9]))
    let sound = try Self.write(table, compression)
    for count in 0..<sound.count {
      #expect(throws: IngotError.self) { try Self.read(Array(sound.prefix(count))) }
    }
    for position in sound.indices {
      for value in [0, 0xFF, sound[position] ^ 0x80, sound[position] ^ 1, sound[position] &+ 1] {
        var changed = sound
        changed[position] = value
        let result = Result { try Self.read(changed) }
        switch result {
        case .failure(let error): #expect(error is IngotError)
        case .success(let found): try Self.expectEqual(found, table)
        }
      }
    }
  }
}
