internal import Tensors

extension NativeIndex {
  /// Reads an index whose first byte lies at `base` in the file.
  ///
  /// - Throws: `malformed` where it breaks the format's rules or is not the canonical text of what it
  ///   says; `unsupported` for an unknown element type.
  init(parsing bytes: [UInt8], base: Int) throws {
    var parser = NativeIndexParser(bytes, base: base)
    self = try parser.index()
  }

  /// Checks that the tensors lie one after the other, each at the first aligned place, and that the
  /// index follows the last one.
  ///
  /// - Throws: `malformed` naming the tensor that lies elsewhere.
  func checkLayout(indexOffset: Int) throws {
    var next = alignment
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
        // A hollow file may end just below 2^63.
        next = try end.adding(alignment - 1, "the end of the padding") / alignment * alignment
      }
    }
    guard next == indexOffset else {
      throw IngotError(
        .malformed, "the index begins at byte \(indexOffset), its place is \(next)", offset: 16)
    }
  }

  /// Checks that aliases stand for earlier tensors with bytes of their own.
  ///
  /// - Throws: `malformed` naming an alias of anything else.
  func checkAliases() throws {
    let hasAliases = tensors.contains { if case .alias = $0.content { true } else { false } }
    guard hasAliases else { return }
    var stored: Set<ExactString> = []
    for entry in tensors {
      switch entry.content {
      case .stored: stored.insert(entry.name)
      case .alias(let target):
        guard stored.contains(target) else {
          throw IngotError(
            .malformed,
            "is an alias of '\(target.escapedForDisplay())', which is no earlier tensor with bytes of its own",
            tensor: entry.name)
        }
      }
    }
  }
}

/// Reads the text of an index exactly as `NativeIndex.text` writes it, so that no second text can stand
/// for the same index: what is not expected to the byte is not canonical.
private struct NativeIndexParser {
  private let bytes: [UInt8]
  private let base: Int
  private var scanner: JSONScanner

  init(_ bytes: [UInt8], base: Int) {
    self.bytes = bytes
    self.base = base
    scanner = JSONScanner(bytes, base: base)
  }

  mutating func index() throws -> NativeIndex {
    try scanner.takeExactly("{\"alignment\":")
    let alignment = try number("the alignment")
    guard NativeIndex.isAlignment(alignment) else {
      throw IngotError(
        .malformed,
        "the alignment \(alignment) is not a power of two from \(NativeIndex.alignments.lowerBound) to \(NativeIndex.alignments.upperBound)",
        offset: base)
    }
    try scanner.takeExactly(",\"metadata\":")
    let metadata = try metadata()
    try scanner.takeExactly(",\"provenance\":")
    let start = scanner.offset
    let provenance = try scanner.value().decodingReals()
    try check(provenance.canonicalText(), isTextFrom: start)
    try scanner.takeExactly(",\"tensors\":")
    var tensors: [NativeIndex.Entry] = []
    try list { parser in tensors.append(try parser.entry()) }
    try scanner.takeExactly("}")
    guard scanner.offset == base + bytes.count else {
      throw notCanonical(at: scanner.offset)
    }
    return NativeIndex(
      alignment: alignment, metadata: metadata, provenance: provenance, tensors: tensors)
  }

  private mutating func metadata() throws -> Metadata {
    let start = scanner.offset
    var metadata = Metadata()
    try scanner.object { scanner, key in metadata[key] = try scanner.value().decodingReals() }
    try check(NativeIndex.text(metadata), isTextFrom: start)
    return metadata
  }

