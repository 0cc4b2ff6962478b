import Foundation
import TestSupport
import Tensors
import Testing

@testable import Ingot

/// What ggml's own package makes of numbers (`fixtures/generate/ggml_blocks.py`), bit for bit.
@Suite struct BlockFixtureTests {
  @Test(arguments: ElementType.allCases.filter(\.hasBlocks))
  func blocksAreThoseOfTheirLibrary(type: ElementType) throws {
    let table = try Checkpoint(path: Places.fixture("blocks/\(type.name).npz")).table
    func bytes(_ name: String) throws -> [UInt8] { try #require(table[name]).source.everything() }
    let numbers = try #require(table["numbers"])
    let blocks = try numbers.cast(to: type)
    #expect(try blocks.source.everything() == bytes("blocks"))
    #expect(try blocks.cast(to: .float32).source.everything() == bytes("decoded"))
    let other = try Tensor(
      elementType: type, shape: try #require(table["other_decoded"]).shape,
      source: try #require(table["other"]).source)
    #expect(try other.cast(to: .float32).source.everything() == bytes("other_decoded"))
  }

  private func converted(
    _ source: String, _ destination: String, _ change: (inout ConvertOptions) -> Void = { _ in }
  ) throws {
    var options = ConvertOptions()
    options.syncsResult = false
    change(&options)
    _ = try Conversion(source: source, destination: destination, options: options).run()
  }

  @Test(arguments: ElementType.allCases.filter(\.hasBlocks))
  func aCheckpointIsCastThereAndBack(type: ElementType) throws {
    try Places.withTemporaryFolder { folder in
      let source = Places.fixture("blocks/\(type.name).npz")
      func path(_ name: String) -> String { folder.appending(path: name).filePath }
      try converted(source, path("a.ingot")) { options in
        options.casts = [ConvertOptions.Cast(type, pattern: "numbers")]
      }
      try converted(path("a.ingot"), path("b.npz"))
      try converted(path("b.npz"), path("c.ingot")) { $0.writing.compression = .gzip(level: nil) }
      try converted(path("c.ingot"), path("d.safetensors")) { options in
        options.casts = [ConvertOptions.Cast(.float32, pattern: "numbers")]
      }
      let blocks = try Checkpoint(path: path("c.ingot")).table
      #expect(blocks["numbers"]?.elementType == type)
      let wide = try Checkpoint(path: path("d.safetensors")).table
      #expect(
        try wide["numbers"]?.source.everything()
          == Checkpoint(path: source).table["decoded"]?.source.everything())
      let a = try Checkpoint(path: path("a.ingot"))
      #expect(
        try Fingerprinting(a).manifest()
          == Fingerprinting(Checkpoint(path: path("c.ingot"))).manifest())
      var comparing = Comparing(a, try Checkpoint(path: path("d.safetensors")))
      comparing.tolerance = Tolerance()
      #expect(try comparing.difference().isEmpty)
      for name in ["e.safetensors", "e.h5"] {
        let error = #expect(throws: IngotError.self) { try converted(path("a.ingot"), path(name)) }
        #expect(error?.errorClass == .unsupported)
        #expect(error?.message.contains(type.name) == true)
        #expect(!FileManager.default.fileExists(atPath: path(name)))
      }
    }
  }

  /// Pieces of a tensor end with blocks, whatever these are.
  @Test(arguments: [ElementType.float6E2M3FN, .q80, .q40])
  func statisticsOfLargeTensorsAreThoseOfTheirValues(type: ElementType) throws {
    let shape = try Shape([600, 2048])
    let bytes = (0..<(try shape.byteCount(of: type))).map { UInt8(truncatingIfNeeded: $0 % 59) }
    let tensor = try Tensor(elementType: type, shape: shape, source: ArraySource(bytes))
    var table = TensorTable()
    try table.append("a", tensor)
    try table.append("b", tensor.cast(to: .float64))
    let found = try TensorStatistics.compute(table, jobs: 2)
    #expect(found[0]?.max == found[1]?.max && found[0]?.zeros == found[1]?.zeros)
    #expect(found[0]?.count == shape.elementCount)
  }
}

/// Lists of element types outside of the code are those of the rows.
///
/// `INGOT_WRITE_FIXTURES=1 swift test --filter ElementTypeListTests` writes the schemas again.
@Suite struct ElementTypeListTests {
  private static let names = ElementType.allCases.map(\.name)

  @Test(arguments: ["convert", "digest", "inspect", "ingot-index"])
  func schemasListEveryType(schema: String) throws {
    let url = Places.project.appending(path: "schemas/\(schema).schema.json")
    var text = try String(contentsOf: url, encoding: .utf8)
    let list = /(?s)("enum": \[\s*)("float64".*?)(\s*\])/
    if ProcessInfo.processInfo.environment["INGOT_WRITE_FIXTURES"] != nil {
      text.replace(list) { match in
        let indent = String(match.1.drop { $0 != "\n" })
        return match.1 + Self.names.map { "\"\($0)\"" }.joined(separator: "," + indent) + match.3
      }
      try Data(text.utf8).write(to: url)
    }
    let found = text.matches(of: list)
    #expect(found.count == 1)
    for match in found {
      let names = match.2.matches(of: /"(.*?)"/).map { String($0.1) }
      #expect(names == Self.names)
    }
  }

  @Test func theIndependentReaderKnowsEveryType() throws {
    let text = try String(contentsOfFile: Places.fixture("native/read_ingot.py"), encoding: .utf8)
    let list = try #require(text.firstMatch(of: /(?s)\nTYPES = """(.*?)"""/))
    #expect(list.1.split(whereSeparator: \.isWhitespace).map(String.init) == Self.names)
    for type in ElementType.allCases where !type.layout.addressesElements {
      let layout = type.layout
      let entry = "\"\(type.name)\": (\(layout.elementsPerBlock), \(layout.bytesPerBlock))"
      #expect(text.contains(entry), "\(entry)")
    }
  }

  @Test func theSpecificationHasALayoutForEveryType() throws {
    let text = try String(
      contentsOf: Places.project.appending(path: "schemas/ingot-format.md"), encoding: .utf8)
    let rows = text.matches(of: /\n\| `([a-z0-9_]+)` \| ([0-9]+) \| ([0-9]+) \|/)
    #expect(rows.map { String($0.1) } == Self.names)
    for row in rows {
      let layout = try #require(ElementType(name: String(row.1))).layout
      #expect(Int(row.2) == layout.elementsPerBlock && Int(row.3) == layout.bytesPerBlock)
    }
  }
}
