package import Tensors

/// A member of a zip archive, as the central directory describes it.
package struct ZipEntry: Sendable {
  /// How a member's data is stored.
  package enum Method: UInt16, Sendable {
    case stored = 0
    case deflated = 8
  }

  let archive: ZipArchive
  /// The member's position in the directory.
  let index: Int
  var header: ZipCentralHeader { archive.headers[index] }

  /// The name: a label, never a path.
  ///
  /// Made anew each time, because of a million names few are looked at.
  package var name: ExactString {
    let directory = archive.directory
    return header.name(in: directory.span)
  }

  /// The name without its last bytes, which must be `ending`; nil where it ends otherwise.
  package func name(withoutEnding ending: ExactString) -> ExactString? {
    let directory = archive.directory
    let range = header.nameRange
    let end = range.upperBound - ending.utf8.count
    guard end >= range.lowerBound, directory[end..<range.upperBound].elementsEqual(ending.utf8)
    else { return nil }
    return header.name(in: directory.span, range: range.lowerBound..<end)
  }
  package var method: Method { header.method }
  /// The CRC-32 of the content.
  package var crc32: UInt32 { header.crc32 }
  /// The size of the data in the archive.
  package var compressedSize: Int { header.compressedSize }
  /// The size of the content.
  package var uncompressedSize: Int { header.uncompressedSize }
  /// Where the local header begins.
  package var headerOffset: Int { header.headerOffset }
  /// A folder, which has no content.
  package var isDirectory: Bool {
    archive.directory[header.nameRange.upperBound - 1] == UInt8(ascii: "/")
  }
}

/// The numbers of a central header: plain values, so that a million of them are read quickly.
struct ZipCentralHeader {
  let method: ZipEntry.Method
  let flags: UInt16
  let crc32: UInt32
  let compressedSize: Int
  let uncompressedSize: Int
  let headerOffset: Int
  /// Where the name's bytes lie in the directory; they are known to spell a name.
  let nameRange: Range<Int>

  /// The name, or that part of it.
  func name(in directory: Span<UInt8>, range: Range<Int>? = nil) -> ExactString {
    let bytes = directory.extracting(range ?? nameRange)
    return ZipText.name(bytes, isUTF8: flags & ZipRecords.Flags.utf8 != 0) ?? ""
  }

  /// Reads the central header at `position` of the directory and moves `position` behind it.
  ///
  /// `base` is the directory's offset in the file, for errors.
  init(
    _ directory: Span<UInt8>, at position: inout Int, base: Int, largestExpansion: Int
  ) throws {
    let start = position
    func failure(_ message: String, _ errorClass: ErrorClass = .malformed) -> IngotError {
      IngotError(errorClass, message, offset: base + start)
    }
    guard directory.count - start >= ZipRecords.centralSize else {
      throw failure("the central directory ends inside a header")
    }
    guard directory.uint32(at: start) == ZipRecords.centralSignature else {
      throw failure(
        "expected a central header, found the signature 0x\(String(directory.uint32(at: start), radix: 16))"
      )
    }
    let nameStart = start + ZipRecords.centralSize
    let extraStart = nameStart + Int(directory.uint16(at: start + 28))
    let commentStart = extraStart + Int(directory.uint16(at: start + 30))
    let end = commentStart + Int(directory.uint16(at: start + 32))
    guard end <= directory.count else {
      throw failure("a central header's name, extra fields and comment leave the directory")
    }
    position = end

    flags = directory.uint16(at: start + 8)
    nameRange = nameStart..<extraStart
    try Self.checkName(directory.extracting(nameRange), flags: flags, failure)
    let (nameRange, flags) = (nameRange, flags)
    func memberFailure(_ message: String, _ errorClass: ErrorClass = .malformed) -> IngotError {
      failure(message, errorClass).naming(
        tensor: ZipText.name(
          directory.extracting(nameRange), isUTF8: flags & ZipRecords.Flags.utf8 != 0))
    }
    try Self.checkFlags(flags, memberFailure)
    guard let method = ZipEntry.Method(rawValue: directory.uint16(at: start + 10)) else {
      throw memberFailure(
        "compression method \(directory.uint16(at: start + 10)); 0 (stored) and 8 (deflated) are read",
        .unsupported)
    }
    self.method = method
    // The upper half of the external attributes is a Unix mode; 0120000 is a symbolic link.
    guard directory.uint32(at: start + 38) >> 16 & 0xF000 != 0xA000 else {
      throw memberFailure("the member is a symbolic link", .unsafe)
    }
    crc32 = directory.uint32(at: start + 16)

    do throws(ZipFault) {
      let field = try ZipExtra.zip64(directory, in: extraStart..<commentStart)
      // Some writers (yazl) give all three numbers whichever of them is saturated.
      var wide = WideNumbers(directory, field, isComplete: field?.count ?? 0 >= 24)
      uncompressedSize = try wide.number(directory.uint32(at: start + 24), "uncompressed size")
      compressedSize = try wide.number(directory.uint32(at: start + 20), "compressed size")
      headerOffset = try wide.number(directory.uint32(at: start + 42), "offset")
      let disk = try wide.diskNumber(directory.uint16(at: start + 34))
      guard disk == 0 else { throw ZipFault("the member lies on disk \(disk)") }
    } catch {
      throw memberFailure(error.message)
    }
    try checkSizes(largestExpansion, memberFailure)
  }

