internal import Tensors

/// A value that has a form in an architecture's JSON.
protocol JSONCoded {
  /// The value in JSON.
  var json: JSON { get }

  /// Reads the value strictly.
  ///
  /// - Throws: `malformed` that begins with the place.
  init(json: JSON, at place: JSONPlace) throws
}

/// A type whose fields are the members of a JSON object.
///
/// `map` names every field once and serves both directions, so that writing and reading cannot drift
/// apart; a field that it forgets is found by a test that counts them.
protocol FieldMapped: JSONCoded {
  /// A value whose fields that may be left out are as they are where they are left out.
  static var blank: Self { get }

  /// Passes every field through `fields`.
  mutating func map(_ fields: inout FieldMap) throws
}

/// The members of one JSON object on their way from or into the fields of a value.
struct FieldMap {
  /// A member as it was written.
  struct Field {
    let key: ExactString
    let json: JSON
    let isRequired: Bool
  }

  /// What is read; nil while writing.
  private let source: JSON?
  /// What was written, everything that may be left out included.
  private(set) var written: [Field] = []
  private var known: [ExactString] = []
  /// Where the object stands.
  private(set) var place: JSONPlace

  private init(_ source: JSON?, at place: JSONPlace) {
    self.source = source
    self.place = place
  }

  /// A field that must be there.
  mutating func required(_ key: ExactString, _ value: inout some JSONCoded) throws {
    try pass(key, &value, isRequired: true)
  }

  /// A field that keeps the value of the blank where it is left out.
  mutating func optional(_ key: ExactString, _ value: inout some JSONCoded) throws {
    try pass(key, &value, isRequired: false)
  }

  /// A name that becomes part of roles, states or names of files: letters, digits and `_ . + -`.
  mutating func word(_ key: ExactString, _ value: inout String) throws {
    try pass(key, &value, isRequired: true)
    guard source != nil else { return }
    let allowed = value.utf8.allSatisfy { byte in
      JSONPlace.isLetterOrDigit(byte) || "_.+-".utf8.contains(byte)
    }
    guard allowed, (1...128).contains(value.utf8.count) else {
      throw place[key].failure(
        "'\(value.escapedForDisplay(limit: 80))' is no name: letters, digits, '_', '.', '+' and '-', "
          + "at most 128")
    }
  }

  /// A name that formulas can mention.
  mutating func identifier(_ key: ExactString, _ value: inout String) throws {
    try pass(key, &value, isRequired: true)
    guard source != nil else { return }
    let isWord = value.utf8.allSatisfy { JSONPlace.isLetterOrDigit($0) || $0 == UInt8(ascii: "_") }
    guard isWord, (1...128).contains(value.utf8.count),
      !(0x30...0x39).contains(value.utf8.first ?? 0),
      value != "true", value != "false"
    else {
      throw place[key].failure(
        "'\(value.escapedForDisplay(limit: 80))' is no name that a formula can mention: letters, "
          + "digits and '_', not beginning with a digit")
    }
  }

  /// From here on formulas may mention these names and, from the first time on, no others.
  mutating func allow(_ names: some Sequence<String>) {
    place.names = (place.names ?? []).union(names)
  }

  /// From here on formulas may mention these names only.
  mutating func allowOnly(_ names: Set<String>) { place.names = names }

  /// From here on formulas may mention `variable`, which no name around may be.
  mutating func bind(_ variable: String, _ key: ExactString) throws {
    guard source != nil else { return }
    guard place.names?.insert(variable).inserted ?? true else {
      throw place[key].failure(
        "'\(variable)' is already the name of a parameter or of a loop around")
    }
  }

  private mutating func pass(
    _ key: ExactString, _ value: inout some JSONCoded, isRequired: Bool
  ) throws {
    guard let source else {
      written.append(Field(key: key, json: value.json, isRequired: isRequired))
      return
    }
    known.append(key)
    if let json = source[key] {
      value = try .init(json: json, at: place[key])
    } else if isRequired {
      throw place.failure("lacks '\(key)'")
    }
  }

  private func checkKeys() throws {
    for member in source?.object ?? [] where !known.contains(member.key) {
      throw place.failure(
        "unknown key '\(member.key.escapedForDisplay(limit: 80))'; there are "
          + known.joined(separator: ", "))
    }
  }

  /// Every field of a value, those that may be left out included.
  static func fields(of value: some FieldMapped) -> [Field] {
    var fields = FieldMap(nil, at: JSONPlace())
    var value = value
    do {
      try value.map(&fields)
    } catch {
      preconditionFailure("only reading throws: \(error)")
    }
    return fields.written
  }

  /// Reads an object into a value that is blank so far.
  static func read(_ json: JSON, into value: inout some FieldMapped, at place: JSONPlace) throws {
    guard json.object != nil else { throw place.expected("an object", json) }
    var fields = FieldMap(json, at: place)
    try value.map(&fields)
    try fields.checkKeys()
  }
}

extension FieldMapped {
  var json: JSON { members }

  /// The object of its fields; those that are as in the blank are left out where they may be.
  var members: JSON {
    let blank = FieldMap.fields(of: Self.blank)
    return .object(
      zip(FieldMap.fields(of: self), blank).compactMap { field, blank in
        field.isRequired || field.json != blank.json ? JSON.Member(field.key, field.json) : nil
      })
  }

  init(json: JSON, at place: JSONPlace) throws {
    self = .blank
    try FieldMap.read(json, into: &self, at: place)
  }
}

/// Where in a document a value stands, and what is known there.
struct JSONPlace {
  /// `steps[3].then[0].linear.outputs`; empty for the whole document.
  private(set) var path = ""
  /// The parameters and loop variables that formulas may mention; nil where that is checked later.
  var names: Set<String>?
  /// How many steps there are around.
  private(set) var depth = 0
  private let steps = StepCount()

  private final class StepCount {
    var count = 0
  }

  /// The place of a member.
  subscript(key: ExactString) -> JSONPlace {
    var place = self
    place.path += (path.isEmpty ? "" : ".") + key.text
    return place
  }

  /// The place of the member of that name of ours.
  subscript(key: String) -> JSONPlace { self[ExactString(key)] }

  /// The place of an element.
  subscript(index: Int) -> JSONPlace {
    var place = self
    place.path += "[\(index)]"
    return place
  }

  /// Recursion through steps stays far from the end of the stack; no built-in description has half
  /// of it.
  static let deepest = 16
  /// More than the sum of all built-in descriptions.
  static let mostSteps = 2_000

  /// The place of what is inside a step.
  func enteringStep() throws -> JSONPlace {
    var place = self
    place.depth += 1
    steps.count += 1
    guard place.depth <= Self.deepest else {
      throw failure("steps are nested above \(Self.deepest) levels")
    }
    guard steps.count <= Self.mostSteps else { throw failure("more than \(Self.mostSteps) steps") }
    return place
  }

  /// An error that names the place.
  func failure(_ message: String) -> IngotError {
    IngotError(
      .malformed, path.isEmpty ? message : "\(path.escapedForDisplay(limit: 300)): \(message)")
  }

  /// An error for a value of another kind.
  func expected(_ what: String, _ json: JSON) -> IngotError {
    let found =
      switch json {
      case .null: "null"
      case .boolean(let value): "\(value)"
      case .integer, .unsigned, .number: json.text()
      case .string(let value): "'\(value.escapedForDisplay(limit: 80))'"
      case .array: "a list"
      case .object: "an object"
      }
    return failure("expected \(what), found \(found)")
  }

  static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }
}
