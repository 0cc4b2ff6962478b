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

  /// The folder of situations from public reports that `INGOT_CASES` names, or nil where it is absent.
  package static let cases: String? = ProcessInfo.processInfo.environment["INGOT_CASES"]

  /// The folder of hostile and odd files that `INGOT_CORPUS` names, or nil where it is absent.
  package static let corpus: URL? = ProcessInfo.processInfo.environment["INGOT_CORPUS"].map {
    URL(filePath: $0, directoryHint: .isDirectory)
  }

  /// A Python with numpy, h5py and safetensors, or nil where the environment names none.
  package static let python: String? = ProcessInfo.processInfo.environment["INGOT_PYTHON"]

  /// A folder in memory, where bringing files to the disk takes no time; the temporary one where there is
  /// none.
  package static let memory: URL = {
    let memory = URL(filePath: "/dev/shm", directoryHint: .isDirectory)
    return FileManager.default.isWritableFile(atPath: memory.filePath)
      ? memory : FileManager.default.temporaryDirectory
  }()

  /// Whether everything is asked for that takes longer than a developer waits (`INGOT_LONG=1`).
  package static let isLong = ProcessInfo.processInfo.environment["INGOT_LONG"] == "1"

  /// Calls `body` with the path of a new folder, in the temporary one or in `parent`, that is removed
  /// afterwards.
  package static func withTemporaryFolder<Result>(
    in parent: URL = FileManager.default.temporaryDirectory, _ body: (URL) throws -> Result
  ) throws -> Result {
    let folder =
      parent
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
