internal import Tensors

/// A member of a group.
struct Symbol {
  let name: [UInt8]
  let header: Int
  /// For a group: what readers may go to without its header.
  let group: ObjectsWriter.GroupAddresses?

  /// The entry in a symbol table node, or in the superblock for the root: offset of the name, address of
  /// the header (8 each), what is cached (4), 4 reserved bytes, and for a group the addresses of its tree
  /// and names.
  func append(to writer: inout ByteWriter, nameOffset: Int) {
    writer.append(nameOffset, width: 8)
    writer.append(address: header)
    writer.append(group == nil ? 0 : 1, width: 4)
    writer.append(0, width: 4)
    writer.append(group?.tree ?? 0, width: 8)
    writer.append(group?.names ?? 0, width: 8)
  }
}

/// The members of a group as written: a local heap with their names, symbol table nodes (`SNOD`, version
/// 1, a reserved byte, number of entries (2), room for all entries a node may have) and a B-tree over them.
///
/// Local heap: `HEAP`, version 0, 3 reserved bytes, size, free list (1: none), address of the data, which
/// follows: names with their NUL, padded to 8 bytes, the first one empty for the leftmost key of the tree.
struct SymbolTableWriter {
  /// Half of what a node holds, as superblock version 0 states it.
  static let half = 4
  private static let capacity = 2 * half
  private static let entrySize = 40

  private let symbols: [Symbol]
  private var names = ByteWriter()
  private var nameOffsets: [Int] = []

  /// - Parameter symbols: The members in the order of their names' bytes.
  init(_ symbols: [Symbol]) {
    self.symbols = symbols
    names.append(paddedName: [])
    for symbol in symbols {
      nameOffsets.append(names.count)
      names.append(paddedName: symbol.name)
    }
  }

  /// Appends everything and returns where the tree and the names begin.
  func append(to writer: inout ByteWriter, base: Int) -> (tree: Int, names: Int) {
    let heap = base + writer.count
    writer.append("HEAP")
    writer.append(0, width: 4)
    writer.append(names.count, width: 8)
    writer.append(1, width: 8)
    writer.append(address: heap + 32)
    writer.append(contentsOf: names.bytes)
    var nodes: [Int] = []
    for start in stride(from: 0, to: symbols.count, by: Self.capacity) {
      let range = start..<min(start + Self.capacity, symbols.count)
      nodes.append(base + writer.count)
      let end = writer.count + 8 + Self.capacity * Self.entrySize
      writer.append("SNOD")
      writer.append(contentsOf: [1, 0])
      writer.append(range.count, width: 2)
      for index in range { symbols[index].append(to: &writer, nameOffset: nameOffsets[index]) }
      writer.pad(to: end)
    }
    // The key behind a node is the last name in it.
    let tree = BTreeWriter(kind: .group, keySize: 8).append(
      to: &writer, base: base, children: nodes
    ) { index, writer in
      let last = min(index * Self.capacity, symbols.count) - 1
      writer.append(index == 0 ? 0 : nameOffsets[last], width: 8)
    }
    return (tree, heap)
  }
}
