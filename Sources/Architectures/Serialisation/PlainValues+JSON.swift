internal import Tensors

/// The plain values in the JSON of an architecture: texts, numbers, words, formulas, lists.
extension String: JSONCoded {
  /// No text of a description is longer; names and messages have a line.
  private static let longest = 1024

  var json: JSON { .string(self) }

  init(json: JSON, at place: JSONPlace) throws {
    guard let text = json.string else { throw place.expected("a text", json) }
    guard text.utf8.count <= Self.longest else {
      throw place.failure("a text above \(Self.longest) bytes")
    }
    self = text.text
  }
}

extension ExactString: JSONCoded {
  var json: JSON { .string(self) }

  init(json: JSON, at place: JSONPlace) throws { self.init(try String(json: json, at: place)) }
}

extension Bool: JSONCoded {
  var json: JSON { .boolean(self) }

  init(json: JSON, at place: JSONPlace) throws {
    guard case .boolean(let flag) = json else { throw place.expected("true or false", json) }
    self = flag
  }
}

extension Int: JSONCoded {
  var json: JSON { JSON(self) }

  init(json: JSON, at place: JSONPlace) throws {
    guard let integer = json.integer, (0...Parameter.largestCount).contains(integer) else {
      throw place.expected("a whole number up to \(Parameter.largestCount)", json)
    }
    self = integer
  }
}

/// A closed set of words.
extension JSONCoded where Self: CaseIterable & RawRepresentable<String> {
  var json: JSON { .string(rawValue) }

  init(json: JSON, at place: JSONPlace) throws {
    guard let word = json.string, let value = Self(rawValue: word.text) else {
      throw place.expected("one of \(Self.allCases.map(\.rawValue).joined(separator: ", "))", json)
    }
    self = value
  }
}

extension Component: JSONCoded {}
extension Weight.Purpose: JSONCoded {}
extension Parameter.Kind: JSONCoded {}
extension Architecture.Input.Kind: JSONCoded {}

/// A constant is a JSON number or flag, everything else the text of the formula.
extension Expression: JSONCoded {
  var json: JSON {
    if case .constant(let value) = node, text == value.json.text() {
      switch value {
      case .integer, .real, .flag: return value.json
      case .word, .integers: break
      }
    }
    return .string(text)
  }

  init(json: JSON, at place: JSONPlace) throws {
    switch json {
    case .integer(let value):
      guard let integer = Int(exactly: value) else { throw place.expected("a formula", json) }
      self.init(integerLiteral: integer)
    case .number(let value): self.init(floatLiteral: value)
    case .boolean(let value): self.init(booleanLiteral: value)
    case .string(let text):
      do {
        try self.init(parsing: text.text)
      } catch let error as IngotError {
        throw place.failure(error.message)
      }
      if let names = place.names, let unknown = self.names.subtracting(names).min() {
        throw place.failure(
          "'\(unknown.escapedForDisplay(limit: 80))' is neither a parameter nor the variable of a "
            + "loop around")
      }
    case .null, .unsigned, .array, .object: throw place.expected("a formula", json)
    }
  }
}

extension Value: JSONCoded {
  init(json: JSON, at place: JSONPlace) throws {
    switch json {
    case .integer(let value):
      guard let integer = Int(exactly: value) else { throw place.expected("a value", json) }
      self = .integer(integer)
    case .number(let value): self = .real(value)
    case .boolean(let value): self = .flag(value)
    case .string: self = .word(try ExactString(json: json, at: place))
    case .array: self = .integers(try [Int](json: json, at: place))
    case .null, .unsigned, .object: throw place.expected("a value", json)
    }
  }
}

extension NameTemplate: JSONCoded {
  var json: JSON { .string(text) }

  init(json: JSON, at place: JSONPlace) throws { self.init(try String(json: json, at: place)) }
}

extension Array: JSONCoded where Element: JSONCoded {
  /// Longer than any list of a description; Keras Hub's spellings of one model have hundreds.
  private static var longest: Int { 10_000 }

  var json: JSON { .array(map(\.json)) }

  init(json: JSON, at place: JSONPlace) throws {
    guard let elements = json.array else { throw place.expected("a list", json) }
    guard elements.count <= Self.longest else {
      throw place.failure("a list of more than \(Self.longest)")
    }
    self = try elements.enumerated().map { try Element(json: $1, at: place[$0]) }
  }
}

/// A key of an object: of the model language, or of a configuration.
protocol JSONKey: Hashable, Comparable {
  /// The key in JSON.
  var name: ExactString { get }

  init(_ name: ExactString)
}

extension ExactString: JSONKey {
  var name: ExactString { self }

  init(_ name: ExactString) { self = name }
}

extension String: JSONKey {
  var name: ExactString { ExactString(self) }

  init(_ name: ExactString) { self = name.text }
}

/// What has no order is written in that of its keys.
extension Dictionary: JSONCoded where Key: JSONKey, Value: JSONCoded {
  var json: JSON {
    .object(sorted { $0.key < $1.key }.map { JSON.Member($0.key.name, $0.value.json) })
  }

  init(json: JSON, at place: JSONPlace) throws {
    guard let members = json.object else { throw place.expected("an object", json) }
    var values: [Key: Value] = [:]
    for member in members {
      let key = Key(member.key)
      guard values[key] == nil else {
        throw place.failure("'\(member.key.escapedForDisplay(limit: 80))' occurs twice")
      }
      values[key] = try Value(json: member.value, at: place[member.key])
    }
    self = values
  }
}

/// Nil is the lack of the member.
extension Optional: JSONCoded where Wrapped: JSONCoded {
  var json: JSON { map(\.json) ?? .null }

  init(json: JSON, at place: JSONPlace) throws { self = try Wrapped(json: json, at: place) }
}
