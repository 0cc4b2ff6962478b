internal import Crypto
private import Synchronization
internal import Tensors

/// Reads the pieces of one payload strictly in order, hashing them on the way where asked.
final class OrderedReader: Sendable {
  let turns = Sequencer()
  private let hasher: Mutex<SHA256?>

  init(hashing: Bool) { hasher = Mutex(hashing ? SHA256() : nil) }

  func read(
    _ piece: Int, _ source: any ByteSource, at offset: Int, into buffer: inout MutableRawSpan
  ) throws {
    try turns.pass(piece) {
      try source.read(into: &buffer, at: offset)
      hasher.withLock { $0?.update(buffer.bytes) }
    }
  }

  func digest() -> [UInt8] { hasher.withLock { $0.map { Array($0.finalize()) } ?? [] } }
}
