import Foundation
import Ingot
import TestSupport
import Testing

/// libhdf5 as the oracle of our reader, on the fixtures that h5py and Keras wrote.
@Suite struct LibHDF5Tests {
  static let files = ExpectedFile.rows(Places.project.appending(path: "fixtures/expected.tsv"))
    .filter { $0.expectation == "OK" && $0.path.hasSuffix(".h5") }

  @Test(arguments: files)
  func everyDatasetHasTheBytesThatLibhdf5Reads(_ file: ExpectedFile) throws {
    // Debian's libhdf5 does not open what newer ones write for `libver="latest"`.
    guard let theirs = LibHDF5.datasets(file.path) else { return }
    let ours = try Fingerprinting(Checkpoint(path: file.path)).manifest()
    let byName = Dictionary(
      ours.lines.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    for dataset in theirs {
      guard let line = byName[dataset.name] else { continue }
      #expect(line.shape == dataset.shape, "\(dataset.name)")
      #expect(line.sha256 == dataset.sha256, "\(dataset.name)")
    }
  }

  @Test func mostFixturesAreReadByBoth() throws {
    let opened = Self.files.filter { LibHDF5.datasets($0.path) != nil }
    let datasets = opened.reduce(0) { $0 + (LibHDF5.datasets($1.path)?.count ?? 0) }
    print("libhdf5 opens \(opened.count) of \(Self.files.count) fixtures, \(datasets) datasets")
    #expect(opened.count * 10 > Self.files.count * 6)
    #expect(datasets > 300)
  }
}
