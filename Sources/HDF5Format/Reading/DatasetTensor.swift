internal import Tensors

/// Which bytes of a file belong to its structures, and how wide its fields are.
struct FileMap: Sendable {
  let widths: FieldWidths
  /// All structures found when the file was opened, in the order of their addresses.
  let extents: [FileView.Extent]

  /// Checks that an extent found later overlaps none of them.
  func check(_ extent: FileView.Extent) throws {
    var low = 0
    var high = extents.count
    while low < high {
      let middle = (low + high) / 2
      if extents[middle].end <= extent.start { low = middle + 1 } else { high = middle }
    }
    guard low == extents.count || extents[low].start >= extent.end else {
      throw IngotError(
        .malformed,
        "\(extent.use.rawValue) at \(extent.start) overlaps \(extents[low].use.rawValue) at \(extents[low].start)",
        offset: extent.start)
    }
  }
}

/// What the datasets of one file share.
struct DatasetInput: Sendable {
  let file: any ByteSource
  let map: FileMap
  let cache: BandCache
  let options: ReadOptions
  /// Whether the file's model configuration says that variables are bfloat16 (legacy Keras marks its
  /// opaque data nowhere else).
  let hasBFloat16Policy: Bool
}

extension DatasetHeader {
  /// Checks where the data lie, and claims them where that is one stretch of the file.
  func claim(_ view: FileView, at address: Int) throws {
    let needed = byteCount
    func check(_ count: Int) throws {
      guard count == needed else {
        throw IngotError(
          .malformed,
          "a dataset of extents \(space.dimensions) and \(type.size)-byte elements needs \(needed) bytes, the file declares \(count)",
          offset: address)
      }
    }
    switch layout.storage {
    case .compact(_, let count): try check(count)
    case .contiguous(let data, let count):
      guard let data, needed > 0 else { return }
      if let count { try check(count) }
      guard needed <= view.byteCount - data else {
        throw IngotError(
          .malformed,
          "a dataset needs \(needed) bytes at \(data), the file ends at \(view.byteCount)",
          offset: address)
      }
      try view.claim(data, needed, .data)
    case .chunked: break
    case .virtual:
      throw IngotError(
        .unsafe, "a virtual dataset, whose data lie in other files that are never opened",
        offset: address)
    }
  }

  /// The dataset as a tensor, or as something that is none.
  enum Reading {
    case tensor(Tensor)
    case other(OtherItem)
  }

  /// - Parameters:
  ///   - name: one of the paths of the dataset.
  ///   - identity: the address of its header.
  ///   - isShared: the dataset has other paths too.
  func reading(
    _ name: ExactString, identity: Int, isShared: Bool, _ attributes: [Attribute],
    _ input: DatasetInput
  ) throws -> Reading {
    guard let shape else {
      return .other(other(name, "null", "datasets without a shape", shape: nil))
    }
    switch type.meaning {
    case .tensor(let element):
      return .tensor(try tensor(name, element, shape, identity, isShared, input))
    case .opaque(let size):
      guard let marked = Self.marked(attributes, size: size, input) else {
        return .other(other(name, "opaque", "opaque bytes", shape: shape))
      }
      let element = StoredElement(type: marked, isBigEndian: false)
      return .tensor(try tensor(name, element, shape, identity, isShared, input))
    case .other(let type, let reason): return .other(other(name, type, reason, shape: shape))
    }
  }

  private func other(_ name: ExactString, _ type: String, _ reason: String, shape: Shape?)
    -> OtherItem
  {
    OtherItem(
      name: name, type: type, shape: shape,
      refusal: IngotError(.unsupported, "\(reason) are not tensors", tensor: name))
  }

  /// The element type that opaque data has by its `dtype` attribute, as Keras 3 writes it, or by the
  /// model's policy.
  private static func marked(
    _ attributes: [Attribute], size: Int, _ input: DatasetInput
  ) -> ElementType? {
    if let mark = attributes.first(where: { $0.name == "dtype" }) {
      guard let type = mark.value?.string.flatMap(ElementType.init(name:)),
        type.layout.bytesPerElement == size
      else { return nil }
      return type
    }
    return size == 2 && input.hasBFloat16Policy ? .bfloat16 : nil
  }

  private func tensor(
    _ name: ExactString, _ element: StoredElement, _ shape: Shape, _ identity: Int,
    _ isShared: Bool,
    _ input: DatasetInput
  ) throws -> Tensor {
    let elements = ElementCopy(
      elementSize: type.size, wordSize: element.type.wordWidth, isBigEndian: element.isBigEndian)
    if let obstacle = try obstacle(name, input) {
      return try Tensor(elementType: element.type, shape: shape, obstacle: obstacle)
    }
    return try Tensor(
      elementType: element.type, shape: shape,
      source: try source(name, elements, identity, input),
      storage: isShared ? StorageIdentity("HDF5 object at \(identity)") : nil)
  }

  /// Whether no storage was ever allocated, so that all is fill value.
  private var isUnwritten: Bool {
    switch layout.storage {
    case .contiguous(nil, _): true
    case .chunked(let chunks): chunks.address == nil
    case .compact, .contiguous, .virtual: false
    }
  }

  private func obstacle(_ name: ExactString, _ input: DatasetInput) throws -> IngotError? {
    if isUnwritten, fill.isUndefined, byteCount > 0 {
      return IngotError(
        .unsupported, "a dataset without data: it was never written, and has no fill value",
        tensor: name)
    }
    guard case .chunked(let chunks) = layout.storage else { return nil }
    let grid = try ChunkGrid(space, chunks, elementSize: type.size)
    if let obstacle = pipeline.obstacle { return obstacle.naming(tensor: name) }
    let limit = input.options.largestChunk
    guard grid.chunkByteCount > limit else { return nil }
    return IngotError(
      .limit, "chunks of \(grid.chunkByteCount) bytes are above \(limit)", tensor: name,
      hint: "allow them with --max-chunk \(grid.chunkByteCount)")
  }

  private func source(
    _ name: ExactString, _ elements: ElementCopy, _ identity: Int, _ input: DatasetInput
  ) throws -> any ByteSource {
    guard byteCount > 0 else { return ArraySource([]) }
    switch layout.storage {
    case .compact(let offset, let count):
      return try stretch(offset, count, elements, input)
    case .contiguous(let address?, _): return try stretch(address, byteCount, elements, input)
    case .contiguous(nil, _):
      return FillSource(byteCount: byteCount, fill: try FillPattern(fill, elements))
    case .chunked(let chunks):
      let grid = try ChunkGrid(space, chunks, elementSize: type.size)
      let source = ChunkedSource(
        name: name, byteCount: byteCount, input, grid, chunks, pipeline, elements,
        try FillPattern(fill, elements), identity: identity)
      return source.spooledIfLarge(folder: input.options.temporaryFolder)
    case .virtual: return ArraySource([])
    }
  }

  private func stretch(
    _ offset: Int, _ count: Int, _ elements: ElementCopy, _ input: DatasetInput
  ) throws -> any ByteSource {
    let range = try SourceRange(input.file, offset: offset, byteCount: count)
    return elements.isPlain ? range : try ByteSwapped(range, wordWidth: elements.wordSize)
  }
}
