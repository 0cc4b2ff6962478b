package import Tensors

/// A zip archive opened for reading: the central directory, checked.
///
/// Strict where zip readers are lenient, because what two readers see differently is how content is
/// smuggled past a check: the members' headers and data follow one another from the first byte to the
/// directory, without gap or overlap, and each local header repeats what the directory says.
package final class ZipArchive: Sendable {
  package let source: any ByteSource
  /// The members' central headers in the directory's order.
  let headers: [ZipCentralHeader]
  let directory: [UInt8]
  private let directoryOffset: Int

  /// Reads the directory.
  ///
  /// Local headers are checked by `forEachMember`.
  /// - Parameter largestExpansion: The ratio from which a large deflated member is taken for a bomb.
  /// - Throws: `malformed`, `unsupported`, `limit`, `unsafe` or `integrity`, naming the member.
  package init(
    _ source: any ByteSource, largestExpansion: Int = Limits.suspiciousRatio
  ) throws {
    let end = try ZipEndRecord(source)
    self.source = source
    directoryOffset = end.directoryOffset
    let directory = try source.bytes(
      at: end.directoryOffset, count: end.directorySize, "the central directory")
    self.directory = directory
    let bytes = directory.span
    var headers: [ZipCentralHeader] = []
    headers.reserveCapacity(end.entryCount)
    var names = ZipNameTable(capacity: end.entryCount)
    var totalSize = 0
    var position = 0
    for _ in 0..<end.entryCount {
      let offset = end.directoryOffset + position
      let header = try ZipCentralHeader(
        bytes, at: &position, base: end.directoryOffset, largestExpansion: largestExpansion)
      guard names.insert(header.nameRange, of: bytes) else {
        throw IngotError(
          .malformed, "the archive has two members of this name", tensor: header.name(in: bytes),
          offset: offset)
      }
      totalSize = try naming(tensor: header.name(in: bytes), offset: offset) {
        try totalSize.adding(header.uncompressedSize, "the sum of the members' sizes")
      }
      headers.append(header)
    }
    guard position == directory.count else {
      throw IngotError(
        .malformed,
        "the central directory goes on for \(directory.count - position) bytes after \(end.entryCount) members",
        offset: directoryOffset + position)
    }
    self.headers = headers
  }

  /// How many members there are.
  package var count: Int { headers.count }

  /// The members in the directory's order.
  package var entries: [ZipEntry] { headers.indices.map { ZipEntry(archive: self, index: $0) } }

  /// Checks every member's local header and calls `body` with the member's position in `entries` and
  /// the first bytes of its data, at least `beginning` of them where there are as many.
  ///
  /// Members come in the order of the file, so that each part of it is read once.
  /// - Throws: `malformed` for gaps, overlaps and contradictions; what `body` throws.
  package func forEachMember(
    beginning: Int = 0,
    _ body: (_ index: Int, _ member: Member, _ data: ArraySlice<UInt8>) throws -> Void
  ) throws {
    let order = fileOrder()
    let window = ReadWindow(source, end: directoryOffset)
    let directory = directory
    let names = directory.span
    var expected = 0
    for rank in headers.indices {
      let index = order?[rank] ?? rank
      func start(ofRank rank: Int) -> Int { headers[order?[rank] ?? rank].headerOffset }
      let header = headers[index]
      do {
        guard header.headerOffset == expected else {
          throw IngotError(
            .malformed,
            header.headerOffset > expected
              ? "\(header.headerOffset - expected) bytes that belong to no member lie before this one"
              : "the member begins at byte \(header.headerOffset), inside another that ends at \(expected)",
            offset: min(header.headerOffset, expected))
        }
        let next = rank + 1 < headers.count ? start(ofRank: rank + 1) : directoryOffset
        // Where members are small, one read serves many of them.
        let ahead = start(ofRank: min(rank + 8, headers.count - 1))
        let local = try LocalHeader(
          of: header, names, window, beginning: beginning,
          isDense: ahead - expected < ReadWindow.length / 2)
        let dataEnd = try local.dataOffset.adding(header.compressedSize, "the end of the data")
        expected = try endOfMember(header, dataEnd: dataEnd, next: next, window)
        try body(
          index,
          Member(entry: ZipEntry(archive: self, index: index), dataOffset: local.dataOffset),
          window.slice(
            at: local.dataOffset, upTo: min(dataEnd, directoryOffset), limit: beginning))
      } catch let error as IngotError {
        throw error.naming(tensor: header.name(in: names), offset: header.headerOffset)
      }
    }
    guard expected == directoryOffset else {
      throw IngotError(
        .malformed,
        "\(directoryOffset - expected) bytes lie between the last member and the central directory",
        offset: expected)
    }
  }

  /// All members, checked, in the directory's order.
  package func members() throws -> [Member] {
    var members = entries.map { Member(entry: $0, dataOffset: 0) }
    try forEachMember { index, member, _ in members[index] = member }
    return members
  }

  /// The members' positions in the order of their local headers; nil where that is the directory's.
  private func fileOrder() -> [Int]? {
    var previous = -1
    for header in headers {
      guard header.headerOffset > previous else {
        return headers.indices.sorted { headers[$0].headerOffset < headers[$1].headerOffset }
      }
      previous = header.headerOffset
    }
    return nil
  }

  /// Where a member with its data descriptor ends; at most `next`.
  private func endOfMember(
    _ header: ZipCentralHeader, dataEnd: Int, next: Int, _ window: ReadWindow
  ) throws -> Int {
    guard dataEnd <= next else {
      throw IngotError(
        .malformed,
        "the member's \(header.compressedSize) bytes end at \(dataEnd), what follows it begins at \(next)",
        offset: header.headerOffset)
    }
    guard header.flags & ZipRecords.Flags.descriptor != 0 else { return dataEnd }
    // CRC and two sizes of 4 or 8 bytes, with or without a signature: the length tells which.
    let count = next - dataEnd
    let failure = IngotError(
      .malformed, "the \(count) bytes after the data are no data descriptor that agrees",
      offset: dataEnd)
    guard [12, 16, 20, 24].contains(count) else { throw failure }
    var reader = ByteReader(
      try window.holds(count, at: dataEnd)
        ? Array(window.slice(at: dataEnd, upTo: next, limit: count))
        : source.bytes(at: dataEnd, count: count, "the data descriptor"))
    let hasSignature = count == 16 || count == 24
    guard try !hasSignature || reader.uint32("signature") == ZipRecords.descriptorSignature,
      try reader.uint32("CRC-32") == header.crc32,
      try reader.unsigned(width: count < 20 ? 4 : 8, "size") == UInt64(header.compressedSize),
      try reader.unsigned(width: count < 20 ? 4 : 8, "size") == UInt64(header.uncompressedSize)
    else { throw failure }
    return next
  }
}

