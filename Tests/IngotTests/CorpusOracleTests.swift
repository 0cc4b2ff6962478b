import Foundation
import TestSupport
import Testing

@testable import Ingot

/// On every ordinary HDF5 file of the corpus: h5py's digest, or a named refusal.
///
/// Python runs in a process of its own, because libhdf5 may crash or hang on a file. Prints the ratio
/// read.
@Suite(
  .enabled(
    if: Places.corpus != nil && Places.python != nil,
    "INGOT_CORPUS and INGOT_PYTHON name a corpus and a Python with h5py"))
struct CorpusOracleTests {
  @Test func ordinaryHDF5FilesHaveTheDigestOfH5py() throws {
    let corpus = try #require(Places.corpus)
    let python = try #require(Places.python)
    var agreed = 0
    var refused: [String: Int] = [:]
    var oracleRefused = 0
    for folder in ["hdfgroup-testfiles", "jhdf", "pyfive"] {
      for path in ExpectedFile.files(below: corpus.appending(path: "hdf5/\(folder)")) {
        let oracle = try CommandRun.run(
          "/usr/bin/timeout", ["20", python, Places.fixture("oracle.py"), "digest", path])
        guard oracle.status == 0 else {
          oracleRefused += 1
          continue
        }
        do {
          let ours = try Fingerprinting(Checkpoint(path: path)).manifest()
          #expect(ours.text + "\(ours.total)  total\n" == oracle.output, "\(path)")
          agreed += 1
        } catch let error as IngotError {
          let feature = error.errorClass.rawValue
          refused[feature, default: 0] += 1
          print("refused: \(URL(filePath: path).lastPathComponent): \(feature): \(error.message)")
          #expect([.unsupported, .unsafe, .malformed, .limit].contains(error.errorClass))
        }
      }
    }
    print(
      "HDF5 corpus: \(agreed) read alike, refused \(refused), \(oracleRefused) that h5py refuses too"
    )
    #expect(agreed > 60)
  }
}
