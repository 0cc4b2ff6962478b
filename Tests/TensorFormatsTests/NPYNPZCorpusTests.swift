import Foundation
import TestSupport
import Tensors
import Testing

@testable import TensorFormats

/// The class that every hostile or odd file of the corpus must get when all of it is read.
@Suite(.enabled(if: Places.corpus != nil, "INGOT_CORPUS names no folder"))
struct NPYNPZCorpusTests {
  /// Reads every tensor; the class of the first thing that is wrong, or "OK".
  private static func outcome(of path: String) throws -> String {
    let format: any TensorFormat = path.hasSuffix(".npz") ? NPZFormat() : NPYFormat()
    do {
      let table = try format.read(FormatInput(path: path, source: InputFile(path: path)))
      for entry in table.entries { _ = try entry.tensor.source.everything() }
      if table.entries.isEmpty, let other = table.others.first { throw other.refusal }
      return "OK"
    } catch let error as IngotError {
      return error.errorClass.rawValue
    }
  }

  /// What the words of `expected.tsv` allow.
  private static func allowed(_ expectation: String) -> Set<String> {
    switch expectation {
    case "OK", "OK_name_only": ["OK"]
    case "malformed_or_ok": ["malformed", "OK"]
    case "OK_or_unsupported": ["OK", "unsupported"]
    case "OK_or_limit": ["OK", "limit"]
    case "warn_or_malformed": ["OK", "malformed"]
    default: [expectation]
    }
  }

  @Test func everyFileGetsItsClass() throws {
    let folder = try #require(Places.corpus).appending(path: "npy-npz/generated")
    let table = try String(
      contentsOf: folder.appending(path: "expected.tsv"), encoding: .utf8)
    var count = 0
    for line in table.split(separator: "\n") {
      let fields = line.split(separator: "\t").map(String.init)
      let path = folder.appending(path: fields[0]).path()
      guard FileManager.default.fileExists(atPath: path) else { continue }
      let outcome = try Self.outcome(of: path)
      #expect(
        Self.allowed(fields[1]).contains(outcome), "\(fields[0]): \(outcome), not \(fields[1])")
      count += 1
    }
    #expect(count > 40)
  }

  @Test(arguments: ["py2-objarr.npy", "py2-np0-objarr.npy"])
  func python2ObjectArraysAreUnsafe(_ name: String) throws {
    let path = try #require(Places.corpus).appending(path: "npy-npz/numpy/\(name)").path()
    #expect(try Self.outcome(of: path) == "unsafe")
  }
}
