internal import Tensors

/// The widths in bytes of the two kinds of number in an HDF5 file: offsets and lengths.
struct FieldWidths: Sendable, Hashable {
  var offset = 8
  var length = 8
}

/// The superblock: where everything in an HDF5 file starts.
///
/// Versions 0 and 1: signature, versions of five structures with the widths of offsets and lengths
/// between them, the node sizes of group B-trees, consistency flags, (1: the node size of chunk
/// B-trees,) base address, free space, end of file, driver information, and the symbol table entry of
/// the root group. Versions 2 and 3: signature, version, widths, flags, base address, address of the
/// superblock extension, end of file, root object header, checksum.
///
/// The signature counts at byte 0 only. HDF5 also allows 512, 1024 … behind a user block; a file with
/// one is refused by name, because whatever fills the block is a second format in the same file.
struct Superblock: Sendable {
  static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]

  var widths = FieldWidths()
  /// Half the largest number of entries of a symbol table node, and of children of a group B-tree node.
  var groupLeafK = 4
  var groupInternalK = 16
  var rootAddress = 0
  var extensionAddress: Int?
  /// The size of the superblock itself.
  var byteCount = 0

  /// Bits of the consistency flags.
  ///
  /// Libraries of the 1990s closed every file with both of the first
  /// two set; one set alone is a file whose writer died.
  private enum Consistency {
    static let openForWriting = 1
    static let verified = 2
    static let singleWriter = 4
    static let all = 7
  }

  /// Reads and checks the superblock against the file.
  static func read(_ source: any ByteSource) throws -> Superblock {
    guard source.byteCount > 0 else { throw IngotError(.malformed, "empty file", offset: 0) }
    var reader = ByteReader(
      try source.bytes(at: 0, count: min(source.byteCount, 128), "the superblock"))
    guard source.byteCount >= 8, try reader.array(8, "the signature") == signature else {
      throw try missingSignature(source)
    }
    let version = try reader.uint8("the superblock's version")
    switch version {
    case 0, 1: return try read(&reader, source, hasChunkNodeSize: version == 1)
    case 2, 3: return try readChecked(&reader, source)
    default:
      throw IngotError(.unsupported, "HDF5 superblock version \(version)", offset: 8)
    }
  }

  private static func missingSignature(_ source: any ByteSource) throws -> IngotError {
    var offset = 512
    while offset <= source.byteCount - 8 {
      if try source.bytes(at: offset, count: 8, "a signature") == signature {
        return IngotError(
          .unsupported, "HDF5 behind a user block of \(offset) bytes", offset: offset,
          hint: "remove the block first: h5unjam -i FILE -o NEW")
      }
      offset *= 2
    }
    return IngotError(.malformed, "no HDF5 signature", offset: 0)
  }

  private mutating func readWidths(_ reader: inout ByteReader) throws {
    let at = reader.offset
    widths.offset = Int(try reader.uint8("the width of offsets"))
    widths.length = Int(try reader.uint8("the width of lengths"))
    for width in [widths.offset, widths.length] where ![2, 4, 8].contains(width) {
      let isLegal = width == 16 || width == 32
      throw IngotError(
        isLegal ? .unsupported : .malformed, "offsets or lengths of \(width) bytes", offset: at)
    }
  }

  private static func read(
    _ reader: inout ByteReader, _ source: any ByteSource, hasChunkNodeSize: Bool
  ) throws -> Superblock {
    var superblock = Superblock()
    for what in ["free space", "root group"] {
      let at = reader.offset
      let version = try reader.uint8("the version of the \(what)")
      guard version == 0 else {
        throw IngotError(.unsupported, "version \(version) of the \(what)", offset: at)
      }
    }
    try reader.skip(1, "a reserved byte")
    let sharedAt = reader.offset
    let shared = try reader.uint8("the version of shared messages")
    guard shared == 0 else {
      throw IngotError(
        .unsupported, "version \(shared) of shared messages in the superblock", offset: sharedAt)
    }
    try superblock.readWidths(&reader)
    try reader.skip(1, "a reserved byte")
    superblock.groupLeafK = Int(try reader.uint16("the size of symbol table nodes"))
    superblock.groupInternalK = Int(try reader.uint16("the size of B-tree nodes"))
    let flagsAt = reader.offset
    let flags = Int(try reader.uint32("the consistency flags"))
    if hasChunkNodeSize { try reader.skip(4, "the size of chunk B-tree nodes") }
    let widths = superblock.widths
    let baseAt = reader.offset
    let base = try reader.address(widths, "the base address")
    _ = try reader.address(widths, "the address of free space")
    let endAt = reader.offset
    let end = try reader.address(widths, "the end-of-file address")
    let driverAt = reader.offset
    guard try reader.address(widths, "the driver information") == nil else {
      throw IngotError(
        .unsupported, "a file split by an HDF5 driver (family, multi)", offset: driverAt)
    }
    try reader.skip(widths.offset, "the root's name")
    superblock.rootAddress = try reader.definedAddress(widths, "the root group's address")
    let cacheAt = reader.offset
    let cached = try reader.uint32("the root's cache")
    guard cached < 2 else {
      throw IngotError(.malformed, "the root is cached as of kind \(cached)", offset: cacheAt)
    }
    try reader.skip(20, "the root's symbol table entry")
    superblock.byteCount = reader.position
    try check(base: base, at: baseAt)
    try check(
      flags: flags & Consistency.verified != 0 ? flags & ~Consistency.all : flags, at: flagsAt)
    try check(end: end, at: endAt, source)
    guard superblock.groupLeafK > 0, superblock.groupInternalK > 0 else {
      throw IngotError(.malformed, "B-tree nodes without room for entries", offset: 16)
    }
    return superblock
  }

  private static func readChecked(
    _ reader: inout ByteReader, _ source: any ByteSource
  ) throws -> Superblock {
    var superblock = Superblock()
    try superblock.readWidths(&reader)
    let widths = superblock.widths
    try reader.verifyChecksum(from: 0, after: 1 + 4 * widths.offset, "the superblock")
    let flagsAt = reader.offset
    let flags = Int(try reader.uint8("the consistency flags"))
    let base = try reader.address(widths, "the base address")
    superblock.extensionAddress = try reader.address(widths, "the superblock extension")
    let endAt = reader.offset
    let end = try reader.address(widths, "the end-of-file address")
    superblock.rootAddress = try reader.definedAddress(widths, "the root group's address")
    superblock.byteCount = reader.position + 4
    try check(base: base, at: flagsAt + 1)
    try check(flags: flags, at: flagsAt)
    try check(end: end, at: endAt, source)
    return superblock
  }

  private static func check(base: Int?, at offset: Int) throws {
    guard base == 0 else {
      throw IngotError(
        .unsupported, "an HDF5 base address other than 0 (a user block)", offset: offset)
    }
  }

  private static func check(flags: Int, at offset: Int) throws {
    guard flags & ~Consistency.all == 0 else {
      throw IngotError(
        .malformed, "the consistency flags 0x\(String(flags, radix: 16)) have unknown bits",
        offset: offset)
    }
    guard flags & (Consistency.openForWriting | Consistency.singleWriter) == 0 else {
      throw IngotError(
        .malformed, "the file is marked as open for writing: its writer died or still runs",
        offset: offset, hint: "close the writer, or clear the mark with h5clear -s FILE")
    }
  }

  private static func check(end: Int?, at offset: Int, _ source: any ByteSource) throws {
    guard let end else {
      throw IngotError(.malformed, "the end-of-file address is undefined", offset: offset)
    }
    guard end == source.byteCount else {
      let fault = end > source.byteCount ? "truncated" : "bytes follow the HDF5 data"
      throw IngotError(
        .malformed, "the file is \(source.byteCount) bytes, its superblock says \(end) (\(fault))",
        offset: offset)
    }
  }
}
