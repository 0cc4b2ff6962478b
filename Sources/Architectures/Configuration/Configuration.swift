internal import Tensors

/// The values of an architecture's parameters, each with where it came from.
public struct Configuration: Sendable, Hashable {
  /// A value and its source.
  public struct Entry: Sendable, Hashable {
    /// The value.
    public let value: Value
    /// Where it came from, as reports show it: `config.json: n_embd`, or `defaultSource`.
    public let source: String

    /// The source of what nothing gives.
    public static let defaultSource = "default"

    /// Pairs a value with its source.
    public init(_ value: Value, source: String) {
      self.value = value
      self.source = source
    }
  }

  /// The values by parameter.
  public private(set) var entries: [String: Entry] = [:]

  /// No values.
  public init() {}

  /// The entry of a parameter.
  public subscript(name: String) -> Entry? {
    get { entries[name] }
    set { entries[name] = newValue }
  }

  /// Adds the values of `other` that this one lacks.
  public mutating func merge(_ other: Configuration) {
    entries.merge(other.entries) { mine, _ in mine }
  }
}

extension Configuration {
  /// The value of a parameter: given, or its default from other values.
  ///
  /// - Throws: `usage` naming a parameter that nothing gives.
  func entry(_ name: String, of architecture: Architecture, depth: Int = 0) throws -> Entry {
    if let entry = entries[name] { return entry }
    guard let parameter = architecture[parameter: name] else {
      throw IngotError(.malformed, "'\(name)' is no parameter of \(architecture.name)")
    }
    guard let fallback = parameter.fallback else {
      throw IngotError(
        .usage, "the configuration lacks '\(name)' of \(architecture.name)",
        hint: "give it with --config FILE or --set \(name)=VALUE")
    }
    // Defaults lean on other parameters, never on themselves.
    guard depth < 8 else { throw IngotError(.malformed, "the default of '\(name)' is circular") }
    let environment = Environment { try self.entry($0, of: architecture, depth: depth + 1).value }
    return Entry(try environment.value(of: fallback), source: Entry.defaultSource)
  }
}
