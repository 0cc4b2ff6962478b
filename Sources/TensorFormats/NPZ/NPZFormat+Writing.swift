internal import Compression
package import Tensors

extension NPZFormat {
  /// One member per tensor in the table's order, then the sidecar where it is needed.
  ///
  /// Stored members have their elements aligned to 64 bytes; deflated ones are compressed in pieces, in
  /// parallel. CRC and sizes are filled into the local headers at the end, which frees NumPy's zip
  /// reader of data descriptors.
  package func plan(_ table: TensorTable, _ options: WriteOptions) throws -> WritePlan {
    try Self.checkNames(table)
    let sidecar = Self.sidecar(for: table)
    var plan = WritePlan()
    plan.parts.reserveCapacity(2 * table.entries.count + 1)
    var offset = 0
    let members = try table.entries.map { entry in
      let (member, parts) = try PlannedMember.plan(entry, options, at: offset)
      offset = try offset.adding(member.record.headerSize, "the archive's size")
        .adding(member.record.compressedSize, "the archive's size")
      plan.parts += parts
      return member
    }
    let last = try sidecar.isEmpty ? nil : Self.plannedSidecar(sidecar)
    if let last { plan.parts.append(.bytes(last.bytes)) }
    if !sidecar.disguised.isEmpty {
      plan.notes.append(
        "NumPy lacks the types of \(sidecar.disguised.count) tensors and will show their bits as unsigned integers"
      )
    }
    plan.finish.append { progress in
      let end = progress.file.byteCount
      var records = zip(members, progress.results).map { $0.record(for: $1) }
      let patches = records.map {
        WritePlan.Patch(offset: $0.headerOffset, bytes: $0.localHeader())
      }
      if var last {
        last.record.headerOffset = end - last.bytes.count
        records.append(last.record)
      }
      return patches
        + [WritePlan.Patch(offset: end, bytes: ZipDirectory.bytes(of: records, at: end))]
    }
    return plan
  }

  /// The sidecar's member: complete but for its offset, which compressed members before it decide.
  private static func plannedSidecar(
    _ sidecar: NPZSidecar
  ) throws -> (record: ZipMemberRecord, bytes: [UInt8]) {
    let content = sidecar.bytes()
    guard content.count <= Limits.jsonBytes else {
      throw IngotError(
        .unsupported,
        "npz cannot hold \(content.count) bytes of metadata: above \(Limits.jsonBytes) they could not be read back"
      )
    }
    var record = ZipMemberRecord(name: NPZSidecar.memberName, method: .stored, headerOffset: 0)
    record.crc32 = CRC32.of(content)
    (record.compressedSize, record.uncompressedSize) = (content.count, content.count)
    return (record, record.localHeader() + content)
  }

  /// Refuses names that a zip archive cannot hold or that NumPy would confuse.
  private static func checkNames(_ table: TensorTable) throws {
    var obstacles = Obstacles()
    for entry in table.entries {
      if entry.name.utf8.contains(0) {
        obstacles.add(entry.name, "a NUL byte in the name")
      } else if entry.name.utf8.count + 4 > Limits.nameBytes {
        obstacles.add(entry.name, "the name is above \(Limits.nameBytes - 4) bytes")
      } else if entry.name == NPZSidecar.memberName {
        obstacles.add(entry.name, "the name is reserved")
      } else if let stem = entry.name.removingSuffix(".npy"), table[stem] != nil {
        obstacles.add(entry.name, "NumPy takes it for the tensor of the same name without .npy")
      }
    }
    try obstacles.check("npz")
  }

  private static func sidecar(for table: TensorTable) -> NPZSidecar {
    var sidecar = NPZSidecar()
    sidecar.metadata = table.metadata
    for (entry, target) in zip(table.entries, table.aliasTargets()) {
      let tensor = entry.tensor
      if NPYDescription.text(for: tensor.elementType) == nil {
        sidecar.disguised[entry.name] = .init(type: tensor.elementType, shape: tensor.shape)
      }
      if let target { sidecar.aliases[entry.name] = table.entries[target].name }
    }
    return sidecar
  }
}

/// A tensor's member on its way into the archive.
private struct PlannedMember: Sendable {
  /// The record as far as it is known: `headerOffset` only for stored members, never the CRC.
  let record: ZipMemberRecord
  /// What comes before the elements: the local header, and the npy header as it is stored.
  private let prefixCount: Int
  private let npyHeaderCRC: UInt32
  private let elementBytes: Int

  /// What is written for a tensor, and what must be remembered until the end.
  static func plan(
    _ entry: TensorTable.Entry, _ options: WriteOptions, at offset: Int
  ) throws -> (PlannedMember, [WritePlan.Part]) {
    let tensor = entry.tensor
    let npyHeader: [UInt8]
    if let descr = NPYDescription.text(for: tensor.elementType) {
      npyHeader = NPYHeader.bytes(descr: descr, shape: tensor.shape.dimensions)
    } else {
      let disguise = try NPZSidecar.disguise(of: tensor)
      npyHeader = NPYHeader.bytes(
        descr: NPYDescription.text(for: disguise.type) ?? "", shape: disguise.shape)
    }
    let size = try npyHeader.count.adding(tensor.byteCount, "the size of '\(entry.name)'")
    var payload = WritePlan.Payload(name: entry.name, source: tensor.source, checksum: .crc32)
    let storedHeader: [UInt8]
    var record: ZipMemberRecord
    switch options.compression {
    case .none:
      record = ZipMemberRecord(
        name: entry.name + ".npy", method: .stored, headerOffset: offset,
        alignment: min(options.alignment ?? 64, 1 << 15), prefix: npyHeader.count)
      record.compressedSize = size
      storedHeader = npyHeader
    case .gzip(let level):
      record = ZipMemberRecord(name: entry.name + ".npy", method: .deflated, headerOffset: 0)
      storedHeader = Deflate.piece(npyHeader, level: level, isLast: false)
      payload.encoding = encoding(level: level, size: size)
    }
    record.uncompressedSize = size
    var prefix: [UInt8] = []
    prefix.reserveCapacity(record.headerSize + storedHeader.count)
    prefix += record.localHeader()
    prefix += storedHeader
    let member = PlannedMember(
      record: record, prefixCount: prefix.count, npyHeaderCRC: CRC32.of(npyHeader),
      elementBytes: tensor.byteCount)
    return (member, [.bytes(prefix), .payload(payload)])
  }

  private static func encoding(level: Int?, size: Int) -> WritePlan.Encoding {
    // What expands too far is refused as a bomb, by us and by careful others: a large member of zeros
    // keeps some fat.
    let isLarge = size > Limits.bombBytes
    return WritePlan.Encoding(pieceLength: Deflate.pieceLength) { piece, _, isLast in
      Deflate.piece(
        piece, level: level, isLast: isLast,
        minimumCount: isLarge ? piece.count / Limits.suspiciousRatio + 1 : 0)
    }
  }

  /// The record when the elements have been written.
  func record(for result: WritePlan.PayloadResult) -> ZipMemberRecord {
    var record = record
    record.headerOffset = result.offset - prefixCount
    record.compressedSize = prefixCount - record.headerSize + result.byteCount
    record.crc32 = CRC32.combine(npyHeaderCRC, result.crc32, secondLength: elementBytes)
    return record
  }
}
