import Foundation
import TensorFormats
import TestSupport
import Tensors
import Testing

struct NativeRoundTripTests {
  private let format = NativeFormat()

  private func expectSame(_ a: TensorTable, _ b: TensorTable) throws {
    #expect(a.entries.map(\.name) == b.entries.map(\.name))
    #expect(try a.manifest() == b.manifest())
    #expect(a.aliasTargets() == b.aliasTargets())
    // NaN differs from itself.
    #expect(a.metadata.sorted.map(\.key) == b.metadata.sorted.map(\.key))
    for ((_, one), (_, other)) in zip(a.metadata.sorted, b.metadata.sorted) {
      #expect(one.canonicalText() == other.canonicalText())
    }
  }

  @Test func everythingComesBack() throws {
    let table = try NativeSamples.table()
    let bytes = try format.write(table)
    let back = try format.read(bytes: bytes)
    try expectSame(table, back)
    #expect(back.aliasTargets() == [nil, nil, nil, nil, nil, 0])
    #expect(back.provenance == nil)
    #expect(try format.write(back) == bytes)
  }

  @Test func everyElementTypeComesBack() throws {
    for options in [WriteOptions(), NativeSamples.compressed] {
      var table = TensorTable()
      for (seed, type) in ElementType.allCases.enumerated() {
        let shape = try Shape([25, 32])
        let bytes = (0..<(try shape.byteCount(of: type))).map {
          UInt8(truncatingIfNeeded: $0 / 16 + seed)
        }
        try table.append(type.name, Tensor(type, shape.dimensions, bytes))
      }
      try expectSame(table, try format.read(bytes: format.write(table, options)))
    }
  }

