import Compression
import Foundation
import TestSupport
import Tensors

/// Rows H3 to H41, as our own builder and h5py's files give them.
enum HDF5Cases {
  static let all =
    superblocks + headers + links + types + spaces + layouts + chunks + filters + oldGroups
    + denseGroups + attributes

  static let file = "x.h5"

  static func refused(
    _ row: String, _ title: String, _ errorClass: ErrorClass = .malformed, says: [String] = [],
    headerIsSound: Bool = false, _ bytes: @escaping @autoclosure @Sendable () throws -> [UInt8]
  ) -> ThreatCase {
    ThreatCase(
      row, title, file, .refused(errorClass), says: says, headerIsSound: headerIsSound, try bytes())
  }

  static func read(
    _ row: String, _ title: String, _ tensors: [PlainTensor]?, says: [String] = [],
    _ bytes: @escaping @autoclosure @Sendable () throws -> [UInt8]
  ) -> ThreatCase {
    ThreatCase(row, title, file, .read(tensors), says: says, try bytes())
  }

  static let x = PlainTensor("x", "float32", [2], eight)

  /// A dataset `x` of two float32 in one stretch.
  static func plain(_ change: (inout HDF5Builder) -> Void = { _ in }) -> [UInt8] {
    var builder = HDF5Builder()
    change(&builder)
    let address = builder.append(eight)
    let object = builder.object([.space([2]), .float32, .contiguous(address, 8)])
    return builder.finished([("x", object)])
  }

  /// Such a file with a byte of its superblock changed.
  static func plain(_ position: Int, _ value: UInt8) -> [UInt8] {
    var bytes = plain()
    bytes[position] = value
    return bytes
  }

  static func dataset(_ messages: HDF5Message...) -> [UInt8] {
    HDF5Builder.dataset(messages)
  }

  /// A fixture with bytes changed behind the first structure that begins with `signature`.
  static func patched(
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

  static let superblocks =
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

  static let headers = [
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

  static func link(_ kind: UInt8, _ target: String) -> [UInt8] {
    var builder = HDF5Builder()
    let group = builder.object([.linkInformation, .link("out", kind: kind, Array(target.utf8))])
    return builder.finished([("g", group)])
  }

  static func named(_ name: [UInt8], isUTF8: Bool = true) -> [UInt8] {
    var builder = HDF5Builder()
    let object = builder.object([.space([1]), .uint8, .compact([1])])
    return builder.finished(
      root: builder.object([.linkInformation, .link(name, to: object, isUTF8: isUTF8)]))
  }

  static let links =
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

  // MARK: Groups as other versions store them

  static let old = "tree_v0.h5"

  static let oldGroups = [
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

  static let dense = "group-300-children_latest.h5"

  static func damaged(_ signature: String) -> ThreatCase {
    refused(
      "H36", "a changed byte behind \(signature)", .integrity, says: ["byte"],
      try patched(dense, signature, 6, [0xA5]))
  }

  static let denseGroups = ["FRHP", "FHDB", "FHIB", "BTHD", "BTLF"].map(damaged)

  // MARK: Attributes

  /// An attribute of one string in a global heap.
  static func text(
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

  static let one = PlainTensor("x", "uint8", [1], [1])

  static let attributes =
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
