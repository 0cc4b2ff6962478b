private import Synchronization
internal import Tensors

/// The canonical bytes of a tensor stored in compressed chunks.
struct ChunkedSource: ByteSource {
  let byteCount: Int
  private let file: any ByteSource
  /// Where each chunk begins in the file, and where the last one ends.
  private let bounds: [Int]
  private let elementWidth: Int
  private let cache: ChunkCache

  /// A tensor of `byteCount` bytes whose chunks lie in `file` from `offset` on.
  init(
    _ file: any ByteSource, offset: Int, byteCount: Int, chunks: [Int], elementWidth: Int,
    cache: ChunkCache
  ) {
    self.file = file
    self.byteCount = byteCount
    self.elementWidth = elementWidth
    self.cache = cache
    bounds = chunks.reduce(into: [offset]) { $0.append($0[$0.count - 1] + $1) }
  }

  /// A chunk is decoded as a whole.
  var granularity: Int { min(NativeChunks.length, max(1, byteCount)) }

  func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    var done = 0
    while done < buffer.byteCount {
      let index = (offset + done) / NativeChunks.length
      let start = (offset + done) % NativeChunks.length
      let size = NativeChunks.size(index, of: byteCount)
      let count = min(size - start, buffer.byteCount - done)
      let chunk =
        count == size
        ? try decode(index) : try cache.chunk(at: bounds[index]) { try decode(index) }
      buffer.copy(from: chunk, at: start, count: count, to: done)
      done += count
    }
  }

  private func decode(_ index: Int) throws -> [UInt8] {
    let offset = bounds[index]
    do {
      return try NativeChunks.decode(
        try file.bytes(at: offset, count: bounds[index + 1] - offset, "a chunk"),
        size: NativeChunks.size(index, of: byteCount), elementWidth: elementWidth)
    } catch var error as IngotError {
      error.offset = offset
      throw error
    }
  }
}

/// The chunks of one file that were last read in parts, so that a reader of small ranges does not expand
/// the same chunk again and again.
final class ChunkCache: Sendable {
  private struct Entry {
    let offset: Int
    let bytes: [UInt8]
  }

  /// A few megabytes, enough for the parts of a fused tensor that are read side by side.
  private static let capacity = 4
  /// The latest first.
  private let entries = Mutex<[Entry]>([])

  /// The decoded chunk that lies at `offset` in the file.
  func chunk(at offset: Int, decode: () throws -> [UInt8]) rethrows -> [UInt8] {
    let known = entries.withLock { entries -> [UInt8]? in
      guard let index = entries.firstIndex(where: { $0.offset == offset }) else { return nil }
      let entry = entries.remove(at: index)
      entries.insert(entry, at: 0)
      return entry.bytes
    }
    if let known { return known }
    let bytes = try decode()
    entries.withLock { entries in
      entries.insert(Entry(offset: offset, bytes: bytes), at: 0)
      if entries.count > Self.capacity { entries.removeLast() }
    }
    return bytes
  }
}
