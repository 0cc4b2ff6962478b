package import Foundation
internal import Testing

/// The rows of an `expected.tsv`: a file and the class that reading it must give.
package struct ExpectedFile: Sendable, CustomTestStringConvertible {
  package let path: String
  package let expectation: String

  package var testDescription: String {
    path.split(separator: "/").suffix(2).joined(separator: "/")
  }

  /// The outcomes of reading the file that its expectation allows: `OK` or a class.
  package var outcomes: Set<String> {
    switch expectation {
    case "malformed_or_ok", "warn_or_malformed": ["malformed", "OK"]
    case "OK_or_unsupported": ["OK", "unsupported"]
    case "OK_or_limit": ["OK", "limit"]
    case "warn", "OK_name_only", "OK_escaped", "OK_inspect_reject_split": ["OK"]
    case "io_not_found": ["unreadable"]
    default: [expectation]
    }
  }

  /// The rows of the table at `url`; empty where it is absent.
  package static func rows(_ url: URL) -> [ExpectedFile] {
    guard let text = try? String(contentsOf: url, encoding: .utf8) else { return [] }
    let folder = url.deletingLastPathComponent()
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.filePath)) ?? []
    return text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: "\t")
      guard fields.count >= 2 else { return nil }
      // Some tables leave the ending out.
      let stem = String(fields[0])
      // Some files of a table may be kept elsewhere.
      guard
        let name = names.contains(stem) ? stem : names.first(where: { $0.hasPrefix(stem + ".") })
      else {
        return FileManager.default.fileExists(atPath: folder.appending(path: stem).filePath)
          ? ExpectedFile(
            path: folder.appending(path: stem).filePath, expectation: String(fields[1]))
          : nil
      }
      return ExpectedFile(
        path: folder.appending(path: name).filePath, expectation: String(fields[1]))
    }
  }

  /// The regular files below `url`, sorted.
  package static func files(below url: URL) -> [String] {
    let paths = (try? FileManager.default.subpathsOfDirectory(atPath: url.filePath)) ?? []
    return paths.sorted().map { url.appending(path: $0).filePath }.filter { path in
      var isDirectory: ObjCBool = false
      return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        && !isDirectory.boolValue
    }
  }
}
