package import Tensors
private import Synchronization

/// A deflated member: expanded front to back, with size and CRC-32 checked at its end.
package final class ZipDeflatedSource: ByteSource {
  package let byteCount: Int
  package var access: AccessPattern { .sequential }
  private let member: ZipArchive.Member
  private let progress = Mutex<Progress?>(nil)

  /// How far the member has been expanded: an object, because of a million members few are ever begun.
  private final class Progress {
    var stream: InflateStream
    var position = 0
    var crc: UInt32 = 0

    init(_ stream: InflateStream) { self.stream = stream }
  }

  /// The content of a deflated member.
  package init(_ archive: ZipArchive, _ member: ZipArchive.Member) {
    precondition(member.entry.method == .deflated)
    self.member = member
    byteCount = member.entry.uncompressedSize
  }

  /// Fills the buffer; going back starts over.
  package func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    guard buffer.byteCount > 0 else { return }
    try naming(tensor: member.entry.name, offset: member.dataOffset) {
      try progress.withLock { progress in
        let current =
          if let progress, progress.position <= offset { progress } else { start() }
        progress = nil
        var scratch = [UInt8](
          repeating: 0, count: min(offset - current.position, 256 << 10))
        while current.position < offset {
          let count = min(scratch.count, offset - current.position)
          try scratch.withMutableBytes { bytes in
            try bytes.withRange(0..<count) { try advance(current, into: &$0) }
          }
        }
        try advance(current, into: &buffer)
        if current.position < byteCount { progress = current }
      }
    }
  }

  private func start() -> Progress {
    Progress(stream(with: makeInflater()))
  }

  private func stream(with inflater: any Inflater) -> InflateStream {
    InflateStream(
      member.entry.archive.source, offset: member.dataOffset,
      byteCount: member.entry.compressedSize, with: inflater)
  }

  private func advance(_ progress: Progress, into buffer: inout MutableRawSpan) throws {
    let count = try progress.stream.read(into: &buffer)
    progress.position += count
    guard count == buffer.byteCount else {
      throw IngotError(
        .malformed,
        "the deflate stream expands to \(progress.position) bytes, the directory declares \(byteCount)",
        offset: member.dataOffset)
    }
    progress.crc = CRC32.update(progress.crc, buffer.bytes)
    guard progress.position == byteCount else { return }
    try progress.stream.finish()
    guard progress.crc == member.entry.crc32 else {
      try blameDamage()
      throw member.integrityError(progress.crc)
    }
  }

  /// Throws `malformed` where the stream itself breaks a rule: ISA-L overlooks code lengths that leave
  /// codes unused, zlib does not.
  private func blameDamage() throws {
    var stream = stream(with: ZlibInflater())
    var scratch = [UInt8](repeating: 0, count: min(byteCount, 256 << 10))
    while try scratch.withMutableBytes({ try stream.read(into: &$0) }) == scratch.count {}
  }
}

/// Expands the first bytes of many deflated members, one after the other, with one inflater.
package final class ZipBeginnings {
  private let inflater = makeInflater()

  package init() {}

  /// At most `count` bytes of a member's content, as far as `data`, its first bytes in the archive,
  /// reach.
  ///
  /// - Throws: `malformed` where they are damaged.
  package func expand(_ data: ArraySlice<UInt8>, count: Int) throws -> [UInt8] {
    inflater.reset()
    var output = [UInt8](repeating: 0, count: count)
    // The span does not leave this call.
    let input = unsafe data.span.bytes
    let (_, produced) = try output.withMutableBytes { try inflater.step(input, into: &$0) }
    output.removeLast(count - produced)
    return output
  }
}
