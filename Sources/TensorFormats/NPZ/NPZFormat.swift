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
    var names = Set<String>(minimumCapacity: contents.count)
    for (entry, content) in zip(archive.entries, contents) {
      guard names.insert(Self.name(of: entry)).inserted else {
        throw IngotError(
          .malformed, "two members are called '\(Self.name(of: entry))', with and without .npy",
          tensor: entry.name)
      }
      switch content {
      case .nothing, .sidecar: break
      case .array(.tensor(let tensor)):
        let name = Self.name(of: entry)
        try table.append(name, try sidecar?.restore(tensor, named: name, entry) ?? tensor)
      case .array(.other(let item)): table.others.append(item)
      case .file(let item):
        table.others.append(item)
        table.notes.append("'\(entry.name.escapedForDisplay())' is not an npy member")
      }
    }
    try sidecar?.checkComplete(table)
    return table
  }

  /// What a member turns out to be.
  private enum Content {
    /// A folder.
    case nothing
    case array(NPYArray)
    case file(OtherItem)
    case sidecar(NPZSidecar)

    var sidecar: NPZSidecar? {
      if case .sidecar(let sidecar) = self { sidecar } else { nil }
    }
  }

  private static func name(of entry: ZipEntry) -> String {
    entry.name.hasSuffix(".npy") ? String(entry.name.dropLast(4)) : entry.name
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
    let isArray = beginning.starts(with: NPYHeader.magic)
    guard isArray || entry.name.hasSuffix(".npy") else {
      return .file(
        OtherItem(
          name: entry.name, type: "file", shape: nil,
          refusal: IngotError(
            .unsupported, "the member is no npy file", tensor: entry.name,
            offset: member.dataOffset)))
    }
    let source: any ByteSource
    let header: NPYHeader
    switch entry.method {
    case .stored:
      let stored = ZipStoredSource(archive, member)
      header = try NPYHeader(stored, beginning: beginning, offset: member.dataOffset)
      let read = beginning.prefix(header.size)
      // The span does not leave this call.
      try stored.account(for: unsafe read.span.bytes, at: 0)
      source = stored
    case .deflated:
      // A source of its own, so that the state of expanding does not stay in memory for every member.
      header = try NPYHeader(
        ZipDeflatedSource(archive, member), beginning: beginning, offset: member.dataOffset)
      source = ZipDeflatedSource(archive, member)
    }
    return .array(
      try NPYArray(
        header, named: name(of: entry), source, offset: member.dataOffset, options: options))
  }
}
