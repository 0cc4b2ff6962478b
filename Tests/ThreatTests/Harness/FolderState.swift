import Foundation
import TestSupport

/// Names, bytes, times and modes of all that lies in a folder.
struct FolderState: Equatable {
  private struct Item: Equatable {
    let mode: UInt32
    let modified: [Int]
    let bytes: Data?
  }

  private let items: [String: Item]

  init(_ folder: URL) throws {
    var items: [String: Item] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder.filePath) {
      let path = folder.appending(path: name).filePath
      var status = stat()
      guard lstat(path, &status) == 0 else { continue }
      // Large sparse files are told by their time alone.
      let isSmall = status.st_mode & S_IFMT == S_IFREG && status.st_size < 64 << 20
      items[name] = Item(
        mode: UInt32(status.st_mode), modified: [status.st_mtim.tv_sec, status.st_mtim.tv_nsec],
        bytes: isSmall ? FileManager.default.contents(atPath: path) : nil)
    }
    self.items = items
  }

  var byteCount: Int { items.values.reduce(0) { $0 + ($1.bytes?.count ?? 0) } }
}
