internal import Tensors

/// A member of a zip archive, as the central directory describes it.
package struct ZipEntry: Sendable {
  /// How a member's data is stored.
  package enum Method: UInt16, Sendable {
    case stored = 0
    case deflated = 8
  }

  /// The name: a label, never a path.
  package let name: String
  package let method: Method
  /// The CRC-32 of the content.
  package let crc32: UInt32
  /// The size of the data in the archive.
  package let compressedSize: Int
  /// The size of the content.
  package let uncompressedSize: Int
  /// Where the local header begins.
  package let headerOffset: Int
  /// A folder, which has no content.
  package var isDirectory: Bool { name.utf8.last == UInt8(ascii: "/") }

  let flags: UInt16
  /// Where the name's bytes lie in the directory.
  let nameRange: Range<Int>

  /// Reads the central header at `position` of the directory and moves `position` behind it.
  ///
  /// `base` is the directory's offset in the file, for errors.
  init(_ directory: Span<UInt8>, at position: inout Int, base: Int) throws {
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
    name = try Self.name(directory.extracting(nameRange), flags: flags, failure)
    let name = name
    func memberFailure(_ message: String, _ errorClass: ErrorClass = .malformed) -> IngotError {
      failure(message, errorClass).naming(tensor: name)
    }
    try Self.checkFlags(flags, memberFailure)
    guard let method = Method(rawValue: directory.uint16(at: start + 10)) else {
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
    try checkSizes(memberFailure)
  }

  private static func name(
    _ bytes: Span<UInt8>, flags: UInt16, _ failure: (String, ErrorClass) -> IngotError
  ) throws -> String {
    guard !bytes.isEmpty else { throw failure("a member without a name", .malformed) }
    for index in bytes.indices where bytes[index] == 0 {
      throw failure("a member's name contains a NUL byte", .malformed)
    }
    guard let name = ZipText.name(bytes, isUTF8: flags & ZipRecords.Flags.utf8 != 0) else {
      throw failure("a member's name claims to be UTF-8 and is not", .malformed)
    }
    return name
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
  private func checkSizes(_ failure: (String, ErrorClass) -> IngotError) throws {
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
          || uncompressedSize / Limits.suspiciousRatio <= compressedSize
      else {
        throw failure(
          "\(compressedSize) bytes expand to \(uncompressedSize), above the ratio of \(Limits.suspiciousRatio) that is accepted for more than \(Limits.bombBytes) bytes",
          .limit)
      }
    }
    guard uncompressedSize > 0 || crc32 == 0 else {
      throw failure("an empty member has the CRC-32 \(crc32), not 0", .integrity)
    }
  }
}

/// Takes numbers from the zip64 field where the header's own are saturated.
///
/// The field holds exactly those numbers, in the order in which they are asked for here, or, where it is
/// complete, all of them.
struct WideNumbers: ~Escapable {
  private let bytes: Span<UInt8>
  private var rest: Range<Int>
  private let isComplete: Bool

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>, _ field: Range<Int>?, isComplete: Bool) {
    self.bytes = bytes
    rest = field ?? 0..<0
    self.isComplete = isComplete
  }

  mutating func number(_ narrow: UInt32, _ what: String) throws(ZipFault) -> Int {
    let isSaturated = narrow == UInt32(ZipRecords.saturated32)
    guard isSaturated || isComplete else { return Int(narrow) }
    guard rest.count >= 8 else { throw ZipFault("the zip64 extra field lacks the \(what)") }
    let wide = bytes.uint64(at: rest.lowerBound)
    rest = rest.lowerBound + 8..<rest.upperBound
    guard let value = Int(exactly: wide) else {
      throw ZipFault("the \(what) \(wide) exceeds 2^63")
    }
    guard isSaturated || value == Int(narrow) else {
      throw ZipFault("the header gives the \(what) \(narrow), its zip64 extra field \(value)")
    }
    return value
  }

  /// The last number that the field can hold; it must end here.
  mutating func diskNumber(_ narrow: UInt16) throws(ZipFault) -> UInt32 {
    var number = UInt32(narrow)
    if narrow == UInt16(ZipRecords.saturated16) {
      guard rest.count >= 4 else { throw ZipFault("the zip64 extra field lacks the disk number") }
      number = bytes.uint32(at: rest.lowerBound)
      rest = rest.lowerBound + 4..<rest.upperBound
    }
    try finish()
    return number
  }

  /// Checks that the field holds nothing else.
  func finish() throws(ZipFault) {
    guard rest.isEmpty else {
      throw ZipFault("the zip64 extra field holds \(rest.count) bytes too many")
    }
  }
}
