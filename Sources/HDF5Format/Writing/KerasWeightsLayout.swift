internal import Tensors

/// Keras 3's `.weights.h5`: the variables of each layer are datasets in its group's `vars`
/// (`layers/dense_1/vars/0`).
///
/// Keras finds them by the path of attributes that leads to the layer, so that names must be what Keras
/// itself stored.
enum KerasWeightsLayout {
  /// The file as an image, after its names were checked.
  ///
  /// - Throws: `unsupported` with the names that Keras would not look for, and with `obstacles`.
  static func image(
    _ table: TensorTable, _ tree: inout FileTree, _ obstacles: inout Obstacles,
    _ options: WriteOptions, base: Int
  ) throws -> FileImage {
    for entry in table.entries where !entry.name.split(separator: "/").dropLast().contains("vars") {
      obstacles.add(entry.name, "Keras 3 keeps variables in groups called vars")
    }
    try obstacles.check("the Keras 3 layout")
    // Keras 2.13 to 2.15 ask for the model's own variables without looking whether there are any.
    tree.addGroup("vars")
    tree.attach(table.metadata)
    tree.markTypes(of: table, .keras)
    return FileImage(table, tree, options, base: base, convention: .keras)
  }
}
