private import Crypto
public import Tensors

/// Ingot's own format: every byte checked, mappable, typed.
///
/// ```
/// header     64 bytes                                   (NativeHeader)
/// zeros      up to the alignment
/// tensor     as it is, or compressed in chunks          (NativeChunks)
/// zeros      up to the alignment                        … for each tensor, in the index's order
/// index      canonical JSON                             (NativeIndex)
/// end        16 bytes                                   (NativeHeader)
/// ```
///
/// The index lies at the end because it holds the digests, which are known only when the data are
/// written; a reader finds it through the header, which carries its digest in turn.
///
/// `schemas/ingot-format.md` is the specification, `fixtures/native/read_ingot.py` a reader that was
/// written from it alone.
public struct NativeFormat: TensorFormat {
  /// The bytes that a file begins with.
  package static let magic = NativeHeader.magic

  /// The format has no settings.
  public init() {}

  /// The name that `--from` and `--to` take.
  public var identifier: String { "ingot" }
  /// One line for `ingot formats`.
  public var summary: String { "Ingot's own: checksums, aliases, typed metadata, can be mapped" }
  /// `.ingot`.
  public var fileExtensions: [String] { [".ingot"] }

  /// In chunks.
  public var compresses: Bool { true }

  /// The magic bytes.
  public func recognizes(_ beginning: [UInt8], fileSize: Int) -> Bool {
    beginning.starts(with: Self.magic)
  }

  /// Reads and checks everything but the tensors' data, which are checked when they are read.
  public func read(_ input: FormatInput) throws -> TensorTable {
    let file = input.source
    let header = try NativeHeader(reading: file)
    let text = try file.bytes(at: header.indexOffset, count: header.indexLength, "the index")
    guard SHA256.hash(data: text) == header.indexDigest else {
      throw IngotError(
        .integrity, "the index does not match its SHA-256 in the header", offset: header.indexOffset
      )
    }
    let index = try NativeIndex(parsing: text, base: header.indexOffset)
    try naming(offset: header.indexOffset) {
      try index.checkAliases()
      try index.checkLayout(indexOffset: header.indexOffset)
    }
    guard index.features == header.features else {
      throw IngotError(
        .malformed, "the features in the header are not those that the tensors need", offset: 12)
    }
    try file.checkZero(
      NativeHeader.byteCount..<index.alignment, "the padding behind the header")
    return try naming(offset: header.indexOffset) { try table(index, file) }
  }

  private func table(_ index: NativeIndex, _ file: any ByteSource) throws -> TensorTable {
    var table = TensorTable()
    table.reserveCapacity(index.tensors.count)
    table.metadata = index.metadata
    table.provenance = index.provenance == .null ? nil : index.provenance
    let cache = ChunkCache()
    let targets = Set(
      index.tensors.compactMap { entry -> ExactString? in
        if case .alias(let target) = entry.content { target } else { nil }
      })
    for entry in index.tensors {
      try naming(tensor: entry.name) {
        switch entry.content {
        case .alias(let target):
          // The index was checked: the target is there.
          guard let tensor = table[target] else { return }
          try table.append(entry.name, tensor)
        case .stored(let stored):
          let source = try Self.source(stored, file, alignment: index.alignment, cache)
          let storage =
            targets.contains(entry.name) ? StorageIdentity("tensor at \(stored.offset)") : nil
          try table.append(
            entry.name,
            Tensor(
              elementType: stored.elementType, shape: stored.shape, source: source,
              storage: storage))
        }
      }
    }
    return table
  }

  private static func source(
    _ stored: NativeIndex.Stored, _ file: any ByteSource, alignment: Int, _ cache: ChunkCache
  ) throws -> any ByteSource {
    guard stored.byteCount > 0 else {
      guard stored.sha256 == Hexadecimal.text(SHA256.hash(data: [UInt8]())) else {
        throw IngotError(.integrity, "its SHA-256 is not that of no bytes")
      }
      return ArraySource([])
    }
    let end = stored.offset + (try stored.storedByteCount())
    let bytes: any ByteSource
    if let chunks = stored.chunks {
      bytes = ChunkedSource(
        file, offset: stored.offset, byteCount: stored.byteCount, chunks: chunks,
        elementWidth: stored.elementType.shuffleWidth, cache: cache)
    } else {
      bytes = try SourceRange(file, offset: stored.offset, byteCount: stored.byteCount)
    }
    return VerifiedSource(
      bytes, sha256: stored.sha256, file: file, offset: stored.offset,
      padding: end..<end.roundedUp(toMultipleOf: alignment))
  }

