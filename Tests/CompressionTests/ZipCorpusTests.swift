import Foundation
import TestSupport
import Tensors
import Testing

@testable import Compression

/// The zip files of other projects' tests: never a trap, and where Python's zipfile reads an archive and
/// so do we, we see the same.
@Suite(.enabled(if: Places.corpus != nil, "INGOT_CORPUS names no folder"))
struct ZipCorpusTests {
  /// How many members there are and how many bytes they hold.
  private struct Summary: Equatable {
    var members = 0
    var bytes = 0
  }

  private static func summary(of path: String) throws -> Summary {
    let archive = try ZipArchive(InputFile(path: path))
    var summary = Summary()
    for member in try archive.members() {
      summary.bytes += try archive.content(of: member).everything().count
      summary.members += 1
    }
    return summary
  }

  @Test(.row("Z24")) func everyArchiveIsReadAsPythonReadsItOrRefused() throws {
    let folder = try #require(Places.corpus).appending(path: "zip")
    let table = try String(
      contentsOf: folder.appending(path: "baseline_python_zipfile.tsv"), encoding: .utf8)
    var read = 0
    for line in table.split(separator: "\n") {
      let fields = line.split(separator: "\t").map(String.init)
      let path = folder.appending(path: fields[0])
      guard FileManager.default.fileExists(atPath: path.path()) else { continue }
      let result = Result { try Self.summary(of: path.path()) }
      switch result {
      case .success(let summary):
        read += 1
        if fields[3] == "ok" {
          #expect("\(summary.members) \(summary.bytes)" == "\(fields[1]) \(fields[2])", "\(path)")
        }
        if ProcessInfo.processInfo.environment["INGOT_PRINT"] != nil {
          print("READ", fields[0], fields[3])
        }
      case .failure(let error):
        let error = try #require(error as? IngotError, "\(path): \(error)")
        #expect(error.errorClass != .internal && error.errorClass != .io)
        if ProcessInfo.processInfo.environment["INGOT_PRINT"] != nil {
          print("REFUSED", fields[0], fields[3].prefix(40), "|", error.errorClass, error)
        }
      }
    }
    #expect(read > 30)
  }
}
