internal import Tensors

/// The members of a group of the old kind: a B-tree of version 1 whose leaves point to symbol table
/// nodes, and a local heap with the names.
///
/// Tree node: `TREE`, kind (0), level, number of children (2), two siblings, then keys and children in
/// turn. Symbol table node: `SNOD`, version 1, a reserved byte, number of entries (2), entries: offset
/// of the name in the heap, address of the object, what is cached (4), 4 reserved bytes, 16 bytes of
/// cache. Local heap: `HEAP`, version 0, 3 reserved bytes, size, free list, address of the data.
enum SymbolTable {
  /// The data of a local heap: names that end with NUL.
  private struct Heap {
    let bytes: [UInt8]
    /// The heap's range within `bytes`, and the offset of `bytes[0]` in the file.
    let range: Range<Int>
    let base: Int

    /// The range of the text at an offset of the heap.
    func text(at offset: Int, _ what: String) throws -> Range<Int> {
      if offset <= range.count {
        let start = range.lowerBound + offset
        var end = start
        while end < range.upperBound, bytes[end] != 0 { end += 1 }
        if end < range.upperBound { return start..<end }
      }
      throw IngotError(
        .malformed, "\(what) at \(offset) leaves its local heap of \(range.count) bytes",
        offset: base + range.lowerBound)
    }

    /// Whether one text comes before another in the order of bytes.
    func text(_ first: Range<Int>, precedes second: Range<Int>) -> Bool {
      for index in 0..<min(first.count, second.count) {
        let (one, other) = (bytes[first.lowerBound + index], bytes[second.lowerBound + index])
        if one != other { return one < other }
      }
      return first.count < second.count
    }
  }

  /// The links found so far, and where the name of the last one is.
  private struct Found {
    var links: [Link] = []
    var last: Range<Int>?
  }

  /// The links in the order of the tree, which is that of the names' bytes.
  static func links(
    _ view: FileView, tree: Int, heap: Int, _ superblock: Superblock
  ) throws -> [Link] {
    let names = try localHeap(view, at: heap)
    var found = Found()
    var stack: [(address: Int, level: Int?)] = [(tree, nil)]
    while let (address, level) = stack.popLast() {
      if level == -1 {
        try readNode(view, at: address, names, superblock, &found)
      } else {
        try readTree(view, at: address, level: level, superblock, &stack)
      }
    }
    return found.links
  }

  private static func localHeap(_ view: FileView, at address: Int) throws -> Heap {
    let widths = view.widths
    let headerSize = 8 + 2 * widths.length + widths.offset
    var header = try view.reader(at: address, count: headerSize, "a local heap")
    try header.signature("HEAP", "the local heap")
    try header.version(0, "local heap")
    try header.skip(3, "reserved bytes of a local heap")
    let size = try header.length(widths, "the size of a local heap")
    try header.skip(widths.length, "the free list of a local heap")
    let data = try header.definedAddress(widths, "the address of a local heap's data")
    let reader = try view.reader(at: data, count: size, "the data of a local heap")
    try view.claim(address, headerSize, .localHeap)
    try view.claim(data, size, .localHeap)
    return Heap(bytes: reader.bytes, range: reader.position..<reader.end, base: reader.base)
  }

  private static func readTree(
    _ view: FileView, at address: Int, level: Int?, _ superblock: Superblock,
    _ stack: inout [(address: Int, level: Int?)]
  ) throws {
    let widths = view.widths
    let headerSize = 8 + 2 * widths.offset
    var header = try view.reader(at: address, count: headerSize, "a group's B-tree")
    try header.signature("TREE", "the group's B-tree")
    let kind = try header.uint8("a B-tree's kind")
    guard kind == 0 else { throw header.failure("a group's B-tree of kind \(kind)") }
    let found = Int(try header.uint8("a B-tree's level"))
    guard found == level ?? found else {
      throw header.failure("a B-tree node of level \(found) where \(level ?? 0) is due")
    }
    let count = Int(try header.uint16("the number of children"))
    guard count <= 2 * superblock.groupInternalK else {
      throw header.failure("a B-tree node of \(count) children, above its size")
    }
    let bodySize = count * (widths.length + widths.offset) + widths.length
    var body = try view.reader(at: address + headerSize, count: bodySize, "a B-tree node")
    try view.claim(address, headerSize + bodySize, .treeNode)
    var children: [Int] = []
    for _ in 0..<count {
      try body.skip(widths.length, "a B-tree's key")
      children.append(try body.definedAddress(widths, "a B-tree's child"))
    }
    for child in children.reversed() { stack.append((child, found - 1)) }
  }

  private static func readNode(
    _ view: FileView, at address: Int, _ names: Heap, _ superblock: Superblock,
    _ found: inout Found
  ) throws {
    let widths = view.widths
    var header = try view.reader(at: address, count: 8, "a symbol table node")
    try header.signature("SNOD", "the symbol table node")
    try header.version(1, "symbol table node")
    try header.skip(1, "a reserved byte")
    let count = Int(try header.uint16("the number of symbols"))
    guard count <= 2 * superblock.groupLeafK else {
      throw header.failure("a symbol table node of \(count) entries, above its size")
    }
    let bodySize = count * (2 * widths.offset + 24)
    var body = try view.reader(at: address + 8, count: bodySize, "a symbol table node")
    try view.claim(address, 8 + bodySize, .symbolTable)
    for _ in 0..<count {
      let at = body.offset
      let nameOffset = try body.integer(width: widths.offset, "the offset of a name")
      let object = try body.address(widths, "the address of an object")
      let cached = try body.uint32("a symbol's cache")
      try body.skip(4, "reserved bytes of a symbol")
      // A soft link keeps the offset of its target in the first four of 16 bytes.
      let target = Int(try body.uint32("a symbol's cache"))
      try body.skip(12, "a symbol's cache")
      let range = try names.text(at: nameOffset, "a link's name")
      let name = try Link.checkedName(
        names.bytes[range], claimsUTF8: false, at: names.base + range.lowerBound)
      if cached == 2 {
        let text = names.bytes[try names.text(at: target, "a soft link")]
        throw Link.refusal(
          "a soft link", name: name, target: String(decoding: text, as: UTF8.self), at: at)
      }
      guard cached < 2, let object else {
        throw body.failure("the symbol '\(name.escapedForDisplay())' names no object", at: at)
      }
      // The tree is searched by name, so one out of order is one that is found or not by chance.
      if let last = found.last, !names.text(last, precedes: range) {
        throw body.failure("the link '\(name.escapedForDisplay())' is out of order", at: at)
      }
      found.last = range
      found.links.append(Link(name: name, address: object))
    }
  }
}
