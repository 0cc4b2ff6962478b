import Foundation
import HDF5Format
import TestSupport
import Tensors
import Testing

/// The bytes of the file that the writer makes of a table.
func written(_ table: TensorTable, _ options: WriteOptions = WriteOptions()) throws -> [UInt8] {
  try PlainExecutor.execute(HDF5Writer.plan(table, options))
}

/// The options of the Keras arrangement under a file name.
func kerasOptions(_ fileName: String) -> WriteOptions {
  var options = WriteOptions()
  options.arrangement = .keras
  options.fileName = fileName
  return options
}

extension TensorTable {
  /// A table of tensors.
  init(_ entries: [(String, Tensor)], metadata: [String: JSON] = [:]) throws {
    self.init()
    for (name, tensor) in entries { try append(name, tensor) }
    for (key, value) in metadata { self.metadata[key] = value }
  }
}

extension Tensor {
  /// A tensor of bytes that follow from `seed`.
  static func random(
    _ type: ElementType, _ dimensions: [Int], seed: UInt64 = 1, storage: String? = nil
  ) throws -> Tensor {
    var generator = SeededGenerator(seed: seed)
    let shape = try Shape(dimensions)
    let limit: UInt8 = type == .bool ? 1 : 255
    let bytes = try (0..<shape.byteCount(of: type)).map { _ in
      UInt8.random(in: 0...limit, using: &generator)
    }
    return try Tensor(
      elementType: type, shape: shape, source: ArraySource(bytes),
      storage: storage.map { StorageIdentity(ExactString($0)) })
  }
}

/// Runs one of the Python scripts beside the tests.
enum PythonScript {
  /// Whether `$INGOT_PYTHON` has both of Keras; asked once, without importing them, which takes seconds.
  static let hasKeras =
    Places.python != nil
    && run([
      "-c",
      "import sys; from importlib.util import find_spec as f; sys.exit(not (f('keras') and f('tf_keras')))",
    ]).status == 0

  private static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Python")

  /// Runs `name` and records an issue with its output where it fails.
  static func check(_ name: String, _ arguments: [String]) {
    let (status, output) = run([folder.appending(path: name).path()] + arguments)
    #expect(status == 0, "\(name) \(arguments): \(output)")
  }

  private static func run(_ arguments: [String]) -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: Places.python ?? "")
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONDONTWRITEBYTECODE": "1"]
    ) { $1 }
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    do {
      try process.run()
      let output = pipe.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    } catch {
      return (-1, "\(error)")
    }
  }
}

extension TensorTable {
  /// The table as the scripts read and write it.
  func described() throws -> JSON {
    let aliases = aliasTargets()
    return [
      "tensors": .array(
        try entries.enumerated().map { index, entry in
          [
            "name": .string(entry.name), "dtype": .string(entry.tensor.elementType.name),
            "shape": JSON(entry.tensor.shape.dimensions),
            "hex": .string(try entry.tensor.source.everything().hexadecimal),
            "alias_of": JSON(aliases[index].map { entries[$0].name }),
          ]
        }),
      "metadata": .object(metadata.sorted.map { JSON.Member($0.key, $0.value) }),
    ]
  }

  /// The table that a script described.
  init(described description: JSON) throws {
    self.init()
    for tensor in description["tensors"]?.array ?? [] {
      let dimensions = tensor["shape"]?.array?.compactMap(\.integer) ?? []
      let type = try #require(ElementType(name: tensor["dtype"]?.string ?? ""))
      try append(
        tensor["name"]?.string ?? "",
        Tensor(type, dimensions, [UInt8](hexadecimal: tensor["hex"]?.string?.text ?? "")))
    }
    for member in description["metadata"]?.object ?? [] { metadata[member.key] = member.value }
  }
}

extension [UInt8] {
  fileprivate var hexadecimal: String {
    let digits = Array<UInt8>("0123456789abcdef".utf8)
    return String(
      decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  fileprivate init(hexadecimal text: String) {
    let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    self = stride(from: 0, to: digits.count - 1, by: 2).map {
      UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
  }
}
