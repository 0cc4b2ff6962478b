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
    let archive = try ZipArchive(
      input.source, largestExpansion: input.options.largestExpansion)
    var table = TensorTable()
    table.reserveCapacity(archive.count)
    var sidecar: NPZSidecar?
    let beginnings = ZipBeginnings()
    try archive.forEachMember(beginning: Self.beginningSize) { _, member, data in
      if member.entry.isDirectory { return }
      let arrayName = member.entry.name(withoutEnding: ".npy")
      if arrayName == nil, member.entry.name == NPZSidecar.memberName {
        sidecar = try NPZSidecar(archive.content(of: member))
      } else {
        let beginning =
          switch member.entry.method {
          case .stored: data
          case .deflated: try beginnings.expand(data, count: Self.beginningSize)[...]
          }
        try Self.append(member, arrayName, beginning, of: archive, to: &table, input.options)
      }
    }
    var otherNames: Set<ExactString> = []
    for item in table.others {
      guard table[item.name] == nil, otherNames.insert(item.name).inserted else {
        throw IngotError(.malformed, "the name occurs twice", tensor: item.name)
      }
    }
    return try sidecar?.restore(table, archive.entries) ?? table
  }

  /// Adds what a member holds to the table.
  ///
  /// - Parameters:
  ///   - arrayName: The member's name without `.npy`, where it ends so.
  ///   - beginning: The first bytes of its content.
  private static func append(
    _ member: ZipArchive.Member, _ arrayName: ExactString?, _ beginning: ArraySlice<UInt8>,
    of archive: ZipArchive,
    to table: inout TensorTable, _ options: ReadOptions
  ) throws {
    let entry = member.entry
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
    let header = try NPYHeader(
      byteCount: entry.uncompressedSize, offset: member.dataOffset, available: beginning
    ) {
      // A source of its own, which does not stay in memory.
      try archive.content(of: member).bytes(at: 0, count: $0, "the npy header")
    }
    let stored: any ByteSource =
      switch entry.method {
      case .stored: try Self.elements(of: member, after: header, beginning, archive)
      case .deflated:
        try SourceRange(
          ZipDeflatedSource(archive, member), offset: header.size,
          byteCount: entry.uncompressedSize - header.size)
      }
    let name = arrayName ?? entry.name
    switch try NPYArray(
      header, named: name, stored, offset: member.dataOffset, options: options)
    {
    // Refuses `a` beside `a.npy`.
    case .tensor(let tensor):
      try naming(offset: member.dataOffset) { try table.append(name, tensor) }
    case .other(let item):
      // Nobody will read its elements, and what its header says must not rest on a flipped bit.
      try archive.verify(member)
      table.others.append(item)
    }
  }

  /// The elements of a stored member, behind its header.
  private static func elements(
    of member: ZipArchive.Member, after header: NPYHeader, _ beginning: ArraySlice<UInt8>,
    _ archive: ZipArchive
  ) throws -> any ByteSource {
    guard header.size <= beginning.count else {
      return try SourceRange(
        ZipStoredSource(archive, member), offset: header.size,
        byteCount: member.entry.uncompressedSize - header.size)
    }
    let read = beginning.prefix(header.size)
    // The span does not leave this call.
    return try ZipStoredSource(member, after: unsafe read.span.bytes)
  }
}
