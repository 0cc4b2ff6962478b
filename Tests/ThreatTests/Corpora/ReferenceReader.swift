import Foundation
import TestSupport
import Testing

/// The libraries that others read such files with, in processes of their own.
enum ReferenceReader {
  /// What became of a file there.
  struct Answer: Decodable {
    enum Verdict: String, Decodable { case read, refused, crashed, hung }
    let verdict: Verdict
    /// The lines of the digest manifest; of an archive, size and hash of each member.
    let lines: [String]?
    let why: String?
  }

  private static let script = Places.project
    .appending(path: "Tests/ThreatTests/Python/reference.py").filePath

  /// The answers for the files at `paths`.
  static func digests(_ paths: [String]) throws -> [Answer] {
    try ask(["digests"], Data(paths.map { $0 + "\n" }.joined().utf8), count: paths.count)
  }

  /// What Python's zipfile finds in the archives at `paths`.
  static func zips(_ paths: [String]) throws -> [Answer] {
    try ask(["zips"], Data(paths.map { $0 + "\n" }.joined().utf8), count: paths.count)
  }

  /// The answers for files of this content whose names end with `ending`.
  static func digests(of files: [[UInt8]], ending: String) throws -> [Answer] {
    let stream = files.flatMap { little($0.count, 8) + $0 }
    return try ask(["mutants", ending], Data(stream), count: files.count)
  }

  private static func ask(_ arguments: [String], _ input: Data, count: Int) throws -> [Answer] {
    try Places.withTemporaryFolder { folder in
      let file = folder.appending(path: "input")
      try input.write(to: file)
      let run = try CommandRun.run(
        "/bin/sh",
        ["-c", "exec \"$@\" < \"$0\"", file.filePath, try #require(Places.python), script]
          + arguments)
      try #require(run.status == 0, "\(run.diagnostics)")
      let answers = try run.output.split(separator: "\n").map {
        try JSONDecoder().decode(Answer.self, from: Data($0.utf8))
      }
      try #require(answers.count == count)
      return answers
    }
  }
}
