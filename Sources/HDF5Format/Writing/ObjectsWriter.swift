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

  private let tree: FileTree
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
    _ tree: FileTree, datasets: [DatasetStorage?], messages: [[[UInt8]]], at start: Int
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
