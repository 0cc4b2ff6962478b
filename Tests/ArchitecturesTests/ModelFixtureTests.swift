import Foundation
import Tensors
import TestSupport
import Testing

@testable import Architectures

/// Checkpoints that transformers wrote hold what the convention says, tensor by tensor.
@Suite struct ModelFixtureTests {
  struct Fixture: Sendable, CustomTestStringConvertible {
    let folder: String
    let architecture: String
    let convention: String
    var testDescription: String { folder }
  }

  /// The rows of `models.tsv` whose tensors lie in safetensors beside a `config.json`.
  static let all: [Fixture] = {
    let table = Places.fixture("models/models.tsv")
    guard let text = try? String(contentsOfFile: table, encoding: .utf8) else { return [] }
    return text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: "\t").map(String.init)
      guard fields.count > 2, Architecture.named(fields[1]) != nil else { return nil }
      let files = ["config.json", "model.safetensors"].map {
        Places.fixture("models/\(fields[0])/\($0)")
      }
      guard files.allSatisfy(FileManager.default.fileExists) else { return nil }
      return Fixture(folder: fields[0], architecture: fields[1], convention: fields[2])
    }
  }()

  @Test(arguments: all)
  func `holds what its convention says`(fixture: Fixture) throws {
    let folder = "models/\(fixture.folder)"
    let document = try ConfigurationDocument(
      JSONScanner.parse(bytes("\(folder)/config.json")), name: "config.json")
    let recognized = try document.recognized(among: Architecture.all).map(\.architecture.name)
    #expect(recognized == [fixture.architecture])
    let architecture = try #require(Architecture.named(fixture.architecture))
    let convention = try #require(architecture[convention: fixture.convention])
    let model = try Model(architecture, document.configuration(for: architecture))
    let prefix =
      try model.environment.holds(convention.prefixCondition) ? convention.prefix : ""
    var expected: [String: [Int]] = [:]
    var optional: Set<String> = []
    for tensor in try convention.tensors(of: model) {
      let name = (tensor.spelling.isOuter ? "" : prefix) + tensor.name
      expected[name] = tensor.shape.dimensions
      if tensor.isTied { optional.insert(name) }
    }
    let buffers = convention.buffers.map { NameTemplate(prefix + $0.text) }
    var found = try shapes("\(folder)/model.safetensors")
    found = found.filter { name, _ in !buffers.contains { $0.match(name.utf8) != nil } }
    for name in optional where found[name] == nil { expected[name] = nil }
    #expect(Set(expected.keys).subtracting(found.keys).sorted() == [])
    #expect(Set(found.keys).subtracting(expected.keys).sorted() == [])
    for (name, shape) in found { #expect(shape == expected[name], "\(name)") }
  }

  private func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: Places.fixture(path))))
  }

  /// The shapes in a safetensors header.
  private func shapes(_ path: String) throws -> [String: [Int]] {
    let bytes = try bytes(path)
    let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = try JSONScanner.parse(Array(bytes[8..<8 + length]))
    var shapes: [String: [Int]] = [:]
    for member in header.object ?? [] where member.key != "__metadata__" {
      shapes[member.key] = member.value["shape"]?.array?.compactMap(\.integer)
    }
    return shapes
  }
}
