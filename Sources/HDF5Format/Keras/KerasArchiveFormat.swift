internal import Compression
private import Synchronization
public import Tensors

/// Keras 3's `.keras`: a zip archive of `metadata.json`, `config.json`, `model.weights.h5` and, where layers
/// have them, files under `assets/`.
///
/// Tensors and metadata are those of the weights member, together with the two texts as metadata under
/// their names. The configuration is checked to be JSON and kept as text: what it names is never loaded.
/// Assets are listed and nothing more.
public struct KerasArchiveFormat: TensorFormat {
  /// The format has no settings.
  public init() {}

  /// The name that `--from` and `--to` take.
  public var identifier: String { "keras" }
  /// One line for `ingot formats`.
  public var summary: String { "Keras 3 archive: configuration and weights in one zip" }
  /// `.keras`.
  public var fileExtensions: [String] { [".keras"] }
  /// In the chunks of the weights.
  public var compresses: Bool { true }

  private static let weightsMember: ExactString = "model.weights.h5"
  private static let pickledMember: ExactString = "model.weights.npz"
  private static let texts: [ExactString] = ["metadata.json", "config.json"]

  /// A zip whose first member is one of Keras's.
  public func recognizes(_ beginning: [UInt8], fileSize: Int) -> Bool {
    let nameOffset = 30
    guard beginning.count >= nameOffset, beginning.starts(with: [0x50, 0x4B, 0x03, 0x04]) else {
      return false
    }
    let length = Int(beginning[26]) | Int(beginning[27]) << 8
    let name = ExactString(
      String(decoding: beginning.dropFirst(nameOffset).prefix(length), as: UTF8.self))
    return Self.texts.contains(name) || name == Self.weightsMember || name == Self.pickledMember
      || name.hasPrefix("assets/")
  }

  /// Reads the directory, the configuration, and the structure of the weights.
  public func read(_ input: FormatInput) throws -> TensorTable {
    let archive = try ZipArchive(
      input.source, largestExpansion: input.options.largestExpansion)
    let members = try archive.members()
    guard let weights = members.first(where: { $0.entry.name == Self.weightsMember }) else {
      let isPickled = members.contains { $0.entry.name == Self.pickledMember }
      throw isPickled
        ? IngotError(
          .unsafe, "the weights are pickled objects", tensor: Self.pickledMember, offset: 0)
        : IngotError(.malformed, "a Keras archive without \(Self.weightsMember)", offset: 0)
    }
    var texts = Metadata()
    for member in members where Self.texts.contains(member.entry.name) {
      texts[member.entry.name] = .string(try Self.text(of: member, archive))
    }
    guard let configuration = texts["config.json"]?.string else {
      throw IngotError(.malformed, "a Keras archive without config.json", offset: 0)
    }
    var table = try naming(tensor: Self.weightsMember) {
      let content = MemberContent(archive, weights, folder: input.options.temporaryFolder)
      let table = try HDF5Reader.read(
        FormatInput(path: input.path, source: content, options: input.options))
      content.checkFromNowOn()
      return table
    }
    for (key, value) in texts.sorted { table.metadata[key] = value }
    if KerasConfiguration(configuration).hasCode { table.notes.append(KerasConfiguration.codeNote) }
    for member in members
    where !Self.texts.contains(member.entry.name) && member.entry.name != Self.weightsMember
      && !member.entry.isDirectory
    {
      table.others.append(
        OtherItem(
          name: member.entry.name, type: "asset", shape: nil,
          refusal: IngotError(
            .unsupported, "a file of the archive, not a tensor", tensor: member.entry.name)))
    }
    return table
  }

  /// Plans an archive.
  ///
  /// - Throws: `unsupported` where there is no configuration, or a tensor that HDF5 cannot hold.
  public func plan(_ table: TensorTable, _ options: WriteOptions) throws -> WritePlan {
    try KerasArchive.plan(table, options)
  }

  /// The text of a member that must be JSON.
  private static func text(of member: ZipArchive.Member, _ archive: ZipArchive) throws
    -> ExactString
  {
    try naming(tensor: member.entry.name) {
      let size = member.entry.uncompressedSize
      guard size <= Limits.jsonBytes else {
        throw IngotError(
          .limit, "a text of \(size) bytes is above \(Limits.jsonBytes)", offset: member.dataOffset)
      }
      let bytes = try archive.content(of: member).bytes(at: 0, count: size, "the text")
      _ = try JSONScanner.parse(bytes)
      return ExactString(String(decoding: bytes, as: UTF8.self))
    }
  }
}

/// The weights file within an archive.
///
/// Its structure is read without the checksum of the whole, so that looking into a large archive stays
/// cheap. Before the first byte of data is handed out, the checksum is compared.
private final class MemberContent: ByteSource {
  let byteCount: Int
  private let content: any ByteSource
  /// Nil for a deflated member: inflating it compares the checksum.
  private let stored: ZipStoredSource?

  private enum Check {
    case notYet
    case due
    case passed
  }

  private let check = Mutex(Check.notYet)

  init(_ archive: ZipArchive, _ member: ZipArchive.Member, folder: String?) {
    byteCount = member.entry.uncompressedSize
    switch member.entry.method {
    case .stored:
      let source = ZipStoredSource(archive, member, verification: .onDemand)
      (content, stored) = (source, source)
    case .deflated:
      content = SpooledSource(archive.content(of: member), folder: folder)
      stored = nil
    }
  }

  func checkFromNowOn() { check.withLock { $0 = .due } }

  func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    try check.withLock { check in
      guard check == .due else { return }
      try stored?.verify()
      check = .passed
    }
    try content.read(into: &buffer, at: offset)
  }
}
