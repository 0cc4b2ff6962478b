/// An opened checkpoint: a table of lazy tensors and the files they lie in.
public struct Checkpoint: Sendable {
  /// The path as the user gave it.
  public let path: String
  /// The format that was recognised, or asked for.
  public let format: any TensorFormat
  /// The tensors and the metadata.
  public var table: TensorTable
  /// The files that hold it: the index first where there is one.
  public let files: [String]
  private let inputs: [InputFile]

  /// Opens a file, a shard index, or a model directory, and reads its header.
  ///
  /// The format is recognised by content; `format` overrides that.
  /// - Throws: `unreadable` where there is nothing to read, `unsupported` where no format fits, and
  ///   what the format's reader throws.
  public init(path: String, format identifier: String? = nil, options: ReadOptions = ReadOptions())
    throws
  {
    let filePath = try ModelFolder.checkpoint(in: path) ?? path
    let file = try InputFile(path: filePath)
    let asked = try identifier.map(Formats.named)
    let folder = try InputFolder(holding: filePath)
    let (format, note) = try Tensors.naming(file: filePath) {
      try Self.recognize(file, asked: asked)
    }
    var table = try Tensors.naming(file: filePath) {
      try format.read(
        FormatInput(
          path: filePath, source: file, options: options, openSibling: { try folder.openFile($0) }))
    }
    if let note { table.notes.insert(note, at: 0) }
    self.path = path
    self.format = format
    self.table = table
    inputs = [file] + folder.files
    files = inputs.map(\.path)
  }

  private static func recognize(
    _ file: InputFile, asked: (any TensorFormat)?
  ) throws -> (format: any TensorFormat, note: String?) {
    guard file.byteCount > 0 else { throw IngotError(.malformed, "empty file", offset: 0) }
    if let asked { return (asked, nil) }
    let beginning = try file.bytes(at: 0, count: min(4096, file.byteCount), "the beginning")
    let expected = Formats.forExtension(of: file.path)
    if let found = Formats.recognizing(beginning, fileSize: file.byteCount) {
      guard let expected, expected.identifier != found.identifier else { return (found, nil) }
      return (
        found, "the name says \(expected.identifier), the content is \(found.identifier)"
      )
    }
    // The reader of the format that the name promises says best what is wrong.
    if let expected { return (expected, nil) }
    if Formats.isCutMagic(beginning) {
      throw IngotError(
        .malformed, "ends within the first bytes of its format", offset: file.byteCount)
    }
    throw IngotError(
      .unsupported,
      "no known format: tried \(Formats.all.map(\.identifier).joined(separator: ", "))",
      hint: "give --from where the format is known")
  }

  /// Checks that no file changed since it was opened.
  ///
  /// - Throws: `changed` naming the file.
  public func checkUnchanged() throws {
    for input in inputs { try input.checkUnchanged() }
  }

  /// Whether one of the files is the one with this identity.
  func contains(fileIdentity: (_ identity: [UInt64]) -> Bool) -> Bool {
    inputs.contains { fileIdentity($0.fileIdentity) }
  }

  /// Checks that every tensor can be read and that there is at least one, or nothing else.
  ///
  /// - Throws: the refusal of what stands in the way: an encoding we do not have, or a file that holds
  ///   only things that are no tensors.
  func checkReadable(_ table: TensorTable) throws {
    let obstructed = table.entries.filter { $0.tensor.obstacle != nil }
    if let first = obstructed.first, let obstacle = first.tensor.obstacle {
      var error = obstacle.naming(file: files[0], tensor: first.name)
      if obstructed.count > 1 { error.message += " (and \(obstructed.count - 1) more like it)" }
      if error.hint == nil, table.entries.count > obstructed.count {
        error.hint = "--exclude leaves tensors out"
      }
      throw error
    }
    guard table.entries.isEmpty else { return }
    let refusals = table.others.map { ($0.name, $0.refusal) }
    if let (name, refusal) = refusals.first(where: { $0.1.errorClass == .unsafe }) ?? refusals.first
    {
      throw refusal.naming(file: files[0], tensor: name)
    }
  }

  /// Runs `body` and names this checkpoint's file in an error that names none.
  func naming<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let error as IngotError {
      throw error.naming(file: files[0])
    }
  }
}
