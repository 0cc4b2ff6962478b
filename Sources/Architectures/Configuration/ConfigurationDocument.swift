public import Tensors

/// A configuration as some ecosystem wrote it: JSON, and the name that reports give it.
public struct ConfigurationDocument: Sendable {
  /// How reports call it: `config.json`, `metadata`.
  public let name: String
  /// Its content; an object.
  public let json: JSON

  /// Wraps a parsed configuration.
  ///
  /// - Throws: `malformed` where it is no JSON object.
  public init(_ json: JSON, name: String) throws {
    guard json.object != nil else {
      throw IngotError(.malformed, "a configuration is a JSON object")
    }
    self.name = name
    self.json = json
  }

  /// The word that says which model it is: `model_type`, `architecture`, a class.
  private var kind: (key: ExactString, word: ExactString)? {
    for key: ExactString in ["architecture", "model_type", "general.architecture", "class_name"] {
      if let word = value(at: key)?.string { return (key, word) }
    }
    return value(at: "architectures.0")?.string.map { ("architectures.0", $0) }
  }

  /// The class of a Keras model that is put together of layers; it says nothing of an architecture.
  var genericClass: ExactString? {
    guard let kind, kind.key == "class_name", ["Functional", "Sequential"].contains(kind.word)
    else {
      return nil
    }
    return kind.word
  }

  /// Whether it says anything about a model at all, as the `config.json` of some other tool does not.
  public var isModelConfiguration: Bool { kind != nil }

  /// The value at a path of keys joined by dots, a literal key with dots first; `#` is how many members
  /// there are.
  func value(at path: ExactString) -> JSON? {
    if let value = json[path] { return value }
    var value = json
    for key in path.split(separator: ".") {
      if let position = Int(key.text), let elements = value.array {
        guard elements.indices.contains(position) else { return nil }
        value = elements[position]
      } else if key == "#", let count = value.object?.count ?? value.array?.count {
        value = JSON(count)
      } else if let member = value[key] {
        value = member
      } else {
        return nil
      }
    }
    return value
  }

  /// The architectures that this is a configuration of, each with the dialect it is written in; nil
  /// for the native one, whose keys are the parameters' own names.
  ///
  /// - Throws: `unsupported` where it names an architecture that is none of `architectures`.
  func recognized(
    among architectures: [Architecture]
  ) throws -> [(architecture: Architecture, dialect: Dialect?)] {
    if let word = json["architecture"]?.string,
      let native = architectures.first(where: { word == $0.name })
    {
      return [(native, nil)]
    }
    let found = architectures.flatMap { architecture in
      architecture.dialects.filter(isWritten).map { (architecture, Optional($0)) }
    }
    // Keras models of all kinds have a class; its name says nothing where it is none of ours.
    if found.isEmpty, let kind, kind.key != "class_name" {
      throw IngotError(
        .unsupported,
        "\(name): \(kind.key) '\(kind.word.escapedForDisplay())' is no architecture that is known here",
        hint:
          "'ingot architectures' lists them; --architecture FILE takes a description of your own"
      )
    }
    return found
  }

  /// The dialect of `architecture` that this is written in; nil for the native one.
  func dialect(of architecture: Architecture) -> Dialect? {
    architecture.dialects.first(where: isWritten)
  }

  /// Whether this is written in a dialect.
  private func isWritten(in dialect: Dialect) -> Bool {
    let recognition = dialect.recognition
    guard let word = value(at: recognition.key)?.string, recognition.values.contains(word) else {
      return false
    }
    return recognition.present.allSatisfy(isSet) && !recognition.absent.contains(where: isSet)
  }

  /// Whether there is a value, and one that says yes.
  private func isSet(_ path: ExactString) -> Bool {
    guard let value = value(at: path) else { return false }
    return ![.null, .boolean(false), .integer(0)].contains(value)
  }

  /// The values of an architecture's parameters.
  ///
  /// - Throws: `malformed` naming the key whose value is of no use.
  func configuration(for architecture: Architecture) throws -> Configuration {
    let dialect = dialect(of: architecture)
    var configuration = Configuration()
    let keys =
      dialect?.keys
      ?? architecture.parameters.map {
        Dialect.Key(parameter: $0.name, paths: [ExactString($0.name)])
      }
    for key in keys {
      guard let parameter = architecture[parameter: key.parameter] else { continue }
      guard let entry = try entry(key, parameter, replaced(in: dialect)) else { continue }
      configuration[key.parameter] = entry
    }
    return configuration
  }

