internal import Tensors

/// The floating-point operations of a forward pass: two per multiply-add of matrix products.
///
/// For a plain decoder layer of width d over batch b and sequence s that is 24·b·s·d² + 4·b·s²·d; here
/// it is counted operation by operation, so that gates, fewer key heads, experts and cross-attention
/// are in it. Scores are counted for every pair of a query and a key, masked or not, which is what
/// frameworks compute without a special kernel and what the formula says; `visibleForward` has the
/// smaller number. Looking up rows costs nothing; what is done element by element (norms, activations,
/// softmax, additions, rotary positions) is left out: it is a fraction of a percent of the arithmetic.
public struct ForwardCost: Sendable, Hashable {
  /// Part of the work.
  public enum Term: String, Sendable, Hashable, CaseIterable {
    case embedding
    case patches
    case convolutions
    case embeddingProjection = "embedding_projection"
    case attentionProjections = "attention_projections"
    case attentionScores = "attention_scores"
    case crossAttentionProjections = "cross_attention_projections"
    case crossAttentionScores = "cross_attention_scores"
    case feedForward = "feed_forward"
    case router
    case experts
    case pooler
    case headTransform = "head_transform"
    case logits
    case classifier
    case other
  }

  /// A term and its FLOPs.
  public struct Entry: Sendable, Hashable {
    /// What the work is.
    public let term: Term
    /// How many FLOPs.
    public let flops: Int
  }

  /// How many sequences.
  public let batch: Int
  /// The length of a sequence in the layers: that of the inputs, of a picture its patches.
  public let sequence: Int
  /// All of it.
  public let forward: Int
  /// The terms that the model has, which add up to `forward`.
  public let terms: [Entry]
  /// The same with scores for visible pairs only: at and before a query, within its window.
  public let visibleForward: Int

  /// The positions that a forward pass is for; a model with two stacks sees as many in each.
  public var tokens: Int { batch * sequence }
  /// `forward` by the tokens.
  public var forwardPerToken: Double { Double(forward) / Double(max(tokens, 1)) }
  /// Training: once forward, and twice that backward.
  public var trainingPerToken: Double { 3 * forwardPerToken }

  /// Walks through the model.
  ///
  /// - Throws: what `ShapeWalk` throws; `malformed` for numbers above 2^63.
  public init(_ model: Model, batch: Int, sequence: Int) throws {
    var walk = try ShapeWalk(model, batch: batch, sequence: sequence)
    var tally = Tally()
    try walk.run { event in try tally.add(event) }
    try self.init(tally, batch: batch, sequence: sequence)
  }

  /// What a walk has come upon so far.
  struct Tally {
    fileprivate var sums: [Term: Int] = [:]
    /// The FLOPs of scores that a mask hides.
    fileprivate var hidden = 0
    /// The length of the last attention's queries: a decoder's, where sound has a length of its own.
    fileprivate var inner: Int?

    mutating func add(_ event: ShapeWalk.Event) throws {
      guard case .operation(let it) = event else { return }
      if case .attention = it.operation { inner = it.inputs[0][1] }
      guard let (term, multiplyAdds) = try ForwardCost.work(of: it) else { return }
      let flops = try ForwardCost.product([2, multiplyAdds, it.repetitions])
      sums[term] = try (sums[term] ?? 0).adding(flops, "the FLOPs of '\(term.rawValue)'")
      if case .attention(let attention) = it.operation {
        let (all, visible) = try ForwardCost.pairs(attention, it)
        // Scores are in proportion to pairs, so the division leaves no rest.
        hidden = try hidden.adding(flops / max(all, 1) * (all - visible), "the FLOPs of scores")
      }
    }
  }

  init(_ tally: Tally, batch: Int, sequence: Int) throws {
    let sums = tally.sums
    // At most three times this is shown.
    let forward = try sums.values.reduce(0) { try $0.adding($1, "the FLOPs") }
    _ = try forward.multiplied(by: 3, "the FLOPs of training")
    self.batch = batch
    self.sequence = tally.inner ?? sequence
    _ = try batch.multiplied(by: self.sequence, "the number of tokens")
    self.forward = forward
    terms = Term.allCases.compactMap { term in sums[term].map { Entry(term: term, flops: $0) } }
    visibleForward = forward - tally.hidden
  }

  /// The multiply-adds of an operation and what they count as.
  private static func work(of it: ShapeWalk.Application) throws -> (Term, Int)? {
    let environment = it.scope.environment
    switch it.operation {
    case .embedding: return (.embedding, 0)
    case .linear(let linear):
      let outputs = try environment.count(linear.outputs)
      return (term(linear, it.scope), try product(it.inputs[0] + [outputs]))
    case .patches(let patches):
      let patch = try environment.count(patches.patch)
      return (.patches, try product(it.output + [it.inputs[0][1], patch, patch]))
    case .convolution(let convolution):
      let kernel = try environment.count(convolution.kernel)
      return (.convolutions, try product(it.output + [it.inputs[0][2], kernel]))
    case .attention:
      // q·kᵀ runs over the features of all query heads, the weighted sum over those of all outputs.
      let (query, key) = (it.inputs[0], it.inputs[1])
      let scores = try product(query + [key[1]])
      let term: Term =
        it.scope.component == .crossAttention ? .crossAttentionScores : .attentionScores
      return (term, try scores.adding(try product(it.output + [key[1]]), "the FLOPs of scores"))
    case .experts(let experts):
      return (.router, try product(it.inputs[0] + [try environment.count(experts.count)]))
    case .positions, .sinusoids, .prefix, .norm, .rotary, .relativeBias, .activation, .combine,
      .scale, .softCap, .slice, .concatenate, .firstPosition:
      return nil
    }
  }

  private static func term(_ linear: Operation.Linear, _ scope: Scope) -> Term {
    switch linear.purpose {
    case .query, .key, .value, .attentionOutput:
      scope.component == .crossAttention ? .crossAttentionProjections : .attentionProjections
    case .feedForwardUp, .feedForwardGate, .feedForwardDown:
      scope.variables["expert"] == nil ? .feedForward : .experts
    case .head: .logits
    case .headTransform: .headTransform
    case .pooler: .pooler
    case .classifier: .classifier
    case .router: .router
    case .embeddingProjection: .embeddingProjection
    case .patchEmbedding: .patches
    case .convolution: .convolutions
    case .tokenEmbedding, .positionEmbedding, .typeEmbedding, .classToken, .relativePositions,
      .norm, .other:
      .other
    }
  }

  /// All pairs of a query and a key of one sequence, and those that masks of the architecture leave.
  private static func pairs(
    _ attention: Operation.Attention, _ it: ShapeWalk.Application
  ) throws -> (all: Int, visible: Int) {
    let (queries, keys) = (it.inputs[0][1], it.inputs[1][1])
    // A sum below is twice as large on its way.
    let all = try product([4, queries, keys]) / 4
    guard try it.scope.environment.holds(attention.isCausal) else { return (all, all) }
    let window = try it.scope.environment.count(attention.window)
    // The last query sees the last key; a query sees at most `most` keys up to its own.
    let most = window == 0 ? keys : min(window, keys)
    let first = max(0, keys - queries + 1)
    // Queries see first, first + 1, … keys, until `most` of them.
    let growing = max(0, min(queries, most - first + 1))
    let visible = growing * (2 * first + growing - 1) / 2 + (queries - growing) * most
    return (all, min(visible, all))
  }

  static func product(_ factors: [Int]) throws -> Int {
    try factors.reduce(1) { try $0.multiplied(by: $1, "the FLOPs of an operation") }
  }
}
