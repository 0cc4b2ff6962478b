import Crypto
import Foundation
import TensorFormats
import TestSupport
import Tensors

enum NativeSamples {
  /// A small table with everything that the format can say.
  static func table() throws -> TensorTable {
    var table = TensorTable()
    let shared = try Tensor(
      elementType: .float32, shape: Shape([2, 3]),
      source: ArraySource((0..<24).map { UInt8($0 * 9 % 251) }), storage: StorageIdentity("shared"))
    try table.append("tok_embeddings.weight", shared)
    try table.append("step", Tensor(.int64, [], [7, 0, 0, 0, 0, 0, 0, 0]))
    try table.append("empty", Tensor(.float16, [0, 4], []))
    try table.append("größe/\"q\"\n", Tensor(.bool, [5], [0, 1, 1, 0, 255]))
    try table.append("packed", Tensor(.float6E2M3FN, [4], [1, 2, 3]))
    try table.append("output.weight", shared)
    table.metadata["epoch"] = .integer(3)
    table.metadata["loss"] = .number(.nan)
    table.metadata["nested"] = [
      "b": .array([.null, .number(1), .unsigned(.max)]), "a": .string("x"),
    ]
    table.metadata["$real"] = ["$real": .string("NaN")]
    return table
  }

  /// A table whose tensors are worth compressing; the second has more than one chunk.
  static func compressible() throws -> TensorTable {
    var table = TensorTable()
    let ramp = (0..<600).flatMap { (number: Int) -> [UInt8] in
      [UInt8(truncatingIfNeeded: number), UInt8(number >> 8), 0, 0]
    }
    try table.append("ramp", Tensor(.int32, [600], ramp))
    var random = SeededGenerator(seed: 5)
    let noise = (0..<100).map { _ in UInt8.random(in: 0...255, using: &random) }
    try table.append("noise", Tensor(.uint8, [100], noise))
    return table
  }

  /// A table with types whose elements share a scale.
  static func blocks() throws -> TensorTable {
    var table = TensorTable()
    for type in ElementType.allCases where type.hasBlocks {
      let shape = try Shape([3, 2 * type.layout.elementsPerBlock])
      let bytes = (0..<(try shape.byteCount(of: type))).map { UInt8($0 * 7 % 60) }
      try table.append(type.name, Tensor(type, shape.dimensions, bytes))
    }
    return table
  }

  static var compressed: WriteOptions {
    var options = WriteOptions()
    options.compression = .gzip(level: 6)
    return options
  }
}

/// A native file taken apart, so that tests can change its index and put it together again with the
/// right digest.
struct NativeParts {
  var data: [UInt8]
  var index: [UInt8]
  var version: UInt32 = 1
  var features: UInt32

  init(_ file: [UInt8]) {
    func number(_ at: Int, _ width: Int) -> Int {
      (0..<width).reduce(0) { $0 | Int(file[at + $1]) << (8 * $1) }
    }
    features = UInt32(number(12, 4))
    let offset = number(16, 8)
    data = Array(file[64..<offset])
    index = Array(file[offset..<offset + number(24, 8)])
  }

  var text: String {
    get { String(decoding: index, as: UTF8.self) }
    set { index = Array(newValue.utf8) }
  }

  var file: [UInt8] {
    var writer = ByteWriter()
    writer.append(contentsOf: [0x89] + Array("INGOT\r\n".utf8))
    writer.append(version)
    writer.append(features)
    writer.append(64 + data.count, width: 8)
    writer.append(index.count, width: 8)
    writer.append(contentsOf: SHA256.hash(data: index))
    writer.append(contentsOf: data)
    writer.append(contentsOf: index)
    writer.append(64 + data.count + index.count + 16, width: 8)
    writer.append("INGOTEND")
    return writer.bytes
  }
}

/// Opens a native file and reads every byte of every tensor.
func nativeVerdict(_ bytes: [UInt8]) throws -> ErrorClass? {
  try errorClass {
    for entry in try NativeFormat().read(bytes: bytes).entries {
      _ = try entry.tensor.source.everything()
    }
  }
}

/// The independent reader in `fixtures/native`.
enum IndependentReader {
  private static let script = Places.fixture("native/read_ingot.py")

  /// Whether there is a Python to run it.
  static let isAvailable: Bool = (try? run(["-c", "import zlib"], input: nil).status) == 0

  private static func run(
    _ arguments: [String], input: URL?
  ) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: Places.python ?? "/usr/bin/env")
    process.arguments = (Places.python == nil ? ["python3"] : []) + arguments
    if let input { process.standardInput = try FileHandle(forReadingFrom: input) }
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  /// The manifest of a file and the exit status.
  static func manifest(_ bytes: [UInt8]) throws -> (status: Int32, output: String) {
    try Places.withTemporaryFolder { folder in
      let file = folder.appending(path: "file.ingot")
      try Data(bytes).write(to: file)
      return try run([script, file.path()], input: nil)
    }
  }

  /// A line for each file: `ok`, or why it is refused.
  static func verdicts(_ files: [[UInt8]]) throws -> [String] {
    try Places.withTemporaryFolder { folder in
      var stream = ByteWriter()
      for file in files {
        stream.append(file.count, width: 8)
        stream.append(contentsOf: file)
      }
      let input = folder.appending(path: "files")
      try Data(stream.bytes).write(to: input)
      return try run([script, "--verdicts"], input: input).output.split(separator: "\n").map(
        String.init)
    }
  }
}
