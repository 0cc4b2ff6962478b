package import Tensors

/// NumPy's `.npy`: one array without a name.
///
/// `NPYHeader` has the format. Reading takes every numeric type, both byte orders and both orders of
/// storage; writing is NumPy's own layout, byte for byte.
package struct NPYFormat: TensorFormat {
  package let identifier = "npy"
  package let summary = "NumPy array: one tensor, named after the file"
  package let fileExtensions = [".npy"]

  package init() {}

  package func recognizes(_ beginning: [UInt8], fileSize: Int) -> Bool {
    beginning.starts(with: NPYHeader.magic)
  }

  package func read(_ input: FormatInput) throws -> TensorTable {
    let name = Self.stem(of: ExactString(input.fileName))
    let source = input.source
    let header = try NPYHeader(byteCount: source.byteCount, offset: 0) { count in
      try source.bytes(at: 0, count: count, "the npy header")
    }
    let array = try NPYArray(
      header, named: name,
      SourceRange(source, offset: header.size, byteCount: source.byteCount - header.size),
      offset: 0, options: input.options)
    var table = TensorTable()
    switch array {
    case .tensor(let tensor): try table.append(name, tensor)
    case .other(let item): table.others.append(item)
    }
    return table
  }

  /// The file's name without its last extension.
  private static func stem(of fileName: ExactString) -> ExactString {
    guard let (stem, _) = fileName.splitAtLast("."), !stem.isEmpty else { return fileName }
    return stem
  }

  package func plan(_ table: TensorTable, _ options: WriteOptions) throws -> WritePlan {
    guard let entry = table.entries.first, table.entries.count == 1 else {
      throw IngotError(
        .unsupported, "an npy file holds exactly one tensor, there are \(table.entries.count)",
        hint: "write an .npz, or choose one tensor with --include")
    }
    let tensor = entry.tensor
    guard let descr = NPYDescription.text(for: tensor.elementType) else {
      throw IngotError(
        .unsupported, "NumPy has no \(tensor.elementType.name)", tensor: entry.name,
        hint: "write an .npz, which keeps the type beside the bits, or cast with --dtype")
    }
    var plan = WritePlan()
    plan.parts = [
      .bytes(NPYHeader.bytes(descr: descr, shape: tensor.shape.dimensions)),
      .payload(WritePlan.Payload(name: entry.name, source: tensor.source)),
    ]
    plan.droppedMetadata = table.metadata.sorted.map(\.key)
    return plan
  }
}
