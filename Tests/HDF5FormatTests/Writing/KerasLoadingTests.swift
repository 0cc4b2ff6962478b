import Foundation
import HDF5Format
import TestSupport
import Tensors
import Testing

/// What Keras 3 and tf_keras make of our files: the weights, and where they were saved the model and its
/// optimizer, as from the files of their own.
@Suite(.enabled(if: PythonScript.hasKeras, "INGOT_PYTHON names no Python with keras and tf_keras"))
struct KerasLoadingTests {
  @Test func weightsAndModelsLoad() throws {
    try Places.withTemporaryFolder { folder in
      PythonScript.check("keras_models.py", ["make", folder.path()])
      let ours = folder.appending(path: "ours")
      try FileManager.default.createDirectory(at: ours, withIntermediateDirectories: false)
      let descriptions = try FileManager.default.contentsOfDirectory(atPath: folder.path())
        .filter { $0.hasSuffix(".json") }
      #expect(descriptions.count == 12)
      for description in descriptions {
        let text = try Data(contentsOf: folder.appending(path: description))
        let table = try TensorTable(described: JSONScanner.parse([UInt8](text)))
        let name = String(description.dropLast(".json".count))
        var options = kerasOptions(name)
        // Every other file compressed, by its name.
        if name.contains("keras3") { options.compression = .gzip(level: nil) }
        let format: any TensorFormat =
          name.hasSuffix(".keras") ? KerasArchiveFormat() : HDF5FileFormat()
        let plan = try format.plan(table, options)
        #expect(plan.droppedMetadata.isEmpty, "\(name)")
        try Data(PlainExecutor.execute(plan)).write(to: ours.appending(path: name))
      }
      PythonScript.check("keras_models.py", ["check", folder.path()])
    }
  }
}
