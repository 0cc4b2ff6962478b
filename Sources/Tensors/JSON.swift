/// A JSON value.
///
/// Integers stay exact over the whole range of Int64 and UInt64; an object keeps the order of its
/// keys.
public enum JSON: Sendable, Equatable {
  case null
  case boolean(Bool)
  case integer(Int64)
  /// Only for values above `Int64.max`.
  case unsigned(UInt64)
  case number(Double)
  case string(ExactString)
  case array([JSON])
  case object([Member])

  /// A key and its value.
  public struct Member: Sendable, Equatable {
    /// The key.
    public let key: ExactString
    /// The value.
    public let value: JSON

    /// Pairs a key with a value.
    public init(_ key: ExactString, _ value: JSON) {
      self.key = key
      self.value = value
    }
  }

  /// The value of a key of an object, or nil.
  public subscript(key: ExactString) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// The string, or nil for another kind of value.
  public var string: ExactString? {
    guard case .string(let value) = self else { return nil }
    return value
  }

  /// The integer, or nil for another kind of value or one outside `Int`.
  public var integer: Int? {
    switch self {
    case .integer(let value): Int(exactly: value)
    case .null, .boolean, .unsigned, .number, .string, .array, .object: nil
    }
  }

  /// The elements, or nil for another kind of value.
  public var array: [JSON]? {
    guard case .array(let elements) = self else { return nil }
    return elements
  }

  /// The members in order, or nil for another kind of value.
  public var object: [Member]? {
    guard case .object(let members) = self else { return nil }
    return members
  }

  /// An integer.
  public init(_ value: Int) { self = .integer(Int64(value)) }

  /// An integer; `unsigned` only where Int64 cannot hold it.
  public init(_ value: UInt64) {
    self = Int64(exactly: value).map(JSON.integer) ?? .unsigned(value)
  }

  /// A string, or null.
  public init(_ value: ExactString?) { self = value.map(JSON.string) ?? .null }

  /// A string, or null.
  public init(_ value: String?) { self = value.map { .string(ExactString($0)) } ?? .null }

  /// A string.
  public static func string(_ value: String) -> JSON { .string(ExactString(value)) }

  /// An array of integers.
  public init(_ values: [Int]) { self = .array(values.map { JSON($0) }) }
}

extension JSON: ExpressibleByDictionaryLiteral {
  /// An object with its members in the order written.
  public init(dictionaryLiteral elements: (ExactString, JSON)...) {
    self = .object(elements.map { Member($0.0, $0.1) })
  }
}
