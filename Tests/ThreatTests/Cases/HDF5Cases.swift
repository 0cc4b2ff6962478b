import Compression
import Foundation
import TestSupport
import Tensors

/// Rows H3 to H41, as our own builder and h5py's files give them.
enum HDF5Cases {
  static let all =
    superblocks + headers + links + types + spaces + layouts + chunks + filters + oldGroups
    + denseGroups + attributes

  private static let file = "x.h5"

  private static func refused(
    _ row: String, _ title: String, _ errorClass: ErrorClass = .malformed, says: [String] = [],
    headerIsSound: Bool = false, _ bytes: @escaping @autoclosure @Sendable () throws -> [UInt8]
  ) -> ThreatCase {
    ThreatCase(
      row, title, file, .refused(errorClass), says: says, headerIsSound: headerIsSound, try bytes())
  }

  private static func read(
    _ row: String, _ title: String, _ tensors: [PlainTensor]?, says: [String] = [],
    _ bytes: @escaping @autoclosure @Sendable () throws -> [UInt8]
  ) -> ThreatCase {
    ThreatCase(row, title, file, .read(tensors), says: says, try bytes())
  }

  private static let x = PlainTensor("x", "float32", [2], eight)

  /// A dataset `x` of two float32 in one stretch.
  private static func plain(_ change: (inout HDF5Builder) -> Void = { _ in }) -> [UInt8] {
    var builder = HDF5Builder()
    change(&builder)
    let address = builder.append(eight)
    let object = builder.object([.space([2]), .float32, .contiguous(address, 8)])
    return builder.finished([("x", object)])
  }

  /// Such a file with a byte of its superblock changed.
  private static func plain(_ position: Int, _ value: UInt8) -> [UInt8] {
    var bytes = plain()
    bytes[position] = value
    return bytes
  }

  private static func dataset(_ messages: HDF5Message...) -> [UInt8] {
    HDF5Builder.dataset(messages)
  }

  /// A fixture with bytes changed behind the first structure that begins with `signature`.
  private static func patched(
    _ fixture: String, _ signature: String, _ offset: Int, _ bytes: [UInt8]
  ) throws -> [UInt8] {
    var content = Array(try Data(contentsOf: URL(filePath: Places.fixture("hdf5/\(fixture)"))))
    let mark = Array(signature.utf8)
    guard
      let start = content.indices.dropLast(4).first(where: {
        content[$0..<$0 + 4].elementsEqual(mark)
      })
    else { throw IngotError(.internal, "\(fixture) has no \(signature)") }
    content.replaceSubrange(start + offset..<start + offset + bytes.count, with: bytes)
    return content
  }

  // MARK: Superblocks and object headers

  private static let superblocks =
    [
      refused("H3", "superblock version 9", .unsupported, says: ["version 9"], plain(8, 9)),
      refused("H3", "addresses of 3 bytes", says: ["byte", "3"], plain(9, 3)),
      refused("H3", "addresses of 16 bytes", .unsupported, says: ["16"], plain(9, 16)),
      refused("H3", "lengths of 0 bytes", says: ["byte"], plain(10, 0)),
      refused(
        "H4", "a file shorter than its superblock says", says: ["byte", "bytes"],
        plain { $0.excess = 100 }),
      refused("H4", "a file longer than its superblock says", says: ["byte"], plain() + [0]),
      refused(
        "H5", "a base address", .unsupported, says: ["base address"], plain { $0.base = 8 }),
      refused(
        "H6", "a split file", .unsupported, says: ["driver"],
        plain { builder in
          builder.extensionAddress = builder.object([
            HDF5Message(0x14, [UInt8](repeating: 0, count: 16))
          ])
        }),
      refused(
        "H7", "a wrong checksum of the superblock", .integrity, says: ["byte 44"], plain(44, 1)),
      refused(
        "H7", "a wrong checksum of an object header", .integrity, says: ["byte"],
        {
          var bytes = plain()
          bytes[bytes.count - 1] ^= 1
          return bytes
        }()),
      refused(
        "H8", "a file that is still open for writing", says: ["hint: "], plain { $0.flags = 1 }),
      refused(
        "H9", "a metadata cache image", .unsupported, says: ["cache image"],
        plain { builder in
          builder.extensionAddress = builder.object([
            HDF5Message(0x18, [UInt8](repeating: 0, count: 17))
          ])
        }),
    ]
    + [512, 1024, 2048].map { size in
      refused(
        "H5", "a user block of \(size) bytes", .unsupported, says: ["user block"],
        [UInt8](repeating: 0x20, count: size) + plain())
    }

