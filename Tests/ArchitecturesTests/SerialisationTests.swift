import Foundation
import Tensors
import TestSupport
import Testing

@testable import Architectures

/// Descriptions in JSON: there and back, field by field, against the schema and the documentation.
@Suite struct SerialisationTests {
  @Test(arguments: Architecture.all)
  func `what is written is read back as it was`(architecture: Architecture) throws {
    for layout in [JSON.Layout.compact, .indented, .fitted] {
      let text = architecture.json.text(layout)
      #expect(try Architecture(parsing: Array(text.utf8)) == architecture)
    }
  }

  /// Every type with fields, by its name in the schema.
  private static var types: [(name: String, blank: any FieldMapped)] {
    Operation.kinds.map { ($0.word, $0.blank) } + [
      ("", Architecture.blank), ("parameter", Parameter.blank),
      ("input", Architecture.Input.blank), ("requirement", Architecture.Requirement.blank),
      ("block", Step.Block.blank), ("loop", Step.Loop.blank), ("branch", Step.Branch.blank),
      ("state", StateFields.blank), ("result", ResultFields.blank), ("tie", Weight.Tie.blank),
      ("rotary/scaling", Operation.Rotary.Scaling.blank), ("convention", Convention.blank),
      ("adaptation", Adaptation.blank), ("layerNames", LayerNames.blank),
      ("namedLayer", LayerNames.Layer.blank), ("spelling", Spelling.blank),
      ("dialect", Dialect.blank), ("unreadKey", Dialect.UnreadKey.blank),
      ("replacement", Dialect.Replacement.blank),
      ("key", Dialect.Key.blank),
      ("dialect/recognition", Dialect.Recognition.blank),
    ]
  }

  @Test func `no field is forgotten`() {
    for (name, blank) in Self.types {
      let fields = Self.fields(blank)
      #expect(fields.count == Mirror(reflecting: blank).children.count, "\(name)")
      #expect(Set(fields.map(\.key)).count == fields.count, "\(name)")
    }
  }

  @Test func `every field has a place of its own`() throws {
    for (name, blank) in Self.types where name != "" {
      let json = JSON.object(
        Self.fields(blank).enumerated().map { index, field in
          .init(field.key, Self.sample(field, index))
        })
      #expect(try Self.reread(json, like: blank) == json, "\(name)")
    }
  }

