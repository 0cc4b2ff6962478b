public import Tensors

/// The JSON of an architecture, `schemas/architecture.schema.json`: what `ingot architectures NAME
/// --json` prints and `--architecture FILE` takes.
extension Architecture {
  /// The description in JSON; what is as usual is left out.
  public var json: JSON { members }

  /// Reads a description.
  ///
  /// - Throws: `malformed` naming the place in the document and what is wrong there.
  public init(json: JSON) throws {
    try self.init(json: json, at: JSONPlace())
  }

  /// Reads the text of a description.
  ///
  /// - Throws: `malformed` naming the byte or the place in the document; `limit` for too much text.
  public init(parsing bytes: [UInt8]) throws {
    guard bytes.count <= Self.longestText else {
      throw IngotError(.limit, "a description above \(Self.longestText) bytes")
    }
    try self.init(json: JSONScanner.parse(bytes))
  }

  /// Some fifty times the largest built-in description.
  package static let longestText = 4 << 20
}

extension Architecture: FieldMapped {
  static var blank: Self {
    .init(
      name: "", summary: "", parameters: [], inputs: [], steps: [], conventions: [], dialects: [],
      requirements: [])
  }

  init(json: JSON, at place: JSONPlace) throws {
    self = .blank
    try FieldMap.read(json, into: &self, at: place)
    try ArchitectureReview(self).check(at: place)
  }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.required("summary", &summary)
    try fields.required("parameters", &parameters)
    fields.allow(parameters.map(\.name))
    try fields.optional("requirements", &requirements)
    try fields.required("inputs", &inputs)
    try fields.required("steps", &steps)
    // Layouts are formulas over the loop variables of their roles.
    fields.allow(described().loops.map(\.variable))
    try fields.optional("conventions", &conventions)
    try fields.optional("dialects", &dialects)
  }
}

extension Parameter: FieldMapped {
  static var blank: Self { .init("", .count) }

  /// Its fields are constant: it is made anew.
  mutating func map(_ fields: inout FieldMap) throws {
    var (name, kind, fallback) = (name, kind, fallback)
    var (words, minimum) = (words, minimum)
    try fields.identifier("name", &name)
    try fields.required("kind", &kind)
    try fields.optional("default", &fallback)
    try fields.optional("words", &words)
    try fields.optional("minimum", &minimum)
    self = .init(name, kind, default: fallback, words: words, minimum: minimum)
  }
}

extension Architecture.Input: FieldMapped {
  static var blank: Self { .init(name: "", kind: .ids, size: 0) }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.required("kind", &kind)
    try fields.required("size", &size)
    try fields.optional("length", &length)
    try fields.optional("when", &condition)
    try fields.optional("optional", &isOptional)
    try fields.optional("flag", &flag)
  }
}

extension Architecture.Requirement: FieldMapped {
  static var blank: Self { .init(condition: true, message: "") }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.required("condition", &condition)
    try fields.required("message", &message)
  }
}
