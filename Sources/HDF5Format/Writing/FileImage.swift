internal import Tensors

/// A whole HDF5 file as parts of a plan.
///
/// Superblock, texts of attributes, object headers, then the elements: first the datasets that lie in one
/// stretch, each aligned, then the chunks of the compressed ones, in the table's order; last, when their
/// sizes are known, the indexes of the chunks. No times are stored and nothing depends on chance: the same
/// table gives the same bytes.
///
/// Superblock version 0 with headers, groups and B-trees of version 1: every library since HDF5 1.6.3 and
/// every reader of its own knows them. The headers lie together in the order of a walk through the tree, so that
/// opening a file reads one stretch.
///
/// All addresses count from the first byte of the image, wherever that lies in the file (`base`): in a
/// `.keras` archive it is a member's.
struct FileImage {
  /// What GPUs and vector instructions like.
  static let usualAlignment = 64

  private static let superblockSize = 96
  private static let endOfFileField = 40

  private(set) var parts: [WritePlan.Part] = []
  private let compressed: [CompressedDataset]
  private let base: Int

  /// - Parameters:
  ///   - base: Where the image begins in the file; a multiple of the alignment.
  ///   - chunkTarget: What a chunk should hold at most.
  init(
    _ table: TensorTable, _ tree: FileTree, _ options: WriteOptions, base: Int,
    convention: DatatypeEncoding.Convention, chunkTarget: Int = ChunkSplit.usualTarget
  ) {
    self.base = base
    let alignment = options.alignment ?? Self.usualAlignment
    var datasets = [DatasetStorage?](repeating: nil, count: table.entries.count)
    var order: [Int] = []
    for case let tensor? in tree.objects.map(\.tensor) {
      datasets[tensor] = DatasetStorage(
        table.entries[tensor].tensor, convention, options.compression, chunkTarget: chunkTarget)
      order.append(tensor)
    }
    var heap = GlobalHeapWriter(at: Self.superblockSize)
    let messages = tree.objects.map { object in
      object.attributes.map { $0.content.message(name: $0.name, heap: &heap) }
    }
    let texts = heap.finished()
    var objects = ObjectsWriter(
      tree, datasets: datasets, messages: messages, at: Self.superblockSize + texts.count)
    let root = objects.writeGroup(FileTree.root)

    var payloads: [WritePlan.Part] = []
    var end = Self.superblockSize + texts.count + objects.writer.count
    for tensor in order {
      guard let storage = datasets[tensor], storage.chunks == nil, storage.byteCount > 0,
        let field = objects.dataFields[tensor]
      else { continue }
      end = end.roundedUp(toMultipleOf: alignment)
      objects.patch(end, at: field)
      end += storage.byteCount
      let entry = table.entries[tensor]
      payloads.append(.alignment(alignment))
      payloads.append(.payload(.init(name: entry.name, source: entry.tensor.source)))
    }
    var index = payloads.count / 2
    var compressed: [CompressedDataset] = []
    for tensor in order {
      guard let chunks = datasets[tensor]?.chunks, let field = objects.dataFields[tensor] else {
        continue
      }
      let entry = table.entries[tensor]
      payloads.append(
        .payload(
          .init(name: entry.name, source: entry.tensor.source, encoding: chunks.encoding)))
      compressed.append(
        CompressedDataset(name: entry.name, payload: index, addressField: field, chunks: chunks))
      index += 1
    }
    self.compressed = compressed
    let superblock = Self.superblock(root, endOfFile: compressed.isEmpty ? end : nil)
    parts = [.bytes(superblock + texts + objects.writer.bytes)] + payloads
  }

  /// Signature; versions 0 of superblock, free space and root entry, a reserved byte, version 0 of shared
  /// headers; 8-byte offsets and lengths, a reserved byte; what symbol table and B-tree nodes hold (2 each),
  /// flags (4); base address, free space, end of file, driver (8 each); the entry of the root.
  private static func superblock(
    _ root: ObjectsWriter.GroupAddresses, endOfFile: Int?
  ) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(contentsOf: [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A])
    writer.append(contentsOf: [0, 0, 0, 0, 0, 8, 8, 0])
    writer.append(SymbolTableWriter.half, width: 2)
    writer.append(BTreeWriter.groupHalf, width: 2)
    writer.append(0, width: 4)
    writer.append(address: 0)
    writer.append(address: nil)
    writer.append(address: endOfFile)
    writer.append(address: nil)
    Symbol(name: [], header: root.header, group: root).append(to: &writer, nameOffset: 0)
    return writer.bytes
  }

  /// Whether something remains to be written once the sizes of the chunks are known.
  var needsFinish: Bool { !compressed.isEmpty }

  /// The indexes of the chunks at the end of the file, their addresses and the file's end.
  func finish(_ progress: WritePlan.Progress) throws -> [WritePlan.Patch] {
    let fileSize = progress.file.byteCount
    let start = (fileSize - base).roundedUp(toMultipleOf: 8)
    var indexes = ByteWriter()
    var patches: [WritePlan.Patch] = []
    func patch(_ address: Int, at field: Int) {
      var writer = ByteWriter()
      writer.append(address: address)
      patches.append(.init(offset: base + field, bytes: writer.bytes))
    }
    for dataset in compressed {
      let result = progress.results[dataset.payload]
      guard result.pieceSizes.count == dataset.chunks.chunkCount else {
        throw IngotError(
          .internal,
          "\(dataset.chunks.chunkCount) chunks were planned and \(result.pieceSizes.count) written",
          tensor: dataset.name)
      }
      let root = dataset.chunks.appendIndex(
        to: &indexes, base: start, chunksAt: result.offset - base, sizes: result.pieceSizes)
      patch(root, at: dataset.addressField)
    }
    patch(start + indexes.count, at: Self.endOfFileField)
    let gap = [UInt8](repeating: 0, count: base + start - fileSize)
    patches.append(.init(offset: fileSize, bytes: gap + indexes.bytes))
    return patches
  }
}

/// A dataset whose chunks get their index at the end.
private struct CompressedDataset: Sendable {
  let name: ExactString
  /// The number of its payload in the plan.
  let payload: Int
  /// Where the index's address goes in the image.
  let addressField: Int
  let chunks: ChunkSplit
}
