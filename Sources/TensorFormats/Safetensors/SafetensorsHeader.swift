internal import Tensors

/// The JSON text at the beginning of a safetensors file: tensors in the header's order, and strings.
///
/// ```
/// {"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}
/// ```
///
/// Offsets count from the end of the header. Spans must cover the data exactly: sorted by begin and
/// end, each starts where the one before ends, the first at 0, and the last ends with the file.
struct SafetensorsHeader {
  /// A tensor as the header describes it.
  struct Entry {
    let name: ExactString
    let elementType: ElementType
    let shape: Shape
    let begin: Int
    let end: Int
  }

  var entries: [Entry] = []
  /// In the file's order; the keys differ.
  var metadata: [(key: ExactString, value: ExactString)] = []

  static let metadataKey: ExactString = "__metadata__"

  init() {}
}

// MARK: Reading

extension SafetensorsHeader {
  /// Reads a header whose first byte lies at `base` in the file.
  ///
  /// - Throws: `malformed` for everything that the format does not allow, duplicate keys and unknown
  ///   fields included; `unsupported` for an unknown element type.
  init(parsing bytes: [UInt8], base: Int) throws {
    guard bytes.first == UInt8(ascii: "{") else {
      throw IngotError(.malformed, "the header does not begin with '{'", offset: base)
    }
    var scanner = JSONScanner(bytes, base: base)
    var hasMetadata = false
    // Tensors are checked for equal names when they enter the table.
    try scanner.object(checksKeys: false) { scanner, name in
      if name == Self.metadataKey {
        guard !hasMetadata else {
          throw scanner.failure("the key '\(Self.metadataKey)' occurs twice")
        }
        hasMetadata = true
        try scanner.object { scanner, key in
          metadata.append((key: key, value: try scanner.string()))
        }
      } else {
        entries.append(try naming(tensor: name) { try Self.entry(name, &scanner) })
      }
    }
    try scanner.finish()
  }

  private static func entry(_ name: ExactString, _ scanner: inout JSONScanner) throws -> Entry {
    _ = scanner.peek()
    let at = scanner.offset
    var elementType: ElementType?
    var dimensions: [Int]?
    var span: [Int] = []
    try scanner.object { scanner, field in
      switch field {
      case "dtype":
        _ = scanner.peek()
        let at = scanner.offset
        elementType = try SafetensorsType.type(named: try scanner.string(), at: at)
      case "shape":
        dimensions = try numbers(&scanner, atMost: Limits.rank, "a dimension") {
          IngotError(.limit, "the rank is above \(Limits.rank)")
        }
      case "data_offsets":
        span = try numbers(&scanner, atMost: 2, "an offset") {
          IngotError(.malformed, "data_offsets has more than two numbers")
        }
        guard span.count == 2, span[0] <= span[1] else {
          throw scanner.failure("data_offsets is not a begin and an end: \(span)")
        }
      default:
        throw scanner.failure("the field '\(field.escapedForDisplay(limit: 40))' is not known")
      }
    }
    guard let elementType, let dimensions, span.count == 2 else {
      let missing =
        elementType == nil ? "dtype" : dimensions == nil ? "shape" : "data_offsets"
      throw IngotError(.malformed, "the entry has no \(missing)", offset: at)
    }
    do {
      let shape = try Shape(dimensions)
      let needed = try shape.byteCount(of: elementType)
      guard needed == span[1] - span[0] else {
        throw IngotError(
          .malformed,
          "shape \(shape) of \(elementType.name) needs \(needed) bytes, the file declares \(span[1] - span[0])"
        )
      }
      return Entry(
        name: name, elementType: elementType, shape: shape, begin: span[0], end: span[1])
    } catch var error as IngotError {
      error.offset = error.offset ?? at
      throw error
    }
  }

  private static func numbers(
    _ scanner: inout JSONScanner, atMost limit: Int, _ what: String, _ excess: () -> IngotError
  ) throws -> [Int] {
    var numbers: [Int] = []
    try scanner.array { scanner in
      guard numbers.count < limit else {
        var error = excess()
        error.offset = scanner.offset
        throw error
      }
      numbers.append(try scanner.naturalNumber(what))
    }
    return numbers
  }

  /// Checks that the spans cover `dataLength` bytes without hole or overlap; data begin at `base`.
  ///
  /// - Throws: `malformed` naming the tensors on both sides of the fault.
  func checkCover(dataLength: Int, base: Int) throws {
    func isInOrder(_ a: Entry, _ b: Entry) -> Bool { (a.begin, a.end) <= (b.begin, b.end) }
    let sorted =
      zip(entries, entries.dropFirst()).allSatisfy(isInOrder)
      ? entries : entries.sorted { ($0.begin, $0.end) < ($1.begin, $1.end) }
    var covered = 0
    var last: Entry?
    for entry in sorted {
      guard entry.begin == covered else {
        let neighbour = last.map { "'\($0.name.escapedForDisplay())'" } ?? "the header"
        throw IngotError(
          .malformed,
          entry.begin < covered
            ? "its bytes overlap those of \(neighbour)"
            : "\(entry.begin - covered) bytes between it and \(neighbour) belong to no tensor",
          tensor: entry.name, offset: base + min(entry.begin, dataLength))
      }
      guard entry.end <= dataLength else {
        throw IngotError(
          .malformed,
          "its data end at byte \(base) + \(entry.end), the file at \(base + dataLength)",
          tensor: entry.name, offset: base + dataLength)
      }
      covered = entry.end
      last = entry
    }
    guard covered == dataLength else {
      throw IngotError(
        .malformed, "\(dataLength - covered) bytes follow the last tensor", offset: base + covered)
    }
  }
}

// MARK: Writing

extension SafetensorsHeader {
  /// The header's bytes as the reference library writes them: compact, metadata first, then the tensors
  /// in their order, filled with blanks to a multiple of 8 so that the data are aligned.
  func text() -> [UInt8] {
    var text = "{"
    if !metadata.isEmpty {
      let pairs = metadata.map { JSON.Member($0.key, .string($0.value)) }
      text += "\"\(Self.metadataKey)\":\(JSON.object(pairs).text())"
    }
    for entry in entries {
      if text.utf8.count > 1 { text += "," }
      let type = SafetensorsType.name(of: entry.elementType) ?? ""
      let shape = entry.shape.dimensions.map(String.init).joined(separator: ",")
      text += "\(JSON.string(entry.name).text()):{\"dtype\":\"\(type)\",\"shape\":[\(shape)],"
      text += "\"data_offsets\":[\(entry.begin),\(entry.end)]}"
    }
    text += "}"
    var bytes = ByteWriter()
    bytes.append(text)
    bytes.pad(toMultipleOf: 8, with: UInt8(ascii: " "))
    return bytes.bytes
  }
}
