internal import Tensors

/// Keras 3's `.weights.h5`: the variables of each layer are datasets in its group's `vars`
/// (`layers/dense_1/vars/0`).
///
/// Keras finds them by the path of attributes that leads to the layer, so that names must be what Keras
/// itself stored. It marks bfloat16 by an attribute, because h5py stores NumPy's bfloat16 as opaque bytes.
enum KerasWeightsLayout {
  /// The attribute by which Keras tells bfloat16 from other opaque bytes.
  static let typeAttribute = "dtype"

  /// The file as an image, after its names were checked.
  ///
  /// - Throws: `unsupported` with the names that Keras would not look for, and with `obstacles`.
  static func image(
    _ table: TensorTable, _ tree: inout OutputTree, _ obstacles: inout Obstacles,
    _ options: WriteOptions, base: Int
  ) throws -> FileImage {
    for entry in table.entries where !entry.name.split(separator: "/").dropLast().contains("vars") {
      obstacles.add(entry.name, "Keras 3 keeps variables in groups called vars")
    }
    try obstacles.check("the Keras 3 layout")
    tree.attach(table.metadata)
    tree.mark(typeAttribute, .init(text: ElementType.bfloat16.name)) { tensor in
      table.entries[tensor].tensor.elementType == .bfloat16
    }
    return FileImage(table, tree, options, base: base) { type in
      type == .bfloat16 ? DatatypeEncoding.opaque(size: 2) : DatatypeEncoding.message(of: type)
    }
  }
}
