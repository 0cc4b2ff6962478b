public import Tensors

/// How files call a model's weights that name layers by their own names: Keras's legacy whole-model
/// files, which `model.save("model.h5")` writes.
///
/// Where Keras 3's `.weights.h5` has `layers/transformer_decoder/_self_attention_layer/query_dense/vars/0`,
/// they have `transformer_layer_0/self_attention/query/kernel`. A layer has a folder with its name; a
/// backbone inside a task has one for all its layers. Such names are read, never written.
public struct LayerNames: Sendable, Hashable {
  /// A layer, or as many as a loop has turns.
  public struct Layer: Sendable, Hashable {
    /// What the names of the convention begin with: `layers/transformer_decoder{layer:suffix}`.
    public var path: String
    /// Its own name: `transformer_layer_{layer}`.
    public var name: String
    /// What its parts are called where that is not their name in the path without `_`.
    public var parts: [String: String] = [:]
  }

  /// The layers of the model proper.
  public var layers: [Layer]
  /// The layers of spellings that are `isOuter`.
  public var outerLayers: [Layer] = []
  /// The folders of the model proper inside a larger one: `gpt2_backbone/`.
  public var prefixes: [ExactString] = []
  /// What the weight of a norm is called: `gamma`, or `scale`.
  public var scale = "gamma"
  /// Variables that a larger model shares with the model proper, and that lie there once more.
  public var copies: [String] = []
}

extension Convention {
  /// The same with the names of such files among the aliases.
  func readingLayerNames() -> Convention {
    guard let names = layerNames else { return self }
    var convention = self
    for index in spellings.indices {
      convention.spellings[index].aliases += names.aliases(of: spellings[index])
    }
    convention.buffers += names.copies.map { NameTemplate($0) }
    return convention
  }
}

extension LayerNames {
  fileprivate func aliases(of spelling: Spelling) -> [NameTemplate] {
    let text = spelling.name.text
    let known = spelling.isOuter ? outerLayers : layers
    guard let layer = known.first(where: { text.hasPrefix($0.path + "/") }) else { return [] }
    let parts = text.dropFirst(layer.path.count + 1).split(separator: "/").dropLast(2).map { part in
      let name = String(part.first == "_" ? part.dropFirst() : part)
      return layer.parts[name] ?? name
    }
    let path = ([layer.name] + parts + [variable(spelling.roles[0])]).joined(separator: "/")
    let inFolder = NameTemplate("\(layer.name)/\(path)")
    return spelling.isOuter ? [inFolder] : [inFolder, NameTemplate(path)]
  }

  /// What layers call the variable that is a weight.
  private func variable(_ role: String) -> String {
    let words = role.split(separator: ".").suffix(2)
    let isWeight = words.last == "weight"
    switch words.first {
    case "tokens", "positions", "types": return "embeddings"
    case "head": return isWeight ? "reverse_embeddings" : "output_bias"
    case let name? where name.hasSuffix("norm"): return isWeight ? scale : "beta"
    default: return isWeight ? "kernel" : "bias"
    }
  }
}
