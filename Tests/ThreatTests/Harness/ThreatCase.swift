import Crypto
import Foundation
import TestSupport
import Tensors
import Testing

/// A file as a stranger could send it, and what must become of it.
struct ThreatCase: Sendable, CustomTestStringConvertible {
  /// What `digest` must make of the file.
  enum Outcome: Sendable {
    /// Its tensors are these; nil leaves them open.
    case read([PlainTensor]?)
    case refused(ErrorClass)
  }

  /// The rows of the threat table that the case answers.
  let rows: [String]
  /// What is odd about the file.
  let title: String
  let outcome: Outcome
  /// What stderr must say of it: tensor or member, byte, reason.
  let says: [String]
  /// Whether only the data is at fault, which `inspect` and `validate` do not read.
  let headerIsSound: Bool
  /// Puts the files into an empty folder and returns the path to give to the command.
  let prepare: @Sendable (URL) throws -> String

  var testDescription: String { rows.joined(separator: " ") + ": " + title }

  init(
    _ rows: String..., title: String, _ outcome: Outcome, says: [String] = [],
    headerIsSound: Bool = false, prepare: @escaping @Sendable (URL) throws -> String
  ) {
    self.rows = rows
    self.title = title
    self.outcome = outcome
    self.says = says
    self.headerIsSound = headerIsSound
    self.prepare = prepare
  }

  /// A single file of these bytes.
  init(
    _ row: String, _ title: String, _ fileName: String, _ outcome: Outcome, says: [String] = [],
    headerIsSound: Bool = false, _ bytes: @escaping @autoclosure @Sendable () throws -> [UInt8]
  ) {
    self.init(row, title: title, outcome, says: says, headerIsSound: headerIsSound) { folder in
      let url = folder.appending(path: fileName)
      try Data(try bytes()).write(to: url)
      return url.filePath
    }
  }
}

/// A tensor as a test expects it.
struct PlainTensor: Sendable {
  let name: String
  let type: String
  let shape: [Int]
  let bytes: [UInt8]

  init(_ name: String, _ type: String, _ shape: [Int], _ bytes: [UInt8]) {
    self.name = name
    self.type = type
    self.shape = shape
    self.bytes = bytes
  }

  /// The manifest of these tensors, put together from its definition.
  static func manifest(_ tensors: [PlainTensor]) -> String {
    func hexadecimal(_ digest: SHA256.Digest) -> String {
      digest.map { String(format: "%02x", $0) }.joined()
    }
    let sorted = tensors.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    let lines = sorted.map { tensor in
      let shape = "[" + tensor.shape.map(String.init).joined(separator: ",") + "]"
      return "\(hexadecimal(SHA256.hash(data: tensor.bytes)))  \(tensor.type)  \(shape)  "
        + JSON.string(tensor.name).text() + "\n"
    }
    let text = lines.joined()
    return text + "\(hexadecimal(SHA256.hash(data: Array(text.utf8))))  total\n"
  }
}
