import Crypto
import Foundation
import TestSupport
import Tensors
import Testing

/// Rows I-1 to I-9: a file put together from its specification, with one thing wrong.
enum NativeCases {
  static let all = damage + rules + aliases + chunks

  private static let file = "x.ingot"

  private static func refused(
    _ row: String, _ title: String, _ errorClass: ErrorClass = .malformed, says: [String] = [],
    headerIsSound: Bool = false, _ bytes: @escaping @autoclosure @Sendable () throws -> [UInt8]
  ) -> ThreatCase {
    ThreatCase(
      row, title, file, .refused(errorClass), says: says, headerIsSound: headerIsSound, try bytes())
  }

  static func hexadecimal(_ bytes: [UInt8]) -> String {
    SHA256.hash(data: bytes).map { $0 < 16 ? "0\(String($0, radix: 16))" : String($0, radix: 16) }
      .joined()
  }

  private static let ones = [UInt8](repeating: 1, count: 64)
  private static let twos = [UInt8](repeating: 2, count: 64)

  private static func entry(_ name: String, _ data: [UInt8], at offset: Int) -> String {
    "{\"bytes\":64,\"dtype\":\"int8\",\"name\":\"\(name)\",\"offset\":\(offset)"
      + ",\"sha256\":\"\(hexadecimal(data))\",\"shape\":[64]}"
  }

  private static let a = entry("a", ones, at: 64)
  private static let b = entry("b", twos, at: 128)
  private static let start = "{\"alignment\":64,\"metadata\":{},\"provenance\":null,\"tensors\":["

  /// A file with this index and these data behind the header.
  private static func native(
    _ tensors: String = "\(a),\(b)", start: String = start, data: [UInt8] = ones + twos,
    version: Int = 1, features: Int = 0, indexLength: Int? = nil,
    change: (inout [UInt8]) -> Void = { _ in }
  ) -> [UInt8] {
    let index = Array((start + tensors + "]}").utf8)
    var bytes: [UInt8] = [0x89] + Array("INGOT\r\n".utf8)
    bytes += little(version, 4) + little(features, 4) + little(64 + data.count, 8)
    bytes += little(indexLength ?? index.count, 8) + Array(SHA256.hash(data: index))
    bytes += data + index
    bytes += little(bytes.count + 16, 8) + Array("INGOTEND".utf8)
    change(&bytes)
    return bytes
  }

  private static let damage = [
    ThreatCase(
      "I-1", "a sound file", file,
      .read([PlainTensor("a", "int8", [64], ones), PlainTensor("b", "int8", [64], twos)]), native()),
    refused(
      "I-1", "a bit of a tensor", .integrity, says: ["tensor 'b'"], headerIsSound: true,
      native { $0[150] ^= 1 }),
    refused("I-1", "a bit of the index", .integrity, says: ["index"], native { $0[250] ^= 1 }),
    refused("I-2", "a byte too few", says: ["byte"], Array(native().dropLast())),
    refused("I-2", "a byte too many", says: ["byte"], native() + [0]),
    refused("I-2", "the file twice", says: ["byte"], native() + native()),
    refused(
      "I-3", "the data of another file", .integrity, says: ["tensor 'a'"], headerIsSound: true,
      native(data: twos + twos)),
    refused(
      "I-4", "a version of the future", .unsupported, says: ["version 2"], native(version: 2)),
    refused(
      "I-4", "a feature of the future", .unsupported, says: ["feature bit 7"],
      native(features: 1 << 7)),
    refused("I-4", "a feature that nothing needs", says: ["byte"], native(features: 1)),
    refused(
      "I-8", "two tensors changed places with their digests", .integrity, says: ["tensor"],
      headerIsSound: true, native(data: twos + ones)),
    ThreatCase(
      "I-9", title: "an index of 1 GiB", .refused(.limit), says: ["1073741824"]
    ) { folder in
      let length = 64 + (1 << 30) + 16
      let header = native { bytes in
        bytes.replaceSubrange(16..<32, with: little(64, 8) + little(1 << 30, 8))
      }
      let path = folder.appending(path: file).filePath
      try Data(header.prefix(64)).write(to: URL(filePath: path))
      let handle = try #require(FileHandle(forWritingAtPath: path))
      try handle.seek(toOffset: UInt64(length - 16))
      try handle.write(contentsOf: little(length, 8) + Array("INGOTEND".utf8))
      try handle.close()
      return path
    },
  ]

  private static let rules = [
    refused("I-5", "a blank in the index", says: ["byte"], native(start: " " + start)),
    refused(
      "I-5", "keys in another order", says: ["byte"],
      native(start: "{\"metadata\":{},\"alignment\":64,\"provenance\":null,\"tensors\":[")),
    refused(
      "I-5", "padding that is not zero", says: ["byte 127"],
      native(
        entry("b", twos, at: 128), start: start.replacing("64", with: "128"),
        data: [UInt8](repeating: 0, count: 63) + [9] + twos + [UInt8](repeating: 0, count: 64))),
    refused(
      "I-5", "tensors that overlap", says: ["tensor 'b'", "byte"],
      native("\(a),\(entry("b", twos, at: 64))")),
    refused("I-5", "a tensor twice", says: ["'a'"], native("\(a),\(a)")),
  ]

  private static let aliases = [
    ThreatCase(
      "I-6", "a sound alias", file,
      .read([
        PlainTensor("a", "int8", [64], ones), PlainTensor("b", "int8", [64], twos),
        PlainTensor("c", "int8", [64], ones),
      ]), native("\(a),\(b),{\"alias_of\":\"a\",\"name\":\"c\"}")),
    refused(
      "I-6", "an alias of nothing", says: ["'c'", "'z'", "byte"],
      native("\(a),\(b),{\"alias_of\":\"z\",\"name\":\"c\"}")),
    refused(
      "I-6", "an alias of itself", says: ["'c'", "byte"],
      native("\(a),\(b),{\"alias_of\":\"c\",\"name\":\"c\"}")),
    refused(
      "I-6", "an alias of an alias", says: ["'d'", "byte"],
      native(
        "\(a),\(b),{\"alias_of\":\"a\",\"name\":\"c\"},{\"alias_of\":\"c\",\"name\":\"d\"}")),
  ]

  private static func chunked(_ chunks: String, bytes: Int = 64) -> [UInt8] {
    let tensor =
      "{\"bytes\":\(bytes),\"chunks\":\(chunks),\"dtype\":\"int8\",\"name\":\"a\",\"offset\":64"
      + ",\"sha256\":\"\(hexadecimal(ones))\",\"shape\":[\(bytes)]}"
    return native(tensor, data: ones, features: 1)
  }

  private static let chunks =
    ["[]", "[4]", "[65]", "[32,32]", "[-1]", "[9223372036854775807]"].map { list in
      refused("I-7", "chunks of \(list) bytes", says: ["byte"], chunked(list))
    }
    + [
      refused(
        "I-7", "a chunk that claims to expand a thousandfold", says: ["tensor 'a'", "byte"],
        chunked("[64]", bytes: 64_000)),
      refused(
        "I-7", "a chunk that is no deflate stream", .integrity, says: ["tensor 'a'"],
        headerIsSound: true, chunked("[64]", bytes: 128)),
    ]
}