  private static let headers = [
    refused(
      "H10", "a message past its block", says: ["byte"],
      {
        var builder = HDF5Builder()
        var header = HDF5Builder.header([.space([4]), .float32])
        header[header.count - HDF5Message.float32.body.count - 3] = 200
        return builder.finished([("x", builder.appendChecked(header))])
      }()),
    refused(
      "H10", "a continuation past the file", says: ["byte"],
      dataset(HDF5Message(0x10, little(1 << 40, 8) + little(28, 8)))),
    refused(
      "H10", "4,097 messages", says: ["4096"],
      HDF5Builder.dataset([HDF5Message](repeating: HDF5Message(0x0D, [0]), count: 4_097))),
    refused(
      "H11", "a continuation that continues itself", says: ["byte"],
      {
        var builder = HDF5Builder()
        let address = builder.bytes.count
        let place = little(address, 8) + little(28, 8)
        _ = builder.appendChecked(Array("OCHK".utf8) + [0x10] + little(16, 2) + [0] + place)
        return builder.finished([("x", builder.object([HDF5Message(0x10, place)]))])
      }()),
    refused(
      "H11", "a group within itself", says: ["byte"],
      {
        var builder = HDF5Builder()
        let address = builder.append([])
        return builder.finished([("loop", builder.group([("again", address)]))])
      }()),
    refused(
      "H11", "groups 200 deep", .limit, says: ["128"],
      {
        var builder = HDF5Builder()
        var group = builder.group([])
        for _ in 0..<200 { group = builder.group([("g", group)]) }
        return builder.finished([("g", group)])
      }()),
    refused(
      "H11", "2^40 paths through 40 groups", .limit,
      {
        var builder = HDF5Builder()
        var group = builder.group([])
        for _ in 0..<40 { group = builder.group([("a", group), ("b", group)]) }
        return builder.finished([("g", group)])
      }()),
  ]

  // MARK: Links

  private static func link(_ kind: UInt8, _ target: String) -> [UInt8] {
    var builder = HDF5Builder()
    let group = builder.object([.linkInformation, .link("out", kind: kind, Array(target.utf8))])
    return builder.finished([("g", group)])
  }

  private static func named(_ name: [UInt8], isUTF8: Bool = true) -> [UInt8] {
    var builder = HDF5Builder()
    let object = builder.object([.space([1]), .uint8, .compact([1])])
    return builder.finished(
      root: builder.object([.linkInformation, .link(name, to: object, isUTF8: isUTF8)]))
  }

  private static let links =
    [
      refused(
        "H12", "a soft link", .unsafe, says: ["tensor 'g'", "'out' is a soft link to '/x'"],
        link(1, "/x")),
      refused(
        "H13", "an external link", .unsafe,
        says: ["tensor 'g'", "'out' is an external link to '/etc/passwd:/x'"],
        link(64, "\0/etc/passwd\0/x\0")),
      refused(
        "H14", "a link of a user's class", .unsafe,
        says: ["tensor 'g'", "'out' is a user-defined link of class 187"],
        link(187, "abc")),
      refused("H40", "a name that is not UTF-8", says: ["byte"], named([0x66, 0xFC, 0x72])),
    ]
    + ["a/b", ".", "", "nul\0"].map { name in
      refused(
        "H40", "the name '\(name.replacing("\0", with: "␀"))'", says: ["byte"],
        named(Array(name.utf8)))
    }

  // MARK: Types and shapes

  private static func element(_ type: [UInt8], size: Int) -> [UInt8] {
    dataset(.space([1]), .type(type), .compact([UInt8](repeating: 0, count: size)))
  }

