import Foundation
import TestSupport
import Tensors
import Testing

@testable import Architectures

/// Every key that transformers declares or uses is read, or known to change nothing, or refused.
@Suite struct ConfigurationKeyTests {
  /// A row of `fixtures/models/configuration-keys.tsv`, which a script read from the library's own code.
  struct Row: Sendable {
    let type: ExactString
    let key: ExactString
  }

  static let rows: [Row] = {
    let path = Places.fixture("models/configuration-keys.tsv")
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").dropFirst(2).compactMap { line in
      let fields = line.split(separator: "\t").map { ExactString($0) }
      return fields.count == 4 ? Row(type: fields[0], key: fields[1]) : nil
    }
  }()

  static let dialects = Architecture.all.flatMap(\.dialects).filter { $0.name == "huggingface" }

  @Test func `the table has every model type that is known here`() {
    #expect(Self.rows.count > 600)
    let types = Set(Self.rows.map(\.type)).subtracting(["*"])
    #expect(types == Set(Self.dialects.flatMap(\.recognition.values)))
  }

  @Test func `every dialect of transformers is closed`() {
    for dialect in Self.dialects { #expect(dialect.isClosed, "\(dialect.recognition.values)") }
  }

  @Test func `every key has a class`() {
    var lacking: [String] = []
    for dialect in Self.dialects {
      let known = Self.known(to: dialect)
      for row in Self.rows
      where row.type == "*" ? Self.concerns(row.key, dialect) : dialect.recognizes(row.type) {
        if !known.contains(row.key) { lacking.append("\(row.type) \(row.key)") }
      }
    }
    #expect(lacking == [])
  }

  @Test func `no key that is refused is read, and each says what is computed`() {
    for dialect in Self.dialects {
      let own = dialect.unread.dropFirst(Dialect.UnreadKey.transformers.count)
      let read = Set(dialect.keys.flatMap(\.paths))
      for key in own where !key.values.isEmpty { #expect(!read.contains(key.key), "\(key.key)") }
      for key in dialect.unread {
        #expect(key.values.isEmpty == key.computed.isEmpty, "\(key.key)")
      }
    }
  }

  /// The keys that a dialect reads, objects that are read through included, and those of its list.
  private static func known(to dialect: Dialect) -> Set<ExactString> {
    var known = Set(dialect.unread.map(\.key))
    known.formUnion(dialect.replacements.flatMap { [$0.key, $0.by] })
    for path in dialect.keys.flatMap(\.paths) + [dialect.recognition.key] {
      known.insert(path)
      if let first = path.split(separator: ".").first { known.insert(ExactString("\(first)")) }
    }
    return known
  }

  /// Whether what all models share is of this one: rotary settings are of models that have rotary
  /// positions.
  private static func concerns(_ key: ExactString, _ dialect: Dialect) -> Bool {
    let isRotary = key.contains("rope_") || key.contains("rotary")
    let isTurned = dialect.keys.contains { key in key.paths.contains { $0.hasPrefix("rope_") } }
    // The width goes by a name of each model's own, which is in its own rows.
    return key != "hidden_size" && (!isRotary || isTurned)
  }
}

extension Dialect {
  fileprivate func recognizes(_ type: ExactString) -> Bool { recognition.values.contains(type) }
}
