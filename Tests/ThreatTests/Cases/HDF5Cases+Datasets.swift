import Compression
import Foundation
import TestSupport
import Tensors

/// Types, shapes and layouts of datasets.
extension HDF5Cases {
  static func element(_ type: [UInt8], size: Int) -> [UInt8] {
    dataset(.space([1]), .type(type), .compact([UInt8](repeating: 0, count: size)))
  }

  static let types =
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

  static let spaces = [
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

  static let layouts = [
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
}
