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
    var names = try NameBudget(fileSize: fileSize)
    let visits = try tree.visits(&names, order: KerasLayout.ordered)
    var table = TensorTable()
    try add(tree.nodes[0].attributes, of: "", to: &table, &names)
    for visit in visits {
      try add(tree.nodes[visit.node].attributes, of: visit.path, to: &table, &names)
    }
    let datasets = DatasetInput(
      file: input.source, map: map, cache: BandCache(), options: input.options,
      hasBFloat16Policy: hasBFloat16Policy(table.metadata))
    var inOrder = visits
    if let ranks = try LegacyKerasOrder(tree)?.ranks(&names) {
      // Stable: whatever the names do not mention stays in the order of the file, after them.
      inOrder = visits.enumerated().sorted {
        (ranks[$0.element.path] ?? .max, $0.offset) < (ranks[$1.element.path] ?? .max, $1.offset)
      }.map(\.element)
    }
    var builder = TableBuilder(tree, visits, datasets, table)
    for visit in inOrder { try builder.add(visit) }
    table = builder.table
    if let text = table.metadata["@model_config"]?.string, KerasConfiguration(text).hasCode {
      table.notes.append(KerasConfiguration.codeNote)
    }
    return table
  }

  private func add(
    _ attributes: [Attribute], of path: ExactString, to table: inout TensorTable,
    _ names: inout NameBudget
  ) throws {
    for attribute in attributes {
      let key: ExactString = "\(path)@\(attribute.name)"
      try names.spend(key)
      // The path of one attribute and the name of another may hold an @ each and make the same key.
      guard let value = attribute.value, table.metadata[key] == nil else {
        table.others.append(
          OtherItem(
            name: key, type: "attribute", shape: nil,
            refusal: IngotError(
              .unsupported, "an attribute that has no text form", tensor: key)))
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
    return KerasConfiguration(text).hasBFloat16Policy
  }
}
