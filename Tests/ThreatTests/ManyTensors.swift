import Foundation
import TestSupport
import Tensors
import Testing

/// Files of very many tensors of one byte or none: by hand where a format is simple, else by our own writer.
enum ManyTensors: String, CaseIterable, Sendable {
  case safetensors, npz, hdf5, ingot
  case compressedNPZ = "npz, compressed"
  case compressedIngot = "ingot, compressed"
  case safetensorsFiles = "safetensors in files"
  case kerasWeights = "Keras weights"
  case kerasArchive = "Keras archive"
  case kerasFiles = "Keras weights in files"

  /// What `convert` is to write, with which options, and the name of the file to read then.
  private var destination: (name: String, options: [String], opened: String) {
    switch self {
    case .safetensors, .npz: ("x.\(rawValue)", [], "x.\(rawValue)")
    case .hdf5: ("x.h5", [], "x.h5")
    case .ingot: ("x.ingot", [], "x.ingot")
    case .compressedNPZ: ("x.npz", ["--compression", "gzip:1"], "x.npz")
    case .compressedIngot: ("x.ingot", ["--compression", "gzip:1"], "x.ingot")
    case .safetensorsFiles:
      ("x.safetensors", ["--max-shard-size", "100KB"], "x.safetensors.index.json")
    case .kerasWeights: ("x.weights.h5", ["--layout", "keras"], "x.weights.h5")
    case .kerasArchive: ("x.keras", [], "x.keras")
    case .kerasFiles: ("x.weights.json", ["--max-shard-size", "100KB"], "x.weights.json")
    }
  }

  /// Makes a file of `count` tensors in `folder`; returns its path, and what our writer took where that
  /// made it.
  func make(_ count: Int, in folder: URL) throws -> (path: String, writing: MeasuredRun?) {
    let (name, options, opened) = destination
    let path = folder.appending(path: opened).filePath
    switch self {
    case .safetensors: try Self.writeSafetensors(count, to: path)
    case .npz: try Self.writeArchive(count, to: path)
    default:
      let source = folder.appending(path: "source.safetensors").filePath
      try Self.writeSafetensors(count, to: source)
      let run = try MeasuredRun(
        ["convert", source, folder.appending(path: name).filePath, "--no-sync"] + options,
        seconds: 240)
      return (path, run)
    }
    return (path, nil)
  }

  private static func withNewFile(
    _ path: String, _ body: (FileHandle) throws -> Void
  ) throws {
    try Data().write(to: URL(filePath: path))
    let handle = try #require(FileHandle(forWritingAtPath: path))
    defer { try? handle.close() }
    try body(handle)
  }

  /// Names of Keras 3, and the configuration that its archive cannot be without.
  private static func writeSafetensors(_ count: Int, to path: String) throws {
    try withNewFile(path) { handle in
      try handle.seek(toOffset: 8)
      try handle.write(contentsOf: Data(#"{"__metadata__":{"config.json":"{}"}"#.utf8))
      for start in stride(from: 0, to: count, by: 10_000) {
        let items = (start..<min(start + 10_000, count)).map {
          ",\"layers/\($0 / 100)/vars/\($0 % 100)\":"
            + "{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[\($0),\($0 + 1)]}"
        }
        try handle.write(contentsOf: Data(items.joined().utf8))
      }
      try handle.write(contentsOf: Data("}".utf8))
      let end = try handle.offset()
      try handle.write(contentsOf: Data(count: count))
      try handle.seek(toOffset: 0)
      try handle.write(contentsOf: Data(little(Int(end) - 8, 8)))
    }
  }

  /// Every member has the bytes of one, but for its name and its place.
  private static func writeArchive(_ count: Int, to path: String) throws {
    try withNewFile(path) { handle in
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
    }
  }
}
