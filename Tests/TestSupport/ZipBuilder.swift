/// Builds zip archives of any shape, sound or not, member by member: no code is shared with Ingot's own
/// writer.
package struct ZipBuilder {
  /// The numbers and texts of a header, central or local.
  package struct Header {
    package var signature: [UInt8]
    package var flags: UInt16 = 0
    package var method: UInt16 = 0
    package var crc: UInt32
    package var compressedSize: UInt32
    package var uncompressedSize: UInt32
    package var name: [UInt8]
    package var extra: [UInt8] = []
    package var comment: [UInt8] = []
    package var disk: UInt16 = 0
    package var externalAttributes: UInt32 = 0o100644 << 16
    /// Nil for where the local header really lies.
    package var offset: UInt32?
  }

  /// A member and what is written for it.
  package struct Member {
    package var local: Header
    package var central: Header
    package var data: [UInt8]
    /// What follows the data.
    package var trailer: [UInt8] = []
    /// False for a member that only the directory knows.
    package var hasLocal = true

    /// A sound stored member.
    package init(_ name: String, _ data: [UInt8]) {
      self.init(name, data, content: data)
    }

    /// A sound member whose `data` expands to `content`; stored where they are equal.
    package init(_ name: String, _ data: [UInt8], content: [UInt8]) {
      local = Header(
        signature: [0x50, 0x4B, 3, 4], method: data == content ? 0 : 8,
        crc: PlainExecutor.crc32(content), compressedSize: UInt32(data.count),
        uncompressedSize: UInt32(content.count), name: Array(name.utf8))
      if !name.utf8.allSatisfy({ $0 < 0x80 }) { local.flags = 1 << 11 }
      central = local
      central.signature = [0x50, 0x4B, 1, 2]
      self.data = data
    }

    /// Changes both headers alike.
    package mutating func both(_ change: (inout Header) -> Void) {
      change(&local)
      change(&central)
    }

    /// A copy with a change.
    package func with(_ change: (inout Member) -> Void) -> Member {
      var copy = self
      change(&copy)
      return copy
    }
  }

  package var prefix: [UInt8] = []
  package var members: [Member] = []
  package var beforeDirectory: [UInt8] = []
  package var afterDirectory: [UInt8] = []
  package var comment: [UInt8] = []
  package var suffix: [UInt8] = []
  /// Changes the 22 bytes of the end record before they are written.
  package var changeEnd: (inout [UInt8]) -> Void = { _ in }
  /// Whether a zip64 end record and locator are written, and a change to the record's 56 bytes.
  package var changeWideEnd: ((inout [UInt8]) -> Void)?
  /// Changes the 20 bytes of the zip64 locator before they are written.
  package var changeLocator: (inout [UInt8]) -> Void = { _ in }

  package init(_ members: [Member]) { self.members = members }

  /// The archive.
  package func build() -> [UInt8] {
    var file = prefix
    var offsets: [Int] = []
    for member in members {
      offsets.append(file.count)
      guard member.hasLocal else { continue }
      file += Self.bytes(member.local, isCentral: false, offset: 0) + member.data + member.trailer
    }
    file += beforeDirectory
    let start = file.count
    for (member, offset) in zip(members, offsets) {
      file += Self.bytes(member.central, isCentral: true, offset: offset)
    }
    let size = file.count - start
    file += afterDirectory
    if let changeWideEnd {
      let offset = file.count
      var record =
        [0x50, 0x4B, 6, 6] + Self.little(44, 8) + [45, 3, 45, 0] + Self.little(0, 8)
        + Self.little(members.count, 8) + Self.little(members.count, 8) + Self.little(size, 8)
        + Self.little(start, 8)
      changeWideEnd(&record)
      var locator =
        [0x50, 0x4B, 6, 7] + Self.little(0, 4) + Self.little(offset, 8) + Self.little(1, 4)
      changeLocator(&locator)
      file += record + locator
    }
    var end =
      [0x50, 0x4B, 5, 6] + Self.little(0, 4) + Self.little(members.count, 2)
      + Self.little(members.count, 2) + Self.little(size, 4) + Self.little(start, 4)
      + Self.little(comment.count, 2)
    changeEnd(&end)
    return file + end + comment + suffix
  }

  private static func bytes(_ header: Header, isCentral: Bool, offset: Int) -> [UInt8] {
    var bytes = header.signature
    if isCentral { bytes += [20, 3] }
    bytes += [20, 0] + little(Int(header.flags), 2) + little(Int(header.method), 2)
    bytes += [0, 0, 0x21, 0] + little(Int(header.crc), 4)
    bytes += little(Int(header.compressedSize), 4) + little(Int(header.uncompressedSize), 4)
    bytes += little(header.name.count, 2) + little(header.extra.count, 2)
    if isCentral {
      bytes += little(header.comment.count, 2) + little(Int(header.disk), 2) + [0, 0]
      bytes += little(Int(header.externalAttributes), 4)
      bytes += little(header.offset.map(Int.init) ?? offset, 4)
    }
    return bytes + header.name + header.extra + (isCentral ? header.comment : [])
  }

  /// A copy with a change.
  package func with(_ change: (inout ZipBuilder) -> Void) -> ZipBuilder {
    var copy = self
    change(&copy)
    return copy
  }

  /// A number in `width` bytes, little-endian.
  package static func little(_ value: Int, _ width: Int) -> [UInt8] {
    (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
