internal import Tensors

/// A B-tree of version 2: records of one size, in nodes that know how many their children hold.
///
/// Header: `BTHD`, version 0, kind of record, node size (4), record size (2), depth (2), two
/// percentages, address of the root, its number of records (2), number of all records, checksum.
/// Inner node: `BTIN`, version, kind, records, then for each child its address, its number of records
/// and, above the lowest inner level, the number of all records below; checksum. Leaf: `BTLF`.
enum BTree2 {
  /// What records describe.
  enum RecordKind: UInt8 {
    case hugeObject = 1
    case linkName = 5
    case attributeName = 8
    case chunk = 10
    case filteredChunk = 11
  }

  /// A tree of nodes of 512 bytes reaches a million records at depth 4.
  private static let depthLimit = 16

  private struct Shape {
    let kind: UInt8
    let recordSize: Int
    /// The widths of a child's own number of records and, by level, of all records below it.
    var countWidth = 0
    var totalWidths: [Int] = [0]
    /// The most records of a node, by level.
    var capacities: [Int] = []
  }

  /// Calls `body` with a reader over each record, in the tree's order.
  static func forEachRecord(
    _ view: FileView, at address: Int, of kinds: Set<RecordKind>,
    _ body: (RecordKind, inout ByteReader) throws -> Void
  ) throws {
    let widths = view.widths
    let headerSize = 22 + widths.offset + widths.length
    var header = try view.reader(at: address, count: headerSize, "a B-tree's header")
    try view.claim(address, headerSize, .treeNode)
    try header.verifyChecksum(
      from: header.position, after: headerSize - 4, "a B-tree's header")
    try header.signature("BTHD", "the B-tree")
    try header.version(0, "B-tree")
    let number = try header.uint8("a B-tree's kind")
    guard let kind = RecordKind(rawValue: number), kinds.contains(kind) else {
      throw header.failure("a B-tree of kind \(number) in the wrong place")
    }
    let nodeSize = Int(try header.uint32("a B-tree's node size"))
    let recordSize = Int(try header.uint16("a B-tree's record size"))
    let depth = Int(try header.uint16("a B-tree's depth"))
    try header.skip(2, "a B-tree's percentages")
    let root = try header.address(widths, "a B-tree's root")
    let rootCount = Int(try header.uint16("the number of records"))
    let total = try header.length(widths, "the number of all records")
    guard recordSize > 0, nodeSize >= 10 + recordSize, depth <= depthLimit else {
      throw header.failure(
        "a B-tree of depth \(depth), nodes of \(nodeSize) and records of \(recordSize) bytes")
    }
    guard let root else {
      guard total == 0 else { throw header.failure("a B-tree of \(total) records without a root") }
      return
    }
    var shape = Shape(kind: number, recordSize: recordSize)
    try measure(&shape, nodeSize: nodeSize, depth: depth, widths)
    var found = 0
    try node(view, root, rootCount, depth, shape, &found) { try body(kind, &$0) }
    guard found == total else {
      throw IngotError(
        .malformed, "the B-tree declares \(total) records and holds \(found)", offset: address)
    }
  }

  /// Computes how wide the counts in inner nodes are: just wide enough for what a full tree holds.
  private static func measure(
    _ shape: inout Shape, nodeSize: Int, depth: Int, _ widths: FieldWidths
  ) throws {
    let leafCapacity = (nodeSize - 10) / shape.recordSize
    shape.capacities = [leafCapacity]
    shape.countWidth = leafCapacity.bytesNeeded
    var below = leafCapacity
    for level in 1..<max(depth + 1, 1) {
      let pointer = widths.offset + shape.countWidth + shape.totalWidths[level - 1]
      let capacity = (nodeSize - 10 - pointer) / (shape.recordSize + pointer)
      guard capacity > 0 else {
        throw IngotError(.malformed, "a B-tree whose nodes of \(nodeSize) bytes hold no records")
      }
      below = try (capacity + 1).multiplied(by: below, "the records of a B-tree")
        .adding(capacity, "the records of a B-tree")
      shape.capacities.append(capacity)
      shape.totalWidths.append(below.bytesNeeded)
    }
  }

  private static func node(
    _ view: FileView, _ address: Int, _ count: Int, _ level: Int, _ shape: Shape,
    _ found: inout Int, _ body: (inout ByteReader) throws -> Void
  ) throws {
    guard count <= shape.capacities[level] else {
      throw IngotError(
        .malformed, "a B-tree node of \(count) records, above its \(shape.capacities[level])",
        offset: address)
    }
    let pointerSize =
      level == 0 ? 0 : view.widths.offset + shape.countWidth + shape.totalWidths[level - 1]
    let size = 6 + count * shape.recordSize + (level == 0 ? 0 : (count + 1) * pointerSize) + 4
    var reader = try view.reader(at: address, count: size, "a B-tree node")
    try view.claim(address, size, .treeNode)
    try reader.verifyChecksum(from: reader.position, after: size - 4, "a B-tree node")
    try reader.signature(level == 0 ? "BTLF" : "BTIN", "the B-tree node")
    try reader.version(0, "B-tree node")
    let kind = try reader.uint8("a B-tree node's kind")
    guard kind == shape.kind else {
      throw reader.failure("a B-tree node of kind \(kind) in a tree of kind \(shape.kind)")
    }
    var records = try reader.sub(count * shape.recordSize, "the records of a B-tree node")
    for index in 0...count {
      if level > 0 {
        let child = try reader.definedAddress(view.widths, "a B-tree's child")
        let childCount = try reader.integer(width: shape.countWidth, "a child's records")
        try reader.skip(shape.totalWidths[level - 1], "the records below a child")
        try node(view, child, childCount, level - 1, shape, &found, body)
      }
      guard index < count else { break }
      var record = try records.sub(shape.recordSize, "a B-tree's record")
      found += 1
      try body(&record)
    }
  }
}

extension Int {
  /// How many bytes a non-negative number takes, at least 1.
  var bytesNeeded: Int { Swift.max(1, (Int.bitWidth - leadingZeroBitCount + 7) / 8) }
}
