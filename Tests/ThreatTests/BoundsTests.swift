import Foundation
import TestSupport
import Tensors
import Testing

/// Time and memory follow what a file holds, never what it declares.
@Suite struct BoundsTests {
  /// Two files of nearly the same bytes: what the second declares is much larger.
  struct Pair: Sendable, CustomTestStringConvertible {
    let title: String
    let fileName: String
    let small: [UInt8]
    let large: [UInt8]
    var testDescription: String { title }
  }

  private static func attribute(_ count: Int) -> [UInt8] {
    HDF5Builder.dataset([
      .space([1]), .uint8, .compact([1]), .attribute("a", .uint8, .space([count]), [1]),
    ])
  }

  private static func chunk(_ extent: Int) -> [UInt8] {
    var builder = HDF5Builder()
    let address = builder.append(eight)
    let tree = builder.chunkTree(rank: 1, [(offset: [0], address: address, size: 8, mask: 0)])
    let object = builder.object([
      .space([6], largest: [extent]), .uint8, .chunked([extent], elementSize: 1, tree: tree),
      .filters([(1, [6])]),
    ])
    return builder.finished([("x", object)])
  }

  static let pairs = [
    Pair(
      title: "the shape of an npy file", fileName: "a.npy", small: npy(shape: "(3,)"),
      large: npy(shape: "(1099511627776,)")),
    Pair(
      title: "the header of an npy file", fileName: "a.npy",
      small: npy(text: [0x7B], version: (2, 0), length: 100),
      large: npy(text: [0x7B], version: (2, 0), length: 0xFFFF_FFFF)),
    Pair(
      title: "the header of a safetensors file", fileName: "x.safetensors",
      small: safetensors("{}", length: 100), large: safetensors("{}", length: 99_999_999)),
    Pair(
      title: "the span of a tensor", fileName: "x.safetensors",
      small: oneTensor(shape: "[4]", offsets: "[0,16]"),
      large: oneTensor(shape: "[1099511627776]", offsets: "[0,4398046511104]")),
    Pair(
      title: "the size of a member", fileName: "x.npz",
      small: npz(of: deflated("a.npy", npy())) { $0.both { $0.uncompressedSize = 100 } },
      large: npz(of: deflated("a.npy", npy())) { $0.both { $0.uncompressedSize = 70_000 } }),
    Pair(
      title: "the number of members", fileName: "x.npz",
      small: npz([]) { $0.changeEnd = { $0.replaceSubrange(8..<12, with: [2, 0, 2, 0]) } },
      large: npz([]) {
        $0.changeWideEnd = {
          $0.replaceSubrange(24..<40, with: little(1 << 40, 8) + little(1 << 40, 8))
        }
      }),
    Pair(
      title: "an HDF5 attribute", fileName: "x.h5", small: attribute(2), large: attribute(16 << 20)),
    Pair(
      title: "an HDF5 dataset", fileName: "x.h5",
      small: HDF5Builder.dataset([.space([1000]), .float32, .contiguous(48, 4000)]),
      large: HDF5Builder.dataset([.space([1 << 40]), .float32, .contiguous(48, 4 << 40)])),
    Pair(
      title: "an HDF5 chunk", fileName: "x.h5", small: chunk(16), large: chunk(32 << 20)),
  ]

  @Test(.row("G20", "Z13", "N2", "H22"), arguments: pairs)
  func aDeclaredSizeDoesNotMoveThePeak(_ pair: Pair) throws {
    try Places.withTemporaryFolder { folder in
      let path = folder.appending(path: pair.fileName).filePath
      /// The least of three: what else the system does only adds.
      func peak(_ bytes: [UInt8]) throws -> Int {
        try Data(bytes).write(to: URL(filePath: path))
        return try (0..<3).map { _ in
          let run = try MeasuredRun(["digest", path], addressSpace: 512 << 20)
          #expect([65, 69].contains(run.status), "\(run.diagnostics)")
          return run.peakBytes
        }.min() ?? 0
      }
      let small = try peak(pair.small)
      let large = try peak(pair.large)
      #expect(large - small <= 1 << 20, "\((large - small) >> 10) KiB more")
    }
  }

  // MARK: Many tensors

