internal import Tensors

/// Keras's older HDF5 layout, which loads by position.
///
/// There is a group per layer, whose attribute `weight_names` lists its datasets, and `layer_names` with
/// the order of the layers. A whole model has them in `model_weights`, beside
/// `optimizer_weights` and the root's attributes `model_config` and `training_config`; a weights-only file
/// has them at the root.
///
/// Keras assigns weights by position, so that both lists must be in the table's metadata and agree with its
/// names; an order made up here could swap gamma and beta without anyone noticing.
///
/// The lists are written with texts of one length, which h5py hands out as bytes: old versions of Keras call
/// `decode` on each name, new ones take either. bfloat16 is written as a float, which Keras reads; the opaque bytes that
/// it writes itself it cannot load in this layout.
struct LegacyKerasLayout {
  /// What Keras puts into one attribute at most.
  private static let attributeLimit = 64_512
  private static let layerList: ExactString = "layer_names"
  private static let weightList: ExactString = "weight_names"
  private static let optimizer: ExactString = "optimizer_weights"
  private static let topLevel: ExactString = "top_level_model_weights"

  private struct List {
    let group: ExactString
    let attribute: ExactString
    let names: [ExactString]
  }

  private var lists: [List] = []
  /// The metadata that becomes attributes as it is.
  private var metadata: Metadata
  /// The keys about an optimizer whose weights are not in the table.
  private(set) var droppedMetadata: [ExactString] = []

  /// Compares the lists in the metadata with the names of `table`.
  init(_ table: TensorTable, _ obstacles: inout Obstacles) {
    metadata = table.metadata
    let isWholeModel = table.metadata["@model_config"] != nil
    let weights: ExactString = isWholeModel ? "model_weights" : ""
    var expected: [ExactString: ExactString] = [:]
    if let layers = takeList(Self.layerList, of: weights) {
      for layer in layers + [Self.topLevel] {
        let group = Self.path(weights, layer)
        guard let names = takeList(Self.weightList, of: group) else {
          if layer != Self.topLevel {
            obstacles.add(group, "the metadata lacks its list \(Self.weightList)")
          }
          continue
        }
        for name in names { expected[Self.path(group, name)] = group }
      }
    } else {
      obstacles.add(
        "tensors without the order of their layers: the metadata lacks '\(weights)@\(Self.layerList)'"
      )
    }
    if isWholeModel { takeOptimizer(table, &expected) }
    for entry in table.entries where expected.removeValue(forKey: entry.name) == nil {
      obstacles.add(entry.name, "no list of layers and weights names it")
    }
    for (name, group) in expected.sorted(by: { $0.key < $1.key }) {
      obstacles.add(name, "listed by '\(group)', not among the tensors")
    }
    for list in lists where list.names.contains(where: { $0.utf8.count > Self.attributeLimit }) {
      obstacles.add(list.group, "a name above \(Self.attributeLimit) bytes")
    }
  }

  /// An optimizer's weights are written if the table has any; it may have been left out by choice.
  private mutating func takeOptimizer(
    _ table: TensorTable, _ expected: inout [ExactString: ExactString]
  ) {
    let prefix = Self.optimizer + "/"
    if table.entries.contains(where: { $0.name.hasPrefix(prefix) }) {
      for name in takeList(Self.weightList, of: Self.optimizer) ?? [] {
        expected[Self.path(Self.optimizer, name)] = Self.optimizer
      }
      return
    }
    for (key, _) in metadata.sorted
    where key.hasPrefix(prefix) || key.hasPrefix(Self.optimizer + "@") {
      metadata[key] = nil
      droppedMetadata.append(key)
    }
  }

  private static func path(_ group: ExactString, _ name: ExactString) -> ExactString {
    group.isEmpty ? name : group + "/" + name
  }

  /// Takes a list out of the metadata, where it may be in numbered parts; nil where it is absent or no
  /// list of texts.
  private mutating func takeList(_ attribute: ExactString, of group: ExactString) -> [ExactString]?
  {
    func take(_ key: ExactString) -> [ExactString]? {
      guard let elements = metadata[key]?.array else { return nil }
      let names = elements.compactMap(\.string)
      guard names.count == elements.count else { return nil }
      metadata[key] = nil
      return names
    }
    let key: ExactString = "\(group)@\(attribute)"
    var names = take(key)
    var part = 0
    while names == nil || part > 0, let more = take("\(key)\(part)") {
      names = (names ?? []) + more
      part += 1
    }
    guard let names else { return nil }
    lists.append(List(group: group, attribute: attribute, names: names))
    return names
  }

  /// Attaches the lists and all other metadata.
  func attachMetadata(to tree: inout FileTree) {
    tree.attach(metadata)
    for list in lists {
      let parts = Self.parts(of: list.names)
      for (index, part) in parts.enumerated() {
        let attribute = parts.count == 1 ? list.attribute : "\(list.attribute)\(index)"
        tree.attach(attribute, AttributeContent(paddedTexts: Array(part)), toGroup: list.group)
      }
    }
  }

  /// Cuts a list as Keras does with `numpy.array_split`.
  ///
  /// There are as few parts as keep each below the limit; their sizes differ by one at most, the longer
  /// ones first. A text takes the room of the longest.
  static func parts(of names: [ExactString]) -> [ArraySlice<ExactString>] {
    let perPart = attributeLimit / AttributeContent.width(of: names)
    guard names.count > perPart, perPart > 0 else { return [names[...]] }
    let count = (names.count - 1) / perPart + 1
    let (size, longer) = names.count.quotientAndRemainder(dividingBy: count)
    return (0..<count).map { part in
      let start = part * size + min(part, longer)
      return names[start..<start + size + (part < longer ? 1 : 0)]
    }
  }
}
