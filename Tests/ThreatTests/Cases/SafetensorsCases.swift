import Foundation
import TestSupport
import Tensors

/// Rows S1 to S30.
enum SafetensorsCases {
  static let all = lengths + headers + entries + shapes + coverage + names + indexes

  private static let file = "x.safetensors"

  private static let lengths = [
    ThreatCase("S1", "7 bytes", file, .refused(.malformed), [1, 2, 3, 4, 5, 6, 7]),
    ThreatCase(
      "S2", "a header that ends past the file", file, .refused(.malformed),
      says: ["byte 8", "the file ends at 10"],
      safetensors("{}", length: 1000)),
    ThreatCase(
      "S3", "a header above 100,000,000 bytes", file, .refused(.limit), says: ["100000001"],
      safetensors("{}", length: 100_000_001)),
    ThreatCase(
      "S4", "a length of 2^64 - 1", file, .refused(.malformed),
      says: ["byte 0", "18446744073709551615"], safetensors("{}", length: .max)),
    ThreatCase(
      "S4", "a length of 2^63", file, .refused(.malformed),
      says: ["byte 0", "9223372036854775808"],
      safetensors("{}", length: 1 << 63)),
    ThreatCase(
      "S5", "a length of 0", file, .refused(.malformed), safetensors("", length: 0)),
  ]