/// A local header that agrees with the directory.
private struct LocalHeader {
  let dataOffset: Int

  init(
    of central: ZipCentralHeader, _ directory: Span<UInt8>, _ window: ReadWindow, beginning: Int,
    isDense: Bool
  ) throws {
    let start = central.headerOffset
    func failure(_ message: String) -> IngotError {
      IngotError(.malformed, message, offset: start)
    }
    // NumPy's extra area has 20 bytes, one that aligns the data up to 64 more.
    let usualExtra = 96
    let usual = ZipRecords.localSize + central.nameRange.count + usualExtra + beginning
    try window.load(at: start, count: usual, ahead: isDense ? ReadWindow.length : usual)
    guard window.holds(ZipRecords.localSize, at: start) else {
      throw failure("the local header is cut short")
    }
    guard window.uint32(at: start) == ZipRecords.localSignature else {
      throw failure(
        "expected a local header, found the signature 0x\(String(window.uint32(at: start), radix: 16))"
      )
    }
    let extraStart = ZipRecords.localSize + Int(window.uint16(at: start + 26))
    let count = extraStart + Int(window.uint16(at: start + 28))
    try window.load(at: start, count: count + beginning, ahead: count + beginning)
    guard window.holds(count, at: start) else {
      throw failure("the local header's name and extra fields leave the members' part of the file")
    }
    dataOffset = start + count

    let buffer = window.buffer
    let header = buffer.span.extracting(
      window.position(of: start)..<window.position(of: dataOffset))
    guard header.equals(ZipRecords.localSize..<extraStart, directory, central.nameRange) else {
      throw failure("the local header and the central directory give different names")
    }
    guard header.uint16(at: 6) == central.flags else {
      throw failure("the local header and the central directory give different flags")
    }
    guard header.uint16(at: 8) == central.method.rawValue else {
      throw failure("the local header and the central directory give different methods")
    }
    try Self.checkNumbers(of: central, header, extra: extraStart..<count, failure)
  }

