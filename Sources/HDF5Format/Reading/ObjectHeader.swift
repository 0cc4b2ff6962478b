internal import Tensors

/// The kinds of message in an object header.
enum MessageKind: UInt16 {
  case null = 0x00
  case dataspace = 0x01
  case linkInformation = 0x02
  case datatype = 0x03
  case oldFillValue = 0x04
  case fillValue = 0x05
  case link = 0x06
  case externalFiles = 0x07
  case layout = 0x08
  case groupInformation = 0x0A
  case filterPipeline = 0x0B
  case attribute = 0x0C
  case comment = 0x0D
  case oldModificationTime = 0x0E
  case sharedMessageTable = 0x0F
  case continuation = 0x10
  case symbolTable = 0x11
  case modificationTime = 0x12
  case treeNodeSizes = 0x13
  case driverInformation = 0x14
  case attributeInformation = 0x15
  case referenceCount = 0x16
  case fileSpace = 0x17
  case cacheImage = 0x18

  /// Whether several objects may share one message of this kind.
  var canBeShared: Bool {
    switch self {
    case .dataspace, .datatype, .oldFillValue, .fillValue, .filterPipeline, .attribute: true
    case .null, .linkInformation, .link, .externalFiles, .layout, .groupInformation, .comment,
      .oldModificationTime, .sharedMessageTable, .continuation, .symbolTable, .modificationTime,
      .treeNodeSizes, .driverInformation, .attributeInformation, .referenceCount, .fileSpace,
      .cacheImage:
      false
    }
  }
}

/// A message of an object header.
struct HeaderMessage {
  let kind: MessageKind
  /// Whether its content says where the message lies rather than being it.
  let isShared: Bool

  static let sharedFlag: UInt8 = 1 << 1
  /// Shared, or fit to be.
  static let shareFlags: UInt8 = 1 << 1 | 1 << 6
  /// The writer demands that readers which do not know the message refuse the object.
  static let mustUnderstandFlag: UInt8 = 1 << 7

  /// Whether flags exclude one another: shared (1) and never to be shared (2); met by a library that did
  /// not know it (5), though none such may write the file (3), or though it need not be marked (4).
  static func contradict(_ flags: UInt8) -> Bool {
    let wasUnknown = flags & 1 << 5 != 0
    return flags & 0b110 == 0b110 || wasUnknown && (flags & 1 << 3 != 0 || flags & 1 << 4 == 0)
  }
}

/// The header of an object: a list of messages, in one block or several.
///
/// Version 1: version, a reserved byte, number of messages (2), reference count (4), size (4), 4 bytes
/// of padding; then per message kind (2), size (2), flags (1), 3 reserved bytes. Version 2: `OHDR`,
/// version, flags, optional times and attribute thresholds, size; then per message kind (1), size (2),
/// flags (1), and a creation order (2) where flags say so; a checksum. Continuation messages point to
/// further blocks; those of version 2 carry `OCHK` and a checksum of their own.
enum ObjectHeader {
  /// More messages than any writer makes; dense storage starts at nine.
  private static let messageLimit = 4_096

  private struct Block {
    let address: Int
    let count: Int
  }

  /// Calls `body` with each message that matters to reading and its content, in order.
  ///
  /// - Parameter isRevisit: the header may have been read before (a committed datatype).
  static func forEachMessage(
    _ view: FileView, at address: Int, isRevisit: Bool = false,
    _ body: (HeaderMessage, inout ByteReader) throws -> Void
  ) throws {
    // Of version 2 the signature, version, flags, times, thresholds and size take 34 bytes at most.
    var start = try view.reader(
      at: address, atLeast: max(0, min(34, view.byteCount - address)), "an object header")
    if start.remaining > 0, start.bytes[start.position] == 1 {
      try version1(view, address, &start, isRevisit, body)
    } else {
      try version2(view, address, &start, isRevisit, body)
    }
  }

  private static func account(
    _ view: FileView, _ address: Int, _ count: Int, _ isRevisit: Bool
  ) throws {
    if isRevisit {
      try view.revisit(address, count, .objectHeader)
    } else {
      try view.claim(address, count, .objectHeader)
    }
  }

  private static func version1(
    _ view: FileView, _ address: Int, _ prefix: inout ByteReader, _ isRevisit: Bool,
    _ body: (HeaderMessage, inout ByteReader) throws -> Void
  ) throws {
    try prefix.skip(2, "the version of an object header")
    let declared = Int(try prefix.uint16("the number of messages"))
    try prefix.skip(4, "the reference count")
    let size = Int(try prefix.uint32("the size of an object header"))
    try prefix.skip(4, "the padding of an object header")
    try account(view, address, 16 + size, isRevisit)
    var reader = try view.body(of: &prefix, count: size, "an object header")
    var queue: [Block] = []
    var next = 0
    var found = 0
    while true {
      while reader.remaining >= 8 {
        let at = reader.offset
        // Kind (2), size (2), flags (1) and three reserved bytes in one read: this loop is the one that
        // files of many datasets spend their time in.
        let prefix = try reader.uint64("a message's prefix")
        found += 1
        let size = Int(prefix >> 16 & 0xFFFF)
        guard size.isMultiple(of: 8) else {
          throw reader.failure("a message of \(size) bytes, which is no multiple of 8", at: at)
        }
        try pass(
          view, UInt16(truncatingIfNeeded: prefix), UInt8(truncatingIfNeeded: prefix >> 32),
          size: size, &reader, at, found, &queue, body)
      }
      guard next < queue.count else { break }
      let block = queue[next]
      next += 1
      reader = try view.reader(at: block.address, count: block.count, "an object header")
      try account(view, block.address, block.count, isRevisit)
    }
    guard found == declared else {
      throw IngotError(
        .malformed, "the object header declares \(declared) messages and holds \(found)",
        offset: address)
    }
  }

