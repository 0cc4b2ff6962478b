internal import Tensors

/// Reads one object of a file: a group, a dataset, or a datatype with a name.
struct ObjectReader {
  enum Content {
    case group([Link])
    case dataset(DatasetHeader)
    case datatype
  }

  private let view: FileView
  private var superblock: Superblock
  private let shared: SharedMessages
  private var attributes: AttributeReader

  init(_ view: FileView, _ superblock: Superblock) throws {
    self.view = view
    self.superblock = superblock
    shared = SharedMessages(view)
    attributes = AttributeReader(view, shared)
    if let address = superblock.extensionAddress { try readExtension(at: address) }
  }

  /// What the superblock's extension adds: node sizes and shared messages are used, free space is
  /// skipped, and what changes the meaning of the file is refused.
  private mutating func readExtension(at address: Int) throws {
    try ObjectHeader.forEachMessage(view, at: address) { message, content in
      switch message.kind {
      case .treeNodeSizes:
        try content.version(0, "B-tree node sizes")
        try content.skip(2, "the size of chunk B-tree nodes")
        superblock.groupInternalK = Int(try content.uint16("the size of B-tree nodes"))
        superblock.groupLeafK = Int(try content.uint16("the size of symbol table nodes"))
        guard superblock.groupInternalK > 0, superblock.groupLeafK > 0 else {
          throw content.failure("B-tree nodes without room for entries")
        }
      case .driverInformation:
        throw content.failure(
          "a file split by an HDF5 driver (family, multi)", class: .unsupported)
      case .cacheImage:
        throw content.failure("an HDF5 metadata cache image", class: .unsupported)
      case .sharedMessageTable: try shared.readTable(&content)
      case .fileSpace, .null, .dataspace, .linkInformation, .datatype, .oldFillValue, .fillValue,
        .link, .externalFiles, .layout, .groupInformation, .filterPipeline, .attribute, .comment,
        .oldModificationTime, .continuation, .symbolTable, .modificationTime,
        .attributeInformation, .referenceCount:
        break
      }
    }
  }

  /// The messages of an object as they are collected.
  private struct Parts {
    var space: Dataspace?
    var type: Datatype?
    var oldFill: FillValue?
    var fill: FillValue?
    var layout: DataLayout?
    var pipeline: FilterPipeline?
    var symbolTable: (tree: Int, heap: Int)?
    var linkInformation: ByteReader?
    var attributeInformation: ByteReader?
    var links: [Link] = []
    var attributes: [Attribute] = []
  }

  /// Reads the object at `address`.
  mutating func object(
    at address: Int
  ) throws -> (content: Content, attributes: [Attribute]) {
    var parts = Parts()
    try ObjectHeader.forEachMessage(view, at: address) { message, content in
      if message.isShared, message.kind != .datatype {
        var elsewhere = try shared.content(of: message.kind, &content)
        try collect(message, &elsewhere, &parts)
      } else {
        try collect(message, &content, &parts)
      }
    }
    var attributes = parts.attributes
    if let information = parts.attributeInformation {
      attributes += try self.attributes.dense(information)
    }
    if attributes.count > 1 {
      var names: Set<ExactString> = []
      for attribute in attributes where !names.insert(attribute.name).inserted {
        throw IngotError(
          .malformed, "the attribute '\(attribute.name.escapedForDisplay())' occurs twice",
          offset: address)
      }
    }
    return (try content(parts, at: address), attributes)
  }

  private mutating func collect(
    _ message: HeaderMessage, _ content: inout ByteReader, _ parts: inout Parts
  ) throws {
    let at = content.offset
    switch message.kind {
    case .dataspace:
      try Self.set(&parts.space, try Dataspace(&content, view.widths), "dataspace", at)
    case .datatype:
      let type = try shared.datatype(&content, isShared: message.isShared)
      try Self.set(&parts.type, type, "datatype", at)
    case .oldFillValue:
      try Self.set(&parts.oldFill, try FillValue(old: &content), "old fill value", at)
    case .fillValue:
      try Self.set(&parts.fill, try FillValue(&content), "fill value", at)
    case .layout:
      try Self.set(&parts.layout, try DataLayout(&content, view.widths), "layout", at)
    case .filterPipeline:
      try Self.set(
        &parts.pipeline, try FilterPipeline(&content), "filter pipeline", at)
    case .externalFiles:
      throw IngotError(
        .unsafe, "a dataset whose data lie in other files, which are never opened", offset: at)
    case .link: parts.links.append(try Link(&content, view.widths))
    case .linkInformation:
      try Self.set(&parts.linkInformation, content, "link information", at)
    case .attributeInformation:
      try Self.set(&parts.attributeInformation, content, "attribute information", at)
    case .symbolTable:
      let tree = try content.definedAddress(view.widths, "a group's B-tree")
      let heap = try content.definedAddress(view.widths, "a group's local heap")
      try Self.set(&parts.symbolTable, (tree, heap), "symbol table", at)
    case .attribute:
      parts.attributes.append(try attributes.attribute(&content))
    case .null, .groupInformation, .comment, .oldModificationTime, .sharedMessageTable,
      .continuation, .modificationTime, .treeNodeSizes, .driverInformation, .referenceCount,
      .fileSpace, .cacheImage:
      break
    }
  }

