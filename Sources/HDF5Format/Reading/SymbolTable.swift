internal import Tensors

/// The members of a group of the old kind: a B-tree of version 1 whose leaves point to symbol table
/// nodes, and a local heap with the names.
///
/// Tree node: `TREE`, kind (0), level, number of children (2), two siblings, then keys and children in
/// turn. Symbol table node: `SNOD`, version 1, a reserved byte, number of entries (2), entries: offset
/// of the name in the heap, address of the object, what is cached (4), 4 reserved bytes, 16 bytes of
/// cache. Local heap: `HEAP`, version 0, 3 reserved bytes, size, free list, address of the data.
///
/// Names are in the order of their bytes, and a tree's keys say between which names those below a child lie:
/// a library that looks one up finds nothing where they lie elsewhere. Nodes have room for as many entries as
/// the superblock says.
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

    /// Whether a text lies within bounds.
    func text(_ text: Range<Int>, isWithin bounds: Bounds) -> Bool {
      bounds.lower.map { self.text($0, precedes: text) } ?? true
        && bounds.upper.map { !self.text($0, precedes: text) } ?? true
    }

    /// What lies within bounds and between two keys.
    func bounds(
      _ outer: Bounds, within lower: Range<Int>, and upper: Range<Int>
    ) -> Bounds {
      var bounds = Bounds(lower: lower, upper: upper)
      if let other = outer.lower, text(lower, precedes: other) { bounds.lower = other }
      if let other = outer.upper, text(other, precedes: upper) { bounds.upper = other }
      return bounds
    }
  }

  /// Where the names of a part of the tree lie: behind one key, and not behind the other.
  private struct Bounds {
    var lower: Range<Int>?
    var upper: Range<Int>?
  }

  /// A node to be read: of the tree, or (level -1) of symbols.
  private struct Node {
    let address: Int
    /// Nil for the root, which says itself.
    let level: Int?
    let bounds: Bounds
  }

  /// The links found so far, where the name of the last one is, and what the last node of each level of the
  /// tree says of its neighbour.
  private struct Found {
    var links: [Link] = []
    var last: Range<Int>?
    var rightmost: [Int: (address: Int, sibling: Int?)] = [:]
  }

  /// The links in the order of the tree, which is that of the names' bytes.
  static func links(
    _ view: FileView, tree: Int, heap: Int, _ superblock: Superblock
  ) throws -> [Link] {
    let names = try localHeap(view, at: heap)
    var found = Found()
    var stack = [Node(address: tree, level: nil, bounds: Bounds())]
    while let node = stack.popLast() {
      if node.level == -1 {
        try readSymbols(view, node, names, superblock, &found)
      } else {
        stack += try children(view, node, names, superblock, &found)
      }
    }
    for last in found.rightmost.values where last.sibling != nil {
      throw siblings(of: last.address)
    }
    return found.links
  }

  private static func localHeap(_ view: FileView, at address: Int) throws -> Heap {
    let widths = view.widths
    let headerSize = 8 + 2 * widths.length + widths.offset
    var header = try view.reader(at: address, atLeast: headerSize, "a local heap")
    try header.signature("HEAP", "the local heap")
    try header.version(0, "local heap")
    try header.skip(3, "reserved bytes of a local heap")
    let size = try header.length(widths, "the size of a local heap")
    let free = try header.length(widths, "the free list of a local heap")
    let data = try header.definedAddress(widths, "the address of a local heap's data")
    let reader = try view.reader(at: data, count: size, "the data of a local heap")
    try checkFreeList(from: free, reader, widths)
    try view.claim(address, headerSize, .localHeap)
    try view.claim(data, size, .localHeap)
    return Heap(bytes: reader.bytes, range: reader.position..<reader.end, base: reader.base)
  }

  /// Follows what is free in a heap: each block begins with the offset of the next, or 1, and its own size.
  private static func checkFreeList(
    from first: Int, _ data: ByteReader, _ widths: FieldWidths
  ) throws {
    let size = data.remaining
    var next = first
    // Each has room for its two numbers: where there are more than fit, they go round.
    var blocks = size / (2 * widths.length)
    while next != 1 {
      guard blocks > 0, next <= size else {
        throw data.failure("the free list of a local heap leaves it or loops")
      }
      blocks -= 1
      var block = data
      try block.skip(next, "a free block of a local heap")
      let following = try block.length(widths, "the next free block of a local heap")
      let count = try block.length(widths, "the size of a free block")
      guard count > 0, count <= size - next else {
        throw data.failure("a free block of \(count) bytes in a local heap of \(size)")
      }
      next = following
    }
  }

  private static func siblings(of address: Int) -> IngotError {
    IngotError(
      .malformed, "a B-tree node's siblings are not the nodes beside it", offset: address)
  }

  /// The nodes below a node of the tree, the first one last.
  private static func children(
    _ view: FileView, _ node: Node, _ names: Heap, _ superblock: Superblock, _ found: inout Found
  ) throws -> [Node] {
    let (address, level) = (node.address, node.level)
    let widths = view.widths
    let headerSize = 8 + 2 * widths.offset
    var header = try view.reader(at: address, atLeast: headerSize, "a group's B-tree")
    try header.signature("TREE", "the group's B-tree")
    let kind = try header.uint8("a B-tree's kind")
    guard kind == 0 else { throw header.failure("a group's B-tree of kind \(kind)") }
    let ownLevel = Int(try header.uint8("a B-tree's level"))
    guard ownLevel == level ?? ownLevel else {
      throw header.failure("a B-tree node of level \(ownLevel) where \(level ?? 0) is due")
    }
    let count = Int(try header.uint16("the number of children"))
    let capacity = 2 * superblock.groupInternalK
    guard count <= capacity else {
      throw header.failure("a B-tree node of \(count) children, above its size")
    }
    let left = try header.address(widths, "a B-tree node's left sibling")
    let right = try header.address(widths, "a B-tree node's right sibling")
    let before = found.rightmost.updateValue((address, right), forKey: ownLevel)
    guard left == before?.address, before == nil || before?.sibling == address else {
      throw siblings(of: address)
    }
    let bodySize = capacity * (widths.length + widths.offset) + widths.length
    var body = try view.body(of: &header, count: bodySize, "a B-tree node")
    try view.claim(address, headerSize + bodySize, .treeNode)
    var children: [Node] = []
    guard count > 0 else { return children }
    func key() throws -> Range<Int> {
      try names.text(
        at: try body.integer(width: widths.length, "a B-tree's key"), "a B-tree's key")
    }
    var lower = try key()
    for _ in 0..<count {
      let child = try body.definedAddress(widths, "a B-tree's child")
      let upper = try key()
      children.append(
        Node(
          address: child, level: ownLevel - 1,
          bounds: names.bounds(node.bounds, within: lower, and: upper)))
      lower = upper
    }
    return children.reversed()
  }

  private static func readSymbols(
    _ view: FileView, _ node: Node, _ names: Heap, _ superblock: Superblock,
    _ found: inout Found
  ) throws {
    let address = node.address
    let widths = view.widths
    var header = try view.reader(at: address, atLeast: 8, "a symbol table node")
    try header.signature("SNOD", "the symbol table node")
    try header.version(1, "symbol table node")
    try header.skip(1, "a reserved byte")
    let count = Int(try header.uint16("the number of symbols"))
    let capacity = 2 * superblock.groupLeafK
    guard count <= capacity else {
      throw header.failure("a symbol table node of \(count) entries, above its size")
    }
    let bodySize = capacity * (2 * widths.offset + 24)
    var body = try view.body(of: &header, count: bodySize, "a symbol table node")
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
      guard names.text(range, isWithin: node.bounds) else {
        throw body.failure(
          "the link '\(name.escapedForDisplay())' lies outside of its node's keys", at: at)
      }
      found.last = range
      found.links.append(Link(name: name, address: object))
    }
  }
}
