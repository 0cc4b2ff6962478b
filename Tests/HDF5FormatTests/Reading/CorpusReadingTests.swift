import Foundation
import TestSupport
import Tensors
import Testing

@testable import HDF5Format

/// Files that other programs wrote or that were made to break readers, and mutants of good ones.
@Suite struct CorpusReadingTests {
  /// Counts the ordinary files of other libraries that are read whole.
  ///
  /// The rest is refused by name.
  @Test(.enabled(if: Places.corpus != nil, "INGOT_CORPUS names no corpus"))
  func mostOrdinaryFilesAreReadWhole() throws {
    let corpus = try #require(Places.corpus)
    var outcomes: [String: Int] = [:]
    for set in ["hdfgroup-testfiles", "jhdf", "pyfive"] {
      for path in ExpectedFile.files(below: corpus.appending(path: "hdf5/\(set)")) {
        let bytes = Array(try Data(contentsOf: URL(filePath: path)))
        guard HDF5Reader.recognizes(bytes) else { continue }
        outcomes[try faultClass(bytes)?.rawValue ?? "read", default: 0] += 1
      }
    }
    let total = outcomes.values.reduce(0, +)
    print("ordinary HDF5 files: \(outcomes["read"] ?? 0) of \(total) read whole; \(outcomes)")
    #expect(outcomes["read"] ?? 0 >= 110)
    #expect(outcomes["internal"] == nil && outcomes["io"] == nil)
  }

  /// Structures behind checksums are out of reach of simple mutants, which stop at the checksum; here it
  /// is computed anew after each change.
  @Test func mutantsWithRightChecksumsAreReadOrRefused() throws {
    var builder = HDF5Builder()
    let data = builder.append([UInt8](repeating: 7, count: 24))
    let tree = builder.chunkTree(
      rank: 1,
      [
        (offset: [0], address: data, size: 12, mask: 0),
        (offset: [3], address: data + 12, size: 12, mask: 0),
      ])
    let attributes: [HDF5Message] = [
      .attribute("a", text: "text"), .attribute("names", names: ["one", "two"]),
      .attribute("n", .float32, .space([2]), [UInt8](repeating: 1, count: 8)),
    ]
    let messages: [HDF5Message] = [
      .space([6], largest: [8]), .float32, .chunked([3], elementSize: 4, tree: tree),
      .filters([(2, [4])]), .fill([1, 2, 3, 4]),
    ]
    let before = builder
    var outcomes: [ErrorClass?: Int] = [:]
    let header = HDF5Builder.header(messages + attributes)
    for index in 6..<header.count {
      for value in [0, 0xFF, header[index] ^ 0x80, header[index] ^ 1, header[index] &+ 1]
      where value != header[index] {
        var changed = header
        changed[index] = value
        builder = before
        let object = builder.appendChecked(changed)
        outcomes[try faultClass(builder.finished([("x", object)])), default: 0] += 1
      }
    }
    #expect(outcomes[nil] ?? 0 > 0 && outcomes[.malformed] ?? 0 > 0)
    #expect(outcomes[.internal] == nil)
  }
}
