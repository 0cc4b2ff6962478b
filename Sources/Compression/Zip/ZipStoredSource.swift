internal import Tensors
private import Synchronization

/// A stored member: random access, with its CRC-32 checked.
///
/// The read that completes the member throws `integrity` where the checksum differs, whatever the order
/// of the reads; every read after it throws too.
package final class ZipStoredSource: ByteSource {
  package let byteCount: Int
  private let member: ZipArchive.Member
  /// How many bytes of the member come before those of this source.
  private let skipped: Int
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

  private init(_ member: ZipArchive.Member, skipping skipped: Int, _ check: Check) {
    precondition(member.entry.method == .stored)
    self.member = member
    self.skipped = skipped
    byteCount = member.entry.uncompressedSize - skipped
    self.check = Mutex(check)
  }

  /// The content of a stored member.
  package convenience init(
    _ archive: ZipArchive, _ member: ZipArchive.Member,
    verification: Verification = .whileReading
  ) {
    let coverage = ZipCoverage(byteCount: member.entry.uncompressedSize)
    self.init(
      member, skipping: 0, verification == .onDemand ? .onDemand : .tracking(coverage))
  }

  /// The content of a stored member after `beginning`, its first bytes, which somebody has already read
  /// by other means.
  ///
  /// - Throws: `integrity` where those are all there are and their checksum differs.
  package convenience init(_ member: ZipArchive.Member, after beginning: RawSpan) throws {
    let coverage = ZipCoverage(
      byteCount: member.entry.uncompressedSize, front: beginning.byteCount,
      frontCRC: CRC32.update(0, beginning))
    self.init(member, skipping: beginning.byteCount, .tracking(coverage))
    if let crc = coverage.crc { try check.withLock { try settle(&$0, crc) } }
  }

  package func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    try member.entry.archive.source.read(
      into: &buffer, at: member.dataOffset + skipped + offset)
    try account(for: buffer.bytes, at: skipped + offset)
  }

  private func account(for bytes: RawSpan, at offset: Int) throws {
    let claimed: [Range<Int>]? = try check.withLock { check in
      switch check {
      case .failed(let crc): throw member.integrityError(crc)
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
      case .failed(let crc): throw member.integrityError(crc)
      case .passed: return true
      case .onDemand, .tracking: return false
      }
    }
    guard !isSettled else { return }
    var crc: UInt32 = 0
    let content = try SourceRange(
      member.entry.archive.source, offset: member.dataOffset,
      byteCount: member.entry.compressedSize)
    try content.readThrough { crc = CRC32.update(crc, $0) }
    try check.withLock { try settle(&$0, crc) }
  }

  private func settle(_ check: inout Check, _ crc: UInt32) throws {
    guard crc == member.entry.crc32 else {
      check = .failed(crc)
      throw member.integrityError(crc)
    }
    check = .passed
  }
}