  private static let types =
    [
      (
        "a record", [0x36, 1, 0, 0] + little(4, 4) + [0x72, 0, 0] + HDF5Message.float(), 4, "record"
      ),
      (
        "an array", [0x3A, 0, 0, 0] + little(2, 4) + [1] + little(2, 4) + HDF5Message.uint8.body, 2,
        "array"
      ),
      ("opaque bytes", [0x15, 0, 0, 0] + little(2, 4), 2, "opaque"),
      ("bit fields", [0x14, 0, 0, 0] + little(1, 4) + [0, 0, 8, 0], 1, "bit field"),
      ("references", [0x17, 0, 0, 0] + little(8, 4), 8, "reference"),
      ("times", [0x12, 0, 0, 0] + little(4, 4) + [32, 0], 4, "time"),
      (
        "an enumeration", [0x38, 1, 0, 0] + little(1, 4) + HDF5Message.int8.body + [0x41, 0, 5], 1,
        "enumeration"
      ),
      ("strings", HDF5Message.string(4).body, 4, "string"),
    ].map { title, type, size, word in
      refused(
        "H18", "\(title) for an element", .unsupported, says: ["tensor 'x'", word],
        headerIsSound: true, element(type, size: size))
    }
    + [
      ("another bias", HDF5Message.float(bias: 126)),
      (
        "another sign bit", HDF5Message.float(exponent: (22, 8), mantissa: (0, 22), sign: 30)
      ),
      ("an offset", HDF5Message.float(precision: 31, offset: 1)),
      ("a shorter mantissa", HDF5Message.float(mantissa: (0, 22))),
      ("a shorter exponent", HDF5Message.float(exponent: (23, 7))),
      ("no implied bit", HDF5Message.float(normalization: 0)),
      ("12 of 16 bits", [0x10, 0, 0, 0] + little(4, 4) + [0, 0, 12, 0]),
    ].map { title, type in
      refused(
        "H19", "a number with \(title)", .unsupported, says: ["tensor 'x'"], headerIsSound: true,
        element(type, size: 4))
    }
    + [
      read(
        "H18", "an enumeration that is bool", [PlainTensor("x", "bool", [1], [0])],
        element(
          [0x38, 2, 0, 0] + little(1, 4) + HDF5Message.int8.body + Array("FALSE\0TRUE\0".utf8)
            + [0, 1], size: 1)),
      refused(
        "H20", "a type of no size", says: ["byte"],
        element([0x10, 0, 0, 0] + little(0, 4) + [0, 0, 8, 0], size: 0)),
      refused(
        "H20", "a type of 2 GiB", says: ["byte"],
        element([0x10, 0, 0, 0] + little(1 << 31, 4) + [0, 0, 8, 0], size: 0)),
      refused(
        "H20", "a type 1,000 deep", says: ["byte"],
        {
          var type = HDF5Message.uint8.body
          for _ in 0..<1_000 { type = [0x3A, 0, 0, 0] + little(1, 4) + [1] + little(1, 4) + type }
          return element(type, size: 1)
        }()),
      read(
        "H17", "a committed type", [PlainTensor("x", "float32", [1], [1, 2, 3, 4])],
        {
          var builder = HDF5Builder()
          let type = builder.object([.float32])
          let pointer = HDF5Message(3, flags: 2, [3, 2] + little(type, 8))
          let object = builder.object([.space([1]), pointer, .compact([1, 2, 3, 4])])
          return builder.finished([("type", type), ("x", object)])
        }()),
      refused(
        "H17", "a committed type that is itself", says: ["byte"],
        {
          var builder = HDF5Builder()
          let address = builder.append([])
          let pointer = HDF5Message(3, flags: 2, [3, 2] + little(address, 8))
          return builder.finished([("type", builder.object([pointer]))])
        }()),
      read(
        "H41", "big-endian numbers", [PlainTensor("x", "float32", [1], [4, 3, 2, 1])],
        dataset(
          .space([1]), .type(HDF5Message.float(order: 1)), .compact([1, 2, 3, 4]))),
    ]

  private static let spaces = [
    refused(
      "H21", "33 dimensions", .limit, says: ["33", "32"],
      dataset(.space([Int](repeating: 1, count: 33)), .uint8, .compact([0]))),
    refused(
      "H21", "a dimension above its maximum", says: ["byte"],
      dataset(.space([2], largest: [1]), .uint8, .compact([0, 0]))),
    refused(
      "H21", "a product that wraps", says: ["2^63"],
      dataset(.space([1 << 32, 1 << 32]), .uint8, .contiguous(nil, 0))),
    refused(
      "G19", "an overflow before a 0, in HDF5", says: ["2^63"],
      dataset(.space([1 << 62, 8, 0]), .uint8, .contiguous(nil, 0))),
    refused(
      "H21", "no shape at all", .unsupported, says: ["tensor 'x'", "without a shape"],
      headerIsSound: true, dataset(.nullSpace, .float32, .contiguous(nil, 0))),
    read(
      "H21", "no elements", [PlainTensor("x", "float32", [0, 3], [])],
      dataset(.space([0, 3]), .float32, .contiguous(nil, 0))),
    refused(
      "H22", "2^50 elements that were never written", .limit, says: ["tensor 'x'", "1032"],
      dataset(.space([1 << 50]), .float32, .chunked([1 << 20], elementSize: 4, tree: nil))),
  ]

