internal import Tensors

/// The estimate 12·l·d² beside the exact count, with every term of the difference named.
///
/// A layer of the estimate has four d × d matrices of attention and two of d × 4d: nothing else.
/// Every weight outside the embeddings is put to its account: it fills a place of the estimate, and
/// what it has more or less is a term, or it is a term as a whole. So the terms add up by construction;
/// `unexplained` is computed from the sums alone all the same, and is 0 unless a description has
/// weights of purpose `other`.
public struct EstimateAccount: Sendable, Hashable {
  /// What makes a model differ from 12·l·d².
  public enum Term: String, Sendable, Hashable, CaseIterable {
    case biases
    case norms
    case crossAttention = "cross_attention"
    case attentionWidth = "attention_width"
    case keyHeads = "key_value_heads"
    case factoredProjections = "factored_projections"
    case noAttention = "no_attention"
    case moreAttention = "more_attention"
    case feedForwardWidth = "feed_forward_width"
    case gates
    case noFeedForward = "no_feed_forward"
    case experts
    case sharedExperts = "shared_experts"
    case router
    case relativePositions = "relative_positions"
    case sharedLayers = "shared_layers"
    case outsideLayers = "outside_layers"
    case embeddingProjection = "embedding_projection"
    case patches
    case convolutions
    case classToken = "class_token"
    case pooler
    case headTransform = "head_transform"
    case untiedHead = "untied_head"
    case headBias = "head_bias"
    case classifier
  }

  /// A term and what it adds to the estimate.
  public struct Entry: Sendable, Hashable {
    /// What it is.
    public let term: Term
    /// Its elements; negative where the model has fewer.
    public let elements: Int
  }

  /// The formula.
  public static let formula = "12*l*d^2"

  /// l: the layers of all stacks; those that share weights count each time.
  public let layers: Int
  /// d: the width.
  public let width: Int
  /// 12·l·d².
  public let value: Int
  /// The exact count that it estimates.
  public let nonEmbedding: Int
  /// The terms of the difference that are not 0.
  public let explained: [Entry]
  /// What no term names.
  public let unexplained: Int
  /// The patterns of the roles that no term names.
  public let unexplainedRoles: [String]
  /// The matrices of one layer in units of d², on average.
  public let matricesPerLayer: Double
  /// The biases and norms of one layer in units of d, on average.
  public let vectorsPerLayer: Double
  /// Whether all layers are of one size.
  public let isUniform: Bool

  /// The estimate as a share of the exact count; nil where that is 0.
  public var ratio: Double? {
    nonEmbedding == 0 ? nil : Double(value) / Double(nonEmbedding)
  }

  /// Makes up the account; nil for a model without transformer layers.
  ///
  /// - Throws: `malformed` where a number exceeds 2^63.
  public init?(_ model: Model, _ counts: ParameterCounts) throws {
    let survey = try LayerSurvey(model)
    guard !survey.layers.isEmpty, let width = try Self.width(of: model) else { return nil }
    let square = try width.multiplied(by: width, "d²")
    let layers = survey.layers.count
    let value = try square.multiplied(by: 12, "12·l·d²").multiplied(by: layers, "12·l·d²")
    var ledger = Ledger(width: width, square: square)
    for weight in model.weights
    where weight.tiedTo == nil && !weight.isEmbedding && !weight.weight.isBuffer {
      try ledger.enter(weight, layer: survey.layer(of: weight))
    }
    try ledger.close(layers: layers)
    self.layers = layers
    self.width = width
    self.value = value
    nonEmbedding = counts.nonEmbedding
    explained = Term.allCases.compactMap { term in
      guard let elements = ledger.terms[term], elements != 0 else { return nil }
      return Entry(term: term, elements: elements)
    }
    // Wrapping, because a sum on the way may exceed 2^63 where the result does not.
    unexplained = nonEmbedding - value &- explained.reduce(0) { $0 &+ $1.elements }
    unexplainedRoles = ledger.strangers
    let owners = Double(max(ledger.owners, 1))
    matricesPerLayer = Double(ledger.matrices) / owners / Double(max(square, 1))
    vectorsPerLayer = Double(ledger.vectors) / owners / Double(max(width, 1))
    isUniform = ledger.isUniform
  }

  /// d: the parameter `width`, or the width that layers read where a user's description has none.
  private static func width(of model: Model) throws -> Int? {
    if model.architecture[parameter: "width"] != nil {
      return try model.environment.count("width")
    }
    return model.weights.first { $0.isMatrix && $0.weight.purpose.isOfLayer }?.shape.dimensions.last
  }
}

