import Foundation
import TensorFormats
import TestSupport
import Tensors
import Testing

/// One way of writing: a format with its options, into an empty place or over what is there.
struct WriteCase: Sendable, CustomTestStringConvertible {
  let name: String
  /// The destination; of a set, what the names of its files are made from.
  let destination: String
  let options: [String]
  /// The folder of `fixtures/` and the file in it that is converted; nil for `makeSource`.
  var fixture: String?
  var replaces = false
  /// Calls that fail throughout, which send the writer on another way.
  var always: String?

  var testDescription: String { name + (replaces ? ", replacing" : "") }
  var isSet: Bool { options.contains("--max-shard-size") }

  private static let formats: [WriteCase] = [
    WriteCase(name: "npy", destination: "d.npy", options: ["--include", "big"]),
    WriteCase(name: "npz", destination: "d.npz", options: []),
    WriteCase(name: "npz deflated", destination: "d.npz", options: ["--compression", "gzip:1"]),
    WriteCase(name: "safetensors", destination: "d.safetensors", options: []),
    WriteCase(name: "ingot", destination: "d.ingot", options: []),
    WriteCase(
      name: "ingot deflated", destination: "d.ingot", options: ["--compression", "gzip:1"]),
    WriteCase(name: "hdf5", destination: "d.h5", options: []),
    WriteCase(name: "hdf5 deflated", destination: "d.h5", options: ["--compression", "gzip:1"]),
    WriteCase(
      name: "keras legacy", destination: "d.h5", options: ["--layout", "keras"],
      fixture: "keras/keras3-optimizer.h5"),
    WriteCase(
      name: "keras weights", destination: "d.weights.h5", options: ["--layout", "keras"],
      fixture: "keras/keras3-optimizer.weights.h5"),
    WriteCase(
      name: "keras archive", destination: "d.keras", options: [],
      fixture: "keras/keras3-optimizer.keras"),
    WriteCase(
      name: "safetensors in files", destination: "d.safetensors",
      options: ["--max-shard-size", "200KB"]),
    WriteCase(
      name: "keras in files", destination: "d.weights.json",
      options: ["--max-shard-size", "200B"], fixture: "keras/keras3-sharded.weights.json"),
  ]

  /// The ways round what a file system or a machine may lack.
  private static let detours: [WriteCase] = ["safetensors", "safetensors in files"].flatMap {
    name in
    formats.filter { $0.name == name }.flatMap { format in
      [
        WriteCase(
          name: name + ", no unnamed files", destination: format.destination,
          options: format.options, always: "open-unnamed=\(EOPNOTSUPP)"),
        WriteCase(
          name: name + ", no /proc", destination: format.destination, options: format.options,
          always: "link=\(ENOENT)"),
      ]
    }
  }

  static let all: [WriteCase] = (formats + detours).flatMap { writing in
    var replacing = writing
    replacing.replaces = true
    return [writing, replacing]
  }

  static func named(_ name: String, replaces: Bool = false) throws -> WriteCase {
    try #require(all.first { $0.name == name && $0.replaces == replaces })
  }

  /// A checkpoint with a tensor of several pieces, small ones that are written together, and an empty one.
  static func makeSource(_ path: URL, seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var table = TensorTable()
    func add(_ name: String, _ type: ElementType, _ dimensions: [Int]) throws {
      let count = try Shape(dimensions).byteCount(of: type)
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...50, using: &generator) }
      try table.append(name, Tensor(type, dimensions, bytes))
    }
    try add("big", .float32, [140, 300])
    try add("empty", .float64, [0, 3])
    try add("middle", .int32, [90, 400])
    try add("second", .float16, [250, 300])
    try add("scalar", .float64, [])
    try add("small", .uint8, [7, 5])
    table.metadata["note"] = .string("seed \(seed)")
    let plan = try SafetensorsFormat().plan(table, WriteOptions())
    try Data(PlainExecutor.execute(plan)).write(to: path)
  }
}

/// A folder in which a case is run again and again, and what every run must leave in it.
final class WriteScene {
  let write: WriteCase
  let folder: URL
  /// Where the destination appears, with nothing else in it.
  let out: URL
  let source: URL
  /// What is at the destination when all is well, by name.
  let complete: [String: Data]
  /// What is there before; empty where nothing is replaced.
  let old: [String: Data]
  /// How many calls of each kind a run makes.
  let calls: [String: Int]
  private let sourceBefore: FileState

  var arguments: [String] {
    ["convert", source.filePath, out.filePath + write.destination, "--quiet", "--jobs", "1"]
      + write.options + (write.replaces ? ["--force"] : [])
  }