  @Test func chunksOfLargeTensorsAreReadInAnyOrder() throws {
    var random = SeededGenerator(seed: 3)
    var content = (0..<(2 << 20 | 4096)).map { UInt8(truncatingIfNeeded: $0 >> 9) }
    for index in 1 << 20..<2 << 20 { content[index] = UInt8.random(in: 0...255, using: &random) }
    var table = TensorTable()
    try table.append("t", Tensor(.uint32, [content.count / 4], content))
    let bytes = try format.write(table, NativeSamples.compressed)
    // The second chunk is noise, and stored as it is.
    #expect(bytes.count > 1 << 20 && bytes.count < content.count * 2 / 3)
    #expect(NativeParts(bytes).text.contains(",1048576,"))
    let source = try #require(try format.read(bytes: bytes)["t"]).source
    #expect(source.granularity == 1 << 20)
    for range in [
      5000..<6000, 1_048_570..<1_048_590, 0..<1, 2_097_100..<content.count, 100..<2_097_152,
    ] {
      #expect(
        try source.bytes(at: range.lowerBound, count: range.count, "") == Array(content[range]))
    }
    #expect(try source.everything() == content)
  }

  @Test func repetitiveTensorsStayWithinTheRatio() throws {
    var table = TensorTable()
    try table.append("zeros", Tensor(.float32, [1 << 20], [UInt8](repeating: 0, count: 4 << 20)))
    let bytes = try format.write(table, NativeSamples.compressed)
    #expect(bytes.count > (4 << 20) / 200 && bytes.count < (4 << 20) / 190)
    try expectSame(table, try format.read(bytes: bytes))
  }

  @Test func uncompressedFilesAreDeterminedByTheTable() throws {
    let table = try NativeSamples.table()
    #expect(try format.write(table) == format.write(table))
    var again = TensorTable()
    for entry in table.entries { try again.append(entry.name, entry.tensor) }
    for (key, value) in table.metadata.sorted.reversed() { again.metadata[key] = value }
    #expect(try format.write(again) == format.write(table))
  }

  @Test func dataAreAlignedAsAsked() throws {
    for alignment in [64, 4096, 2 << 20] {
      var options = WriteOptions()
      options.alignment = alignment
      let bytes = try format.write(try NativeSamples.table(), options)
      let index = try JSONScanner.parse(NativeParts(bytes).index)
      let offsets = (index["tensors"]?.array ?? []).compactMap { $0["offset"]?.integer }
      #expect(offsets.count == 5)
      #expect(offsets.allSatisfy { $0 % alignment == 0 })
      try expectSame(try NativeSamples.table(), try format.read(bytes: bytes))
    }
  }

  @Test(arguments: [0, -64, 1, 32, 96, 4 << 20])
  func oddAlignmentsAreAUsageError(alignment: Int) throws {
    var options = WriteOptions()
    options.alignment = alignment
    #expect(try errorClass { _ = try format.plan(TensorTable(), options) } == .usage)
  }

  @Test func provenanceComesBack() throws {
    var options = WriteOptions()
    options.provenance = ["source_format": .string("hdf5"), "rate": .number(.infinity)]
    let back = try format.read(bytes: format.write(NativeSamples.table(), options))
    #expect(back.provenance == ["rate": .number(.infinity), "source_format": .string("hdf5")])
  }

  @Test func anEmptyTableIsAFile() throws {
    let bytes = try format.write(TensorTable())
    #expect(try format.read(bytes: bytes).entries.isEmpty)
  }

  @Test func metadataNestedTooDeeplyIsRefusedBeforeWriting() throws {
    for (depth, expected) in [(126, nil), (127, ErrorClass.unsupported)] {
      var value = JSON.null
      for _ in 0..<depth { value = .array([value]) }
      var table = TensorTable()
      table.metadata["deep"] = value
      #expect(
        try errorClass { _ = try format.read(bytes: format.write(table)) } == expected)
    }
  }

  @Test func aSourceReadInOrderIsCheckedAtItsEnd() throws {
    var bytes = try format.write(try NativeSamples.table())
    bytes[70] ^= 1
    let source = try #require(try format.read(bytes: bytes)["tok_embeddings.weight"]).source
    #expect(source.access == .ordered)
    #expect(try source.bytes(at: 0, count: 12, "").count == 12)
    let error = #expect(throws: IngotError.self) { try source.bytes(at: 12, count: 12, "") }
    #expect(error?.errorClass == .integrity)
    #expect(throws: IngotError.self) { try source.bytes(at: 0, count: 12, "") }
  }

  @Test func aSourceReadOutOfOrderIsCheckedFirst() throws {
    let good = try format.write(try NativeSamples.table())
    let content = try #require(try NativeSamples.table()["tok_embeddings.weight"]).source
      .everything()
    var bad = good
    bad[70] ^= 1
    func source(_ bytes: [UInt8]) throws -> any ByteSource {
      try #require(try format.read(bytes: bytes)["tok_embeddings.weight"]).source
    }
    #expect(try errorClass { _ = try source(bad).bytes(at: 20, count: 4, "") } == .integrity)
    let sound = try source(good)
    for range in [20..<24, 0..<8, 8..<24, 4..<6] {
      #expect(
        try sound.bytes(at: range.lowerBound, count: range.count, "") == Array(content[range]))
    }
  }

  @Test func theStoredDigestIsThatOfTheManifest() throws {
    let table = try format.read(bytes: format.write(NativeSamples.table()))
    let source = try #require(table["step"]?.source as? VerifiedSource)
    #expect(try table.manifest().contains("\(source.sha256)  int64  []  \"step\""))
    #expect(try source.unverified.everything() == [7, 0, 0, 0, 0, 0, 0, 0])
  }

  /// The format does not change unnoticed: committed files are written again and read.
  @Test(arguments: ["small", "page-aligned", "compressed", "no-tensors", "blocks"])
  func fixturesAreWhatTheyWere(name: String) throws {
    var table = try NativeSamples.table()
    var options = WriteOptions()
    options.provenance = ["source_format": .string("example")]
    switch name {
    case "page-aligned": options.alignment = 4096
    case "compressed":
      table = try NativeSamples.compressible()
      options.compression = .gzip(level: 6)
    case "no-tensors": table = TensorTable()
    case "blocks": table = try NativeSamples.blocks()
    default: break
    }
    let bytes = try format.write(table, options)
    let path = Places.fixture("native/\(name).ingot")
    if ProcessInfo.processInfo.environment["INGOT_WRITE_FIXTURES"] != nil {
      try Data(bytes).write(to: URL(filePath: path))
      try Data(table.manifest().utf8).write(
        to: URL(filePath: Places.fixture("digests/native/\(name).ingot.digest")))
    }
    let committed = try fileBytes(path)
    // What deflate makes depends on the encoder.
    if name != "compressed" { #expect(bytes == committed) }
    try expectSame(try format.read(bytes: committed), table)
  }
}
