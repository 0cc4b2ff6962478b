public import Tensors

/// safetensors, the format of the Hugging Face Hub.
///
/// ```
/// 0      u64       N, the length of the header, at most 100,000,000
/// 8      N bytes   the header, JSON (see `SafetensorsHeader`); blanks may follow the closing brace
/// 8 + N            the data: every tensor little-endian, row-major and packed, without gaps
/// ```
///
/// The reader is stricter than the reference library: the header begins with `{` as the specification
/// demands, keys occur once, and entries have no other fields. The writer makes the library's own bytes
/// (types by alignment, then names), with sorted metadata where the library's order is random. There
/// are no aliases: tensors that share storage are each stored in full.
///
/// Specification: https://github.com/huggingface/safetensors#format
public struct SafetensorsFormat: TensorFormat {
  /// The format has no settings.
  public init() {}

  /// The name that `--from` and `--to` take.
  public var identifier: String { "safetensors" }
  /// One line for `ingot formats`.
  public var summary: String { "safetensors, the format of the Hugging Face Hub" }
  /// `.safetensors`.
  public var fileExtensions: [String] { [".safetensors"] }

  /// A length below 2^56 and an opening brace: the content of a text file has no such length.
  public func recognizes(_ beginning: [UInt8], fileSize: Int) -> Bool {
    beginning.count > 8 && beginning[7] == 0 && beginning[8] == UInt8(ascii: "{")
  }

  /// Reads the header.
  public func read(_ input: FormatInput) throws -> TensorTable {
    let file = input.source
    var reader = ByteReader(
      try file.bytes(at: 0, count: min(8, file.byteCount), "the header's length"))
    let length = try reader.integer(width: 8, "the header's length")
    guard length <= Limits.safetensorsHeaderBytes else {
      throw IngotError(
        .limit,
        "the header's length \(length) is above \(Limits.safetensorsHeaderBytes), the format's own bound",
        offset: 0)
    }
    let header = try SafetensorsHeader(
      parsing: try file.bytes(at: 8, count: length, "the header"), base: 8)
    let dataStart = 8 + length
    try header.checkCover(dataLength: file.byteCount - dataStart, base: dataStart)
    var table = TensorTable()
    table.reserveCapacity(header.entries.count)
    for entry in header.entries {
      try naming(tensor: entry.name, offset: dataStart + entry.begin) {
        let source = try SourceRange(
          file, offset: dataStart + entry.begin, byteCount: entry.end - entry.begin)
        try table.append(
          entry.name,
          Tensor(elementType: entry.elementType, shape: entry.shape, source: source))
      }
    }
    let (metadata, note) = SafetensorsMetadata.decode(header.metadata)
    table.metadata = metadata
    if let note { table.notes.append(note) }
    return table
  }

  /// Everything is known beforehand: the header, then the data.
  public func plan(_ table: TensorTable, _ options: WriteOptions) throws -> WritePlan {
    let sorted = try sorted(table)
    var plan = WritePlan()
    var header = SafetensorsHeader()
    (header.metadata, plan.droppedMetadata) = SafetensorsMetadata.encode(table.metadata)
    var offset = 0
    for entry in sorted {
      let end = try offset.adding(entry.tensor.byteCount, "the size of the file")
      header.entries.append(
        .init(
          name: entry.name, elementType: entry.tensor.elementType, shape: entry.tensor.shape,
          begin: offset, end: end))
      offset = end
    }
    let text = header.text()
    guard text.count <= Limits.safetensorsHeaderBytes else {
      throw IngotError(
        .unsupported,
        "safetensors cannot hold a header of \(text.count) bytes, at most \(Limits.safetensorsHeaderBytes)",
        hint: "--max-shard-size spreads the tensors over several files")
    }
    var length = ByteWriter()
    length.append(text.count, width: 8)
    plan.parts = [.bytes(length.bytes + text)]
    plan.parts += sorted.map { .payload(.init(name: $0.name, source: $0.tensor.source)) }
    return plan
  }

  /// The tensors in the order of the reference library: by type, then by name.
  ///
  /// - Throws: `unsupported` listing those that the format cannot hold.
  func sorted(_ table: TensorTable) throws -> [TensorTable.Entry] {
    var obstacles = Obstacles()
    var sortable: [(position: Int, entry: TensorTable.Entry)] = []
    for entry in table.entries {
      if entry.name == SafetensorsHeader.metadataKey {
        obstacles.add(entry.name, "the name is reserved")
      } else if let position = SafetensorsType.position(of: entry.tensor.elementType) {
        sortable.append((position, entry))
      } else {
        obstacles.add(entry.name, entry.tensor.elementType.name)
      }
    }
    try obstacles.check("safetensors")
    sortable.sort { a, b in
      a.position == b.position
        ? a.entry.name < b.entry.name : a.position > b.position
    }
    return sortable.map(\.entry)
  }
}
