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
    var table = TensorTable()
    table.reserveCapacity(archive.entries.count)
    var sidecar: NPZSidecar?
    try archive.forEachMember(beginning: Self.beginningSize) { _, member, data in
      if member.entry.isDirectory { return }
      if member.entry.name == NPZSidecar.memberName {
        sidecar = try NPZSidecar(archive.content(of: member))
      } else {
        try Self.append(member, data, of: archive, to: &table, input.options)
      }
    }
    var otherNames: Set<String> = []
    for item in table.others {
      guard table[item.name] == nil, otherNames.insert(item.name).inserted else {
        throw IngotError(.malformed, "the name occurs twice", tensor: item.name)
      }
    }
    return try sidecar?.restore(table, archive.entries) ?? table
  }

  /// The member's name without `.npy`, or nil for another ending.
  static func arrayName(_ entry: ZipEntry) -> String? {
    let name = entry.name.utf8
    guard name.suffix(4).elementsEqual(".npy".utf8) else { return nil }
    return String(name.dropLast(4))
  }

  /// Adds what a member holds to the table.
  private static func append(
    _ member: ZipArchive.Member, _ data: ArraySlice<UInt8>, of archive: ZipArchive,
    to table: inout TensorTable, _ options: ReadOptions
  ) throws {
    let entry = member.entry
    let beginning: ArraySlice<UInt8> =
      switch entry.method {
      case .stored: data
      case .deflated: try ZipDeflatedSource.beginning(of: data, count: beginningSize)[...]
      }
    let arrayName = arrayName(entry)
    guard arrayName != nil || beginning.starts(with: NPYHeader.magic) else {
      table.others.append(
        OtherItem(
          name: entry.name, type: "file", shape: nil,
          refusal: IngotError(
            .unsupported, "the member is no npy file", tensor: entry.name,
            offset: member.dataOffset)))
      table.notes.append("'\(entry.name.escapedForDisplay())' is not an npy member")
      return
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
    switch try NPYArray(
      header, named: name, source, offset: member.dataOffset, options: options)
    {
    // Refuses `a` beside `a.npy`.
    case .tensor(let tensor): try table.append(name, tensor)
    case .other(let item):
      // Nobody will read its elements, and what its header says must not rest on a flipped bit.
      try archive.verify(member)
      table.others.append(item)
    }
  }
}
