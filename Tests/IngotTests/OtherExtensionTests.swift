import Foundation
import TestSupport
import Tensors
import Testing

@testable import Ingot

/// `--to` says what is written, whatever the destination's name ends with, and the check reads just that.
@Suite struct OtherExtensionTests {
  private static let extensions =
    Formats.all.flatMap(\.fileExtensions).filter { !$0.hasSuffix(".json") } + [".data"]

  @Test(
    arguments: ["safetensors", "npz", "hdf5", "ingot", "npy", "keras"],
    [WriteOptions.Arrangement.plain, .keras])
  func theFormatThatIsAskedForIsWritten(
    format: String, arrangement: WriteOptions.Arrangement
  ) throws {
    guard arrangement == .plain || format == "hdf5" else { return }
    let fixture =
      switch (format, arrangement) {
      case ("npy", _): "npy/dtype-float32.npy"
      case ("keras", _), (_, .keras): "keras/keras3-optimizer.keras"
      default: "safetensors/many.safetensors"
      }
    let source = Places.fixture(fixture)
    let expected = try Fingerprinting(Checkpoint(path: source)).manifest().lines.map(\.sha256)
    try Places.withTemporaryFolder { folder in
      for ending in Self.extensions {
        var options = ConvertOptions()
        options.syncsResult = false
        options.destinationFormat = format
        options.writing.arrangement = arrangement
        let destination = folder.appending(path: "out\(ending)").filePath
        do {
          _ = try Conversion(source: source, destination: destination, options: options).run()
        } catch let error as IngotError where error.errorClass == .unsupported {
          // Only what the layout of the names cannot hold is refused, and nothing is left then.
          #expect(arrangement == .keras, "\(ending): \(error)")
          #expect(!FileManager.default.fileExists(atPath: destination))
          continue
        }
        let written = try Checkpoint(path: destination)
        #expect(written.format.identifier == format, "\(ending)")
        let found = try Fingerprinting(written).manifest().lines.map(\.sha256)
        #expect(found.sorted() == expected.sorted(), "\(ending)")
      }
    }
  }
}
