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
    let (format, note, table) = try Self.naming([file], folder) {
      let (format, note) = try Self.recognize(file, asked: asked)
      let table = try format.read(
        FormatInput(
          path: filePath, source: file, options: options, openSibling: { try folder.openFile($0) }))
      return (format, note, table)
    }
    self.path = path
    self.format = format
    self.table = table
    if let note { self.table.notes.insert(note, at: 0) }
    inputs = [file] + folder.files
    files = inputs.map(\.path)
  }

  /// Runs `body`; an error that leaves it names the first file if it names none, and where a file has changed
  /// meanwhile, that is the error: what was found in it was never true of one file.
  private static func naming<Result>(
    _ inputs: [InputFile], _ folder: InputFolder?, _ body: () throws -> Result
  ) throws -> Result {
    do {
      return try body()
    } catch let error as IngotError {
      for input in inputs + (folder?.files ?? []) { try input.checkUnchanged() }
      throw error.naming(file: inputs.first?.path)
    }
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

  /// Whether `path` leads to one of the files.
  func hasFile(at path: String) -> Bool { inputs.contains { $0.isFile(at: path) } }

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

  /// Runs `body`, which reads this checkpoint, and names its file in an error that names none.
  ///
  /// - Throws: what `body` throws; `changed` instead where a file of the checkpoint changed meanwhile.
  func naming<Result>(_ body: () throws -> Result) throws -> Result {
    try Self.naming(inputs, nil, body)
  }
}
