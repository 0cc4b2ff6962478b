internal import Tensors

/// The fixed bytes at both ends of a native file.
///
/// ```
/// 0    8   89 49 4E 47 4F 54 0D 0A        "\x89INGOT\r\n"
/// 8    u32 version: 1
/// 12   u32 features: bit 0, some tensor is compressed; bit 1, some has
///         blocks of elements; the others are zero
/// 16   u64 offset of the index, a multiple of its alignment
/// 24   u64 length of the index
/// 32   32  SHA-256 of the index
/// …
/// -16  u64 length of the file
/// -8   8   49 4E 47 4F 54 45 4E 44        "INGOTEND"
/// ```
struct NativeHeader {
  static let magic: [UInt8] = [0x89] + Array("INGOT\r\n".utf8)
  static let endMagic = Array("INGOTEND".utf8)
  static let byteCount = 64
  static let endByteCount = 16
  static let version: UInt32 = 1

  /// Optional parts of the format; a reader that does not know one cannot read the file.
  struct Features: OptionSet {
    let rawValue: UInt32
    /// Some tensor is stored in compressed chunks.
    static let chunks = Features(rawValue: 1)
    /// Some tensor has an element type whose blocks share a scale.
    static let blocks = Features(rawValue: 2)
    static let known: Features = [.chunks, .blocks]
  }

  var features: Features
  var indexOffset: Int
  var indexLength: Int
  var indexDigest: [UInt8]

  /// The length of the file with this header.
  var fileLength: Int { indexOffset + indexLength + Self.endByteCount }

  init(features: Features, indexOffset: Int, indexLength: Int, indexDigest: [UInt8]) {
    self.features = features
    self.indexOffset = indexOffset
    self.indexLength = indexLength
    self.indexDigest = indexDigest
  }

  /// Reads both ends of `file`.
  ///
  /// - Throws: `malformed` where the file is cut short or longer than it says; `unsupported` naming an
  ///   unknown version or feature; `limit` for an index above the bound.
  init(reading file: any ByteSource) throws {
    let beginning = try file.bytes(
      at: 0, count: min(Self.byteCount, file.byteCount), "the header")
    var reader = ByteReader(beginning)
    guard beginning.starts(with: Self.magic) else {
      throw IngotError(
        .malformed, "does not begin with the magic bytes \\x89INGOT\\r\\n", offset: 0)
    }
    try reader.skip(Self.magic.count, "the magic bytes")
    let version = try reader.uint32("the version")
    guard version == Self.version else {
      throw IngotError(
        .unsupported, "version \(version) of the format is not known, only \(Self.version)",
        offset: 8)
    }
    features = Features(rawValue: try reader.uint32("the features"))
    let unknown = features.subtracting(.known).rawValue
    guard unknown == 0 else {
      throw IngotError(
        .unsupported,
        "the file needs feature bit \(unknown.trailingZeroBitCount), which is not known",
        offset: 12)
    }
    indexOffset = try reader.integer(width: 8, "the index's offset")
    indexLength = try reader.integer(width: 8, "the index's length")
    indexDigest = try reader.array(32, "the index's SHA-256")
    let end = try indexOffset.adding(indexLength, "the end of the index")
      .adding(Self.endByteCount, "the end of the file")
    guard indexOffset >= Self.byteCount else {
      throw IngotError(
        .malformed, "the index begins at byte \(indexOffset), inside the header", offset: 16)
    }
    guard end == file.byteCount else {
      throw IngotError(
        .malformed,
        end > file.byteCount
          ? "the file is cut short: \(file.byteCount) bytes, the header says \(end)"
          : "the file has \(file.byteCount) bytes, the header says \(end)", offset: 16)
    }
    var endReader = ByteReader(
      try file.bytes(at: end - Self.endByteCount, count: Self.endByteCount, "the end marker"),
      base: end - Self.endByteCount)
    let length = try endReader.uint64("the file's length")
    let marker = try endReader.array(8, "the end marker")
    guard length == UInt64(end), marker == Self.endMagic else {
      throw IngotError(
        .malformed, "the file does not end with its length and INGOTEND",
        offset: end - Self.endByteCount)
    }
    guard indexLength <= Limits.nativeIndexBytes else {
      throw IngotError(
        .limit, "an index of \(indexLength) bytes is above \(Limits.nativeIndexBytes)", offset: 24)
    }
  }

  /// The first 64 bytes.
  var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.append(contentsOf: Self.magic)
    writer.append(Self.version)
    writer.append(features.rawValue)
    writer.append(indexOffset, width: 8)
    writer.append(indexLength, width: 8)
    writer.append(contentsOf: indexDigest)
    return writer.bytes
  }

  /// The last 16 bytes.
  var endBytes: [UInt8] {
    var writer = ByteWriter()
    writer.append(fileLength, width: 8)
    writer.append(contentsOf: Self.endMagic)
    return writer.bytes
  }
}