  /// Files with `count` tensors of one byte or none, written in pieces.
  private static func write(_ count: Int, _ format: String, to path: String) throws {
    try Data().write(to: URL(filePath: path))
    let handle = try #require(FileHandle(forWritingAtPath: path))
    defer { try? handle.close() }
    func list(_ item: (Int) -> String) throws {
      for start in stride(from: 0, to: count, by: 10_000) {
        let items = (start..<min(start + 10_000, count)).map(item).joined(separator: ",")
        try handle.write(contentsOf: Data(((start == 0 ? "" : ",") + items).utf8))
      }
    }
    switch format {
    case "safetensors":
      try handle.seek(toOffset: 8)
      try handle.write(contentsOf: Data("{".utf8))
      try list { "\"t\($0)\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[\($0),\($0 + 1)]}" }
      try handle.write(contentsOf: Data("}".utf8))
      let end = try handle.offset()
      try handle.write(contentsOf: Data(count: count))
      try handle.seek(toOffset: 0)
      try handle.write(contentsOf: Data(little(Int(end) - 8, 8)))
    case "npz":
      // Every member has the bytes of this one, but for its name and its place.
      let array = npy(descr: "'|u1'", shape: "(0,)", [])
      let one = ZipBuilder([ZipBuilder.Member("0000000.npy", array)]).build()
      let local = Array(one[..<(30 + 11 + array.count)])
      let central = Array(one[local.count..<(local.count + 46 + 11)])
      func members(_ bytes: [UInt8], nameAt: Int, offsetAt: Int?) throws {
        for start in stride(from: 0, to: count, by: 10_000) {
          var part: [UInt8] = []
          for number in start..<min(start + 10_000, count) {
            let place = part.count
            part += bytes
            let digits = String(10_000_000 + number).utf8.dropFirst()
            part.replaceSubrange(place + nameAt..<place + nameAt + 7, with: digits)
            if let offsetAt {
              part.replaceSubrange(
                place + offsetAt..<place + offsetAt + 4, with: little(number * local.count, 4))
            }
          }
          try handle.write(contentsOf: Data(part))
        }
      }
      try members(local, nameAt: 30, offsetAt: nil)
      try members(central, nameAt: 46, offsetAt: 42)
      let (start, size) = (count * local.count, count * central.count)
      let record = [0x50, 0x4B, 6, 6] + little(44, 8) + [45, 3, 45, 0] + little(0, 8)
      let locator = [0x50, 0x4B, 6, 7] + little(0, 4) + little(start + size, 8) + little(1, 4)
      let end = [0x50, 0x4B, 5, 6] + little(0, 4) + little(0xFFFF, 2) + little(0xFFFF, 2)
      try handle.write(
        contentsOf: Data(
          record + little(count, 8) + little(count, 8) + little(size, 8) + little(start, 8)
            + locator + end + little(size, 4) + little(start, 4) + little(0, 2)))
    default: throw IngotError(.internal, "no such format: \(format)")
    }
  }

  @Test(
    .row("G12", "Z22"), .enabled(if: Harness.isLong, "INGOT_LONG is not set"),
    arguments: ["safetensors", "npz"], [1_000_000, 1_000_001])
  func aMillionTensorsAreReadAndOneMoreIsALimit(_ format: String, _ count: Int) throws {
    try Places.withTemporaryFolder { folder in
      let path = folder.appending(path: "x.\(format)").filePath
      try Self.write(count, format, to: path)
      let run = try MeasuredRun(["digest", path], seconds: 120)
      print("\(count) tensors, \(format): \(run.processorSeconds) s, \(run.peakBytes >> 20) MiB")
      #expect(run.status == (count > 1_000_000 ? 65 : 0), "\(run.diagnostics)")
      #if !DEBUG
      #expect(run.seconds < 10)
      #endif
    }
  }

  /// Four times as much takes about four times as long.
  @Test(
    .row("G12"), .enabled(if: Harness.isLong, "INGOT_LONG is not set"),
    arguments: ["safetensors", "npz"], [["digest"], ["inspect"], ["inspect", "--stats"]])
  func nothingIsQuadratic(_ format: String, _ command: [String]) throws {
    try Places.withTemporaryFolder { folder in
      let path = folder.appending(path: "x.\(format)").filePath
      func time(_ count: Int) throws -> Double {
        try Self.write(count, format, to: path)
        return try (0..<3).map { _ in
          try MeasuredRun([command[0], path] + command.dropFirst(), seconds: 120).processorSeconds
        }.min() ?? 0
      }
      let (few, many) = (try time(25_000), try time(100_000))
      print("\(format), \(command.joined(separator: " ")): \(few) s and \(many) s")
      #expect(many < 7 * few)
    }
  }
}
