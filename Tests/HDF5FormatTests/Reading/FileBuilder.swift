import TestSupport
import Tensors

@testable import HDF5Format

/// A message of an object header, as bytes.
struct Message {
  var kind: UInt8
  var flags: UInt8 = 0
  var body: [UInt8]

  init(_ kind: UInt8, flags: UInt8 = 0, _ body: [UInt8]) {
    self.kind = kind
    self.flags = flags
    self.body = body
  }
}

/// Little-endian bytes of a number.
func little(_ value: some BinaryInteger, _ width: Int) -> [UInt8] {
  (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

let undefinedAddress = [UInt8](repeating: 0xFF, count: 8)

/// Builds HDF5 files with a superblock of version 2 and object headers of version 2, structure by
/// structure, so that a test can get any of them wrong.
struct FileBuilder {
  var bytes = [UInt8](repeating: 0, count: 48)
  var superblockVersion: UInt8 = 2
  var flags: UInt8 = 0
  var base = 0
  var extensionAddress: Int?
  /// What the superblock says beyond the size that the file has.
  var excess = 0

  /// Appends bytes at the next multiple of 8; returns their address.
  mutating func append(_ more: [UInt8]) -> Int {
    bytes += [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8)
    defer { bytes += more }
    return bytes.count
  }

  /// Appends a structure and its checksum.
  mutating func appendChecked(_ content: [UInt8]) -> Int {
    append(content + little(Lookup3.checksum(content, 0..<content.count), 4))
  }

  /// Appends an object header.
  mutating func object(_ messages: [Message]) -> Int { appendChecked(Self.header(messages)) }

  static func header(_ messages: [Message]) -> [UInt8] {
    let list = messages.flatMap {
      [$0.kind] + little($0.body.count, 2) + [$0.flags] + $0.body
    }
    return Array("OHDR".utf8) + [2, 2] + little(list.count, 4) + list
  }

  /// Appends a group with links to objects of these names.
  mutating func group(_ members: [(String, Int)]) -> Int {
    object([.linkInformation] + members.map { .link($0, to: $1) })
  }

  /// The file whose root group has these members.
  mutating func finished(_ members: [(String, Int)]) -> [UInt8] {
    finished(root: group(members))
  }

  mutating func finished(root: Int) -> [UInt8] {
    let superblock =
      Superblock.signature + [superblockVersion, 8, 8, flags] + little(base, 8)
      + (extensionAddress.map { little($0, 8) } ?? undefinedAddress)
      + little(bytes.count + excess, 8) + little(root, 8)
    bytes.replaceSubrange(
      0..<48, with: superblock + little(Lookup3.checksum(superblock, 0..<44), 4))
    return bytes
  }

  /// A file with one dataset `x` of these messages.
  static func dataset(_ messages: [Message]) -> [UInt8] {
    var builder = FileBuilder()
    let object = builder.object(messages)
    return builder.finished([("x", object)])
  }

  /// Appends a B-tree of version 1 with one leaf for chunks.
  mutating func chunkTree(
    rank: Int, _ chunks: [(offset: [Int], address: Int, size: Int, mask: UInt32)], level: UInt8 = 0
  ) -> Int {
    var node = Array("TREE".utf8) + [1, level] + little(chunks.count, 2) + undefinedAddress
    node += undefinedAddress
    for chunk in chunks {
      node += little(chunk.size, 4) + little(chunk.mask, 4)
      node += chunk.offset.flatMap { little($0, 8) } + little(0, 8) + little(chunk.address, 8)
    }
    return append(node)
  }
}

extension Message {
  static let linkInformation = Message(2, [0, 0] + undefinedAddress + undefinedAddress)

  static func link(_ name: String, to address: Int) -> Message {
    link(Array(name.utf8), to: address)
  }

  static func link(_ name: [UInt8], to address: Int, isUTF8: Bool = true) -> Message {
    Message(6, [1, 0x10, isUTF8 ? 1 : 0, UInt8(name.count)] + name + little(address, 8))
  }

  static func link(_ name: String, kind: UInt8, _ content: [UInt8]) -> Message {
    Message(
      6,
      [1, 8, kind, UInt8(name.utf8.count)] + Array(name.utf8) + little(content.count, 2)
        + content)
  }

  static func space(_ dimensions: [Int], largest: [Int]? = nil) -> Message {
    let extents = (dimensions + (largest ?? [])).flatMap { little($0, 8) }
    return Message(
      1, [2, UInt8(dimensions.count), largest == nil ? 0 : 1, dimensions.isEmpty ? 0 : 1] + extents)
  }

  static let nullSpace = Message(1, [2, 0, 0, 2])

  static func type(_ body: [UInt8]) -> Message { Message(3, body) }
  static let float32 = type(float())
  static let uint8 = type([0x10, 0, 0, 0] + little(1, 4) + [0, 0, 8, 0])
  static let int8 = type([0x10, 8, 0, 0] + little(1, 4) + [0, 0, 8, 0])

  /// The body of a float type; IEEE's single precision unless told otherwise.
  static func float(
    size: Int = 4, exponent: (at: UInt8, bits: UInt8) = (23, 8),
    mantissa: (at: UInt8, bits: UInt8) = (0, 23), bias: Int = 127, sign: UInt8 = 31,
    precision: Int? = nil, offset: Int = 0, order: UInt8 = 0, normalization: UInt8 = 2
  ) -> [UInt8] {
    [0x11, order | normalization << 4, sign, 0] + little(size, 4) + little(offset, 2)
      + little(precision ?? size * 8, 2) + [exponent.at, exponent.bits, mantissa.at, mantissa.bits]
      + little(bias, 4)
  }

  static func contiguous(_ address: Int?, _ size: Int) -> Message {
    Message(8, [3, 1] + (address.map { little($0, 8) } ?? undefinedAddress) + little(size, 8))
  }

  static func compact(_ data: [UInt8]) -> Message {
    Message(8, [3, 0] + little(data.count, 2) + data)
  }

  /// Chunks under a B-tree of version 1.
  static func chunked(_ extents: [Int], elementSize: Int, tree: Int?) -> Message {
    Message(
      8,
      [3, 2, UInt8(extents.count + 1)] + (tree.map { little($0, 8) } ?? undefinedAddress)
        + (extents + [elementSize]).flatMap { little($0, 4) })
  }

  static func fill(_ value: [UInt8]) -> Message {
    Message(5, [3, 0x20 | 2 << 2] + little(value.count, 4) + value)
  }

  static func filters(_ filters: [(number: Int, parameters: [Int])]) -> Message {
    Message(
      11,
      [2, UInt8(filters.count)]
        + filters.flatMap { filter -> [UInt8] in
          little(filter.number, 2) + (filter.number >= 256 ? little(0, 2) : []) + little(0, 2)
            + little(filter.parameters.count, 2) + filter.parameters.flatMap { little($0, 4) }
        })
  }

  /// An attribute; the type and the space are bodies of such messages.
  static func attribute(
    _ name: String, _ type: Message, _ space: Message, _ data: [UInt8]
  ) -> Message {
    let name = Array(name.utf8) + [0]
    return Message(
      12,
      [3, 0] + little(name.count, 2) + little(type.body.count, 2)
        + little(space.body.count, 2) + [1] + name + type.body + space.body + data)
  }

  static func attribute(_ name: String, text: String) -> Message {
    let bytes = Array(text.utf8)
    return attribute(name, string(bytes.count), space([]), bytes)
  }

  /// Names as Keras stores them: fixed strings, padded with NUL.
  static func attribute(_ name: String, names: [String]) -> Message {
    let width = max(1, names.map(\.utf8.count).max() ?? 1)
    let data = names.flatMap { text -> [UInt8] in
      let bytes = Array(text.utf8)
      return bytes + [UInt8](repeating: 0, count: width - bytes.count)
    }
    return attribute(name, string(width), space([names.count]), data)
  }

  static func string(_ width: Int, padding: UInt8 = 1) -> Message {
    type([0x13, padding | 0x10, 0, 0] + little(width, 4))
  }
}

extension HDF5Reader {
  static func read(_ bytes: [UInt8]) throws -> TensorTable {
    try read(FormatInput(path: "x.h5", source: ArraySource(bytes)))
  }
}

extension TensorTable {
  /// All bytes of a tensor.
  func content(_ name: String) throws -> [UInt8] {
    guard let tensor = self[name] else { throw IngotError(.internal, "no tensor \(name)") }
    return try tensor.source.everything()
  }
}

/// The class of opening a file and reading all of it: an error's, or nil where nothing is wrong.
func fault(_ bytes: [UInt8]) throws -> IngotError? {
  do {
    let table = try HDF5Reader.read(bytes)
    for entry in table.entries { _ = try entry.tensor.source.everything() }
    return nil
  } catch let error as IngotError { return error }
}

func faultClass(_ bytes: [UInt8]) throws -> ErrorClass? { try fault(bytes)?.errorClass }
