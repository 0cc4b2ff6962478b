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

  /// The work of one operation.
  struct Work {
    /// What it counts as.
    let term: Term
    /// Its multiply-adds, each two FLOPs.
    let multiplyAdds: Int
    /// What the scores among it are of, in attention.
    var scores: Scores?

    init(_ term: Term, multiplyAdds: Int) {
      self.term = term
      self.multiplyAdds = multiplyAdds
    }
  }

  /// The pairs of a query and a key of one sequence.
  struct Scores {
    /// How many queries there are.
    let queries: Int
    /// All pairs.
    let pairs: Int
    /// Those that masks of the architecture leave.
    let visible: Int
  }

  /// What a walk has come upon so far.
  struct Tally {
    fileprivate var sums: [Term: Int] = [:]
    /// The FLOPs of scores that a mask hides.
    fileprivate var hidden = 0
    /// The length of the last attention's queries: a decoder's, where sound has a length of its own.
    fileprivate var queries: Int?

    mutating func add(_ event: ShapeWalk.Event) throws {
      guard case .operation(let it) = event,
        let work = try it.operation.content.work(it)
      else { return }
      let flops = try ForwardCost.product([2, work.multiplyAdds, it.repetitions])
      let term = work.term
      sums[term] = try (sums[term] ?? 0).adding(flops, "the FLOPs of '\(term.rawValue)'")
      if let scores = work.scores {
        queries = scores.queries
        // Scores are in proportion to pairs, so the division leaves no rest.
        let masked = flops / max(scores.pairs, 1) * (scores.pairs - scores.visible)
        hidden = try hidden.adding(masked, "the FLOPs of scores")
      }
    }
  }

  init(_ tally: Tally, batch: Int, sequence: Int) throws {
    let sums = tally.sums
    // At most three times this is shown.
    let forward = try sums.values.reduce(0) { try $0.adding($1, "the FLOPs") }
    _ = try forward.multiplied(by: 3, "the FLOPs of training")
    self.batch = batch
    self.sequence = tally.queries ?? sequence
    _ = try batch.multiplied(by: self.sequence, "the number of tokens")
    self.forward = forward
    terms = Term.allCases.compactMap { term in sums[term].map { Entry(term: term, flops: $0) } }
    visibleForward = forward - tally.hidden
  }

  static func product(_ factors: [Int]) throws -> Int {
    try factors.reduce(1) { try $0.multiplied(by: $1, "the FLOPs of an operation") }
  }
}
