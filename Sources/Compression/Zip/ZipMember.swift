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
    func hex(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
    return IngotError(
      .integrity,
      "the member's CRC-32 is \(hex(crc)), the archive declares \(hex(entry.crc32))",
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