  @Test func `the schema knows every field, which must be there, and the defaults`() throws {
    let schema = try Self.parse("schemas/architecture.schema.json")
    for (name, blank) in Self.types {
      var type = schema
      for (depth, part) in name.split(separator: "/").enumerated() {
        type = try #require(
          depth == 0 ? type["$defs"]?[ExactString(part)] : type["properties"]?[ExactString(part)])
      }
      let properties = try #require(type["properties"]?.object)
      let fields = Self.fields(blank)
      #expect(properties.map(\.key) == fields.map(\.key), "\(name)")
      let required = type["required"]?.array?.compactMap(\.string) ?? []
      #expect(required == fields.filter(\.isRequired).map(\.key), "\(name)")
      for field in fields where !field.isRequired {
        let stated = properties.first { $0.key == field.key }?.value["default"]
        #expect((stated ?? .null) == field.json, "\(name).\(field.key)")
      }
    }
  }

  @Test func `the documentation's table has every operation with its fields`() throws {
    let lines = try Self.text("schemas/architecture.md").split(separator: "\n")
    for kind in Operation.kinds {
      let row = try #require(lines.first { $0.hasPrefix("| `\(kind.word)` |") })
      let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      let fields = Self.fields(kind.blank).map { field in
        guard !field.isRequired else { return "`\(field.key)`" }
        guard field.json != .null else { return "`\(field.key)` or none" }
        return "`\(field.key)` = \(field.json.string?.text ?? field.json.text())"
      }
      #expect(cells[2] == fields.joined(separator: ", "))
    }
  }

  @Test(arguments: [
    (
      "albert",
      [
        "vocabulary": 11, "positions": 9, "embedding_width": 4, "width": 6, "layers": 3, "heads": 2,
      ],
      23
    ),
    (
      "latent",
      [
        "vocabulary": 11, "width": 6, "layers": 2, "heads": 2, "head_size": 4, "rotary_size": 2,
        "value_size": 3, "query_rank": 5, "key_rank": 7, "feed_forward": 10,
      ], 27
    ),
  ])
  func `the documentation's examples are models`(
    name: String, values: [String: Int], weights: Int
  ) throws {
    let blocks = try Self.text("schemas/architecture.md").components(separatedBy: "```json\n")
      .dropFirst().compactMap { $0.components(separatedBy: "\n```").first }
    let block = try #require(blocks.first { $0.contains("\"name\": \"\(name)\"") })
    let architecture = try Architecture(parsing: Array(block.utf8))
    var configuration = Configuration()
    for (parameter, value) in values {
      configuration[parameter] = .init(.integer(value), source: "test")
    }
    let model = try Model(architecture, configuration)
    #expect(model.weights.count == weights)
    var walk = try ShapeWalk(model, batch: 2, sequence: 5)
    try walk.run()
    for convention in architecture.conventions {
      #expect(try convention.tensors(of: model).count == weights)
    }
    #expect(!ArchitectureOutline(architecture).text.isEmpty)
  }

  // MARK: Support

  static func text(_ path: String) throws -> String {
    try String(contentsOf: Places.project.appending(path: path), encoding: .utf8)
  }

  private static func parse(_ path: String) throws -> JSON {
    try JSONScanner.parse(Array(try text(path).utf8))
  }

  private static func fields(_ value: some FieldMapped) -> [FieldMap.Field] {
    FieldMap.fields(of: value)
  }

  private static func reread<Mapped: FieldMapped>(_ json: JSON, like blank: Mapped) throws -> JSON {
    let value = try Mapped(json: json, at: JSONPlace())
    return .object(FieldMap.fields(of: value).map { .init($0.key, $0.json) })
  }

  /// A value that no other field of the type has, as far as its kind allows, and that is no default.
  private static func sample(_ field: FieldMap.Field, _ index: Int) -> JSON {
    let step: JSON = ["state": "x\(index)".json, "series": .string("hidden")]
    switch field.key {
    case "tie": return ["when": .string("tied"), "to": .string("a.b")]
    case "scaling":
      return .object(
        FieldMap.fields(of: Operation.Rotary.Scaling.blank).enumerated().map {
          .init($1.key, .string("s\($0)"))
        })
    case "purpose": return .string("router")
    case "numbering": return .string("visible_tokens")
    case "order": return .string("pairs")
    case "component": return .string("head")
    case "kind":
      switch field.json.string {
      case "add": return .string("multiply")
      case "layer": return .string("rms")
      case "count": return .string("word")
      case "ids": return .string("pixels")
      default: return .string("k\(index)")
      }
    case "steps", "then", "else": return .array([step])
    case "shares_weights", "shares_right", "outer", "optional", "repeats_tied", "bias_is_buffer",
      "weight_is_buffer", "closed", "changes_weights":
      return .boolean(true)
    case "roles", "values", "paths", "aliases", "words", "buffers", "first_rows", "zeros",
      "prefixes", "copies":
      return .array(["w\(index)".json])
    case "layout": return .array([.string("transpose"), ["permute": [1, 0].json]])
    case "spellings": return .array([["roles": .array(["r".json]), "name": "n".json]])
    case "requirements": return .array([["condition": "c".json, "message": "m".json]])
    case "layer_names": return ["layers": .array([["path": "p".json, "name": "n".json]])]
    case "layers", "outer_layers":
      return .array([["path": "p\(index)".json, "name": "n".json]])
    case "sets", "parts", "folds": return ["a": .string("b\(index)")]
    case "adaptations":
      return .array([["when": "w".json, "sets": ["p": "f".json], "reason": "r".json]])
    case "recognition": return ["key": "k".json, "values": .array(["v".json])]
    case "keys" where field.json != .string(""):
      return .array([["parameter": "p".json, "paths": .array(["q".json])]])
    case "unread": return .array([["key": "k\(index)".json]])
    case "replacements": return .array([["key": "k".json, "by": "b\(index)".json]])
    case "present": return .array(["p\(index)".json])
    case "formula": return .string("value / \(index)")
    case "meanings": return ["a": .integer(1), "b": .array([.integer(2), .integer(3)])]
    case "absent": return field.json == .null ? .number(0.5) : .array(["a\(index)".json])
    case "minimum": return .integer(7)
    default: return .string("f\(index)")
    }
  }
}