  private static let layouts = [
    read(
      "H23", "data that was never written", [PlainTensor("x", "uint8", [3], [9, 9, 9])],
      dataset(.space([3]), .uint8, .fill([9]), .contiguous(nil, 0))),
    refused(
      "H23", "data that was never written, and no fill value", .unsupported,
      says: ["tensor 'x'", "never written"], headerIsSound: true,
      dataset(.space([3]), .uint8, .contiguous(nil, 0))),
    refused(
      "H23", "data past the file", says: ["tensor 'x'", "byte"],
      dataset(.space([4]), .float32, .contiguous(1 << 20, 16))),
    refused(
      "H23", "an address whose end wraps", says: ["tensor 'x'", "byte"],
      dataset(.space([4]), .float32, .contiguous(Int.max - 7, 16))),
    refused(
      "H23", "a size that is not the shape's", says: ["tensor 'x'", "20", "16"],
      {
        var builder = HDF5Builder()
        let address = builder.append([UInt8](repeating: 0, count: 32))
        let object = builder.object([.space([4]), .float32, .contiguous(address, 20)])
        return builder.finished([("x", object)])
      }()),
    refused(
      "H23", "a fill value of another size", says: ["tensor 'x'", "byte"],
      dataset(.space([3]), .float32, .fill([9]), .contiguous(nil, 0))),
    refused(
      "H24", "two datasets over the same bytes", says: ["byte 56", "overlaps"],
      {
        var builder = HDF5Builder()
        let address = builder.append(eight + eight)
        let one = builder.object([.space([4]), .float32, .contiguous(address, 16)])
        let two = builder.object([.space([2]), .float32, .contiguous(address + 8, 8)])
        return builder.finished([("one", one), ("two", two)])
      }()),
    refused(
      "H24", "data over the superblock", says: ["tensor 'x'", "byte"],
      dataset(.space([4]), .float32, .contiguous(8, 16))),
    refused(
      "H25", "a compact dataset of another size", says: ["tensor 'x'", "byte"],
      dataset(.space([4]), .uint8, .compact([1, 2, 3]))),
    refused(
      "H15", "data in another file", .unsafe, says: ["tensor 'x'", "other files"],
      dataset(
        .space([4]), .float32,
        HDF5Message(7, [1, 0, 0, 0] + little(1, 2) + little(1, 2) + undefinedAddress),
        .contiguous(nil, 16))),
    refused(
      "H16", "a virtual dataset", .unsafe, says: ["tensor 'x'", "virtual"],
      dataset(.space([4]), .float32, HDF5Message(8, [4, 3] + undefinedAddress + little(0, 4)))),
  ]

  // MARK: Chunks

  /// A dataset `x` of six bytes in chunks of two; nil leaves a chunk out.
  private static func chunked(
    _ chunks: [[UInt8]?] = [[1, 2], [3, 4], [5, 6]],
    filters: [(number: Int, parameters: [Int])] = [], masks: [Int: UInt32] = [:],
    sizes: [Int: Int] = [:], offsets: [Int: Int] = [:], addresses: [Int: Int] = [:],
    extents: [Int] = [2], elementSize: Int = 1, fill: UInt8? = nil
  ) -> [UInt8] {
    var builder = HDF5Builder()
    var records: [(offset: [Int], address: Int, size: Int, mask: UInt32)] = []
    for (index, chunk) in chunks.enumerated() {
      guard let chunk else { continue }
      let address = builder.append(chunk)
      records.append(
        (
          offset: [offsets[index] ?? 2 * index], address: addresses[index] ?? address,
          size: sizes[index] ?? chunk.count, mask: masks[index] ?? 0
        ))
    }
    let tree = builder.chunkTree(rank: 1, records)
    var messages: [HDF5Message] = [
      .space([6]), .uint8, .chunked(extents, elementSize: elementSize, tree: tree),
    ]
    if !filters.isEmpty { messages.append(.filters(filters)) }
    if let fill { messages.append(.fill([fill])) }
    let object = builder.object(messages)
    return builder.finished([("x", object)])
  }

  private static let six = PlainTensor("x", "uint8", [6], [1, 2, 3, 4, 5, 6])