  private mutating func entry() throws -> NativeIndex.Entry {
    let start = scanner.offset
    try scanner.takeExactly("{\"")
    guard !scanner.isNext(UInt8(ascii: "a")) else {
      try scanner.takeExactly("alias_of\":")
      let target = try string()
      try scanner.takeExactly(",\"name\":")
      let name = try string()
      try scanner.takeExactly("}")
      return .init(name: name, content: .alias(of: target))
    }
    try scanner.takeExactly("bytes\":")
    let byteCount = try number("the size of a tensor")
    try scanner.takeExactly(",\"")
    var chunks: [Int]?
    if scanner.isNext(UInt8(ascii: "c")) {
      try scanner.takeExactly("chunks\":")
      chunks = try numbers("the size of a chunk")
      try scanner.takeExactly(",\"")
    }
    try scanner.takeExactly("dtype\":")
    let typeName = try string()
    try scanner.takeExactly(",\"name\":")
    let name = try string()
    try scanner.takeExactly(",\"offset\":")
    let offset = try number("the offset of a tensor")
    try scanner.takeExactly(",\"sha256\":")
    let sha256 = try string()
    try scanner.takeExactly(",\"shape\":")
    let dimensions = try numbers("a dimension")
    try scanner.takeExactly("}")
    do {
      guard let type = ElementType(name: typeName) else {
        throw IngotError(
          .unsupported, "the element type '\(typeName.escapedForDisplay(limit: 40))' is not known")
      }
      let stored = NativeIndex.Stored(
        elementType: type, shape: try Shape(dimensions), byteCount: byteCount, offset: offset,
        sha256: sha256.text, chunks: chunks)
      try check(stored)
      return .init(name: name, content: .stored(stored))
    } catch var error as IngotError {
      error.offset = start
      throw error.naming(tensor: name)
    }
  }

  private func check(_ stored: NativeIndex.Stored) throws {
    let needed = try stored.shape.byteCount(of: stored.elementType)
    guard needed == stored.byteCount else {
      throw IngotError(
        .malformed,
        "shape \(stored.shape) of \(stored.elementType.name) needs \(needed) bytes, the index declares \(stored.byteCount)"
      )
    }
    let isDigest =
      stored.sha256.utf8.count == 64
      && stored.sha256.utf8.allSatisfy {
        switch $0 {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
        default: false
        }
      }
    guard isDigest else {
      throw IngotError(.malformed, "its sha256 is not 64 lower-case hexadecimal digits")
    }
    if let chunks = stored.chunks { try NativeChunks.check(chunks, byteCount: stored.byteCount) }
  }

  // MARK: Canonical values

  private func notCanonical(at offset: Int) -> IngotError {
    IngotError(.malformed, "the index is not in canonical form", offset: offset)
  }

  /// Checks that what was read from `start` on is `text`.
  private func check(_ text: [UInt8], isTextFrom start: Int) throws {
    guard bytes[start - base..<scanner.offset - base].elementsEqual(text) else {
      throw notCanonical(at: start)
    }
  }

  private mutating func list(_ element: (inout NativeIndexParser) throws -> Void) throws {
    try scanner.takeExactly("[")
    if !scanner.isNext(UInt8(ascii: "]")) {
      try element(&self)
      while scanner.isNext(UInt8(ascii: ",")) {
        try scanner.takeExactly(",")
        try element(&self)
      }
    }
    try scanner.takeExactly("]")
  }

  private mutating func numbers(_ what: String) throws -> [Int] {
    var numbers: [Int] = []
    try list { parser in numbers.append(try parser.number(what)) }
    return numbers
  }

  /// A whole number; any that begins with a digit has one text.
  private mutating func number(_ what: String) throws -> Int {
    let next = scanner.offset - base
    guard next < bytes.count, bytes[next] &- 0x30 < 10 else { throw notCanonical(at: base + next) }
    return try scanner.naturalNumber(what)
  }

  /// A string; only escapes have several texts, and only they make it longer than what it says.
  private mutating func string() throws -> ExactString {
    let start = scanner.offset
    let value = try scanner.string()
    if scanner.offset - start != value.utf8.count + 2 {
      try check(JSON.string(value).canonicalText(), isTextFrom: start)
    }
    return value
  }
}