  private static func version2(
    _ view: FileView, _ address: Int, _ prefix: inout ByteReader, _ isRevisit: Bool,
    _ body: (HeaderMessage, inout ByteReader) throws -> Void
  ) throws {
    var start = prefix
    try prefix.signature("OHDR", "the object header")
    try prefix.version(2, "object header")
    let flags = try prefix.uint8("the flags of an object header")
    if flags & 0x20 != 0 { try prefix.skip(16, "the times of an object header") }
    if flags & 0x10 != 0 { try prefix.skip(4, "the attribute thresholds of an object header") }
    let size = try prefix.integer(width: 1 << Int(flags & 3), "the size of an object header")
    let headerSize = prefix.offset - address
    let whole = try headerSize.adding(size, "an object header").adding(4, "an object header")
    let hasOrder = flags & 0x04 != 0
    var queue: [Block] = []
    var found = 0
    var reader = try view.body(of: &start, count: whole, "an object header")
    try account(view, address, whole, isRevisit)
    try messages(view, &reader, headerSize, hasOrder, &found, &queue, body)
    var next = 0
    while next < queue.count {
      let block = queue[next]
      next += 1
      reader = try view.reader(at: block.address, count: block.count, "a continuation block")
      try account(view, block.address, block.count, isRevisit)
      var start = reader
      try start.signature("OCHK", "a continuation block")
      try messages(view, &reader, 4, hasOrder, &found, &queue, body)
    }
  }

  /// The messages of one checked block, which start `skipped` bytes into it.
  private static func messages(
    _ view: FileView, _ reader: inout ByteReader, _ skipped: Int, _ hasOrder: Bool,
    _ found: inout Int, _ queue: inout [Block],
    _ body: (HeaderMessage, inout ByteReader) throws -> Void
  ) throws {
    let start = reader.position
    let prefix = hasOrder ? 6 : 4
    guard reader.remaining >= skipped + 4 else {
      throw reader.failure("an object header block of \(reader.remaining) bytes")
    }
    try reader.verifyChecksum(from: start, after: reader.remaining - 4, "an object header")
    var list = reader
    try list.skip(skipped, "the start of a block")
    list = try list.sub(list.remaining - 4, "messages")
    while list.remaining >= prefix {
      let at = list.offset
      let kind = UInt16(try list.uint8("a message's kind"))
      let size = Int(try list.uint16("a message's size"))
      let flags = try list.uint8("a message's flags")
      if hasOrder { try list.skip(2, "a message's creation order") }
      found += 1
      try pass(view, kind, flags, size: size, &list, at, found, &queue, body)
    }
  }

  private static func pass(
    _ view: FileView, _ number: UInt16, _ flags: UInt8, size: Int, _ reader: inout ByteReader,
    _ offset: Int,
    _ found: Int, _ queue: inout [Block], _ body: (HeaderMessage, inout ByteReader) throws -> Void
  ) throws {
    guard found <= messageLimit else {
      throw IngotError(
        .malformed, "an object header with more than \(messageLimit) messages", offset: offset)
    }
    guard !HeaderMessage.contradict(flags) else {
      throw IngotError(
        .malformed, "flags 0x\(String(flags, radix: 16)) of a message contradict each other",
        offset: offset)
    }
    guard let kind = MessageKind(rawValue: number) else {
      guard flags & HeaderMessage.mustUnderstandFlag == 0 else {
        throw IngotError(
          .unsupported, "HDF5 object header message of kind \(number)", offset: offset)
      }
      return try reader.skip(size, "a message of kind \(number)")
    }
    switch kind {
    case .null, .groupInformation, .comment, .oldModificationTime, .modificationTime,
      .referenceCount:
      try reader.skip(size, "a message of kind \(number)")
    case .continuation:
      try reader.within(size, "a continuation") { content in
        let address = try content.definedAddress(view.widths, "a continuation block's address")
        let count = try content.length(view.widths, "a continuation block's size")
        queue.append(Block(address: address, count: count))
      }
    case .dataspace, .linkInformation, .datatype, .oldFillValue, .fillValue, .link, .externalFiles,
      .layout, .filterPipeline, .attribute, .sharedMessageTable, .symbolTable, .treeNodeSizes,
      .driverInformation, .attributeInformation, .fileSpace, .cacheImage:
      guard flags & HeaderMessage.shareFlags == 0 || kind.canBeShared else {
        throw IngotError(
          .malformed, "an object header message of kind \(number) cannot be shared",
          offset: offset)
      }
      let message = HeaderMessage(kind: kind, isShared: flags & HeaderMessage.sharedFlag != 0)
      try reader.within(size, "a message of kind \(number)") { try body(message, &$0) }
    }
  }
}
