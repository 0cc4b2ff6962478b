internal import Tensors

extension NativeIndex {
  /// Reads an index whose first byte lies at `base` in the file.
  ///
  /// - Throws: `malformed` where it breaks the format's rules or is not the canonical text of what it
  ///   says; `unsupported` for an unknown element type.
  init(parsing bytes: [UInt8], base: Int) throws {
    var scanner = JSONScanner(bytes, base: base)
    var index = NativeIndex(alignment: 0, metadata: Metadata(), provenance: .null, tensors: [])
    try scanner.object { scanner, key in
      switch key {
      case "alignment": index.alignment = try scanner.naturalNumber("the alignment")
      case "metadata":
        try scanner.object { scanner, key in
          index.metadata[key] = try scanner.value().decodingReals()
        }
      case "provenance": index.provenance = try scanner.value().decodingReals()
      case "tensors": index.tensors = try Self.tensors(&scanner)
      default: throw scanner.failure("the key '\(key.escapedForDisplay(limit: 40))' is not known")
      }
    }
    try scanner.finish()
    guard Self.isAlignment(index.alignment) else {
      throw IngotError(
        .malformed,
        "the alignment \(index.alignment) is not a power of two from \(Self.alignments.lowerBound) to \(Self.alignments.upperBound)",
        offset: base)
    }
    // Covers what parsing leaves open: the order of keys, absent ones, blanks, spellings of numbers.
    let canonical = index.text()
    guard canonical == bytes else {
      let same = zip(canonical, bytes).prefix { $0 == $1 }.count
      throw IngotError(.malformed, "the index is not in canonical form", offset: base + same)
    }
    self = index
  }

  private static func tensors(_ scanner: inout JSONScanner) throws -> [Entry] {
    var tensors: [Entry] = []
    // Names of stored tensors are what an alias may stand for.
    var stored: [String: Bool] = [:]
    try scanner.array { scanner in
      _ = scanner.peek()
      let at = scanner.offset
      let entry = try entry(&scanner)
      try naming(tensor: entry.name) {
        let isStored: Bool
        switch entry.content {
        case .stored: isStored = true
        case .alias(let target):
          guard stored[target] == true else {
            throw IngotError(
              .malformed,
              "is an alias of '\(target.escapedForDisplay())', which is no earlier tensor with bytes of its own",
              offset: at)
          }
          isStored = false
        }
        guard stored.updateValue(isStored, forKey: entry.name) == nil else {
          throw IngotError(.malformed, "the name occurs twice", offset: at)
        }
      }
      tensors.append(entry)
    }
    return tensors
  }

  /// The members of a tensor's object as they are read.
  private struct Fields {
    var name: String?
    var alias: String?
    var elementType: String?
    var dimensions: [Int]?
    var byteCount: Int?
    var offset: Int?
    var sha256: String?
    var chunks: [Int]?
  }

  private static func entry(_ scanner: inout JSONScanner) throws -> Entry {
    let at = scanner.offset
    var fields = Fields()
    try scanner.object { scanner, key in
      switch key {
      case "alias_of": fields.alias = try scanner.string()
      case "bytes": fields.byteCount = try scanner.naturalNumber("the size of a tensor")
      case "chunks": fields.chunks = try numbers(&scanner, "the size of a chunk")
      case "dtype": fields.elementType = try scanner.string()
      case "name": fields.name = try scanner.string()
      case "offset": fields.offset = try scanner.naturalNumber("the offset of a tensor")
      case "sha256": fields.sha256 = try scanner.string()
      case "shape": fields.dimensions = try numbers(&scanner, "a dimension")
      default: throw scanner.failure("the key '\(key.escapedForDisplay(limit: 40))' is not known")
      }
    }
    guard let name = fields.name else {
      throw IngotError(.malformed, "a tensor has no name", offset: at)
    }
    do {
      return Entry(name: name, content: try content(fields))
    } catch var error as IngotError {
      error.offset = error.offset ?? at
      throw error.naming(tensor: name)
    }
  }

  private static func content(_ fields: Fields) throws -> Content {
    if let alias = fields.alias {
      // Other members beside it make the text another one than the canonical.
      return .alias(of: alias)
    }
    guard let typeName = fields.elementType, let dimensions = fields.dimensions,
      let byteCount = fields.byteCount, let offset = fields.offset, let sha256 = fields.sha256
    else {
      throw IngotError(
        .malformed, "it must have either alias_of or all of bytes, dtype, offset, sha256 and shape")
    }
    guard let type = ElementType(name: typeName) else {
      throw IngotError(
        .unsupported, "the element type '\(typeName.escapedForDisplay(limit: 40))' is not known")
    }
    let shape = try Shape(dimensions)
    let needed = try shape.byteCount(of: type)
    guard needed == byteCount else {
      throw IngotError(
        .malformed,
        "shape \(shape) of \(type.name) needs \(needed) bytes, the index declares \(byteCount)")
    }
    guard sha256.utf8.count == 64, sha256.utf8.allSatisfy(isLowercaseHexDigit) else {
      throw IngotError(.malformed, "its sha256 is not 64 lower-case hexadecimal digits")
    }
    if let chunks = fields.chunks { try NativeChunks.check(chunks, byteCount: byteCount) }
    return .stored(
      Stored(
        elementType: type, shape: shape, byteCount: byteCount, offset: offset, sha256: sha256,
        chunks: fields.chunks))
  }

  private static func isLowercaseHexDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
    default: false
    }
  }

  private static func numbers(_ scanner: inout JSONScanner, _ what: String) throws -> [Int] {
    var numbers: [Int] = []
    try scanner.array { numbers.append(try $0.naturalNumber(what)) }
    return numbers
  }

  /// Checks that the tensors lie one after the other, each at the first aligned place, and that the
  /// index follows the last one.
  ///
  /// - Throws: `malformed` naming the tensor that lies elsewhere.
  func checkLayout(indexOffset: Int) throws {
    var next = max(NativeHeader.byteCount, alignment)
    for entry in tensors {
      guard case .stored(let stored) = entry.content else { continue }
      try naming(tensor: entry.name) {
        guard stored.offset == next else {
          throw IngotError(
            .malformed, "it begins at byte \(stored.offset), the place for it is \(next)")
        }
        let end = try next.adding(try stored.storedByteCount(), "the end of the tensor")
        guard end <= indexOffset else {
          throw IngotError(
            .malformed, "it ends at byte \(end), the index begins at \(indexOffset)")
        }
        next = end.roundedUp(toMultipleOf: alignment)
      }
    }
    guard next == indexOffset else {
      throw IngotError(
        .malformed, "the index begins at byte \(indexOffset), its place is \(next)", offset: 16)
    }
  }
}
