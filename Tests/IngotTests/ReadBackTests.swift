import Foundation
import TestSupport
import Tensors
import Testing

@testable import Ingot

/// What we write, the real libraries read: numpy, h5py and safetensors give our digest.
///
/// Skipped where `INGOT_PYTHON` names no Python that has them.
@Suite(
  .enabled(if: Places.python != nil, "INGOT_PYTHON names no Python with numpy, h5py, safetensors"))
struct ReadBackTests {
  static let sources = [
    "npz/dtypes.npz", "npz/savez.npz", "hdf5/tree_v0.h5", "hdf5/dtypes_latest.h5",
    "hdf5/attributes_latest.h5", "safetensors/dtypes.safetensors", "safetensors/names.safetensors",
    "keras/keras2-mixed.h5", "keras/keras3-optimizer.weights.h5", "demo/tiny-transformer.h5",
    "npy/fortran-3d.npy", "hdf5/hard-links_v0.h5", "npz/scalar-and-empty.npz",
  ]

  @Test(arguments: sources)
  func theLibrariesGiveOurDigest(_ source: String) throws {
    let python = try #require(Places.python)
    try Places.withTemporaryFolder { folder in
      for (format, compression) in [
        ("npz", WriteOptions.Compression.none), ("npz", .gzip(level: nil)), ("h5", .none),
        ("h5", .gzip(level: nil)), ("h5", .gzip(level: 6)), ("safetensors", .none), ("npy", .none),
      ] {
        var options = ConvertOptions()
        options.syncsResult = false
        options.writing.compression = compression
        options.replacesDestination = true
        let out = folder.appending(path: "out.\(format)").filePath
        do {
          _ = try Conversion(
            source: Places.fixture(source), destination: out, options: options
          ).run()
        } catch let error as IngotError where error.errorClass == .unsupported {
          continue
        }
        let run = try CommandRun.run(python, [Places.fixture("oracle.py"), "digest", out])
        let ours = try Fingerprinting(Checkpoint(path: out)).manifest()
        #expect(run.status == 0, "\(format): \(run.diagnostics)")
        #expect(run.output == ours.textWithTotal + "\n", "\(format) \(compression)")
      }
    }
  }

  @Test func h5dumpAcceptsOurFiles() throws {
    let h5dump = "/usr/bin/h5dump"
    guard FileManager.default.fileExists(atPath: h5dump) else { return }
    try Places.withTemporaryFolder { folder in
      for (name, compression) in [
        ("plain", WriteOptions.Compression.none), ("deflated", .gzip(level: nil)),
      ] {
        var options = ConvertOptions()
        options.writing.compression = compression
        let out = folder.appending(path: "\(name).h5").filePath
        _ = try Conversion(
          source: Places.fixture("demo/tiny-transformer.h5"), destination: out, options: options
        ).run()
        let run = try CommandRun.run(h5dump, ["-H", out])
        #expect(run.status == 0, "\(run.diagnostics)")
        #expect(run.output.contains("DATASET"))
      }
    }
  }
}
