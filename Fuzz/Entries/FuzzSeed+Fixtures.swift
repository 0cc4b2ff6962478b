internal import Foundation
internal import TestSupport

extension FuzzSeed {
  /// The fixtures whose names end so, and the files of the corpus where there is one, each content once.
  ///
  /// Small ones only: a fuzzer gets through them quickly.
  static func fixtures(_ endings: [String], largest: Int = 16 << 10) throws -> [FuzzSeed] {
    let fixtures = Places.project.appending(path: "fixtures", directoryHint: .isDirectory)
    var seen: Set<[UInt8]> = []
    var seeds: [FuzzSeed] = []
    for folder in [fixtures, Places.corpus].compactMap({ $0 }) {
      let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.filePath).sorted()
      for path in paths where endings.contains(where: path.hasSuffix) {
        let file = folder.appending(path: path)
        let size = try file.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
        guard size > 0, size <= largest else { continue }
        let bytes = try content(of: file.filePath)
        guard seen.insert(bytes).inserted else { continue }
        seeds.append(
          FuzzSeed(name: path.split(separator: "/").joined(separator: "-"), bytes: bytes))
      }
    }
    return seeds
  }

  /// The bytes of a file.
  static func content(of path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: path)))
  }
}