  /// The data in the table's order; the index and the header when their digests are known.
  public func plan(_ table: TensorTable, _ options: WriteOptions) throws -> WritePlan {
    let alignment = options.alignment ?? NativeIndex.alignments.lowerBound
    guard NativeIndex.isAlignment(alignment) else {
      throw IngotError(
        .usage,
        "the alignment \(alignment) is not a power of two from \(NativeIndex.alignments.lowerBound) to \(NativeIndex.alignments.upperBound)"
      )
    }
    var obstacles = Obstacles()
    // Two levels are the index's own.
    let depth = Limits.depth - 2
    for (key, value) in table.metadata.sorted where value.encodingReals().depth > depth {
      obstacles.add("metadata '\(key.escapedForDisplay())' (nested deeper than \(depth))")
    }
    try obstacles.check("the native format")

    let targets = table.aliasTargets()
    var plan = WritePlan()
    plan.parts.reserveCapacity(2 * table.entries.count + 2)
    plan.parts += [
      .bytes([UInt8](repeating: 0, count: NativeHeader.byteCount)), .alignment(alignment),
    ]
    for (entry, target) in zip(table.entries, targets) where target == nil {
      plan.parts += [
        .payload(
          .init(
            name: entry.name, source: entry.tensor.source, checksum: .sha256,
            encoding: Self.encoding(of: entry.tensor, options.compression))),
        .alignment(alignment),
      ]
    }
    let provenance = options.provenance ?? .null
    plan.finish = [
      { progress in
        let index = Self.index(
          table, targets, progress.results, alignment: alignment, provenance: provenance)
        return try Self.closing(index, file: progress.file)
      }
    ]
    return plan
  }

  private static func encoding(
    of tensor: Tensor, _ compression: WriteOptions.Compression
  ) -> WritePlan.Encoding? {
    switch compression {
    case .none: return nil
    case .gzip(let level):
      guard tensor.byteCount > 0 else { return nil }
      let width = tensor.elementType.shuffleWidth
      return .init(pieceLength: NativeChunks.length) { piece, _, _ in
        NativeChunks.encode(piece, elementWidth: width, level: level)
      }
    }
  }

  private static func index(
    _ table: TensorTable, _ targets: [Int?], _ results: [WritePlan.PayloadResult],
    alignment: Int, provenance: JSON
  ) -> NativeIndex {
    var results = results.makeIterator()
    let tensors = zip(table.entries, targets).compactMap { entry, target -> NativeIndex.Entry? in
      if let target {
        return .init(name: entry.name, content: .alias(of: table.entries[target].name))
      }
      guard let result = results.next() else { return nil }
      let isCompressed = result.byteCount < entry.tensor.byteCount
      return .init(
        name: entry.name,
        content: .stored(
          .init(
            elementType: entry.tensor.elementType, shape: entry.tensor.shape,
            byteCount: entry.tensor.byteCount, offset: result.offset,
            sha256: Hexadecimal.text(result.sha256),
            chunks: isCompressed ? result.pieceSizes : nil)))
    }
    return NativeIndex(
      alignment: alignment, metadata: table.metadata, provenance: provenance, tensors: tensors)
  }

  /// The index and the end marker behind the data, and the header in its place.
  private static func closing(
    _ index: NativeIndex, file: any ByteSource
  ) throws -> [WritePlan.Patch] {
    var text = index.text()
    guard text.count <= Limits.nativeIndexBytes else {
      throw IngotError(
        .unsupported,
        "the native format cannot hold an index of \(text.count) bytes, at most \(Limits.nativeIndexBytes)"
      )
    }
    let header = NativeHeader(
      features: index.features, indexOffset: file.byteCount, indexLength: text.count,
      indexDigest: Array(SHA256.hash(data: text)))
    text += header.endBytes
    return [
      .init(offset: file.byteCount, bytes: text), .init(offset: 0, bytes: header.bytes),
    ]
  }
}