  init(_ write: WriteCase, in folder: URL) throws {
    self.write = write
    self.folder = folder
    out = folder.appending(path: "out", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: out, withIntermediateDirectories: true)
    if let fixture = write.fixture {
      // The files of a set lie beside their index.
      source = folder.appending(path: fixture.split(separator: "/").last.map(String.init) ?? "")
      let stem = source.lastPathComponent.prefix { $0 != "." }
      let fixtures = Places.fixture(String(fixture.prefix { $0 != "/" }))
      for name in try FileManager.default.contentsOfDirectory(atPath: fixtures)
      where name.hasPrefix(stem) {
        try FileManager.default.copyItem(
          atPath: fixtures + "/" + name, toPath: folder.appending(path: name).filePath)
      }
    } else {
      source = folder.appending(path: "source.safetensors")
      try WriteCase.makeSource(source, seed: 2)
    }
    var arguments = [
      "convert", source.filePath, out.filePath + write.destination, "--quiet", "--jobs", "1",
    ]
    arguments += write.options
    let run = try CommandRun.run(CommandRun.ingot, arguments)
    try #require(run.status == 0, "\(run.diagnostics)")
    complete = try Self.content(of: out)
    // The old files are of the same size and kind, and no file of theirs is like one of the new.
    old = write.replaces ? complete.mapValues { Data($0.map { ~$0 }) } : [:]
    sourceBefore = try FileState(source)
    if write.replaces { arguments.append("--force") }
    for name in complete.keys { try FileManager.default.removeItem(at: out.appending(path: name)) }
    for (name, data) in old { try data.write(to: out.appending(path: name)) }
    let (counted, calls) = try FaultShim.calls(arguments, always: write.always, in: folder)
    try #require(counted.status == 0, "\(counted.diagnostics)")
    self.calls = calls
    try #require(Self.content(of: out) == complete, "the same bytes every time")
  }

  /// The files of a folder by name.
  static func content(of folder: URL) throws -> [String: Data] {
    var content: [String: Data] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.filePath) {
      let file = folder.appending(path: name)
      let isFolder = try file.resourceValues(forKeys: [.isDirectoryKey]).isDirectory
      guard isFolder != true else { continue }
      content[name] = try Data(contentsOf: file)
    }
    return content
  }

  /// Brings back what was there before.
  func reset() throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: out.filePath) {
      try FileManager.default.removeItem(at: out.appending(path: name))
    }
    for (name, data) in old { try data.write(to: out.appending(path: name)) }
  }

  /// How a run ended for the destination.
  enum Outcome { case asBefore, complete, between }

  /// The invariant: every path is absent, old, or complete, and nothing else is there; a set is seen whole
  /// or not at all.
  ///
  /// - Returns: nil for a violation, with what is wrong in `violation`.
  func check(killed: Bool, leftoverIsTold: Bool, violation: inout String) throws -> Outcome? {
    guard try FileState(source) == sourceBefore else {
      violation = "the source changed"
      return nil
    }
    return Self.check(
      try Self.content(of: out), old: old, complete: complete, isSet: write.isSet,
      hiddenAtMost: killed || leftoverIsTold ? mostHidden : 0, violation: &violation)
  }

  /// The hidden names that death may leave: of one file its new one; of a set those of the old files, and
  /// where there are no unnamed files those of the new ones.
  private var mostHidden: Int {
    write.isSet ? complete.count * (write.always == nil ? 1 : 2) : 1
  }

  /// The invariant over what a folder holds.
  static func check(
    _ found: [String: Data], old: [String: Data], complete: [String: Data], isSet: Bool,
    hiddenAtMost mostHidden: Int, violation: inout String
  ) -> Outcome? {
    let hidden = found.keys.filter { complete[$0] == nil }
    let isOurs = hidden.allSatisfy { name in
      complete.keys.contains { name.hasPrefix(".\($0).ingot-") && name.count == $0.count + 24 }
    }
    guard isOurs, hidden.count <= mostHidden else {
      violation = "left: \(hidden.sorted())"
      return nil
    }
    for (name, whole) in complete {
      if let data = found[name], data != old[name], data != whole {
        let same = zip(data, whole).prefix { $0 == $1 }.count
        violation =
          "\(name) is neither old nor complete: \(data.count) bytes of \(whole.count), alike up to \(same)"
        return nil
      }
    }
    let visible = found.filter { complete[$0.key] != nil }
    if visible == complete { return .complete }
    if visible == old { return .asBefore }
    // Only a set may be between, and then nobody takes it for a checkpoint.
    let index = complete.keys.first { $0.hasSuffix(".json") }
    guard isSet, let index, found[index] == nil else {
      violation = "neither old nor complete: \(visible.keys.sorted())"
      return nil
    }
    return .between
  }
}

/// What must stay as it is of a source.
struct FileState: Equatable {
  let data: Data
  let modified: Date?
  let mode: Int?

  init(_ url: URL) throws {
    data = try Data(contentsOf: url)
    let attributes = try FileManager.default.attributesOfItem(atPath: url.filePath)
    modified = attributes[.modificationDate] as? Date
    mode = attributes[.posixPermissions] as? Int
  }
}