  /// Checks CRC and sizes, which may be zero where a data descriptor repeats them.
  private static func checkNumbers(
    of central: ZipCentralHeader, _ header: Span<UInt8>, extra: Range<Int>,
    _ failure: (String) -> IngotError
  ) throws {
    let isStreamed = central.flags & ZipRecords.Flags.descriptor != 0
    func check(_ local: Int, _ central: Int, _ what: String) throws {
      guard local == central || isStreamed && local == 0 else {
        throw failure("the local header gives \(what) \(local), the central directory \(central)")
      }
    }
    try check(Int(header.uint32(at: 14)), Int(central.crc32), "the CRC-32")
    let compressed: Int
    let uncompressed: Int
    do throws(ZipFault) {
      let field = try ZipExtra.zip64(header, in: extra)
      // A local field holds both sizes, whichever of them the header leaves to it.
      var wide = WideNumbers(header, field, isComplete: field?.count == 16)
      uncompressed = try wide.number(header.uint32(at: 22), "uncompressed size")
      compressed = try wide.number(header.uint32(at: 18), "compressed size")
      try wide.finish()
    } catch {
      throw failure("local header: \(error.message)")
    }
    try check(uncompressed, central.uncompressedSize, "the uncompressed size")
    try check(compressed, central.compressedSize, "the compressed size")
  }
}

/// The stretch of the file that was read last.
private final class ReadWindow {
  /// Enough for the largest local header, and for many small members at once.
  static let length = 160 << 10

  private let source: any ByteSource
  /// Where the members end: nothing behind it is ever loaded.
  private let end: Int
  private(set) var buffer = [UInt8](repeating: 0, count: length)
  private var range = 0..<0

  init(_ source: any ByteSource, end: Int) {
    self.source = source
    self.end = end
  }

  /// Whether `count` bytes from `offset` on are loaded.
  func holds(_ count: Int, at offset: Int) -> Bool {
    offset >= range.lowerBound && offset + count <= range.upperBound
  }

  /// Makes `count` bytes from `offset` on available, or those up to the end; a read brings in `ahead`.
  func load(at offset: Int, count: Int, ahead: Int) throws {
    let available = max(0, end - offset)
    guard !holds(min(count, available), at: offset) else { return }
    let count = min(ahead, Self.length, available)
    range = 0..<0
    let source = source
    try buffer.withMutableBytes { bytes in
      try bytes.withRange(0..<count) { try source.read(into: &$0, at: offset) }
    }
    range = offset..<offset + count
  }

  /// The number at `offset` of the file, which must be loaded.
  func uint16(at offset: Int) -> UInt16 {
    let bytes = buffer
    return bytes.span.uint16(at: position(of: offset))
  }

  /// The number at `offset` of the file, which must be loaded.
  func uint32(at offset: Int) -> UInt32 {
    let bytes = buffer
    return bytes.span.uint32(at: position(of: offset))
  }

  /// The position in `buffer` of the byte at `offset`, which must be loaded.
  func position(of offset: Int) -> Int { offset - range.lowerBound }

  /// Up to `limit` loaded bytes from `offset` on, ending before `end`.
  func slice(at offset: Int, upTo end: Int, limit: Int) -> ArraySlice<UInt8> {
    let stop = min(offset + limit, end, range.upperBound)
    guard offset >= range.lowerBound, offset < stop else { return [] }
    return buffer[position(of: offset)..<position(of: stop)]
  }
}
