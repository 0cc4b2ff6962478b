internal import Tensors

/// A hard link: a name in a group, and the object it names.
struct Link {
  let name: ExactString
  let address: Int
  /// When the link was made, counted within its group, where the group keeps that.
  var creationOrder: UInt64?

  /// Checks and decodes a link's name.
  ///
  /// - Throws: `malformed` for what cannot be one component of a path; `unsupported` for a name in
  ///   another encoding than UTF-8 that does not claim to be UTF-8.
  static func checkedName(
    _ raw: ArraySlice<UInt8>, claimsUTF8: Bool, at offset: Int
  ) throws -> ExactString {
    guard let name = ExactString(checking: raw) else {
      throw IngotError(
        claimsUTF8 ? .malformed : .unsupported,
        "the link name '\(String(decoding: raw, as: UTF8.self).escapedForDisplay())' is not UTF-8",
        offset: offset)
    }
    var isComponent = !raw.isEmpty
    for byte in raw where byte == 0 || byte == UInt8(ascii: "/") { isComponent = false }
    guard isComponent, name != "." else {
      throw IngotError(
        .malformed, "'\(name.escapedForDisplay())' cannot be a link's name", offset: offset)
    }
    return name
  }

  /// The refusal of a link that leads anywhere but to an object of this file.
  static func refusal(
    _ kind: String, name: ExactString, target: String?, at offset: Int
  ) -> IngotError {
    let shown = target.map { " to '\($0.escapedForDisplay())'" } ?? ""
    return IngotError(
      .unsafe, "'\(name.escapedForDisplay())' is \(kind)\(shown), which is never followed",
      offset: offset)
  }

  /// Parses a link message: version, flags (bits 0–1 the width of the name's length, 2 creation order, 3
  /// kind, 4 character set), those fields, the name, and what it links to.
  init(_ reader: inout ByteReader, _ widths: FieldWidths) throws {
    let at = reader.offset
    try reader.version(1, "link message")
    let flags = try reader.uint8("a link's flags")
    let kind = flags & 8 == 0 ? 0 : try reader.uint8("a link's kind")
    creationOrder = flags & 4 == 0 ? nil : try reader.uint64("a link's creation order")
    let isUTF8 = flags & 16 == 0 ? false : try reader.uint8("a link's character set") == 1
    let length = try reader.integer(width: 1 << Int(flags & 3), "the length of a link's name")
    let nameAt = reader.offset
    name = try Self.checkedName(
      try reader.array(length, "a link's name")[...], claimsUTF8: isUTF8, at: nameAt)
    switch kind {
    case 0: address = try reader.definedAddress(widths, "the address of '\(name)'")
    case 1:
      let length = Int(try reader.uint16("the length of a soft link"))
      let target = try reader.array(length, "a soft link")
      throw Self.refusal(
        "a soft link", name: name, target: String(decoding: target, as: UTF8.self), at: at)
    case 64:
      let length = Int(try reader.uint16("the length of an external link"))
      let parts = try reader.array(length, "an external link").dropFirst().split(separator: 0)
      throw Self.refusal(
        "an external link", name: name,
        target: parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ":"), at: at)
    default:
      throw Self.refusal("a user-defined link of class \(kind)", name: name, target: nil, at: at)
    }
  }

  init(name: ExactString, address: Int) {
    self.name = name
    self.address = address
  }
}
