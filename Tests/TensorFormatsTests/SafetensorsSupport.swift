import Crypto
import Foundation
import TensorFormats
import TestSupport
import Tensors

/// The class of the error that `body` throws; nil where it throws none.
func errorClass(_ body: () throws -> Void) throws -> ErrorClass? {
  do {
    try body()
    return nil
  } catch let error as IngotError {
    return error.errorClass
  }
}

/// The bytes of a safetensors file with this header.
func safetensors(_ header: [UInt8], _ data: [UInt8] = []) -> [UInt8] {
  var writer = ByteWriter()
  writer.append(header.count, width: 8)
  writer.append(contentsOf: header)
  writer.append(contentsOf: data)
  return writer.bytes
}

func safetensors(_ header: String, _ data: [UInt8] = []) -> [UInt8] {
  safetensors(Array(header.utf8), data)
}

extension TensorFormat {
  func read(bytes: [UInt8]) throws -> TensorTable {
    try read(FormatInput(path: "file", source: ArraySource(bytes)))
  }

  func write(_ table: TensorTable, _ options: WriteOptions = WriteOptions()) throws -> [UInt8] {
    try PlainExecutor.execute(try plan(table, options))
  }
}

extension TensorTable {
  /// The digest manifest, computed the plain way.
  func manifest() throws -> String {
    let sorted = entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    var text = ""
    for entry in sorted {
      let digest = SHA256.hash(data: try entry.tensor.source.everything())
      text += digest.map { String(format: "%02x", $0) }.joined()
      text += "  \(entry.tensor.elementType.name)  \(JSON(entry.tensor.shape.dimensions).text())"
      text += "  \(JSON.string(entry.name).text())\n"
    }
    let total = SHA256.hash(data: Array(text.utf8)).map { String(format: "%02x", $0) }.joined()
    return text + total + "  total\n"
  }
}

/// A folder of files in memory, as `openSibling` sees it.
struct Siblings {
  var files: [String: [UInt8]]

  func open(_ name: String) throws -> any ByteSource {
    guard let bytes = files[name] else { throw IngotError(.unreadable, "No such file") }
    return ArraySource(bytes)
  }

  func readIndex(_ text: String) throws -> TensorTable {
    try SafetensorsIndexFormat().read(
      FormatInput(
        path: "folder/model.safetensors.index.json", source: ArraySource(Array(text.utf8)),
        openSibling: open))
  }
}

func fileBytes(_ path: String) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: URL(filePath: path)))
}
