internal import Tensors

/// The checks of `ingot verify --manifest FILE`: what must hold of which checkpoints.
///
/// A manifest is YAML (JSON is a part of YAML); `schemas/checks.schema.json` describes it:
///
///     checks:
///       - path: models/gpt2               # a file, an index, a directory; a glob; a list of these
///         golden: goldens/gpt2.npz        # computes what was recorded; one or a list
///         parameters: 124439808           # has so many, tied ones once and buffers apart
///         finite: true                    # has neither NaN nor infinities
///       - path: out/*.safetensors
///         against: models/gpt2            # computes what another checkpoint does
///         digest: '5a3c…'                 # total of `ingot digest`, or the path of its manifest
///         fits: true                      # has the tensors of its architecture: `ingot validate`
///
/// Paths are relative to the manifest's folder. An entry may say what the model is (`architecture`,
/// `config`, and `set` with values of the configuration), and how to compare (`precision`, `rtol`,
/// `atol`; with `against` also `seed` and `sequence`). Every doubt is an error that names line and
/// column: an unknown key, an entry without a check, an option that nothing uses.
public struct ChecksManifest: Sendable {
  /// Something that must hold of a checkpoint.
  enum Check: Sendable {
    case golden(String)
    case against(String)
    case digest(Digest)
    case parameters(Int)
    case finite
    case fits
  }

  /// What a digest must be.
  enum Digest: Sendable {
    /// The total, in hexadecimal.
    case total(String)
    /// The path of a manifest that `ingot digest` printed.
    case manifest(String)
  }

  /// Checkpoints, and what must hold of each.
  struct Entry: Sendable {
    /// Paths and globs as they are written.
    var paths: [String]
    var checks: [Check] = []
    var architecture: String?
    var configuration: String?
    var settings: [(parameter: String, text: String)] = []
    var precision: Precision = .float64
    var relativeTolerance: Double?
    var absoluteTolerance: Double?
    var seed: UInt64 = 0
    var sequence: Int?
  }

  /// The path of the file as the user gave it.
  public let path: String
  /// What stands before relative paths: the manifest's folder.
  let folder: String
  let entries: [Entry]

  /// Reads and parses the file at `path`.
  ///
  /// - Throws: `unreadable` where it cannot be opened; `malformed` with line and column for what is not
  ///   YAML, or no such manifest; `limit` above 64 MiB.
  public init(contentsOf path: String) throws {
    self.path = path
    folder = String(path.dropLast(path.fileName.count))
    entries = try Tensors.naming(file: path) { [folder] in
      let file = try InputFile(path: path)
      guard file.byteCount <= Limits.jsonBytes else {
        throw IngotError(
          .limit, "\(file.byteCount) bytes are above the \(Limits.jsonBytes) of a manifest")
      }
      let document = try YAMLNode(
        parsing: file.bytes(at: 0, count: file.byteCount, "the manifest"))
      return try ChecksDecoder(folder: folder).entries(in: document)
    }
  }
}

/// Reads checks from a YAML document, naming line and column of whatever does not fit.
private struct ChecksDecoder {
  /// What stands before relative paths.
  let folder: String

  private static let checkKeys: [ExactString] = [
    "golden", "against", "digest", "parameters", "finite", "fits",
  ]
  private static let modelKeys: [ExactString] = ["architecture", "config", "set"]
  /// The options that only some checks use.
  private static let optionUsers: [(ExactString, [ExactString])] = [
    ("precision", ["golden", "against"]), ("rtol", ["golden", "against"]),
    ("atol", ["golden", "against"]), ("seed", ["against"]), ("sequence", ["against"]),
  ]

  func entries(in document: YAMLNode) throws -> [ChecksManifest.Entry] {
    let file = try YAMLFields(document, of: "a manifest", required: ["checks"], optional: [])
    let list = try file.value("checks")
    let entries = try list.list(of: "checks").map(entry)
    guard !entries.isEmpty else { throw list.mismatch(expected: "at least one check") }
    return entries
  }

