package import Tensors

/// Reads HDF5 files: our own strict subset of the format, which is what h5py and Keras write.
///
/// Everything a file says is checked when it is opened, but for the indexes of chunks, which are read
/// when their dataset is: a file of 20,000 datasets opens in milliseconds. Nothing outside the file is
/// ever opened. What is legal and not read here is refused by name, never guessed.
///
/// Tensors are named by their dataset's path without the leading slash. Members of a group come in
/// creation order where the group keeps it, else by the bytes of their names; members of a Keras `vars`
/// group by number; the weights of a legacy Keras model as its `layer_names` and `weight_names` say,
/// before all else. An attribute becomes metadata under `path@attribute`; those of the root under
/// `@attribute`.
package struct HDF5Reader {
  /// Whether the first bytes of a file are those of HDF5, with or without a user block before it.
  package static func recognizes(_ beginning: [UInt8]) -> Bool {
    [0, 512, 1024, 2048].contains {
      beginning.count >= $0 + 8
        && beginning[$0..<$0 + 8].elementsEqual(Superblock.signature)
    }
  }

  /// Reads the structure of a file into a table of lazy tensors.
  package static func read(_ input: FormatInput) throws -> TensorTable {
    try open(input).table()
  }

  let input: FormatInput
  let tree: ObjectTree
  let map: FileMap

  /// Reads the objects of a file and checks that none overlap.
  static func open(_ input: FormatInput) throws -> HDF5Reader {
    let superblock = try Superblock.read(input.source)
    let view = FileView(input.source, superblock.widths)
    try view.claim(0, superblock.byteCount, .superblock)
    let tree = try ObjectTree.read(view, superblock)
    let map = FileMap(widths: superblock.widths, extents: try view.checkedExtents())
    return HDF5Reader(input: input, tree: tree, map: map)
  }

  private func table() throws -> TensorTable {
    let fileSize = input.source.byteCount
    let visits = try tree.visits(fileSize: fileSize, order: KerasLayout.ordered)
    var table = TensorTable()
    var leftOut = LeftOut()
    add(tree.nodes[0].attributes, of: "", to: &table, &leftOut)
    for visit in visits { add(tree.nodes[visit.node].attributes, of: visit.path, to: &table, &leftOut) }
    let datasets = DatasetInput(
      file: input.source, map: map, cache: BandCache(), options: input.options,
      hasBFloat16Policy: hasBFloat16Policy(table.metadata))
    var tensors = [Tensor?](repeating: nil, count: tree.nodes.count)
    var declared = 0
    let bound = try fileSize.multiplied(by: Limits.deflateRatio, "the size of the file")
    let ranks = try LegacyKerasOrder(tree)?.ranks(visits)
    var entries: [TensorTable.Entry] = []
    entries.reserveCapacity(visits.count)
    for visit in visits {
      guard case .dataset(let header) = tree.nodes[visit.node].content else { continue }
      if let known = tensors[visit.node] {
        entries.append(TensorTable.Entry(name: visit.path, tensor: known))
      } else {
        let node = tree.nodes[visit.node]
        let reading = try naming(tensor: visit.path) {
          try header.reading(
            visit.path, identity: node.address, node.attributes, datasets)
        }
        switch reading {
        case .tensor(let tensor):
          tensors[visit.node] = tensor
          entries.append(TensorTable.Entry(name: visit.path, tensor: tensor))
        case .other(let item):
          table.others.append(item)
          continue
        }
      }
      // What a file holds cannot inflate by more than this factor; a larger claim is a bomb.
      declared = try declared.adding(
        entries[entries.count - 1].tensor.byteCount, "the size of all datasets")
      guard declared <= bound else {
        throw IngotError(
          .limit,
          "datasets of \(declared) bytes and more in a file of \(fileSize), above \(Limits.deflateRatio) times its size",
          tensor: visit.path)
      }
    }
    if let ranks {
      // Stable: whatever the names do not mention stays in the order of the file, after them.
      entries = entries.enumerated().sorted {
        (ranks[$0.element.name] ?? .max, $0.offset) < (ranks[$1.element.name] ?? .max, $1.offset)
      }.map(\.element)
    }
    for entry in entries { try table.append(entry.name, entry.tensor) }
    if let note = leftOut.note { table.notes.append(note) }
    return table
  }

  private func add(
    _ attributes: [Attribute], of path: String, to table: inout TensorTable,
    _ leftOut: inout LeftOut
  ) {
    for attribute in attributes {
      let key = "\(path)@\(attribute.name)"
      guard let value = attribute.value, table.metadata[key] == nil else {
        leftOut.add(key)
        continue
      }
      table.metadata[key] = value
    }
  }

  /// Whether the model configuration asks for variables in bfloat16; looked up only where a dataset
  /// could mean it.
  private func hasBFloat16Policy(_ metadata: Metadata) -> Bool {
    let hasOpaquePairs = tree.nodes.contains {
      guard case .dataset(let header) = $0.content, case .opaque = header.type.kind else {
        return false
      }
      return header.type.size == 2
    }
    guard hasOpaquePairs, let text = metadata["@model_config"]?.string else { return false }
    return KerasConfiguration.hasBFloat16Policy(text)
  }
}

/// The attributes that metadata cannot hold.
private struct LeftOut {
  private var first: String?
  private var count = 0

  mutating func add(_ key: String) {
    first = first ?? key
    count += 1
  }

  var note: String? {
    first.map {
      let others = count > 1 ? " and \(count - 1) more" : ""
      return "attributes without a text form are left out: '\($0.escapedForDisplay())'\(others)"
    }
  }
}
