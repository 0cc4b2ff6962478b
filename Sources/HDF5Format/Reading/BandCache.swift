internal import Synchronization

/// The bands of chunks that were read in part, the latest ones, of all datasets of a file.
final class BandCache: Sendable {
  struct Key: Hashable, Sendable {
    let dataset: Int
    let band: Int
  }

  private struct Entry {
    let key: Key
    let content: [UInt8]
  }

  /// One band of the largest size, or many small ones.
  private static let byteLimit = ChunkedSource.bandLimit
  private static let entryLimit = 16

  /// The latest entry is the last.
  private let entries = Mutex<[Entry]>([])

  subscript(key: Key) -> [UInt8]? {
    entries.withLock { entries in
      guard let index = entries.firstIndex(where: { $0.key == key }) else { return nil }
      let entry = entries.remove(at: index)
      entries.append(entry)
      return entry.content
    }
  }

  func insert(_ content: [UInt8], _ key: Key) {
    entries.withLock { entries in
      entries.removeAll { $0.key == key }
      entries.append(Entry(key: key, content: content))
      var total = entries.reduce(0) { $0 + $1.content.count }
      while total > Self.byteLimit || entries.count > Self.entryLimit, entries.count > 1 {
        total -= entries.removeFirst().content.count
      }
    }
  }
}
