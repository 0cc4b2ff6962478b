internal import Compression
package import Tensors

/// NumPy's `.npz`: a zip archive with one `.npy` file per tensor.
///
/// A tensor's name is the member's without `.npy`; it may hold `/` and is never a path. Members are
/// stored or deflated. What NumPy has no place for (metadata, bfloat16 and smaller floats, tied weights)
/// stands in one more member, `NPZSidecar`, which NumPy leaves alone.
package struct NPZFormat: TensorFormat {
  package let identifier = "npz"
  package let compresses = true
  package let summary = "NumPy archive: named tensors in a zip file"
  package let fileExtensions = [".npz"]

  package init() {}

  /// Enough of a member for the header that NumPy writes.
  private static let beginningSize = 256

  package func recognizes(_ beginning: [UInt8], fileSize: Int) -> Bool {
    // A local header, or the end record of an archive without members.
    beginning.starts(with: [0x50, 0x4B, 3, 4]) || beginning.starts(with: [0x50, 0x4B, 5, 6])
  }

  package func read(_ input: FormatInput) throws -> TensorTable {
    let archive = try ZipArchive(input.source)
    var contents = [Content](repeating: .nothing, count: archive.entries.count)
    try archive.forEachMember(beginning: Self.beginningSize) { index, member, data in
      contents[index] = try Self.content(of: member, data, in: archive, input.options)
    }
    let sidecar = contents.lazy.compactMap(\.sidecar).first
    var table = TensorTable()
    table.metadata = sidecar?.metadata ?? Metadata()
    for (entry, content) in zip(archive.entries, contents) {
      switch content {
      case .nothing, .sidecar: break
      case .array(let name, .tensor(let tensor)):
        // Refuses `a` beside `a.npy`.
        try table.append(name, try sidecar?.restore(tensor, named: name, entry) ?? tensor)
      case .array(_, .other(let item)): table.others.append(item)
      case .file(let item):
        table.others.append(item)
        table.notes.append("'\(entry.name.escapedForDisplay())' is not an npy member")
      }
    }
    var otherNames: Set<String> = []
    for item in table.others {
      guard table[item.name] == nil, otherNames.insert(item.name).inserted else {
        throw IngotError(.malformed, "the name occurs twice", tensor: item.name)
      }
    }
    try sidecar?.checkComplete(table)
    return table
  }

  /// What a member turns out to be.
  private enum Content {
    /// A folder.
    case nothing
    case array(String, NPYArray)
    case file(OtherItem)
    case sidecar(NPZSidecar)

    var sidecar: NPZSidecar? {
      if case .sidecar(let sidecar) = self { sidecar } else { nil }
    }
  }

  /// The member's name without `.npy`, or nil for another ending.
  private static func arrayName(_ entry: ZipEntry) -> String? {
    let name = entry.name.utf8
    guard name.suffix(4).elementsEqual(".npy".utf8) else { return nil }
    return String(name.dropLast(4))
  }

  private static func content(
    of member: ZipArchive.Member, _ data: ArraySlice<UInt8>, in archive: ZipArchive,
    _ options: ReadOptions
  ) throws -> Content {
    let entry = member.entry
    if entry.isDirectory { return .nothing }
    if entry.name == NPZSidecar.memberName {
      return .sidecar(try NPZSidecar(archive.content(of: member)))
    }
    let beginning: ArraySlice<UInt8> =
      switch entry.method {
      case .stored: data
      case .deflated: try ZipDeflatedSource.beginning(of: data, count: beginningSize)[...]
      }
    let arrayName = arrayName(entry)
    guard arrayName != nil || beginning.starts(with: NPYHeader.magic) else {
      return .file(
        OtherItem(
          name: entry.name, type: "file", shape: nil,
          refusal: IngotError(
            .unsupported, "the member is no npy file", tensor: entry.name,
            offset: member.dataOffset)))
    }
    let header = try NPYHeader(byteCount: entry.uncompressedSize, offset: member.dataOffset) {
      // A source of its own, which does not stay in memory.
      $0 <= beginning.count
        ? beginning.prefix($0)
        : try archive.content(of: member).bytes(at: 0, count: $0, "the npy header")[...]
    }
    let source: any ByteSource
    switch entry.method {
    case .stored:
      let read = beginning.prefix(header.size)
      // The span does not leave this call.
      source = try ZipStoredSource(archive, member, alreadyRead: unsafe read.span.bytes)
    case .deflated: source = ZipDeflatedSource(archive, member)
    }
    let name = arrayName ?? entry.name
    return .array(
      name,
      try NPYArray(header, named: name, source, offset: member.dataOffset, options: options))
  }
}