  private static let chunks = [
    refused("H26", "chunks of no extent", says: ["byte"], chunked(extents: [0])),
    refused("H26", "chunks of another rank", says: ["byte"], chunked(extents: [2, 2])),
    refused(
      "H26", "a chunk above 4 GiB", says: ["byte"],
      chunked(extents: [0xFFFF_FFFF], elementSize: 2)),
    refused(
      "H26", "a chunk above the bound", .limit, says: ["tensor 'x'", "--max-chunk"],
      headerIsSound: true, chunked(extents: [(64 << 20) + 2])),
    refused(
      "H27", "a tree that leads to itself", says: ["tensor 'x'", "byte"], headerIsSound: true,
      {
        var builder = HDF5Builder()
        let address = builder.append([])
        let tree = builder.chunkTree(
          rank: 1, [(offset: [0], address: address, size: 1, mask: 0)], level: 1)
        let object = builder.object([
          .space([6]), .uint8, .chunked([2], elementSize: 1, tree: tree),
        ])
        return builder.finished([("x", object)])
      }()),
    refused(
      "H27", "no tree where one should be", says: ["tensor 'x'", "byte"], headerIsSound: true,
      dataset(.space([6]), .uint8, .chunked([2], elementSize: 1, tree: 48))),
    refused(
      "H27", "a tree past the file", says: ["tensor 'x'", "byte"], headerIsSound: true,
      dataset(.space([6]), .uint8, .chunked([2], elementSize: 1, tree: 1 << 40))),
    refused(
      "H27", "a chunk outside the shape", says: ["tensor 'x'", "byte"], headerIsSound: true,
      chunked(offsets: [2: 6])),
    refused(
      "H27", "a chunk between two places", says: ["tensor 'x'", "byte"], headerIsSound: true,
      chunked(offsets: [1: 3])),
    refused(
      "H27", "a chunk twice", says: ["tensor 'x'", "byte"], headerIsSound: true,
      chunked(offsets: [1: 0])),
    refused(
      "H27", "a chunk past the file", says: ["tensor 'x'", "byte"], headerIsSound: true,
      chunked(addresses: [1: 1 << 40])),
    refused(
      "H27", "two chunks over the same bytes", says: ["tensor 'x'", "byte"], headerIsSound: true,
      chunked(addresses: [1: 48])),
    read(
      "H27", "a chunk that was never written",
      [PlainTensor("x", "uint8", [6], [1, 2, 9, 9, 5, 6])],
      chunked([[1, 2], nil, [5, 6]], fill: 9)),
    refused(
      "H28", "a chunk of no bytes", says: ["tensor 'x'", "byte"], headerIsSound: true,
      chunked(sizes: [0: 0])),
    refused(
      "H28", "a chunk of a byte too many", says: ["tensor 'x'", "byte"], headerIsSound: true,
      chunked(sizes: [0: 3])),
    refused(
      "H28", "a chunk that inflates to more", says: ["tensor 'x'", "byte"], headerIsSound: true,
      chunked(
        [Deflate.zlibStream([1, 2, 3], level: 6), nil, nil], filters: [(1, [6])])),
  ]

  private static func checked(_ a: UInt8, _ b: UInt8, isSound: Bool = true) -> [UInt8] {
    // Two bytes and their Fletcher-32, as libhdf5 stores it.
    [a, b, b, isSound ? a : a ^ 1, b, a]
  }

  private static let filters =
    [
      read(
        "H29", "deflate", [six],
        chunked(
          [[1, 2], [3, 4], [5, 6]].map { Deflate.zlibStream($0, level: 6) }, filters: [(1, [6])])),
      read(
        "H29", "Fletcher-32", [six],
        chunked([checked(1, 2), checked(3, 4), checked(5, 6)], filters: [(3, [])])),
      refused(
        "H32", "a wrong Fletcher-32", .integrity, says: ["tensor 'x'", "byte"], headerIsSound: true,
        chunked(
          [checked(1, 2), checked(3, 4, isSound: false), checked(5, 6)], filters: [(3, [])])),
      read(
        "H33", "a chunk that skips its filter", [six],
        chunked(
          [[1, 2], Deflate.zlibStream([3, 4], level: 6), [5, 6]], filters: [(1, [6])],
          masks: [0: 1, 2: 1])),
      refused(
        "H31", "nine filters", says: ["byte"],
        chunked(filters: [(number: Int, parameters: [Int])](repeating: (1, [6]), count: 9))),
      refused(
        "H31", "parameters past the message", says: ["byte"],
        dataset(
          .space([6]), .uint8, .chunked([2], elementSize: 1, tree: nil),
          HDF5Message(11, [2, 1] + little(1, 2) + little(0, 2) + little(200, 2) + little(6, 4)))),
    ]
    + [(4, "szip"), (5, "nbit"), (6, "scale-offset"), (32_001, "32001"), (777, "777")].map {
      number, word in
      refused(
        "H30", "filter \(number)", .unsupported, says: ["tensor 'x'", word], headerIsSound: true,
        chunked(filters: [(number, [1])]))
    }

