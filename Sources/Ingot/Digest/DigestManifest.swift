internal import Crypto
internal import TensorFormats

/// The content of a checkpoint in one text, the same for every container.
///
/// One line per tensor, sorted by the UTF-8 bytes of the name:
/// `<sha256 of the little-endian, row-major bytes>  <dtype>  <shape as JSON>  <name as JSON>`. The same
/// weights give the same manifest whether they lie in HDF5, npz, safetensors or the native format.
public struct DigestManifest: Sendable, Equatable {
  /// One tensor's line.
  public struct Line: Sendable, Equatable {
    /// The tensor's name.
    public let name: ExactString
    /// The name of its element type.
    public let elementType: String
    /// Its dimensions.
    public let shape: [Int]
    /// SHA-256 of its canonical bytes, in hexadecimal.
    public let sha256: String

    /// Adds the line and its newline to a text.
    fileprivate func append(to text: inout [UInt8]) {
      text += sha256.utf8
      text += "  \(elementType)  ".utf8
      text += JSON(shape).bytes()
      text += "  ".utf8
      text += JSON.string(name).bytes()
      text.append(UInt8(ascii: "\n"))
    }
  }

  /// The lines, sorted by name.
  public let lines: [Line]

  init(_ lines: [Line]) {
    // Positions are sorted, because moving a line is dear.
    let order = lines.indices.sorted { lines[$0].name < lines[$1].name }
    self.lines = order.map { lines[$0] }
  }

  /// `text` in UTF-8.
  private var bytes: [UInt8] {
    var text: [UInt8] = []
    for line in lines { line.append(to: &text) }
    return text
  }

  /// The lines, each with a newline.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// SHA-256 of `text`, in hexadecimal: one word for the whole content.
  public var total: String { hexadecimal(SHA256.hash(data: bytes)) }

  /// The lines, each with a newline, and last the total: what `ingot digest` prints.
  public var textWithTotal: String {
    let bytes = bytes
    return String(decoding: bytes, as: UTF8.self)
      + "\(hexadecimal(SHA256.hash(data: bytes)))  total"
  }
}

/// The bytes as lower-case hexadecimal digits.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  var text: [UInt8] = []
  for byte in bytes {
    text.append(digits[Int(byte >> 4)])
    text.append(digits[Int(byte & 15)])
  }
  return String(decoding: text, as: UTF8.self)
}

// MARK: Computing

extension DigestManifest {
  /// Hashes every tensor of a table: each is one sequence, several run at once.
  ///
  /// - Throws: what the tensors' sources throw, named.
  public init(of table: TensorTable, jobs: Int? = nil) throws {
    let aliases = table.aliasTargets()
    // The largest first, so that no thread is left alone with one at the end.
    let order = table.entries.indices.filter { aliases[$0] == nil }
      .sorted { table.entries[$0].tensor.byteCount > table.entries[$1].tensor.byteCount }
    let hashes = try Workers.map(
      order.count, jobs: jobs ?? Workers.processorCount, makeWorkspace: { [UInt8]() }
    ) { task, buffer in
      let entry = table.entries[order[task]]
      return try Tensors.naming(tensor: entry.name) {
        try Self.hash(entry.tensor.source, &buffer)
      }
    }
    var byEntry = [String](repeating: "", count: table.entries.count)
    for (task, index) in order.enumerated() { byEntry[index] = hashes[task] }
    self.init(
      table.entries.enumerated().map { index, entry in
        Line(
          name: entry.name, elementType: entry.tensor.elementType.name,
          shape: entry.tensor.shape.dimensions, sha256: byEntry[aliases[index] ?? index])
      })
  }

