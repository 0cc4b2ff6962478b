internal import Tensors

/// The `descr` of an `.npy` header: what NumPy calls a dtype.
enum NPYDescription: Equatable {
  /// Elements that Ingot knows, in one byte order.
  case elements(ElementType, isBigEndian: Bool)
  /// Pickled Python objects, whole or in a field of a record.
  case objects
  /// Legal, but no tensor; in the words that a person uses.
  case other(String)

  /// Reads the description.
  ///
  /// - Throws: `malformed` where NumPy has no such type.
  init(_ literal: PythonLiteral) throws {
    switch literal {
    case .string(let text):
      guard let description = Self.plain(text) else { throw Self.failure("'\(text)'") }
      self = description
    case .list(let fields): self = try Self.record(fields)
    case .tuple(let parts):
      // ('<f4', (2, 2)): an array in every element.
      guard parts.count == 2 else { throw Self.failure("a tuple of \(parts.count)") }
      self = try NPYDescription(parts[0]) == .objects ? .objects : .other("sub-array")
    case .integer, .boolean, .none, .dictionary: throw Self.failure("neither string nor list")
    }
  }

  private static func failure(_ what: String) -> IngotError {
    IngotError(.malformed, "npy header: descr is \(what), which is no NumPy type")
  }

  /// Fields `(name, type)` or `(name, type, shape)`; a name may be `(title, name)`.
  private static func record(_ fields: [PythonLiteral]) throws -> NPYDescription {
    var holdsObjects = false
    for field in fields {
      guard case .tuple(let parts) = field, parts.count == 2 || parts.count == 3 else {
        throw failure("a list with something else than fields")
      }
      switch parts[0] {
      case .string: break
      case .tuple(let names) where names.count == 2: break
      case .tuple, .integer, .boolean, .none, .list, .dictionary:
        throw failure("a record with a field without a name")
      }
      if try NPYDescription(parts[1]) == .objects { holdsObjects = true }
    }
    return holdsObjects ? .objects : .other("record")
  }

  /// A type in one string, or nil where there is none of that name.
  private static func plain(_ text: String) -> NPYDescription? {
    var rest = Substring(text)
    var isBigEndian = false
    if let order = rest.first, "<>=|".contains(order) {
      isBigEndian = order == ">"
      rest.removeFirst()
    } else if let known = named[text] {
      return known
    } else if let type = ElementType(name: text), type.layout.addressesElements {
      return .elements(type, isBigEndian: false)
    } else if text.contains(",") {
      // 'i4,f4' is a record too.
      let parts = text.split(separator: ",").map { plain($0.trimmingBlanks()) }
      guard !parts.contains(nil) else { return nil }
      return parts.contains(.objects) ? .objects : .other("record")
    }
    guard let kind = rest.first?.asciiValue else { return nil }
    if kind == UInt8(ascii: "?"), rest.count == 1 {
      return .elements(.bool, isBigEndian: isBigEndian)
    }
    let tail = rest.dropFirst()
    if kind == UInt8(ascii: "M") || kind == UInt8(ascii: "m") {
      let unit = tail.dropFirst()
      guard tail.first == "8", unit.isEmpty || unit.first == "[" && unit.last == "]" else {
        return nil
      }
      return .other(kind == UInt8(ascii: "M") ? "datetime64" : "timedelta64")
    }
    // Old NumPys wrote `|O4` and `|O8`.
    if kind == UInt8(ascii: "O") { return tail.allSatisfy(\.isWholeNumber) ? .objects : nil }
    guard tail.allSatisfy({ $0.isASCII && $0.isWholeNumber }), let size = Int32(tail) else {
      return nil
    }
    if let type = elementType(kind: kind, size: Int(size)) {
      return .elements(type, isBigEndian: isBigEndian)
    }
    return other(kind: kind, size: Int(size))
  }

  /// The element type of a kind character and a size in bytes.
  static func elementType(kind: UInt8, size: Int) -> ElementType? {
    size < 1 << 16 ? bySize[size << 8 | Int(kind)] : nil
  }

  /// `<f8` says a kind and a size, behind the order of bytes.
  private static let bySize: [Int: ElementType] = {
    var types: [Int: ElementType] = [:]
    for (spelling, type) in ElementType.types(in: .npy, others: false) {
      let text = spelling.text
      guard let kind = text.dropFirst().first?.asciiValue, let size = Int(text.dropFirst(2)) else {
        preconditionFailure("'\(text)' is no description of NumPy's")
      }
      types[size << 8 | Int(kind)] = type
    }
    return types
  }()

  private static func other(kind: UInt8, size: Int) -> NPYDescription? {
    switch (kind, size) {
    // 80-bit floats in 12 or 16 bytes, and IBM's pairs of float64; complex numbers of two such.
    case (UInt8(ascii: "f"), 12), (UInt8(ascii: "f"), 16): .other("longdouble")
    case (UInt8(ascii: "c"), 24), (UInt8(ascii: "c"), 32): .other("clongdouble")
    // ml_dtypes' float8_e5m2; NumPy writes this and refuses to read it back.
    case (UInt8(ascii: "f"), 1): .other("f1")
    case (UInt8(ascii: "S"), _), (UInt8(ascii: "a"), _): .other("bytes")
    case (UInt8(ascii: "U"), _): .other("string")
    // What NumPy writes for bfloat16 and float8 of ml_dtypes too: their type is lost.
    case (UInt8(ascii: "V"), _): .other("void")
    default: nil
    }
  }

  /// Types by name and by single character, as `numpy.dtype` takes them; `l` and `L` are left out,
  /// whose size depends on the machine.
  private static let named: [ExactString: NPYDescription] = {
    var named: [ExactString: NPYDescription] = [
      "object": .objects, "object_": .objects, "longdouble": .other("longdouble"),
      "float128": .other("longdouble"), "clongdouble": .other("clongdouble"),
      "complex256": .other("clongdouble"), "str": .other("string"), "bytes": .other("bytes"),
      "void": .other("void"), "datetime64": .other("datetime64"),
      "timedelta64": .other("timedelta64"),
    ]
    for (name, type) in ElementType.types(in: .npy) {
      named[name] = .elements(type, isBigEndian: false)
    }
    return named
  }()
}

extension NPYDescription {
  /// What NumPy writes for a type, or nil for those that it lacks.
  static func text(for type: ElementType) -> String? {
    type.spelling(in: .npy)?.text
  }
}

extension Substring {
  fileprivate func trimmingBlanks() -> String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