  // MARK: Groups as other versions store them

  private static let old = "tree_v0.h5"

  private static let oldGroups = [
    refused(
      "H34", "a local heap without its signature", says: ["byte"], try patched(old, "HEAP", 0, [0])),
    refused(
      "H34", "a local heap past the file", says: ["byte"],
      try patched(old, "HEAP", 24, little(1 << 40, 8))),
    refused(
      "H34", "a name past the heap", says: ["byte"],
      try patched(old, "SNOD", 8, little(1 << 20, 8))),
    refused(
      "H35", "a node with more symbols than it holds", says: ["byte"],
      try patched(old, "SNOD", 6, [200])),
    refused("H35", "no node where one should be", says: ["byte"], try patched(old, "SNOD", 0, [0])),
    refused(
      "H35", "a tree of 200 levels", says: ["byte"], try patched(old, "TREE", 5, [200])),
    refused(
      "H35", "a tree past the file", says: ["byte"],
      try patched(old, "TREE", 32, little(1 << 40, 8))),
    refused(
      "H12", "a soft link in a symbol table", .unsafe, says: ["soft link"],
      try patched(old, "SNOD", 8 + 16, [2])),
  ]

  private static let dense = "group-300-children_latest.h5"

  private static func damaged(_ signature: String) -> ThreatCase {
    refused(
      "H36", "a changed byte behind \(signature)", .integrity, says: ["byte"],
      try patched(dense, signature, 6, [0xA5]))
  }

  private static let denseGroups = ["FRHP", "FHDB", "FHIB", "BTHD", "BTLF"].map(damaged)

  // MARK: Attributes

  /// An attribute of one string in a global heap.
  private static func text(
    count: Int = 3, index: Int = 1, address: Int? = nil, objectSize: Int = 3, heapSize: Int = 56
  ) -> [UInt8] {
    var builder = HDF5Builder()
    let heap =
      Array("GCOL".utf8) + [1, 0, 0, 0] + little(heapSize, 8) + little(1, 2) + little(1, 2)
      + little(0, 4) + little(objectSize, 8) + Array("abc".utf8) + [0, 0, 0, 0, 0]
      + [UInt8](repeating: 0, count: 16)
    let heapAddress = builder.append(heap)
    let type = HDF5Message.type([0x19, 1, 0, 0] + little(16, 4) + HDF5Message.uint8.body)
    let data = little(count, 4) + little(address ?? heapAddress, 8) + little(index, 4)
    let object = builder.object([
      .space([1]), .uint8, .compact([1]), .attribute("text", type, .space([]), data),
    ])
    return builder.finished([("x", object)])
  }

  private static let one = PlainTensor("x", "uint8", [1], [1])

  private static let attributes =
    [
      ("a heap of no size", text(heapSize: 0)), ("a heap past the file", text(heapSize: 1 << 40)),
      ("an object past its heap", text(objectSize: 1 << 40)),
      ("object 0", text(index: 0)), ("an object that is not there", text(index: 2)),
      ("an object shorter than the string", text(count: 4)),
      ("no heap where one should be", text(address: 8)),
    ].map { title, bytes in
      refused("H37", title, says: ["'text'", "byte"], bytes)
    }
    + [
      read("H37", "a sound string in a heap", [one], text()),
      refused("H38", "a string of 2 GiB", says: ["'text'", "byte"], text(count: 1 << 31)),
      refused(
        "H38", "an attribute past its message", says: ["'a'", "byte"],
        dataset(
          .space([1]), .uint8, .compact([1]), .attribute("a", .float32, .space([100]), [1, 2, 3]))),
      refused(
        "H38", "an attribute of 17 MiB", .limit, says: ["'a'", "16777216"],
        dataset(
          .space([1]), .uint8, .compact([1]), .attribute("a", .uint8, .space([17 << 20]), []))),
    ]
    + [UInt8(0), 1, 2].map { padding in
      read(
        "H39", "a string with padding of kind \(padding)", [one],
        dataset(
          .space([1]), .uint8, .compact([1]),
          .attribute("text", .string(5, padding: padding), .space([]), Array("ab\0d ".utf8))))
    }
}