/// Puts weights to their account.
private struct Ledger {
  let width: Int
  let square: Int
  private(set) var terms: [EstimateAccount.Term: Int] = [:]
  private(set) var strangers: [String] = []
  /// Matrices of layers, and their biases and norms.
  private(set) var matrices = 0
  private(set) var vectors = 0
  private var places = Groups<Places>()

  init(width: Int, square: Int) {
    self.width = width
    self.square = square
  }

  /// The layers that have weights of their own.
  var owners: Int { places.names.count }
  /// Whether all layers have the same number of elements.
  var isUniform: Bool { Set(places.values.map(\.elements)).count <= 1 }

  /// What fills the places of the estimate in one layer.
  private struct Places {
    /// The attention matrices by block, in the order of blocks.
    var attention: [(block: String, matrices: [Weight.Purpose: [Int]])] = []
    /// Whether queries, keys or values are not made of the layer's input directly.
    var isFactored = false
    var dense = FeedForward()
    var firstExpert = FeedForward()
    var hasExperts = false
    var elements = 0

    mutating func enter(_ purpose: Weight.Purpose, _ elements: Int, block: String) {
      if let index = attention.firstIndex(where: { $0.block == block }) {
        attention[index].matrices[purpose, default: []].append(elements)
      } else {
        attention.append((block, [purpose: [elements]]))
      }
    }
  }

  private struct FeedForward {
    /// Up and down.
    var plain = 0
    var gate = 0
    var isEmpty: Bool { plain == 0 && gate == 0 }

    mutating func enter(_ elements: Int, isGate: Bool) {
      if isGate { gate += elements } else { plain += elements }
    }
  }

  private mutating func add(_ term: EstimateAccount.Term, _ elements: Int) throws {
    terms[term] = try (terms[term] ?? 0).adding(elements, "the term '\(term.rawValue)'")
  }

  mutating func enter(_ weight: ModelWeight, layer: String?) throws {
    let elements = weight.shape.elementCount
    let purpose = weight.weight.purpose
    if let layer {
      places[layer, default: Places()].elements += elements
      if weight.isMatrix { matrices += elements } else { vectors += elements }
    }
    switch purpose {
    case .tokenEmbedding, .positionEmbedding, .typeEmbedding: break
    case .norm: try add(.norms, elements)
    case .classToken: try add(.classToken, elements)
    case .patchEmbedding: try add(.patches, elements)
    case .convolution: try add(.convolutions, elements)
    case .embeddingProjection: try add(.embeddingProjection, elements)
    case .relativePositions: try add(.relativePositions, elements)
    case .router: try add(.router, elements)
    case .pooler: try add(.pooler, elements)
    case .headTransform: try add(.headTransform, elements)
    case .head: try add(weight.isMatrix ? .untiedHead : .headBias, elements)
    case .classifier: try add(.classifier, elements)
    case .other:
      if !strangers.contains(weight.pattern) { strangers.append(weight.pattern) }
    case .query, .key, .value, .attentionOutput:
      guard weight.isMatrix else { return try add(.biases, elements) }
      guard let layer else { return try add(.outsideLayers, elements) }
      guard weight.component != .crossAttention else { return try add(.crossAttention, elements) }
      places[layer, default: Places()].enter(purpose, elements, block: Self.block(of: weight))
      if purpose != .attentionOutput, weight.shape.dimensions.last != width {
        places[layer, default: Places()].isFactored = true
      }
    case .feedForwardUp, .feedForwardGate, .feedForwardDown:
      guard weight.isMatrix else { return try add(.biases, elements) }
      guard let layer else { return try add(.outsideLayers, elements) }
      let isGate = purpose == .feedForwardGate
      switch weight.expert {
      case nil: places[layer, default: Places()].dense.enter(elements, isGate: isGate)
      case 0?:
        places[layer, default: Places()].hasExperts = true
        places[layer, default: Places()].firstExpert.enter(elements, isGate: isGate)
      case _?: try add(.experts, elements)
      }
    }
  }

  /// The block around a weight's operation: the role without the operation and the weight.
  private static func block(of weight: ModelWeight) -> String {
    weight.role.split(separator: ".").dropLast(2).joined(separator: ".")
  }

