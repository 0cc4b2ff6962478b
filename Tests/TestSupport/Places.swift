package import Foundation

/// Where tests find and put files.
package enum Places {
  /// The root of the project.
  package static let project = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// A file under `fixtures/`.
  package static func fixture(_ path: String) -> String {
    project.appending(path: "fixtures").appending(path: path).filePath
  }

  /// The folder of hostile and odd files that `INGOT_CORPUS` names, or nil where it is absent.
  package static let corpus: URL? = ProcessInfo.processInfo.environment["INGOT_CORPUS"].map {
    URL(filePath: $0, directoryHint: .isDirectory)
  }

  /// A Python with numpy, h5py and safetensors, or nil where the environment names none.
  package static let python: String? = ProcessInfo.processInfo.environment["INGOT_PYTHON"]

  /// Calls `body` with the path of a new folder that is removed afterwards.
  package static func withTemporaryFolder<Result>(
    _ body: (URL) throws -> Result
  ) throws -> Result {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "ingot-test-\(UUID().uuidString)", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }
}

extension URL {
  /// The path as the system takes it, nothing percent-encoded.
  package var filePath: String { path(percentEncoded: false) }
}
