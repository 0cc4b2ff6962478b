package import Tensors
private import Synchronization

/// A stored member: random access, with its CRC-32 checked.
///
/// The read that completes the member throws `integrity` where the checksum differs, whatever the order
/// of the reads; every read after it throws too.
package final class ZipStoredSource: ByteSource {
  package let byteCount: Int
  private let base: any ByteSource
  private let dataOffset: Int
  private let checksum: MemberChecksum
  private let check: Mutex<Check>

  private enum Check {
    /// Nothing is tracked; `verify` has not been called.
    case onDemand
    case tracking(ZipCoverage)
    case passed
    /// The content has this checksum.
    case failed(UInt32)
  }

  /// When the checksum is compared.
  package enum Verification: Sendable {
    /// As soon as reads have covered the member.
    case whileReading
    /// When `verify` is called: for content of which parts are never read (a file in the member).
    case onDemand
  }

  /// Above this many stretches that lie apart, reading the whole member once is cheaper than keeping
  /// account (a column of a large matrix).
  private static let mostStretches = 1024

  private init(_ archive: ZipArchive, _ member: ZipArchive.Member, _ check: Check) {
    precondition(member.entry.method == .stored)
    base = archive.source
    dataOffset = member.dataOffset
    checksum = MemberChecksum(member)
    byteCount = member.entry.uncompressedSize
    self.check = Mutex(check)
  }

  /// The content of a stored member.
  package convenience init(
    _ archive: ZipArchive, _ member: ZipArchive.Member,
    verification: Verification = .whileReading
  ) {
    let coverage = ZipCoverage(byteCount: member.entry.uncompressedSize)
    self.init(archive, member, verification == .onDemand ? .onDemand : .tracking(coverage))
  }

  /// The content of a stored member, whose first bytes somebody has already read by other means.
  ///
  /// - Throws: `integrity` where those are all there are and their checksum differs.
  package convenience init(
    _ archive: ZipArchive, _ member: ZipArchive.Member, alreadyRead beginning: RawSpan
  ) throws {
    let coverage = ZipCoverage(
      byteCount: member.entry.uncompressedSize, front: beginning.byteCount,
      frontCRC: CRC32.update(0, beginning))
    self.init(archive, member, .tracking(coverage))
    if let crc = coverage.crc { try check.withLock { try settle(&$0, crc) } }
  }

  package func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    try base.read(into: &buffer, at: dataOffset + offset)
    try account(for: buffer.bytes, at: offset)
  }

  private func account(for bytes: RawSpan, at offset: Int) throws {
    let claimed: [Range<Int>]? = try check.withLock { check in
      switch check {
      case .failed(let crc): throw checksum.error(crc, at: dataOffset)
      case .passed, .onDemand: return []
      case .tracking(var coverage):
        // Emptied first, so that the array inside is not copied.
        check = .onDemand
        let claimed = coverage.claim(offset..<offset + bytes.byteCount)
        let isExcessive = coverage.stretchCount > Self.mostStretches
        if !isExcessive { check = .tracking(coverage) }
        return isExcessive ? nil : claimed
      }
    }
    guard let claimed else { return try verify() }
    for range in claimed {
      let crc = CRC32.update(
        0, bytes.extracting(range.lowerBound - offset..<range.upperBound - offset))
      try record(range, crc: crc)
    }
  }

  private func record(_ range: Range<Int>, crc: UInt32) throws {
    try check.withLock { check in
      guard case .tracking(var coverage) = check else { return }
      check = .onDemand
      coverage.record(range, crc: crc)
      check = .tracking(coverage)
      guard let whole = coverage.crc else { return }
      try settle(&check, whole)
    }
  }

  /// Reads the whole member, unless that has been done, and compares its checksum.
  ///
  /// - Throws: `integrity` where it differs.
  package func verify() throws {
    let isSettled = try check.withLock { check in
      switch check {
      case .failed(let crc): throw checksum.error(crc, at: dataOffset)
      case .passed: return true
      case .onDemand, .tracking: return false
      }
    }
    guard !isSettled else { return }
    var buffer = [UInt8](repeating: 0, count: min(byteCount, 256 << 10))
    var crc: UInt32 = 0
    var offset = 0
    while offset < byteCount {
      let count = min(buffer.count, byteCount - offset)
      try buffer.withMutableBytes { bytes in
        try bytes.withRange(0..<count) { part in
          try base.read(into: &part, at: dataOffset + offset)
          crc = CRC32.update(crc, part.bytes)
        }
      }
      offset += count
    }
    try check.withLock { try settle(&$0, crc) }
  }

  private func settle(_ check: inout Check, _ crc: UInt32) throws {
    guard crc == checksum.declared else {
      check = .failed(crc)
      throw checksum.error(crc, at: dataOffset)
    }
    check = .passed
  }
}

