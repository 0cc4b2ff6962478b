import Foundation
import TestSupport
import Tensors
import Testing

@testable import Ingot

/// Hostile and odd files from a folder that `INGOT_CORPUS` names; skipped where there is none.
@Suite(.enabled(if: Places.corpus != nil, "INGOT_CORPUS names no corpus"))
struct CorpusTests {
  static let rows: [ExpectedFile] =
    Places.corpus.map { corpus in
      ["safetensors", "npy-npz"].flatMap {
        ExpectedFile.rows(corpus.appending(path: "\($0)/generated/expected.tsv"))
      }
    } ?? []

  /// The files without an expectation: they are read, or refused with a class.
  static let others: [String] =
    Places.corpus.map { corpus in
      ["hdf5", "zip", "npy-npz/numpy"].flatMap {
        ExpectedFile.files(below: corpus.appending(path: $0)).filter { !$0.hasSuffix(".tsv") }
      }
    } ?? []

  /// The class of digesting the file: `OK` or an error's.
  private func outcome(_ path: String, format: String? = nil) throws -> String {
    do {
      _ = try Fingerprinting(Checkpoint(path: path, format: format)).manifest()
      return "OK"
    } catch let error as IngotError {
      #expect(error.errorClass != .internal)
      #expect(error.file != nil)
      return error.errorClass.rawValue
    }
  }

  @Test(.row("S8", "S13", "S23", "N4", "N6", "Z13", "Z15"), arguments: rows)
  func hasTheExpectedClass(_ file: ExpectedFile) throws {
    #expect(file.outcomes.contains(try outcome(file.path)))
  }

  @Test(.row("H1", "H2"), arguments: others)
  func isReadOrRefusedWithAClass(_ path: String) throws {
    let first = try outcome(path)
    #expect(try outcome(path) == first)
    _ = try? Inspection(Checkpoint(path: path))
  }

  @Test func theTablesAreThere() { #expect(Self.rows.count > 60 && Self.others.count > 300) }
}
