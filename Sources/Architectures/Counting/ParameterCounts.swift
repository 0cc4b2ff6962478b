internal import Tensors

/// The exact parameter counts of a model, each tensor once.
///
/// Everything follows from the description's weights: nothing is read, so a bare configuration is
/// enough.
public struct ParameterCounts: Sendable, Hashable {
  /// Elements under a name.
  public struct Count: Sendable, Hashable {
    /// What they are: a component, the path of a layer, a practice of counting.
    public let name: String
    /// How many.
    public let elements: Int
  }

  /// All elements, those of tied weights once, buffers not.
  public private(set) var total = 0
  /// All that training changes.
  public private(set) var trainable = 0
  /// Token, position and type tables, and with them a head that is tied to one.
  public private(set) var embedding = 0
  /// A head that is a matrix of its own; part of `nonEmbedding`.
  public private(set) var head = 0
  /// Elements of stored tensors that are no parameters: masks, position numbers.
  public private(set) var buffers: Int
  /// Elements of weights that are another weight once more.
  public private(set) var tied = 0
  /// What one token's way through the model uses: of a mixture only the active experts.
  public private(set) var active = 0
  /// The total, by what parameters are for; those that are there, in the order of `Component`.
  public private(set) var byComponent: [Count] = []
  /// Elements in each layer, in order; what lies outside of layers is not here.
  public private(set) var byLayer: [Count] = []
  /// Trainable tensors of two and more dimensions, which training scripts give weight decay.
  public private(set) var decayed = 0
  /// The other trainable tensors: biases and the scales of norms.
  public private(set) var undecayed = 0
  /// What others mean by "non-embedding parameters"; see `Practice`.
  public private(set) var practices: [Count] = []

  /// All but the embeddings, with an untied head.
  public var nonEmbedding: Int { total - embedding }

  /// Counts the weights of a model.
  ///
  /// - Parameter buffers: The elements of tensors in a checkpoint that are no weights at all.
  /// - Throws: `malformed` for sizes whose sum exceeds 2^63, and more active experts than there are.
  public init(_ model: Model, buffers: Int = 0) throws {
    self.buffers = buffers
    let survey = try LayerSurvey(model)
    var components: [Component: Int] = [:]
    var purposes: [Weight.Purpose: Int] = [:]
    var layers = Groups<Int>()
    let hasPatches = model.weights.contains { $0.weight.purpose == .patchEmbedding }
    for weight in model.weights {
      let elements = weight.shape.elementCount
      guard !weight.weight.isBuffer else {
        self.buffers = try self.buffers.adding(elements, "the number of buffer elements")
        continue
      }
      guard weight.tiedTo == nil else {
        tied = try tied.adding(elements, "the number of tied parameters")
        continue
      }
      // Every other sum is a part of this one, so that only this one can exceed 2^63.
      total = try total.adding(elements, "the number of parameters")
      if !weight.isFrozen {
        trainable += elements
        if weight.shape.rank >= 2 { decayed += elements } else { undecayed += elements }
      }
      if weight.isEmbedding { embedding += elements }
      if weight.isMatrix, weight.weight.purpose == .head { head += elements }
      if !survey.isIdle(weight) { active += elements }
      components[weight.component, default: 0] += elements
      if weight.isMatrix || weight.weight.kind == .table {
        purposes[weight.weight.purpose, default: 0] += elements
      }
      if let layer = weight.layer { layers[layer, default: 0] += elements }
    }
    byComponent = Component.allCases.compactMap { component in
      components[component].map { Count(name: component.rawValue, elements: $0) }
    }
    byLayer = zip(layers.names, layers.values).map { Count(name: $0, elements: $1) }
    practices = Practice.allCases.map { practice in
      let excluded = practice.excluded(hasPatches: hasPatches).reduce(0) {
        $0 + (purposes[$1] ?? 0)
      }
      return Count(name: practice.rawValue, elements: total - excluded)
    }
  }

  /// Counts tensors of which nothing but the sizes is known: all of them are parameters.
  ///
  /// - Throws: `malformed` for sums above 2^63.
  package init(tensors: [(dimensions: Int, elements: Int)], tied: Int) throws {
    buffers = 0
    self.tied = tied
    for (dimensions, elements) in tensors {
      total = try total.adding(elements, "the number of parameters")
      if dimensions >= 2 { decayed += elements } else { undecayed += elements }
    }
    trainable = total
    active = total
  }

  /// Who counts parameters without embeddings, and how; tied matrices once, biases always.
  public enum Practice: String, Sendable, CaseIterable {
    /// This project's `non_embedding`.
    case ingot
    /// "Scaling Laws for Neural Language Models", arXiv 2001.08361 §1.3.
    case kaplan = "kaplan_2020"
    /// "Training Compute-Optimal Large Language Models", arXiv 2203.15556.
    case hoffmann = "hoffmann_2022"
    /// nanoGPT's `get_num_params()`, and what its logs show.
    case nanoGPT = "nanogpt"
    /// transformers' `num_parameters(exclude_embeddings=True)`.
    case transformers

    /// What is counted, in a line.
    public var summary: String {
      switch self {
      case .ingot: "without token, position, type tables, tied head"
      case .kaplan: "without token and position tables and any head"
      case .hoffmann: "everything, embeddings too"
      case .nanoGPT: "without the position table"
      case .transformers: "without the weights of nn.Embedding modules"
      }
    }

    fileprivate func excluded(hasPatches: Bool) -> [Weight.Purpose] {
      switch self {
      case .ingot: [.tokenEmbedding, .positionEmbedding, .typeEmbedding]
      case .kaplan: [.tokenEmbedding, .positionEmbedding, .head]
      case .hoffmann: []
      case .nanoGPT: [.positionEmbedding]
      case .transformers:
        // T5's relative positions are an nn.Embedding; the positions of its picture models are not.
        [.tokenEmbedding, .typeEmbedding, .relativePositions]
          + (hasPatches ? [] : [.positionEmbedding])
      }
    }
  }
}

extension ModelWeight {
  /// Whether it counts as embedding: a table for tokens, positions or types.
  var isEmbedding: Bool {
    switch weight.purpose {
    case .tokenEmbedding, .positionEmbedding, .typeEmbedding: true
    case .classToken, .patchEmbedding, .convolution, .embeddingProjection, .query, .key, .value,
      .attentionOutput, .relativePositions, .feedForwardUp, .feedForwardGate, .feedForwardDown,
      .router, .norm, .pooler, .headTransform, .head, .classifier, .other:
      false
    }
  }

  /// Whether it is the matrix of a linear map.
  var isMatrix: Bool { weight.kind == .matrix }

  /// Which expert of a mixture it belongs to.
  var expert: Int? { variables["expert"] }
}