  private static func checkName(
    _ bytes: Span<UInt8>, flags: UInt16, _ failure: (String, ErrorClass) -> IngotError
  ) throws {
    guard !bytes.isEmpty else { throw failure("a member without a name", .malformed) }
    var isASCII = true
    for index in bytes.indices {
      guard bytes[index] != 0 else {
        throw failure("a member's name contains a NUL byte", .malformed)
      }
      if bytes[index] >= 0x80 { isASCII = false }
    }
    guard isASCII || ZipText.name(bytes, isUTF8: flags & ZipRecords.Flags.utf8 != 0) != nil else {
      throw failure("a member's name claims to be UTF-8 and is not", .malformed)
    }
  }

  private static func checkFlags(
    _ flags: UInt16, _ failure: (String, ErrorClass) -> IngotError
  ) throws {
    typealias Flags = ZipRecords.Flags
    guard flags & (Flags.encrypted | Flags.strongEncryption | Flags.maskedHeaders) == 0 else {
      throw failure("the member is encrypted", .unsupported)
    }
    guard flags & Flags.patch == 0 else {
      throw failure("the member is a compressed patch", .unsupported)
    }
    guard flags & ~(Flags.effort | Flags.descriptor | Flags.utf8) == 0 else {
      throw failure("flags 0x\(String(flags, radix: 16)) have reserved bits", .unsupported)
    }
  }

  /// Refuses sizes that no honest archive has, before anything is read or allocated.
  private func checkSizes(
    _ largestExpansion: Int, _ failure: (String, ErrorClass) -> IngotError
  ) throws {
    switch method {
    case .stored:
      guard compressedSize == uncompressedSize else {
        throw failure(
          "a stored member has sizes \(compressedSize) and \(uncompressedSize)", .malformed)
      }
    case .deflated:
      let (ceiling, overflow) = compressedSize.multipliedReportingOverflow(by: Limits.deflateRatio)
      guard overflow || uncompressedSize <= ceiling else {
        throw failure(
          "\(compressedSize) bytes cannot expand to \(uncompressedSize): deflate's ratio ends at \(Limits.deflateRatio)",
          .malformed)
      }
      guard
        uncompressedSize <= Limits.bombBytes
          || uncompressedSize / largestExpansion <= compressedSize
      else {
        var error = failure(
          "\(compressedSize) bytes expand to \(uncompressedSize), above the ratio of \(largestExpansion) that is accepted for more than \(Limits.bombBytes) bytes",
          .limit)
        error.hint = "allow it with --max-expansion \(uncompressedSize / compressedSize + 1)"
        throw error
      }
    }
    guard uncompressedSize > 0 || crc32 == 0 else {
      throw failure("an empty member has the CRC-32 \(crc32), not 0", .integrity)
    }
  }
}