  /// The objects that others stand for as a whole.
  func replaced(in dialect: Dialect?) -> [Dialect.Replacement] {
    (dialect?.replacements ?? []).filter { it in
      value(at: it.by).map { $0 != .null && $0.object?.isEmpty != true } ?? false
    }
  }

  private func entry(
    _ key: Dialect.Key, _ parameter: Parameter, _ replaced: [Dialect.Replacement]
  ) throws -> Configuration.Entry? {
    var found: (entry: Configuration.Entry, path: ExactString)?
    var isNull = false
    for path in key.paths {
      // A member of an object or list comes before what stands outside of it.
      if let found, path.contains(".") || found.path.contains(".") { continue }
      guard let json = value(at: path), !replaced.contains(where: { $0.holds(path) }),
        let entry = try entry(key, parameter, json, at: path)
      else {
        isNull = isNull || value(at: path) == .null
        continue
      }
      guard let first = found else {
        found = (entry, path)
        continue
      }
      // Two names of one setting.
      guard first.entry.value != entry.value else { continue }
      throw IngotError(
        .malformed,
        "\(name): '\(first.path)' and '\(path)' are one setting, and say \(first.entry.value) and \(entry.value)"
      )
    }
    if let found { return found.entry }
    guard !isNull else { return nil }
    return key.absent.map {
      .init($0, source: "\(name): default of \(key.paths.first?.text ?? key.parameter)")
    }
  }

  /// What a value says; nil for a null without a meaning and for a class that is not known here.
  private func entry(
    _ key: Dialect.Key, _ parameter: Parameter, _ json: JSON, at path: ExactString
  ) throws -> Configuration.Entry? {
    let source = "\(name): \(path)"
    if let meaning = key.meanings[json.spelling] {
      return Configuration.Entry(meaning, source: source)
    }
    guard let value = try key.read(json, for: parameter) else {
      if json == .null { return nil }
      throw IngotError(
        .malformed,
        "\(source): \(json.text().escapedForDisplay(limit: 80)) is no value for '\(parameter.name)'"
      )
    }
    // A class that is not known here may still have the weights of one that is.
    if path.hasPrefix("architectures."), case .word(let word) = value,
      !parameter.words.contains(word)
    {
      return nil
    }
    let entry = Configuration.Entry(value, source: source)
    try parameter.check(entry)
    return entry
  }
}

extension Dialect.Replacement {
  /// Whether a path leads into the object that is not read.
  fileprivate func holds(_ path: ExactString) -> Bool { path == key || path.hasPrefix(key + ".") }
}

extension JSON {
  /// The text by which dialects know a value: words without quotes, whole numbers without a point.
  var spelling: ExactString {
    if case .number(let number) = self, let integer = Int(exactly: number) {
      return ExactString("\(integer)")
    }
    return string ?? ExactString(text())
  }
}

extension Dialect.Key {
  /// The value that a JSON value has here, its formula applied, or nil where it is none.
  fileprivate func read(_ json: JSON, for parameter: Parameter) throws -> Value? {
    guard let value = Value(replacingElements(of: json), for: parameter) else {
      return nil
    }
    guard let formula else { return value }
    return try Environment { _ in value }.value(of: formula)
  }
}

extension Dialect.Key {
  /// The same list with what its elements mean.
  private func replacingElements(of json: JSON) -> JSON {
    guard let array = json.array, !meanings.isEmpty else { return json }
    return .array(array.map { meanings[$0.spelling]?.json ?? $0 })
  }
}

extension Value {
  /// The value that a JSON value is for a parameter, or nil where it is none.
  init?(_ json: JSON, for parameter: Parameter) {
    switch json {
    case .boolean(let flag): self = .flag(flag)
    case .integer(let integer):
      // 10000 and 10000.0 are the same base, whichever a file has.
      self = parameter.kind == .real ? .real(Double(integer)) : .integer(Int(integer))
    case .number(let number):
      guard parameter.kind == .count, let integer = Int(exactly: number) else {
        self = .real(number)
        return
      }
      self = .integer(integer)
    case .string(let word): self = .word(word)
    case .array(let elements):
      let integers = elements.compactMap(\.integer)
      guard integers.count == elements.count else { return nil }
      self = .integers(integers)
    case .null, .unsigned, .object: return nil
    }
  }
}
