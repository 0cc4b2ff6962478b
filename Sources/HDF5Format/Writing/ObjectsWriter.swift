internal import Tensors

/// The headers of all objects of a file, each group behind its members, so that every address is known
/// when it is written.
struct ObjectsWriter {
  /// The parts of a group.
  struct GroupAddresses {
    let header: Int
    let names: Int
    let tree: Int
  }

  private let tree: OutputTree
  private let datasets: [DatasetStorage?]
  private let messages: [[[UInt8]]]
  /// The address of the first byte of `writer`.
  private let start: Int
  private(set) var writer = ByteWriter()
  /// Where in the file the address of each tensor's data is stored.
  private(set) var dataFields: [Int: Int] = [:]
  private var written: [Int: Int] = [:]

  /// - Parameters:
  ///   - datasets: How each tensor is stored, by its number; nil for an alias.
  ///   - messages: The attribute messages of each object.
  init(
    _ tree: OutputTree, datasets: [DatasetStorage?], messages: [[[UInt8]]], at start: Int
  ) {
    self.tree = tree
    self.datasets = datasets
    self.messages = messages
    self.start = start
  }

  /// Fills in an address that was not known when its header was written.
  mutating func patch(_ address: Int, at field: Int) {
    writer.patch(UInt64(address), width: 8, at: field - start)
  }

  /// Writes a group behind everything in it.
  ///
  /// The tree is at most `Limits.depth` deep.
  mutating func writeGroup(_ number: Int) -> GroupAddresses {
    let group = tree.objects[number]
    let members = group.members.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    var symbols: [Symbol] = []
    symbols.reserveCapacity(members.count)
    for (name, member) in members {
      if tree.objects[member].tensor == nil {
        let addresses = writeGroup(member)
        symbols.append(Symbol(name: name, header: addresses.header, group: addresses))
      } else {
        symbols.append(Symbol(name: name, header: writeDataset(member), group: nil))
      }
    }
    let table = SymbolTableWriter(symbols)
    let (treeAddress, namesAddress) = table.append(to: &writer, base: start)
    var header = ObjectHeaderWriter()
    var message = ByteWriter()
    message.append(address: treeAddress)
    message.append(address: namesAddress)
    header.append(.symbolTable, message.bytes)
    return GroupAddresses(
      header: append(&header, of: number), names: namesAddress, tree: treeAddress)
  }

  private mutating func append(_ header: inout ObjectHeaderWriter, of number: Int) -> Int {
    for message in messages[number] { header.append(.attribute, message) }
    let address = start + writer.count
    writer.append(contentsOf: header.bytes(linkCount: tree.objects[number].linkCount))
    return address
  }

  /// Writes the header of a dataset, once for all its names.
  private mutating func writeDataset(_ number: Int) -> Int {
    if let address = written[number] { return address }
    guard let tensor = tree.objects[number].tensor, let storage = datasets[tensor] else {
      preconditionFailure("an object that is neither a group nor a dataset")
    }
    var header = ObjectHeaderWriter()
    // First, so that its address field lies at a fixed place.
    header.append(.layout, storage.layoutMessage)
    header.append(.dataspace, DataspaceEncoding.message(storage.dimensions))
    header.append(.datatype, storage.datatype, isConstant: true)
    header.append(.fillValue, storage.fillValueMessage, isConstant: true)
    if let chunks = storage.chunks {
      header.append(.filters, chunks.filterMessage, isConstant: true)
    }
    let address = append(&header, of: number)
    dataFields[tensor] = address + ObjectHeaderWriter.firstMessageOffset + storage.addressOffset
    written[number] = address
    return address
  }
}

/// How a dataset lies in the file.
struct DatasetStorage {
  let dimensions: [Int]
  let datatype: [UInt8]
  let byteCount: Int
  /// Nil where the elements lie in one stretch.
  let chunks: ChunkSplit?

  /// The layout message; contiguous is version 3, class 1, address (undefined without data), size (8 each).
  var layoutMessage: [UInt8] {
    if let chunks { return chunks.layoutMessage }
    var writer = ByteWriter()
    writer.append(contentsOf: [3, 1])
    writer.append(address: nil)
    writer.append(byteCount, width: 8)
    return writer.bytes
  }

  var addressOffset: Int { chunks == nil ? 2 : ChunkSplit.addressOffset }

  /// The fill value message: version 2, when space is allocated (2: late, 3: chunk by chunk), when it is
  /// filled (2: if a value was set), defined as the default: zero bytes of value.
  var fillValueMessage: [UInt8] { [2, chunks == nil ? 2 : 3, 2, 1, 0, 0, 0, 0] }
}

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
private struct SymbolTableWriter {
  /// Half of what a node holds; superblock version 0 states it.
  private static let capacity = 2 * FileImage.symbolHalf
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
