internal import Tensors

/// What a walk through the operations knows beyond the list of weights: which turns of loops are
/// transformer layers, also where they share weights, and how many experts a token uses.
struct LayerSurvey {
  /// The paths of the layers, `layers.3`; one empty path for a model without loops.
  private(set) var layers: Set<String> = []
  /// How many experts are active, by the path of their group.
  private var activeExperts: [String: Int] = [:]
  private let fewestActive: Int
  private let mostActive: Int

  init(_ model: Model) throws {
    var layers: Set<String> = []
    var outside = false
    var activeExperts: [String: Int] = [:]
    try model.scope.walk(model.architecture.steps) { visit, scope in
      guard case .operation(let operation) = visit else { return }
      let content = operation.content
      if content.isOfLayer {
        if let layer = scope.layer { layers.insert(layer) } else { outside = true }
      }
      if let inner = content.inner {
        let (active, count) = (
          try scope.environment.count(inner.active), try scope.environment.count(inner.count)
        )
        let path = (scope.path + [inner.name]).joined(separator: ".")
        guard active <= count else {
          throw IngotError(.malformed, "\(path): \(active) active experts of \(count)")
        }
        activeExperts[path] = active
      }
    }
    self.layers = layers.isEmpty && outside ? [""] : layers
    self.activeExperts = activeExperts
    fewestActive = activeExperts.values.min() ?? 0
    mostActive = activeExperts.values.max() ?? .max
  }

  /// The layer that a weight belongs to, or nil where it lies outside of layers.
  func layer(of weight: ModelWeight) -> String? {
    let layer = weight.layer ?? ""
    return layers.contains(layer) ? layer : nil
  }

  /// Whether it belongs to an expert that a token does not use; which ones it uses differs from token
  /// to token, so that all but the first so many stand for the idle ones.
  func isIdle(_ weight: ModelWeight) -> Bool {
    guard let expert = weight.expert else { return false }
    // Mostly all groups are alike, and no name must be taken apart.
    if expert < fewestActive { return false }
    if expert >= mostActive { return true }
    let pattern = weight.pattern.split(separator: ".")
    guard let position = pattern.firstIndex(of: "{expert}") else { return false }
    let path = weight.role.split(separator: ".").prefix(position).joined(separator: ".")
    return expert >= activeExperts[path] ?? .max
  }
}

extension Weight.Purpose {
  /// Whether such matrices make a transformer layer.
  var isOfLayer: Bool {
    switch self {
    case .query, .key, .value, .attentionOutput, .feedForwardUp, .feedForwardGate,
      .feedForwardDown:
      true
    case .tokenEmbedding, .positionEmbedding, .typeEmbedding, .classToken, .patchEmbedding,
      .convolution, .embeddingProjection, .relativePositions, .router, .norm, .pooler,
      .headTransform, .head,
      .classifier, .other:
      false
    }
  }
}
