package import Tensors

/// Writes HDF5: plain trees and the layouts that Keras loads.
///
/// Plain: dataset path = tensor name. `FileTree` says how names become groups, `DatatypeEncoding` how
/// element types are stored, `AttributeContent` how metadata does, `FileImage` how it all lies in the file,
/// `LegacyKerasLayout` and `KerasWeightsLayout` what Keras expects beyond that.
package struct HDF5Writer {
  /// What it takes to write `table`.
  ///
  /// - Throws: `unsupported` listing every tensor, name or type that the file cannot hold.
  package static func plan(_ table: TensorTable, _ options: WriteOptions) throws -> WritePlan {
    try plan(table, options, chunkTarget: ChunkSplit.usualTarget)
  }

  /// The same with chunks of at most `chunkTarget` bytes.
  static func plan(
    _ table: TensorTable, _ options: WriteOptions, chunkTarget: Int
  ) throws -> WritePlan {
    var obstacles = Obstacles()
    var tree = FileTree(table, obstacles: &obstacles)
    var plan = WritePlan()
    let image: FileImage
    switch options.arrangement {
    case .plain:
      try obstacles.check("HDF5")
      tree.attach(table.metadata)
      tree.markTypes(of: table, .plain)
      image = FileImage(
        table, tree, options, base: 0, convention: .plain, chunkTarget: chunkTarget)
    case .keras where options.fileName.hasSuffix(".weights.h5"):
      image = try KerasWeightsLayout.image(table, &tree, &obstacles, options, base: 0)
    case .keras:
      let layout = LegacyKerasLayout(table, &obstacles)
      try obstacles.check("the legacy Keras layout")
      layout.attachMetadata(to: &tree)
      tree.markTypes(of: table, .plain)
      plan.droppedMetadata = layout.droppedMetadata
      image = FileImage(table, tree, options, base: 0, convention: .plain)
    }
    plan.parts = image.parts
    plan.droppedMetadata += tree.droppedMetadata
    if image.needsFinish { plan.finish = [image.finish] }
    return plan
  }
}
