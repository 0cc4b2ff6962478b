package import Tensors

/// The one text of a JSON value, and values that JSON lacks.
///
/// UTF-8 without blanks; keys in the order of their bytes; in strings only `"`, `\` and characters
/// below U+0020 are escaped, the short way where there is one, else as `\u00xx` in lower case; integers
/// in decimal; reals with the fewest digits that read back the same, always with a point or an exponent,
/// so that 1.0 stays a real. It is what Python's `json.dumps(value, sort_keys=True, ensure_ascii=False,
/// separators=(",", ":"))` prints.
///
/// JSON has no infinities and no NaN: they are `{"$real":"Infinity"}`, `{"$real":"-Infinity"}` and
/// `{"$real":"NaN"}`. An object whose only key begins with `$` gets one more `$` in front of it, so that
/// it is not mistaken for one of these.
extension JSON {
  /// The value's canonical text.
  package func canonicalText() -> [UInt8] {
    var bytes: [UInt8] = []
    encodingReals().appendCanonicalText(to: &bytes)
    return bytes
  }

  private static let realKey: ExactString = "$real"

  /// The value with what JSON cannot say put into objects.
  func encodingReals() -> JSON {
    switch self {
    case .null, .boolean, .integer, .unsigned, .string: return self
    case .number(let value):
      if value.isFinite { return self }
      let name = value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
      return .object([Member(Self.realKey, .string(name))])
    case .array(let elements): return .array(elements.map { $0.encodingReals() })
    case .object(let members):
      let isMarked = members.count == 1 && members[0].key.utf8.first == UInt8(ascii: "$")
      return .object(
        members.map { Member(isMarked ? "$" + $0.key : $0.key, $0.value.encodingReals()) })
    }
  }

  /// The mirror of `encodingReals`.
  ///
  /// - Throws: `malformed` for an object that it never makes.
  package func decodingReals() throws -> JSON {
    switch self {
    case .null, .boolean, .integer, .unsigned, .string, .number: return self
    case .array(let elements): return .array(try elements.map { try $0.decodingReals() })
    case .object(let members):
      guard members.count == 1, members[0].key.utf8.first == UInt8(ascii: "$") else {
        return .object(try members.map { Member($0.key, try $0.value.decodingReals()) })
      }
      let member = members[0]
      if let key = member.key.removingPrefix("$"), key.hasPrefix("$") {
        return .object([Member(key, try member.value.decodingReals())])
      }
      switch (member.key, member.value.string) {
      case (Self.realKey, "Infinity"): return .number(.infinity)
      case (Self.realKey, "-Infinity"): return .number(-.infinity)
      case (Self.realKey, "NaN"): return .number(.nan)
      default:
        throw IngotError(
          .malformed,
          "the object \(text().escapedForDisplay(limit: 80)) is no value of typed metadata")
      }
    }
  }

  /// How deeply arrays and objects are nested: 0 for a plain value.
  var depth: Int {
    switch self {
    case .null, .boolean, .integer, .unsigned, .number, .string: 0
    case .array(let elements): 1 + (elements.lazy.map(\.depth).max() ?? 0)
    case .object(let members): 1 + (members.lazy.map(\.value.depth).max() ?? 0)
    }
  }

  /// Appends the canonical text of a value whose reals are finite.
  func appendCanonicalText(to bytes: inout [UInt8]) {
    switch self {
    case .null, .boolean, .integer, .unsigned: bytes += text().utf8
    case .number(let value): bytes += Self.canonicalText(of: value).utf8
    case .string(let value): Self.appendCanonicalText(of: value, to: &bytes)
    case .array(let elements):
      bytes.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        element.appendCanonicalText(to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let members):
      bytes.append(UInt8(ascii: "{"))
      for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        Self.appendCanonicalText(of: member.key, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        member.value.appendCanonicalText(to: &bytes)
      }
      bytes.append(UInt8(ascii: "}"))
    }
  }

  /// Appends a string with its quotes.
  static func appendCanonicalText(of value: ExactString, to bytes: inout [UInt8]) {
    let isPlain = value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C }
    guard isPlain else {
      bytes += JSON.string(value).text().utf8
      return
    }
    bytes.append(UInt8(ascii: "\""))
    bytes += value.utf8
    bytes.append(UInt8(ascii: "\""))
  }

  /// A finite real as Python's `repr` lays it out: with an exponent below 1e-4 and from 1e16 on.
  private static func canonicalText(of value: Double) -> String {
    guard value != 0 else { return value.sign == .minus ? "-0.0" : "0.0" }
    // Swift prints the shortest digits too; only its layout differs.
    let parts = "\(value.magnitude)".split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let fraction = mantissa.count > 1 ? mantissa[1] : ""
    var digits = String(mantissa[0] + fraction)
    // The value is 0.digits × 10^point.
    var point = mantissa[0].count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
    while digits.hasPrefix("0") {
      digits.removeFirst()
      point -= 1
    }
    while digits.hasSuffix("0") { digits.removeLast() }
    let zeros = { (count: Int) in String(repeating: "0", count: max(0, count)) }
    let sign = value < 0 ? "-" : ""
    guard -3...16 ~= point else {
      let exponent = point - 1
      let size = String(exponent.magnitude)
      let rest = digits.dropFirst()
      return sign + digits.prefix(1) + (rest.isEmpty ? "" : "." + rest)
        + (exponent < 0 ? "e-" : "e+") + zeros(2 - size.count) + size
    }
    if point <= 0 { return sign + "0." + zeros(-point) + digits }
    let whole = digits.prefix(point) + zeros(point - digits.count)
    let rest = digits.dropFirst(point)
    return sign + whole + "." + (rest.isEmpty ? "0" : rest)
  }
}
