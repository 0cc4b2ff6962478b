/// The records of a zip archive, all little-endian (APPNOTE.TXT 6.3.10, sections 4.3 and 4.5).
///
///     local header, name, extra, data, [data descriptor]      one per member
///     central header, name, extra, comment                    one per member
///     [zip64 end record, zip64 locator]
///     end record, comment
///
/// The directory at the end is the truth; local headers repeat it so that a stream can be unpacked.
/// Numbers that do not fit 16 or 32 bits are saturated (all ones) and stand in a zip64 extra field.
enum ZipRecords {
  static let localSignature: UInt32 = 0x0403_4B50
  static let localSize = 30
  static let centralSignature: UInt32 = 0x0201_4B50
  static let centralSize = 46
  static let descriptorSignature: UInt32 = 0x0807_4B50
  static let endSignature: UInt32 = 0x0605_4B50
  static let endSize = 22
  static let zip64EndSignature: UInt32 = 0x0606_4B50
  static let zip64EndSize = 56
  static let zip64LocatorSignature: UInt32 = 0x0706_4B50
  static let zip64LocatorSize = 20

  /// The extra field with 64-bit numbers.
  static let zip64Field: UInt16 = 0x0001
  /// Android's extra field for alignment: 2 bytes saying to what, then padding.
  static let alignmentField: UInt16 = 0xD935

  static let saturated16 = 0xFFFF
  static let saturated32 = 0xFFFF_FFFF

  /// The bits of the general-purpose flags.
  enum Flags {
    static let encrypted: UInt16 = 1 << 0
    /// How hard the compressor tried.
    static let effort: UInt16 = 1 << 1 | 1 << 2
    /// CRC and sizes follow the data.
    static let descriptor: UInt16 = 1 << 3
    static let patch: UInt16 = 1 << 5
    static let strongEncryption: UInt16 = 1 << 6
    /// The name is UTF-8.
    static let utf8: UInt16 = 1 << 11
    static let maskedHeaders: UInt16 = 1 << 13
  }
}

/// Numbers in records whose extent has been checked.
extension Span<UInt8> {
  func uint16(at offset: Int) -> UInt16 { UInt16(self[offset]) | UInt16(self[offset + 1]) << 8 }

  func uint32(at offset: Int) -> UInt32 {
    UInt32(uint16(at: offset)) | UInt32(uint16(at: offset + 2)) << 16
  }

  func uint64(at offset: Int) -> UInt64 {
    UInt64(uint32(at: offset)) | UInt64(uint32(at: offset + 4)) << 32
  }

  /// Whether the bytes in `range` are those of `other` in `otherRange`.
  func equals(_ range: Range<Int>, _ other: Span<UInt8>, _ otherRange: Range<Int>) -> Bool {
    guard range.count == otherRange.count else { return false }
    for index in 0..<range.count
    where self[range.lowerBound + index] != other[otherRange.lowerBound + index] {
      return false
    }
    return true
  }
}

/// The one extra field that matters for reading.
enum ZipExtra {
  /// Where the content of the zip64 field lies, or nil where there is none.
  ///
  /// - Throws: a reason, where a field leaves `range` or the zip64 field occurs twice.
  static func zip64(
    _ bytes: Span<UInt8>, in range: Range<Int>
  ) throws(ZipFault) -> Range<Int>? {
    var position = range.lowerBound
    var found: Range<Int>?
    while range.upperBound - position >= 4 {
      let identifier = bytes.uint16(at: position)
      let start = position + 4
      let count = Int(bytes.uint16(at: position + 2))
      guard count <= range.upperBound - start else {
        throw ZipFault("extra field \(hex(identifier)) of \(count) bytes leaves the extra area")
      }
      if identifier == ZipRecords.zip64Field {
        guard found == nil else { throw ZipFault("the zip64 extra field occurs twice") }
        found = start..<start + count
      }
      position = start + count
    }
    // zipalign pads the area with up to three zeros.
    for index in position..<range.upperBound where bytes[index] != 0 {
      throw ZipFault("the extra area ends inside a field")
    }
    return found
  }

  private static func hex(_ value: UInt16) -> String { "0x" + String(value, radix: 16) }
}

/// What is wrong with a record, before the member and the offset are known.
struct ZipFault: Error {
  let message: String

  init(_ message: String) { self.message = message }
}
