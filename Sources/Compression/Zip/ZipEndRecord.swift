internal import Tensors

/// Where the central directory lies and how many members it has.
struct ZipEndRecord {
  let entryCount: Int
  let directoryOffset: Int
  let directorySize: Int

  /// Finds the end record, and the zip64 one where there is one.
  ///
  /// The record must be the only place in the last 64 KiB that could be one, its comment must end with
  /// the file, and the directory must end where the end records begin: what two readers find in
  /// different places is what an attacker writes.
  init(_ source: any ByteSource) throws {
    let size = source.byteCount
    guard size >= ZipRecords.endSize else {
      throw IngotError(.malformed, "a zip archive of \(size) bytes is cut short", offset: 0)
    }
    let tailSize = min(
      size, ZipRecords.zip64LocatorSize + ZipRecords.endSize + ZipRecords.saturated16)
    let tailStart = size - tailSize
    let bytes = try source.bytes(at: tailStart, count: tailSize, "the end of the archive")
    let tail = bytes.span
    let position = try Self.findRecord(tail, at: tailStart)
    let offset = tailStart + position

    let narrow = (
      entries: Int(tail.uint16(at: position + 10)), size: Int(tail.uint32(at: position + 12)),
      offset: Int(tail.uint32(at: position + 16))
    )
    let locator = position - ZipRecords.zip64LocatorSize
    let end: Int
    if locator >= 0, tail.uint32(at: locator) == ZipRecords.zip64LocatorSignature {
      let wide = try WideEndRecord(
        source, locator: tail.extracting(locator..<position), locatorOffset: tailStart + locator)
      guard [wide.entryCount, ZipRecords.saturated16].contains(narrow.entries),
        [wide.directorySize, ZipRecords.saturated32].contains(narrow.size),
        [wide.directoryOffset, ZipRecords.saturated32].contains(narrow.offset)
      else {
        throw IngotError(
          .malformed, "the end record and the zip64 end record disagree", offset: offset)
      }
      (entryCount, directorySize, directoryOffset) = (
        wide.entryCount, wide.directorySize, wide.directoryOffset
      )
      end = wide.offset
    } else {
      // This disk and the directory's.
      guard tail.uint16(at: position + 4) == 0, tail.uint16(at: position + 6) == 0 else {
        throw IngotError(
          .unsupported, "the zip archive is split over several disks", offset: offset)
      }
      guard tail.uint16(at: position + 8) == narrow.entries else {
        throw IngotError(
          .malformed,
          "the end record counts \(tail.uint16(at: position + 8)) and \(narrow.entries) members",
          offset: offset)
      }
      guard narrow.entries != ZipRecords.saturated16, narrow.size != ZipRecords.saturated32,
        narrow.offset != ZipRecords.saturated32
      else {
        throw IngotError(
          .malformed, "the end record refers to a zip64 end record, there is none", offset: offset)
      }
      (entryCount, directorySize, directoryOffset) = (narrow.entries, narrow.size, narrow.offset)
      end = offset
    }
    try checkExtent(end: end)
  }

  /// Checks that the directory ends at `end`, where the end records begin, and can hold its entries.
  private func checkExtent(end: Int) throws {
    guard directorySize <= end - directoryOffset else {
      throw IngotError(
        .malformed,
        "the central directory of \(directorySize) bytes at \(directoryOffset) leaves the \(end) bytes before the end record",
        offset: end)
    }
    guard directoryOffset + directorySize == end else {
      throw IngotError(
        .malformed,
        "\(end - directoryOffset - directorySize) bytes lie between the central directory and the end record",
        offset: directoryOffset + directorySize)
    }
    guard entryCount <= Limits.members else {
      throw IngotError(.limit, "\(entryCount) members are above \(Limits.members)", offset: end)
    }
    let largestEntry = ZipRecords.centralSize + 3 * ZipRecords.saturated16
    guard directorySize >= entryCount * ZipRecords.centralSize,
      directorySize <= entryCount * largestEntry
    else {
      throw IngotError(
        .malformed,
        "\(entryCount) members cannot take a central directory of \(directorySize) bytes",
        offset: end)
    }
  }

  /// The position in `tail` of the one end record whose comment ends with the file.
  private static func findRecord(_ tail: Span<UInt8>, at tailStart: Int) throws -> Int {
    var found: Int?
    var lastSignature: Int?
    for position in 0...tail.count - ZipRecords.endSize
    where tail[position] == 0x50 && tail.uint32(at: position) == ZipRecords.endSignature {
      lastSignature = position
      let comment = Int(tail.uint16(at: position + 20))
      guard position + ZipRecords.endSize + comment == tail.count else { continue }
      if let found {
        throw IngotError(
          .malformed,
          "two places could be the archive's end record: bytes \(tailStart + found) and \(tailStart + position)",
          offset: tailStart + found)
      }
      found = position
    }
    if let found { return found }
    guard let lastSignature else {
      throw IngotError(
        .malformed, "no end record: this is no zip archive, or it is cut short",
        offset: tailStart + tail.count)
    }
    throw IngotError(
      .malformed, "the end record's comment does not end with the file: bytes follow or lack",
      offset: tailStart + lastSignature)
  }
}

/// The zip64 end record that the locator before the end record points to.
private struct WideEndRecord {
  let offset: Int
  let entryCount: Int
  let directoryOffset: Int
  let directorySize: Int

  init(_ source: any ByteSource, locator: Span<UInt8>, locatorOffset: Int) throws {
    func failure(_ message: String, class errorClass: ErrorClass = .malformed) -> IngotError {
      IngotError(errorClass, message, offset: locatorOffset)
    }
    guard locator.uint32(at: 4) == 0, locator.uint32(at: 16) <= 1 else {
      throw failure("the zip archive is split over several disks", class: .unsupported)
    }
    let declared = locator.uint64(at: 8)
    guard let offset = Int(exactly: declared), offset <= locatorOffset - ZipRecords.zip64EndSize
    else {
      throw failure("the zip64 locator points to \(declared), beyond itself")
    }
    self.offset = offset
    let bytes = try source.bytes(
      at: offset, count: ZipRecords.zip64EndSize, "the zip64 end record")
    let record = bytes.span
    guard record.uint32(at: 0) == ZipRecords.zip64EndSignature else {
      throw failure("the zip64 locator points to \(offset), where no zip64 end record is")
    }
    let size = record.uint64(at: 4)
    guard size == UInt64(locatorOffset - offset - 12) else {
      throw failure("the zip64 end record declares \(size) bytes and does not end at its locator")
    }
    guard size == UInt64(ZipRecords.zip64EndSize - 12) else {
      throw failure("the zip64 end record has an extensible data sector", class: .unsupported)
    }
    guard record.uint32(at: 16) == 0, record.uint32(at: 20) == 0,
      record.uint64(at: 24) == record.uint64(at: 32)
    else {
      throw failure("the zip archive is split over several disks", class: .unsupported)
    }
    entryCount = try Int(fromFile: record.uint64(at: 32), "the number of members")
    directorySize = try Int(fromFile: record.uint64(at: 40), "the central directory's size")
    directoryOffset = try Int(fromFile: record.uint64(at: 48), "the central directory's offset")
  }
}
