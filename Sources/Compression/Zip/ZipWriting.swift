package import Tensors

/// A member of an archive being written, and the records that describe it.
///
/// Local headers are NumPy's: sizes saturated, both in a zip64 field, so that a header's length does not
/// depend on sizes that are known only later. Times are 1980-01-01, so that equal content gives equal
/// archives.
package struct ZipMemberRecord: Sendable {
  package let name: ExactString
  package let method: ZipEntry.Method
  /// Where the local header begins.
  package var headerOffset: Int
  package var crc32: UInt32 = 0
  package var compressedSize = 0
  package var uncompressedSize = 0
  /// Bytes in an extra field that moves the data to an aligned offset.
  private let alignmentBytes: Int
  private let alignment: Int

  /// A member whose local header begins at `headerOffset`; CRC and sizes may be filled in later.
  ///
  /// - Parameters:
  ///   - alignment: What the offset of the data must be a multiple of, at most 32,768.
  ///   - prefix: How many bytes of data come before those that are to be aligned.
  package init(
    name: ExactString, method: ZipEntry.Method, headerOffset: Int, alignment: Int = 1,
    prefix: Int = 0
  ) {
    precondition(alignment > 0 && alignment <= 1 << 15)
    self.name = name
    self.method = method
    self.headerOffset = headerOffset
    self.alignment = alignment
    let end = headerOffset + ZipRecords.localSize + name.utf8.count + Self.zip64Bytes + prefix
    alignmentBytes =
      end % alignment == 0
      ? 0 : (end + Self.smallestAlignmentField).roundedUp(toMultipleOf: alignment) - end
  }

  private static let zip64Bytes = 4 + 16
  private static let smallestAlignmentField = 4 + 2
  /// Zip64 came with version 4.5.
  private static let version: UInt16 = 45
  /// 1 January 1980, 0:00: the earliest there is.
  private static let date: UInt16 = 1 << 5 | 1

  /// The size of the local header.
  package var headerSize: Int {
    ZipRecords.localSize + name.utf8.count + Self.zip64Bytes + alignmentBytes
  }

  private var flags: UInt16 {
    name.utf8.allSatisfy { $0 < 0x80 } ? 0 : ZipRecords.Flags.utf8
  }

  /// The local header; written again over itself when CRC and sizes are known.
  package func localHeader() -> [UInt8] {
    var writer = ByteWriter(capacity: headerSize)
    writer.append(ZipRecords.localSignature)
    writer.append(Self.version)
    appendCommon(
      to: &writer, compressed: ZipRecords.saturated32, uncompressed: ZipRecords.saturated32,
      extra: Self.zip64Bytes + alignmentBytes)
    writer.append(name.text)
    writer.append(ZipRecords.zip64Field)
    writer.append(UInt16(16))
    writer.append(uncompressedSize, width: 8)
    writer.append(compressedSize, width: 8)
    if alignmentBytes > 0 {
      writer.append(ZipRecords.alignmentField)
      writer.append(alignmentBytes - 4, width: 2)
      writer.append(alignment, width: 2)
      writer.pad(to: headerSize)
    }
    return writer.bytes
  }

  private func appendCommon(
    to writer: inout ByteWriter, compressed: Int, uncompressed: Int, extra: Int
  ) {
    writer.append(flags)
    writer.append(method.rawValue)
    writer.append(UInt16(0))  // time
    writer.append(Self.date)
    writer.append(crc32)
    writer.append(compressed, width: 4)
    writer.append(uncompressed, width: 4)
    writer.append(name.utf8.count, width: 2)
    writer.append(extra, width: 2)
  }

  /// Appends the central header.
  fileprivate func appendCentralHeader(to writer: inout ByteWriter) {
    let wide = [uncompressedSize, compressedSize, headerOffset].filter {
      $0 >= ZipRecords.saturated32
    }
    writer.append(ZipRecords.centralSignature)
    writer.append(UInt16(3 << 8) | Self.version)  // made on Unix
    writer.append(Self.version)
    appendCommon(
      to: &writer, compressed: min(compressedSize, ZipRecords.saturated32),
      uncompressed: min(uncompressedSize, ZipRecords.saturated32),
      extra: wide.isEmpty ? 0 : 4 + 8 * wide.count)
    writer.append(UInt16(0))  // comment
    writer.append(UInt16(0))  // disk
    writer.append(UInt16(0))  // internal attributes
    writer.append(UInt32(0o100600) << 16)  // a regular file
    writer.append(min(headerOffset, ZipRecords.saturated32), width: 4)
    writer.append(name.text)
    guard !wide.isEmpty else { return }
    writer.append(ZipRecords.zip64Field)
    writer.append(8 * wide.count, width: 2)
    for value in wide { writer.append(value, width: 8) }
  }
}

/// The end of an archive being written.
package enum ZipDirectory {
  /// The central directory of `records` and the end records, for an archive whose members end at
  /// `offset`.
  package static func bytes(of records: [ZipMemberRecord], at offset: Int) -> [UInt8] {
    var writer = ByteWriter()
    for record in records { record.appendCentralHeader(to: &writer) }
    let size = writer.count
    if records.count >= ZipRecords.saturated16 || size >= ZipRecords.saturated32
      || offset >= ZipRecords.saturated32
    {
      appendZip64End(to: &writer, count: records.count, size: size, offset: offset)
    }
    writer.append(ZipRecords.endSignature)
    writer.append(UInt32(0))  // this disk and the directory's
    let count = min(records.count, ZipRecords.saturated16)
    writer.append(count, width: 2)
    writer.append(count, width: 2)
    writer.append(min(size, ZipRecords.saturated32), width: 4)
    writer.append(min(offset, ZipRecords.saturated32), width: 4)
    writer.append(UInt16(0))  // comment
    return writer.bytes
  }

  private static func appendZip64End(
    to writer: inout ByteWriter, count: Int, size: Int, offset: Int
  ) {
    writer.append(ZipRecords.zip64EndSignature)
    writer.append(ZipRecords.zip64EndSize - 12, width: 8)
    writer.append(UInt16(3 << 8 | 45))
    writer.append(UInt16(45))
    writer.append(UInt64(0))  // this disk and the directory's
    writer.append(count, width: 8)
    writer.append(count, width: 8)
    writer.append(size, width: 8)
    writer.append(offset, width: 8)
    writer.append(ZipRecords.zip64LocatorSignature)
    writer.append(UInt32(0))
    writer.append(offset + size, width: 8)
    writer.append(UInt32(1))
  }
}