  private static func hash(_ source: any ByteSource, _ buffer: inout [UInt8]) throws -> String {
    // A native file's own digest is of the same bytes, and reading checks it.
    let verified = source as? VerifiedSource
    var hasher = SHA256()
    let layout = PieceLayout(source)
    for piece in 0..<layout.count {
      let range = layout.range(piece)
      if buffer.count < range.count { buffer = [UInt8](repeating: 0, count: range.count) }
      try buffer.withMutableBytes { bytes in
        try bytes.withRange(0..<range.count) { part in
          try source.read(into: &part, at: range.lowerBound)
          if verified == nil { hasher.update(part.bytes) }
        }
      }
    }
    return verified?.sha256 ?? hexadecimal(hasher.finalize())
  }
}

// MARK: Checking

extension DigestManifest {
  /// What differs between a recorded manifest and what is there.
  public struct Difference: Sendable, Equatable {
    /// Names whose bytes, type or shape are not what was recorded.
    public var changed: [ExactString] = []
    /// Names that were recorded and are not there.
    public var missing: [ExactString] = []
    /// Names that are there and were not recorded.
    public var added: [ExactString] = []
    /// Whether the recorded total is not that of the recorded lines: the manifest itself was edited.
    public var totalDiffers = false

    /// Whether nothing differs.
    public var isEmpty: Bool {
      changed.isEmpty && missing.isEmpty && added.isEmpty && !totalDiffers
    }
  }

  /// A manifest read from text, and the total it claims, where it has a total line.
  ///
  /// - Throws: `malformed` naming the line that is none, or a name that occurs twice.
  public static func parse(_ text: String) throws -> (manifest: DigestManifest, total: String?) {
    var lines: [Line] = []
    var names: Set<ExactString> = []
    var total: String?
    for (number, line) in text.split(separator: "\n").enumerated() {
      func fail(_ reason: String) -> IngotError {
        IngotError(.malformed, "line \(number + 1) of the manifest \(reason)")
      }
      guard total == nil else { throw fail("follows the total") }
      let fields = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
      guard fields.count == 2, fields[0].utf8.count == 64,
        fields[0].utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
        fields[1].first == " "
      else { throw fail("does not begin with a SHA-256 and two spaces") }
      let rest = fields[1].dropFirst()
      if rest == "total" {
        total = String(fields[0])
        continue
      }
      let parsed = try parseFields(rest, fail)
      guard names.insert(parsed.name).inserted else {
        throw fail("names '\(parsed.name.escapedForDisplay())' a second time")
      }
      lines.append(
        Line(
          name: parsed.name, elementType: parsed.type, shape: parsed.shape,
          sha256: String(fields[0])))
    }
    return (DigestManifest(lines), total)
  }

  private static func parseFields(
    _ text: Substring, _ fail: (String) -> IngotError
  ) throws -> (type: String, shape: [Int], name: ExactString) {
    guard let typeEnd = text.firstIndex(of: " "),
      let shapeEnd = text[typeEnd...].firstIndex(of: "]")
    else { throw fail("is not '<sha256>  <dtype>  <shape>  <name>'") }
    let shapeText = text[typeEnd...shapeEnd].drop { $0 == " " }
    let nameText = text[text.index(after: shapeEnd)...].drop { $0 == " " }
    guard let shape = try? JSONScanner.parse(Array(shapeText.utf8)).array?.map(\.integer),
      let name = try? JSONScanner.parse(Array(nameText.utf8)).string
    else { throw fail("has no readable shape or name") }
    let dimensions = shape.compactMap { $0 }
    guard dimensions.count == shape.count else { throw fail("has no readable shape") }
    return (String(text[..<typeEnd]), dimensions, name)
  }

  /// How this manifest, the one that is there, differs from a recorded one.
  public func difference(from recorded: DigestManifest, total: String?) -> Difference {
    var difference = Difference()
    let here = Dictionary(lines.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let recordedNames = Set(recorded.lines.map(\.name))
    for line in recorded.lines {
      guard let found = here[line.name] else {
        difference.missing.append(line.name)
        continue
      }
      if found != line { difference.changed.append(line.name) }
    }
    difference.added = lines.map(\.name).filter { !recordedNames.contains($0) }
    difference.totalDiffers = total.map { $0 != recorded.total } ?? false
    return difference
  }
}
