import Foundation
import TestSupport
import Tensors
import Testing

@testable import Ingot

/// Every ordered pair of formats: what the destination can hold comes back with the same digest, what
/// it cannot is refused before anything is written.
@Suite struct RoundTripTests {
  static let formats = ["safetensors", "npz", "h5", "ingot", "npy"]

  static let sources: [String] = FixtureTests.rows.filter { $0.expectation == "OK" }.map(\.path)

  private static func options() -> ConvertOptions {
    var options = ConvertOptions()
    options.syncsResult = false
    return options
  }

  /// The manifest with names left out: `.npy` forgets its tensor's.
  private func contents(_ manifest: DigestManifest) -> [String] {
    manifest.lines.map { "\($0.sha256) \($0.elementType) \($0.shape)" }
  }

  @Test(arguments: sources)
  func everyFixtureSurvivesEveryFormat(_ source: String) throws {
    let original = try Fingerprinting(Checkpoint(path: source)).manifest()
    try Places.withTemporaryFolder { folder in
      for format in Self.formats {
        let there = folder.appending(path: "there.\(format)").filePath
        do {
          _ = try Conversion(source: source, destination: there, options: Self.options()).run()
        } catch let error as IngotError {
          #expect(error.errorClass == .unsupported, "\(format): \(error)")
          #expect(!FileManager.default.fileExists(atPath: there))
          continue
        }
        let converted = try Fingerprinting(Checkpoint(path: there)).manifest()
        if format == "npy" {
          #expect(contents(converted) == contents(original))
          continue
        }
        #expect(converted == original, "\(format)")
        for back in Self.formats where back != "npy" && back != format {
          let here = folder.appending(path: "\(format)-back.\(back)").filePath
          do {
            _ = try Conversion(source: there, destination: here, options: Self.options()).run()
          } catch let error as IngotError {
            #expect(error.errorClass == .unsupported, "\(format) to \(back): \(error)")
            continue
          }
          let returned = try Fingerprinting(Checkpoint(path: here)).manifest()
          #expect(returned == original, "\(format) to \(back)")
        }
      }
    }
  }

  /// A table with every element type that the format can hold, in odd shapes.
  private static func table(for format: String) throws -> TensorTable {
    var generator = SeededGenerator(seed: 11)
    var table = TensorTable()
    for type in ElementType.allCases {
      let lacking: Set<ElementType> =
        switch format {
        case "h5": [.float6E2M3FN, .float6E3M2FN, .float4E2M1FN, .q80, .q40]
        case "safetensors": [.complex128, .q80, .q40]
        default: []
        }
      guard !lacking.contains(type) else { continue }
      for dimensions in [[], [0, 3], [4], [8, 3], [2, 4, 5], [3, 64]]
      where
        (type.hasBlocks ? dimensions.last ?? 1 : dimensions.reduce(1, *))
        % type.layout.elementsPerBlock == 0
      {
        let count = try Shape(dimensions).byteCount(of: type)
        let bytes = (0..<count).map { _ in
          type == .bool
            ? UInt8.random(in: 0...1, using: &generator)
            : UInt8.random(in: 0...255, using: &generator)
        }
        let name = "\(type.name).\(dimensions.map(String.init).joined(separator: "x"))"
        try table.append(name, Tensor(type, dimensions, bytes))
      }
    }
    return table
  }

  @Test(arguments: ["safetensors", "npz", "h5", "ingot"], [false, true])
  func everyElementTypeComesBack(format identifier: String, compressed: Bool) throws {
    let table = try Self.table(for: identifier)
    let format = try #require(Formats.forExtension(of: "a.\(identifier)"))
    var options = WriteOptions()
    if compressed { options.compression = .gzip(level: nil) }
    options.fileName = "a.\(identifier)"
    guard !compressed || format.compresses else { return }
    let bytes = try PlainExecutor.execute(format.plan(table, options))
    let reopened = try format.read(FormatInput(path: "a.\(identifier)", source: ArraySource(bytes)))
    #expect(try DigestManifest(of: reopened) == DigestManifest(of: table))
  }
}