  private static let headers = [
    ThreatCase(
      "S6", "a header that is not UTF-8", file, .refused(.malformed), says: ["byte 10", "UTF-8"],
      safetensors(Array("{\"".utf8) + [0xFF] + Array("\":1}".utf8))),
    ThreatCase(
      "S7", "a header that is not JSON", file, .refused(.malformed), says: ["byte 8"],
      safetensors("nonsense")),
    ThreatCase(
      "S7", "an array for a header", file, .refused(.malformed), says: ["byte 8"], safetensors("[]")
    ),
    ThreatCase(
      "S7", "a byte order mark", file, .refused(.malformed), says: ["byte 8"],
      safetensors("\u{FEFF}{}")),
    ThreatCase(
      "S7", "two documents", file, .refused(.malformed), says: ["byte 10", "follows"],
      safetensors("{}{}")),
    ThreatCase(
      "S7", "NUL after the header", file, .refused(.malformed), says: ["byte 10"],
      safetensors("{}\0")),
    ThreatCase(
      "S8", "a blank before the header", file, .refused(.malformed), says: ["byte 8"],
      safetensors(" {}")),
    ThreatCase(
      "S9", "blanks after the header", file, .read([two()]),
      safetensors("{\(entry())}  \n\t ", eight)),
    ThreatCase(
      "S10", "a tensor twice, over other bytes", file, .refused(.malformed),
      says: ["'a'", "twice"],
      safetensors("{\(entry()),\(entry(offsets: "[8,16]"))}", eight + eight)),
    ThreatCase(
      "S10", "a tensor twice, over the same bytes", file, .refused(.malformed),
      says: ["tensor 'a'"], safetensors("{\(entry()),\(entry())}", eight)),
    ThreatCase(
      "S11", "metadata twice", file, .refused(.malformed), says: ["'__metadata__' occurs twice"],
      safetensors(#"{"__metadata__":{},"__metadata__":{}}"#)),
    ThreatCase(
      "S11", "a key of the metadata twice", file, .refused(.malformed), says: ["'k' occurs twice"],
      safetensors(#"{"__metadata__":{"k":"1","k":"1"}}"#)),
    ThreatCase(
      "S11", "a field twice", file, .refused(.malformed), says: ["tensor 'a'", "twice"],
      safetensors(#"{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, eight)),
    ThreatCase(
      "S12", "a number in the metadata", file, .refused(.malformed), says: ["expected a string"],
      safetensors(#"{"__metadata__":{"k":1}}"#)),
    ThreatCase(
      "S12", "an object in the metadata", file, .refused(.malformed), says: ["expected a string"],
      safetensors(#"{"__metadata__":{"k":{}}}"#)),
  ]

  private static let entries = [
    ThreatCase(
      "S13", "a field that the format does not have", file, .refused(.malformed),
      says: ["tensor 'a'", "'x' is not known"],
      safetensors(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}"#, eight)),
    ThreatCase(
      "S14", "no dtype", file, .refused(.malformed), says: ["tensor 'a'", "dtype"],
      safetensors(#"{"a":{"shape":[2],"data_offsets":[0,8]}}"#, eight)),
    ThreatCase(
      "S14", "no shape", file, .refused(.malformed), says: ["tensor 'a'", "shape"],
      safetensors(#"{"a":{"dtype":"F32","data_offsets":[0,8]}}"#, eight)),
    ThreatCase(
      "S14", "no offsets", file, .refused(.malformed), says: ["tensor 'a'", "data_offsets"],
      safetensors(#"{"a":{"dtype":"F32","shape":[2]}}"#, eight)),
    ThreatCase(
      "S15", "an element type of the future", file, .refused(.unsupported),
      says: ["tensor 'a'", "F33"], oneTensor(dtype: "\"F33\"")),
    ThreatCase(
      "S15", "an element type in small letters", file, .refused(.malformed),
      says: ["tensor 'a'", "'f32'"], oneTensor(dtype: "\"f32\"")),
    ThreatCase(
      "S16", "one offset", file, .refused(.malformed), says: ["tensor 'a'"],
      oneTensor(offsets: "[0]")),
    ThreatCase(
      "S16", "three offsets", file, .refused(.malformed), says: ["tensor 'a'"],
      oneTensor(offsets: "[0,8,8]")),
    ThreatCase(
      "S16", "a negative offset", file, .refused(.malformed), says: ["tensor 'a'", "whole number"],
      oneTensor(offsets: "[-1,8]")),
    ThreatCase(
      "S16", "an end before the begin", file, .refused(.malformed), says: ["tensor 'a'", "[8, 0]"],
      oneTensor(offsets: "[8,0]")),
    ThreatCase(
      "S16", "an offset with a fraction", file, .refused(.malformed),
      says: ["tensor 'a'", "whole number"], oneTensor(offsets: "[0.0,8]")),
    ThreatCase(
      "S16", "an offset with an exponent", file, .refused(.malformed),
      says: ["tensor 'a'", "whole number"], oneTensor(offsets: "[0,8e0]")),
  ]

  private static let shapes = [
    ThreatCase(
      "S17", "a string for a dimension", file, .refused(.malformed), says: ["tensor 'a'"],
      oneTensor(shape: "[\"2\"]")),
    ThreatCase(
      "S17", "a negative dimension", file, .refused(.malformed),
      says: ["tensor 'a'", "whole number"], oneTensor(shape: "[-2]")),
    ThreatCase(
      "S17", "a dimension of 4,000 digits", file, .refused(.malformed),
      says: ["tensor 'a'", "out of range"],
      oneTensor(shape: "[\(String(repeating: "9", count: 4000))]")),
    ThreatCase(
      "S18", "a product that wraps to 0", file, .refused(.malformed), says: ["tensor 'a'", "2^63"],
      oneTensor(shape: "[4294967296,4294967296]", offsets: "[0,0]", data: [])),
    ThreatCase(
      "S18", "a size in bytes that wraps to 0", file, .refused(.malformed),
      says: ["tensor 'a'", "2^63"],
      oneTensor(shape: "[4611686018427387904]", offsets: "[0,0]", data: [])),
    ThreatCase(
      "G19", "a product that overflows before a 0", file, .refused(.malformed),
      says: ["tensor 'a'", "2^63"],
      oneTensor(shape: "[4611686018427387904,4611686018427387904,0]", offsets: "[0,0]", data: [])),
    ThreatCase(
      "S19", "a span that is not the shape's", file, .refused(.malformed),
      says: ["tensor 'a'", "12", "8"], oneTensor(shape: "[3]")),
    ThreatCase(
      "G17", "65 dimensions", file, .refused(.limit), says: ["tensor 'a'", "65", "64"],
      oneTensor(
        shape: "[2,\(Array(repeating: "1", count: 64).joined(separator: ","))]")),
    ThreatCase(
      "S25", "3 elements of 4 bits", file, .refused(.malformed),
      says: ["tensor 'a'", "do not fill whole bytes"],
      oneTensor(dtype: "\"F4\"", shape: "[3]", offsets: "[0,2]", data: [1, 2])),
    ThreatCase(
      "S25", "4 elements of 4 bits", file,
      .read([PlainTensor("a", "float4_e2m1fn", [4], [1, 2])]),
      oneTensor(dtype: "\"F4\"", shape: "[4]", offsets: "[0,2]", data: [1, 2])),
    ThreatCase(
      "S27", "no name, no elements, no dimensions, no number", file,
      .read([
        PlainTensor("", "float32", [], [0, 0, 0xC0, 0x7F]), PlainTensor("z", "int8", [0, 3], []),
      ]),
      safetensors(
        "{\(entry("", shape: "[]", offsets: "[0,4]"))"
          + ",\(entry("z", dtype: "\"I8\"", shape: "[0,3]", offsets: "[4,4]"))}",
        [0, 0, 0xC0, 0x7F])),
  ]

  private static func pair(_ first: String, _ second: String, _ count: Int) -> [UInt8] {
    safetensors(
      "{\(entry("a", offsets: first)),\(entry("b", offsets: second))}",
      [UInt8](repeating: 7, count: count))
  }

  private static let coverage = [
    ThreatCase(
      "S20", "two tensors that overlap", file, .refused(.malformed),
      says: ["'b'", "'a'", "overlap"],
      pair("[0,8]", "[4,12]", 12)),
    ThreatCase(
      "S20", "two tensors over the same bytes", file, .refused(.malformed),
      says: ["'b'", "'a'", "overlap"], pair("[0,8]", "[0,8]", 8)),
    ThreatCase(
      "S20", "a hole between tensors", file, .refused(.malformed), says: ["'b'", "'a'", "4 bytes"],
      pair("[0,8]", "[12,20]", 20)),
    ThreatCase(
      "S20", "a hole before the first tensor", file, .refused(.malformed),
      says: ["'a'", "4 bytes", "header"], pair("[4,12]", "[12,20]", 20)),
    ThreatCase(
      "S21", "an end record of a zip after the data", file, .refused(.malformed),
      says: ["22 bytes follow"],
      oneTensor() + [0x50, 0x4B, 5, 6] + [UInt8](repeating: 0, count: 18)),
    ThreatCase(
      "S22", "2 bytes too few", file, .refused(.malformed), says: ["tensor 'a'"],
      oneTensor(data: Array(eight.prefix(6)))),
    ThreatCase(
      "G20", "more data declared than the file holds", file, .refused(.malformed),
      says: ["tensor 'a'"],
      oneTensor(shape: "[1099511627776]", offsets: "[0,4398046511104]")),
    ThreatCase(
      "S23", "arrays 50,000 deep", file, .refused(.malformed), says: ["byte"],
      safetensors(
        "{\"a\":" + String(repeating: "[", count: 50_000) + String(repeating: "]", count: 50_000)
          + "}")),
    ThreatCase(
      "S23", "objects 50,000 deep", file, .refused(.malformed), says: ["byte"],
      safetensors(
        "{\"a\":" + String(repeating: "{\"b\":", count: 50_000) + "1"
          + String(repeating: "}", count: 50_001))),
    ThreatCase(
      "G22", "JSON 200,000 deep in the metadata", file, .refused(.malformed), says: ["byte"],
      safetensors("{\"__metadata__\":" + String(repeating: "[", count: 200_000))),
    ThreatCase(
      "S26", "20,000 tensors, the last first", file, .read(nil),
      {
        let entries = (0..<20_000).reversed().map { index in
          entry("t\(index)", dtype: "\"U8\"", shape: "[1]", offsets: "[\(index),\(index + 1)]")
        }
        return safetensors(
          "{\(entries.joined(separator: ","))}", [UInt8](repeating: 1, count: 20_000))
      }()),
  ]

  private static let names = [
    ThreatCase(
      "S24", "half of a surrogate pair in a name", file, .refused(.malformed),
      says: ["byte 10", "surrogate"], oneTensor("\\ud800")),
    ThreatCase(
      "G13", "a name of 65,535 bytes", file, .read([two(String(repeating: "n", count: 65_535))]),
      oneTensor(String(repeating: "n", count: 65_535))),
    ThreatCase(
      "G13", "a name of 64 KiB", file, .refused(.limit), says: ["65536", "65535"],
      oneTensor(String(repeating: "n", count: 65_536))),
    ThreatCase(
      "G13", "a name of 1 MB", file, .refused(.limit), says: ["65535"],
      oneTensor(String(repeating: "n", count: 1_000_000))),
    ThreatCase(
      "G14", "a name with NUL, newline, escape and a change of direction", file,
      .read([two("\0\n\u{1B}[31m\u{202E}x")]), oneTensor("\\u0000\\n\\u001b[31m\u{202E}x")),
    ThreatCase(
      "G14", "such a name in a message", file, .refused(.malformed),
      says: [#"tensor '\n\u{1b}[31m\u{202e}x'"#], oneTensor("\\n\\u001b[31m\u{202E}x", shape: "[3]")
    ),
    ThreatCase(
      "G15", "a name that is a path elsewhere", file, .read([two("../../etc/passwd")]),
      oneTensor("../../etc/passwd")),
    ThreatCase(
      "G16", "two spellings of one name in Unicode", file, .read(nil),
      safetensors(
        "{\(entry("\u{E9}")),\(entry("e\u{301}", offsets: "[8,16]"))}", eight + eight)),
  ]

  // MARK: Shard indexes

  /// Two shards, one tensor each, and this map of their names.
  private static func index(
    _ row: String, _ title: String, _ outcome: ThreatCase.Outcome, says: [String] = [],
    _ map: String, size: String = "16", extra: @escaping @Sendable (URL) throws -> Void = { _ in }
  ) -> ThreatCase {
    ThreatCase(row, title: title, outcome, says: says) { folder in
      try Data(oneTensor("a")).write(to: folder.appending(path: "s1.safetensors"))
      try Data(oneTensor("b")).write(to: folder.appending(path: "s2.safetensors"))
      try extra(folder)
      let url = folder.appending(path: "m.safetensors.index.json")
      try Data("{\"metadata\":{\"total_size\":\(size)},\"weight_map\":{\(map)}}".utf8).write(
        to: url)
      return url.filePath
    }
  }

  private static let map = #""a":"s1.safetensors","b":"s2.safetensors""#

  private static let indexes = [
    index("S28", "sound shards", .read([two("a"), two("b")]), map),
    index(
      "S28", "a shard above the folder", .refused(.malformed), says: ["../s1"],
      #""a":"../s1.safetensors""#),
    index(
      "S28", "a shard by its whole path", .refused(.malformed), says: ["/etc/passwd"],
      #""a":"/etc/passwd""#),
    index(
      "S28", "a shard that is a link", .refused(.unsafe), says: ["s3.safetensors"],
      #""a":"s3.safetensors""#
    ) { folder in
      try FileManager.default.createSymbolicLink(
        atPath: folder.appending(path: "s3.safetensors").filePath,
        withDestinationPath: "/etc/passwd")
    },
    index(
      "S28", "a shard that is absent", .refused(.unreadable), says: ["s9.safetensors"],
      map + #","c":"s9.safetensors""#),
    index(
      "S29", "a tensor listed twice", .refused(.malformed), says: ["'a'", "twice"],
      map + #","a":"s2.safetensors""#),
    index(
      "S29", "tensors in other shards than the index says", .refused(.malformed),
      says: [
        "'a' is not in s2.safetensors", "'b' is not in s1.safetensors",
        "'a' in s1.safetensors is not listed", "'b' in s2.safetensors is not listed",
      ], #""a":"s2.safetensors","b":"s1.safetensors""#),
    index(
      "S29", "a tensor that the index lacks", .refused(.malformed), says: ["'b'", "not listed"],
      #""a":"s1.safetensors","c":"s2.safetensors""#),
    index(
      "S30", "a total size of 2^64 - 1", .read([two("a"), two("b")]),
      says: ["note: ", "total_size"], map, size: "18446744073709551615"),
  ]
}