  private func entry(_ node: YAMLNode) throws -> ChecksManifest.Entry {
    let fields = try YAMLFields(
      node, of: "a check", required: ["path"],
      optional: Self.checkKeys + Self.modelKeys + Self.optionUsers.map(\.0))
    var entry = ChecksManifest.Entry(
      paths: try texts(fields.value("path"), "a path or glob"))
    if let golden = fields["golden"] {
      entry.checks += try paths(golden, "the path of a golden").map { .golden($0) }
    }
    if let other = fields["against"] {
      entry.checks += try paths(other, "the path of a checkpoint").map { .against($0) }
    }
    if let digest = fields["digest"] { entry.checks.append(.digest(try self.digest(digest))) }
    if let parameters = fields["parameters"] {
      let count = try parameters.integer("the number of parameters")
      guard count > 0 else { throw parameters.mismatch(expected: "the number of parameters") }
      entry.checks.append(.parameters(count))
    }
    if try fields["finite"]?.flag("whether all must be finite") ?? false {
      entry.checks.append(.finite)
    }
    if try fields["fits"]?.flag("whether it must fit its architecture") ?? false {
      entry.checks.append(.fits)
    }
    guard !entry.checks.isEmpty else {
      throw IngotError(
        .malformed, "\(node.position): nothing to check",
        hint: "a check has one or more of \(Self.checkKeys.joined(separator: ", "))")
    }
    for (option, users) in Self.optionUsers where !users.contains(where: { fields[$0] != nil }) {
      guard let value = fields[option] else { continue }
      throw IngotError(
        .malformed,
        "\(value.position): '\(option)' is for \(users.joined(separator: " and ")), which is not here"
      )
    }
    try readModel(fields, &entry)
    try readComparison(fields, &entry)
    return entry
  }

  private func readModel(_ fields: YAMLFields, _ entry: inout ChecksManifest.Entry) throws {
    entry.architecture = try fields["architecture"]?.text("the name of an architecture").text
    // A description of one's own is a file, everything else a name.
    if let name = entry.architecture, name.hasSuffix(".json") || name.contains("/") {
      entry.architecture = resolve(name)
    }
    entry.configuration = try fields["config"].map { resolve(try $0.text("a path").text) }
    entry.settings =
      try fields["set"]?.members(of: "a mapping of the configuration's values").map {
        ($0.key.text, try $0.value.spelling("a value").text)
      } ?? []
  }

  private func readComparison(_ fields: YAMLFields, _ entry: inout ChecksManifest.Entry) throws {
    if let precision = fields["precision"] {
      let names = Precision.allCases.map(\.rawValue).joined(separator: " or ")
      guard let value = Precision(rawValue: try precision.text(names).text) else {
        throw precision.mismatch(expected: names)
      }
      entry.precision = value
    }
    func tolerance(_ key: ExactString) throws -> Double? {
      guard let node = fields[key] else { return nil }
      let value = try node.number("a tolerance")
      guard value >= 0 else { throw node.mismatch(expected: "a tolerance of 0 or more") }
      return value
    }
    entry.relativeTolerance = try tolerance("rtol")
    entry.absoluteTolerance = try tolerance("atol")
    if let seed = fields["seed"] {
      guard let value = UInt64(exactly: try seed.integer("a seed")) else {
        throw seed.mismatch(expected: "a seed of 0 or more")
      }
      entry.seed = value
    }
    if let sequence = fields["sequence"] {
      let value = try sequence.integer("a length")
      guard value > 0 else { throw sequence.mismatch(expected: "a length of 1 or more") }
      entry.sequence = value
    }
  }

  private func digest(_ node: YAMLNode) throws -> ChecksManifest.Digest {
    let text = try node.text("a digest or the path of a digest manifest").text
    let isTotal = text.utf8.count == 64 && text.utf8.allSatisfy(Self.isHexadecimal)
    return isTotal ? .total(text) : .manifest(resolve(text))
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
  }

  /// One path or a list of them, as seen from where the command runs.
  private func paths(_ node: YAMLNode, _ what: String) throws -> [String] {
    try texts(node, what).map(resolve)
  }

  private func texts(_ node: YAMLNode, _ what: String) throws -> [String] {
    guard case .list(let nodes) = node.content else { return [try node.text(what).text] }
    guard !nodes.isEmpty else { throw node.mismatch(expected: what) }
    return try nodes.map { try $0.text(what).text }
  }

  private func resolve(_ path: String) -> String { path.hasPrefix("/") ? path : folder + path }
}
