internal import Tensors

/// Which layers have a window, layer by layer.
extension LlamaKin {
  /// The window of a layer: where the configuration lists the kinds of layers, that of the listed ones,
  /// else of those for which `rule` holds.
  static func window(_ window: String, when rule: String) -> Expression {
    "(listed_layers > 0 ? layer_windows[layer] == 1 : \(rule)) ? (\(window)) : 0".expression
  }
}

extension Parameter {
  /// How many layers the configuration lists, and for each of them 1 where it has the window.
  static let layerWindows: [Parameter] = [
    .count("listed_layers", default: 0, minimum: 0),
    Parameter("layer_windows", .counts, minimum: 0),
  ]
}

extension Dialect.Key {
  static let listedLayers: Dialect.Key = .key("listed_layers", "layer_types.#")
  static let layerWindows: Dialect.Key = .key(
    "layer_windows", "layer_types",
    meaning: ["sliding_attention": .integer(1), "full_attention": .integer(0)])
}

extension Architecture.Requirement {
  /// A list of layers is of all layers.
  static let listsEveryLayer = Architecture.Requirement(
    condition: "listed_layers == 0 || listed_layers == layers",
    message: "'layer_windows' is not of as many layers as there are")
}