/// A deflated member: expanded front to back, with size and CRC-32 checked at its end.
package final class ZipDeflatedSource: ByteSource {
  package let byteCount: Int
  package var access: AccessPattern { .sequential }
  private let base: any ByteSource
  private let member: ZipArchive.Member
  private let progress = Mutex<Progress?>(nil)

  /// How far the member has been expanded.
  private struct Progress {
    var stream: InflateStream
    var position = 0
    var crc: UInt32 = 0
  }

  /// The content of a deflated member.
  package init(_ archive: ZipArchive, _ member: ZipArchive.Member) {
    precondition(member.entry.method == .deflated)
    base = archive.source
    self.member = member
    byteCount = member.entry.uncompressedSize
  }

  /// Fills the buffer; going back starts over.
  package func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    guard buffer.byteCount > 0 else { return }
    try naming(tensor: member.entry.name) {
      try progress.withLock { progress in
        var current =
          if let progress, progress.position <= offset { progress } else { start() }
        progress = nil
        var scratch = [UInt8](
          repeating: 0, count: min(offset - current.position, 256 << 10))
        while current.position < offset {
          let count = min(scratch.count, offset - current.position)
          try scratch.withMutableBytes { bytes in
            try bytes.withRange(0..<count) { try advance(&current, into: &$0) }
          }
        }
        try advance(&current, into: &buffer)
        if current.position < byteCount { progress = current }
      }
    }
  }

  private func start() -> Progress {
    Progress(
      stream: InflateStream(
        base, offset: member.dataOffset, byteCount: member.entry.compressedSize,
        with: makeInflater()))
  }

  private func advance(_ progress: inout Progress, into buffer: inout MutableRawSpan) throws {
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
    let checksum = MemberChecksum(member)
    guard progress.crc == checksum.declared else {
      try blameDamage()
      throw checksum.error(progress.crc, at: member.dataOffset)
    }
  }

  /// Throws `malformed` where the stream itself breaks a rule: ISA-L overlooks code lengths that leave
  /// codes unused, zlib does not.
  private func blameDamage() throws {
    var stream = InflateStream(
      base, offset: member.dataOffset, byteCount: member.entry.compressedSize, with: ZlibInflater())
    var scratch = [UInt8](repeating: 0, count: min(byteCount, 256 << 10))
    while try scratch.withMutableBytes({ try stream.read(into: &$0) }) == scratch.count {}
  }

  /// The first bytes of the content, expanded from the first bytes of the data as far as they reach.
  package static func beginning(of data: ArraySlice<UInt8>, count: Int) throws -> [UInt8] {
    var output = [UInt8](repeating: 0, count: count)
    // The span does not leave this call.
    let input = unsafe data.span.bytes
    let (_, produced) = try output.withMutableBytes { try makeInflater().step(input, into: &$0) }
    output.removeLast(count - produced)
    return output
  }
}

/// What a member's content must add up to.
private struct MemberChecksum {
  let declared: UInt32
  private let name: String

  init(_ member: ZipArchive.Member) {
    declared = member.entry.crc32
    name = member.entry.name
  }

  /// What is wrong where the content adds up to `crc`.
  func error(_ crc: UInt32, at offset: Int) -> IngotError {
    func hex(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
    return IngotError(
      .integrity, "the member's CRC-32 is \(hex(crc)), the archive declares \(hex(declared))",
      tensor: name, offset: offset)
  }
}

extension ZipArchive {
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
  package func verify(_ member: Member) throws {
    let content = content(of: member)
    var buffer = [UInt8](repeating: 0, count: min(content.byteCount, 256 << 10))
    var offset = 0
    while offset < content.byteCount {
      let count = min(buffer.count, content.byteCount - offset)
      try buffer.withMutableBytes { bytes in
        try bytes.withRange(0..<count) { try content.read(into: &$0, at: offset) }
      }
      offset += count
    }
  }
}