  /// Compares what fills the places with what the estimate has there.
  mutating func close(layers: Int) throws {
    for place in places.values {
      if let first = place.attention.first {
        try close(first.matrices, isFactored: place.isFactored)
        for block in place.attention.dropFirst() {
          try add(.moreAttention, block.matrices.values.joined().reduce(0, +))
        }
      } else {
        try add(.noAttention, -4 * square)
      }
      let feedForward = place.hasExperts ? place.firstExpert : place.dense
      if place.hasExperts { try add(.sharedExperts, place.dense.plain + place.dense.gate) }
      if feedForward.isEmpty {
        try add(.noFeedForward, -8 * square)
      } else {
        try add(.feedForwardWidth, feedForward.plain - 8 * square)
        try add(.gates, feedForward.gate)
      }
    }
    try add(.sharedLayers, -12 * square * (layers - owners))
  }

  private mutating func close(
    _ attention: [Weight.Purpose: [Int]], isFactored: Bool
  ) throws {
    let sum = attention.values.joined().reduce(0, +)
    guard !isFactored, attention.count == 4, attention.values.allSatisfy({ $0.count == 1 }),
      let query = attention[.query]?[0], let output = attention[.attentionOutput]?[0],
      let key = attention[.key]?[0], let value = attention[.value]?[0]
    else { return try add(.factoredProjections, sum - 4 * square) }
    // Had keys and values as many heads as queries, all four were of the queries' size.
    for elements in [query, query, query, output] { try add(.attentionWidth, elements - square) }
    for elements in [key, value] { try add(.keyHeads, elements - query) }
  }
}

extension EstimateAccount {
  /// What a layer holds: `12·d² + 13·d`.
  public var perLayer: String {
    let vectors = vectorsPerLayer > 0 ? " + \(Self.twoDigits(vectorsPerLayer))·d" : ""
    return Self.twoDigits(matricesPerLayer) + "·d²" + vectors + (isUniform ? "" : " on average")
  }

  /// `12`, `12.06`.
  private static func twoDigits(_ value: Double) -> String {
    let rounded = (value * 100).rounded() / 100
    guard let whole = Int(exactly: rounded) else { return "\(rounded)" }
    return "\(whole)"
  }

  /// Why the estimate is far off, in a line; nil where it is within a tenth.
  public var reason: String? {
    guard let ratio, !(0.9...1.1).contains(ratio) else { return nil }
    let direction = value < nonEmbedding ? 1 : -1
    guard
      let largest = explained.filter({ $0.elements.signum() == direction })
        .max(by: { $0.elements.magnitude < $1.elements.magnitude })
    else { return "weights that no term names make the difference" }
    return largest.term.reason
  }
}

extension EstimateAccount.Term {
  /// Why 12·l·d² does not hold with it.
  public var reason: String {
    switch self {
    case .biases: "biases are left out of 12·l·d², and the model is narrow"
    case .norms: "norms are left out of 12·l·d², and the model is narrow"
    case .crossAttention: "a decoder layer with cross-attention has 16·d², not 12·d²"
    case .attentionWidth: "heads times head size is not d, so attention is not 4·d²"
    case .keyHeads: "fewer key and value heads than query heads: less than 4·d² of attention"
    case .factoredProjections: "attention projects through smaller ranks, so it is not 4·d²"
    case .noAttention: "layers without attention lack its 4·d²"
    case .moreAttention: "layers have more than one attention of 4·d²"
    case .feedForwardWidth: "the feed-forward width is not 4·d, so two matrices are not 8·d²"
    case .gates: "a gated feed-forward has three matrices, not two"
    case .noFeedForward: "layers without feed-forward lack its 8·d²"
    case .experts: "each expert has a feed-forward of its own; 12·l·d² counts one"
    case .sharedExperts: "shared experts stand beside the one that 12·l·d² counts"
    case .router: "the router of the experts is left out of 12·l·d²"
    case .relativePositions: "learned relative positions are left out of 12·l·d²"
    case .sharedLayers: "layers share their weights, which 12·l·d² counts each time"
    case .outsideLayers: "there are attention or feed-forward matrices outside of the layers"
    case .embeddingProjection: "the projection of embeddings is left out of 12·l·d²"
    case .patches: "the patch embedding is left out of 12·l·d²"
    case .convolutions: "convolutions are left out of 12·l·d²"
    case .classToken: "the class token is left out of 12·l·d²"
    case .pooler: "the pooler's d² is left out of 12·l·d²"
    case .headTransform: "the head's dense layer and norm are left out of 12·l·d²"
    case .untiedHead: "the head is a matrix of its own over a vocabulary wide against l·d"
    case .headBias: "the head's bias is left out of 12·l·d²"
    case .classifier: "the classifier is left out of 12·l·d²"
    }
  }
}
