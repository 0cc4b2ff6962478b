package import Tensors

extension ZipArchive {
  /// A member whose local header has been checked.
  package struct Member: Sendable {
    package let entry: ZipEntry
    /// Where the data begins.
    package let dataOffset: Int
  }

  /// The content of a member.
  package func content(of member: Member) -> any ByteSource {
    switch member.entry.method {
    case .stored: ZipStoredSource(self, member)
    case .deflated: ZipDeflatedSource(self, member)
    }
  }

  /// Reads a member once, for one of which nobody will read all.
  ///
  /// - Throws: `integrity` where its checksum differs; `malformed` where it does not expand.
  package func verify(_ member: Member) throws { try content(of: member).readThrough { _ in } }
}

extension ZipArchive.Member {
  /// What is wrong where the content adds up to `crc`.
  func integrityError(_ crc: UInt32) -> IngotError {
    IngotError(
      .integrity, Checksum.mismatch("the CRC-32", of: "the member", entry.crc32, crc),
      tensor: entry.name, offset: dataOffset)
  }
}

extension ByteSource {
  /// Reads everything once, front to back, in bounded memory.
  func readThrough(_ body: (RawSpan) throws -> Void) throws {
    var buffer = [UInt8](repeating: 0, count: min(byteCount, 256 << 10))
    var offset = 0
    while offset < byteCount {
      let count = min(buffer.count, byteCount - offset)
      try buffer.withMutableBytes { bytes in
        try bytes.withRange(0..<count) { part in
          try read(into: &part, at: offset)
          try body(part.bytes)
        }
      }
      offset += count
    }
  }
}
