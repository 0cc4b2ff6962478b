private import Crypto
private import Synchronization
package import Tensors

/// The bytes of a tensor of a native file, checked against the SHA-256 in the index.
///
/// A first reading from front to back is hashed on the way, and its last piece is handed out only if the
/// digest is right. Any other first reading hashes the whole tensor before it hands out anything. After
/// that, pieces come as they are. The padding behind the tensor is checked with it: no byte of the file
/// is without a check.
package final class VerifiedSource: ByteSource {
  /// The same bytes, unchecked: for a caller that compares them with what it wrote itself.
  package let unverified: any ByteSource
  /// What the bytes hash to, in lower-case hexadecimal digits.
  ///
  /// Certain once they have all been read, so that who wants the digest need not hash them again.
  package let sha256: String
  private let file: any ByteSource
  /// Where the tensor begins in the file, and the zero bytes behind it.
  private let offset: Int
  private let padding: Range<Int>
  private let state = Mutex(State.untouched)

  /// Indirect, because there may be a million that nobody has touched.
  private indirect enum State {
    case untouched
    case hashing(SHA256, position: Int)
    case verified
    case failed(IngotError)
  }

  init(
    _ unverified: any ByteSource, sha256: String, file: any ByteSource, offset: Int,
    padding: Range<Int>
  ) {
    self.unverified = unverified
    self.sha256 = sha256
    self.file = file
    self.offset = offset
    self.padding = padding
  }

  package var byteCount: Int { unverified.byteCount }
  package var access: AccessPattern { .ordered }
  package var granularity: Int { unverified.granularity }

  package func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    let isRead = try state.withLock { state in
      var hasher: SHA256
      let position: Int
      switch state {
      case .verified: return false
      case .failed(let error): throw error
      case .untouched: (hasher, position) = (SHA256(), 0)
      case .hashing(let begun, let reached): (hasher, position) = (begun, reached)
      }
      guard offset == position else {
        try verifyWhole(&state)
        return false
      }
      try unverified.read(into: &buffer, at: offset)
      hasher.update(buffer.bytes)
      if position + buffer.byteCount < byteCount {
        state = .hashing(hasher, position: position + buffer.byteCount)
      } else {
        try finish(hasher, &state)
      }
      return true
    }
    if !isRead { try unverified.read(into: &buffer, at: offset) }
  }

  private func verifyWhole(_ state: inout State) throws {
    var hasher = SHA256()
    var buffer = [UInt8](repeating: 0, count: min(byteCount, 1 << 20))
    var position = 0
    while position < byteCount {
      let count = min(buffer.count, byteCount - position)
      try buffer.withMutableBytes { bytes in
        try bytes.withRange(0..<count) { part in
          try unverified.read(into: &part, at: position)
          hasher.update(part.bytes)
        }
      }
      position += count
    }
    try finish(hasher, &state)
  }

  /// Compares the digest, and remembers how that ended.
  private func finish(_ hasher: SHA256, _ state: inout State) throws {
    do {
      guard Hexadecimal.text(hasher.finalize()) == sha256 else {
        throw IngotError(
          .integrity, "its bytes do not match the SHA-256 in the index", offset: offset)
      }
      try file.checkZero(padding, "the padding behind the tensor")
      state = .verified
    } catch let error as IngotError {
      state = .failed(error)
      throw error
    }
  }
}

extension ByteSource {
  /// Checks that all bytes of `range`, a padding, are zero.
  ///
  /// - Throws: `malformed` at the first one that is not.
  func checkZero(_ range: Range<Int>, _ what: @autoclosure () -> String) throws {
    guard !range.isEmpty else { return }
    let bytes = try bytes(at: range.lowerBound, count: range.count, what())
    guard let fault = bytes.firstIndex(where: { $0 != 0 }) else { return }
    throw IngotError(.malformed, "\(what()) is not zero", offset: range.lowerBound + fault)
  }
}

extension SHA256 {
  /// Adds bytes to the message.
  fileprivate mutating func update(_ bytes: borrowing RawSpan) {
    // The pointer is used within the call only.
    unsafe bytes.withUnsafeBytes { unsafe update(bufferPointer: $0) }
  }
}

/// Bytes as digits.
enum Hexadecimal {
  private static let digits = Array("0123456789abcdef".utf8)

  /// Two lower-case digits for each byte.
  static func text(_ bytes: some Sequence<UInt8>) -> String {
    String(
      decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
