/// A message of an object header, as bytes.
package struct HDF5Message {
  package var kind: UInt8
  package var flags: UInt8 = 0
  package var body: [UInt8]

  package init(_ kind: UInt8, flags: UInt8 = 0, _ body: [UInt8]) {
    self.kind = kind
    self.flags = flags
    self.body = body
  }
}

/// Little-endian bytes of a number.
package func little(_ value: some BinaryInteger, _ width: Int) -> [UInt8] {
  (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

package let undefinedAddress = [UInt8](repeating: 0xFF, count: 8)

/// Builds HDF5 files with a superblock of version 2 and object headers of version 2, structure by
/// structure, so that a test can get any of them wrong: no code is shared with Ingot's own writer.
package struct HDF5Builder {
  package static let signature = [0x89] + Array("HDF\r\n\u{1A}\n".utf8)

  package var bytes = [UInt8](repeating: 0, count: 48)
  package var superblockVersion: UInt8 = 2
  package var flags: UInt8 = 0
  package var base = 0
  package var extensionAddress: Int?
  /// What the superblock says beyond the size that the file has.
  package var excess = 0

  package init() {}

  /// Appends bytes at the next multiple of 8; returns their address.
  package mutating func append(_ more: [UInt8]) -> Int {
    bytes += [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8)
    defer { bytes += more }
    return bytes.count
  }

  /// Appends a structure and its checksum.
  package mutating func appendChecked(_ content: [UInt8]) -> Int {
    append(content + little(Self.checksum(content), 4))
  }

  /// Appends an object header.
  package mutating func object(_ messages: [HDF5Message]) -> Int {
    appendChecked(Self.header(messages))
  }

  package static func header(_ messages: [HDF5Message]) -> [UInt8] {
    let list = messages.flatMap {
      [$0.kind] + little($0.body.count, 2) + [$0.flags] + $0.body
    }
    return Array("OHDR".utf8) + [2, 2] + little(list.count, 4) + list
  }

  /// Appends a group with links to objects of these names.
  package mutating func group(_ members: [(String, Int)]) -> Int {
    object([.linkInformation] + members.map { .link($0, to: $1) })
  }

  /// The file whose root group has these members.
  package mutating func finished(_ members: [(String, Int)]) -> [UInt8] {
    finished(root: group(members))
  }

  package mutating func finished(root: Int) -> [UInt8] {
    let superblock =
      Self.signature + [superblockVersion, 8, 8, flags] + little(base, 8)
      + (extensionAddress.map { little($0, 8) } ?? undefinedAddress)
      + little(bytes.count + excess, 8) + little(root, 8)
    bytes.replaceSubrange(
      0..<48, with: superblock + little(Self.checksum(superblock), 4))
    return bytes
  }

  /// A file with one dataset `x` of these messages.
  package static func dataset(_ messages: [HDF5Message]) -> [UInt8] {
    var builder = HDF5Builder()
    let object = builder.object(messages)
    return builder.finished([("x", object)])
  }

  /// Appends a B-tree of version 1 with one leaf for chunks.
  ///
  /// - Parameter border: the key past the last chunk: its offset along each axis and within an element.
  package mutating func chunkTree(
    rank: Int, _ chunks: [(offset: [Int], address: Int, size: Int, mask: UInt32)], level: UInt8 = 0,
    border: [Int]? = nil
  ) -> Int {
    var node = Array("TREE".utf8) + [1, level] + little(chunks.count, 2) + undefinedAddress
    node += undefinedAddress
    for chunk in chunks {
      node += little(chunk.size, 4) + little(chunk.mask, 4)
      node += chunk.offset.flatMap { little($0, 8) } + little(0, 8) + little(chunk.address, 8)
    }
    let border = border ?? [Int](repeating: 0, count: rank + 1)
    node += little(0, 8) + border.flatMap { little($0, 8) }
    return append(node)
  }
}

extension HDF5Message {
  package static let linkInformation = HDF5Message(2, [0, 0] + undefinedAddress + undefinedAddress)

  package static func link(_ name: String, to address: Int) -> HDF5Message {
    link(Array(name.utf8), to: address)
  }

  package static func link(_ name: [UInt8], to address: Int, isUTF8: Bool = true) -> HDF5Message {
    HDF5Message(6, [1, 0x10, isUTF8 ? 1 : 0, UInt8(name.count)] + name + little(address, 8))
  }

  package static func link(_ name: String, kind: UInt8, _ content: [UInt8]) -> HDF5Message {
    HDF5Message(
      6,
      [1, 8, kind, UInt8(name.utf8.count)] + Array(name.utf8) + little(content.count, 2)
        + content)
  }

  package static func space(_ dimensions: [Int], largest: [Int]? = nil) -> HDF5Message {
    let extents = (dimensions + (largest ?? [])).flatMap { little($0, 8) }
    return HDF5Message(
      1, [2, UInt8(dimensions.count), largest == nil ? 0 : 1, dimensions.isEmpty ? 0 : 1] + extents)
  }

  package static let nullSpace = HDF5Message(1, [2, 0, 0, 2])

  package static func type(_ body: [UInt8]) -> HDF5Message { HDF5Message(3, body) }
  package static let float32 = type(float())
  package static let uint8 = type([0x10, 0, 0, 0] + little(1, 4) + [0, 0, 8, 0])
  package static let int8 = type([0x10, 8, 0, 0] + little(1, 4) + [0, 0, 8, 0])

  /// The body of a float type; IEEE's single precision unless told otherwise.
  package static func float(
    size: Int = 4, exponent: (at: UInt8, bits: UInt8) = (23, 8),
    mantissa: (at: UInt8, bits: UInt8) = (0, 23), bias: Int = 127, sign: UInt8 = 31,
    precision: Int? = nil, offset: Int = 0, order: UInt8 = 0, normalization: UInt8 = 2
  ) -> [UInt8] {
    [0x11, order | normalization << 4, sign, 0] + little(size, 4) + little(offset, 2)
      + little(precision ?? size * 8, 2) + [exponent.at, exponent.bits, mantissa.at, mantissa.bits]
      + little(bias, 4)
  }

  package static func contiguous(_ address: Int?, _ size: Int) -> HDF5Message {
    HDF5Message(8, [3, 1] + (address.map { little($0, 8) } ?? undefinedAddress) + little(size, 8))
  }

  package static func compact(_ data: [UInt8]) -> HDF5Message {
    HDF5Message(8, [3, 0] + little(data.count, 2) + data)
  }

  /// Chunks under a B-tree of version 1.
  package static func chunked(_ extents: [Int], elementSize: Int, tree: Int?) -> HDF5Message {
    HDF5Message(
      8,
      [3, 2, UInt8(extents.count + 1)] + (tree.map { little($0, 8) } ?? undefinedAddress)
        + (extents + [elementSize]).flatMap { little($0, 4) })
  }

  package static func fill(_ value: [UInt8]) -> HDF5Message {
    HDF5Message(5, [3, 0x20 | 2 << 2] + little(value.count, 4) + value)
  }

  package static func filters(_ filters: [(number: Int, parameters: [Int])]) -> HDF5Message {
    HDF5Message(
      11,
      [2, UInt8(filters.count)]
        + filters.flatMap { filter -> [UInt8] in
          little(filter.number, 2) + (filter.number >= 256 ? little(0, 2) : []) + little(0, 2)
            + little(filter.parameters.count, 2) + filter.parameters.flatMap { little($0, 4) }
        })
  }

  /// An attribute; the type and the space are bodies of such messages.
  package static func attribute(
    _ name: String, _ type: HDF5Message, _ space: HDF5Message, _ data: [UInt8]
  ) -> HDF5Message {
    let name = Array(name.utf8) + [0]
    return HDF5Message(
      12,
      [3, 0] + little(name.count, 2) + little(type.body.count, 2)
        + little(space.body.count, 2) + [1] + name + type.body + space.body + data)
  }

  package static func attribute(_ name: String, text: String) -> HDF5Message {
    let bytes = Array(text.utf8)
    return attribute(name, string(bytes.count), space([]), bytes)
  }

  /// Names as Keras stores them: fixed strings, padded with NUL.
  package static func attribute(_ name: String, names: [String]) -> HDF5Message {
    let width = max(1, names.map(\.utf8.count).max() ?? 1)
    let data = names.flatMap { text -> [UInt8] in
      let bytes = Array(text.utf8)
      return bytes + [UInt8](repeating: 0, count: width - bytes.count)
    }
    return attribute(name, string(width), space([names.count]), data)
  }

  package static func string(_ width: Int, padding: UInt8 = 1) -> HDF5Message {
    type([0x13, padding | 0x10, 0, 0] + little(width, 4))
  }
}

extension HDF5Builder {
  /// Bob Jenkins' lookup3 hash, word by word as he explains it: the checksum of the newer structures.
  package static func checksum(_ bytes: [UInt8]) -> UInt32 {
    func rotated(_ value: UInt32, _ count: UInt32) -> UInt32 {
      value << count | value >> (32 - count)
    }
    func word(_ at: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | (at + $1 < bytes.count ? UInt32(bytes[at + $1]) << (8 * $1) : 0) }
    }
    var words = [UInt32](repeating: 0xDEAD_BEEF &+ UInt32(bytes.count), count: 3)
    var at = 0
    while bytes.count - at > 12 {
      for place in 0..<3 { words[place] &+= word(at + 4 * place) }
      for (step, count) in [4, 6, 8, 16, 19, 4].enumerated() {
        let (one, two, three) = (step % 3, (step + 1) % 3, (step + 2) % 3)
        words[one] &-= words[three]
        words[one] ^= rotated(words[three], UInt32(count))
        words[three] &+= words[two]
      }
      at += 12
    }
    guard at < bytes.count else { return words[2] }
    for place in 0..<3 { words[place] &+= word(at + 4 * place) }
    for (step, count) in [14, 11, 25, 16, 4, 14, 24].enumerated() {
      let (target, other) = ((step + 2) % 3, (step + 1) % 3)
      words[target] ^= words[other]
      words[target] &-= rotated(words[other], UInt32(count))
    }
    return words[2]
  }
}