  private static func set<Value>(
    _ place: inout Value?, _ value: Value, _ what: StaticString, _ offset: Int
  ) throws {
    guard place == nil else {
      throw IngotError(.malformed, "an object with a second \(what)", offset: offset)
    }
    place = value
  }

  private func content(_ parts: Parts, at address: Int) throws -> Content {
    let isGroup =
      parts.symbolTable != nil || parts.linkInformation != nil || !parts.links.isEmpty
    switch (isGroup, parts.layout, parts.type) {
    case (true, nil, nil): return .group(try links(parts, at: address))
    case (false, let layout?, let type?):
      guard let space = parts.space else {
        throw IngotError(.malformed, "a dataset without a dataspace", offset: address)
      }
      let header = try naming(offset: address) {
        try DatasetHeader(
          space: space, type: type, fill: parts.fill ?? parts.oldFill ?? .undefined, layout: layout,
          pipeline: parts.pipeline ?? .none)
      }
      try header.claim(view, at: address)
      return .dataset(header)
    case (false, nil, .some):
      // Without this a dataset whose layout got lost would be lost with it.
      guard parts.space == nil else {
        throw IngotError(.malformed, "a dataset without a layout", offset: address)
      }
      return .datatype
    case (true, _, _), (false, _, nil):
      throw IngotError(
        .malformed, "an object that is neither group nor dataset nor datatype", offset: address)
    }
  }

  /// The links of a group, in creation order where it keeps that, else by the bytes of their names.
  private func links(_ parts: Parts, at address: Int) throws -> [Link] {
    if let (tree, heap) = parts.symbolTable {
      guard parts.linkInformation == nil, parts.links.isEmpty else {
        throw IngotError(.malformed, "a group of both kinds", offset: address)
      }
      return try SymbolTable.links(view, tree: tree, heap: heap, superblock)
    }
    var links = parts.links
    if let information = parts.linkInformation {
      links += try denseLinks(information, hasLinks: !links.isEmpty)
    }
    links.sort { $0.name < $1.name }
    for index in links.indices.dropFirst() where links[index].name == links[index - 1].name {
      throw IngotError(
        .malformed, "the link '\(links[index].name.escapedForDisplay())' occurs twice",
        offset: address)
    }
    guard links.allSatisfy({ $0.creationOrder != nil }) else { return links }
    links.sort { ($0.creationOrder ?? 0) < ($1.creationOrder ?? 0) }
    return links
  }

  /// The links that a link information message points to: version, flags (bit 0: creation order is
  /// tracked, 1: and indexed), the largest creation order (8), heap, B-tree by name.
  private func denseLinks(_ message: ByteReader, hasLinks: Bool) throws -> [Link] {
    var reader = message
    try reader.version(0, "link information")
    let flags = try reader.uint8("the flags of link information")
    if flags & 1 != 0 { try reader.skip(8, "the largest creation order") }
    let heapAddress = try reader.address(view.widths, "the heap of links")
    let treeAddress = try reader.address(view.widths, "the B-tree of links")
    guard let heapAddress, let treeAddress else { return [] }
    guard !hasLinks else {
      throw reader.failure("a group with links both in its header and in a heap")
    }
    let heap = try FractalHeap(view, at: heapAddress)
    var links: [Link] = []
    try BTree2.forEachRecord(view, at: treeAddress, of: [.linkName]) { _, record in
      try record.skip(4, "the hash of a name")
      var content = try heap.object(&record)
      links.append(try Link(&content, view.widths))
    }
    return links
  }
}
