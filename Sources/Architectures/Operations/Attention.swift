internal import Tensors

extension Operation {
  /// softmax(scale · q·kᵀ + biases + masks)·v, head by head.
  public struct Attention: Sendable, Hashable {
    /// `[batch, queries, heads · head_size]`.
    public var query: String
    /// `[batch, keys, key_heads · head_size]`.
    public var key: String
    /// `[batch, keys, key_heads · value_size]`.
    public var value: String
    /// The number of heads.
    public var heads: Expression
    /// The number of key and value heads.
    public var keyHeads: Expression
    /// Whether a query sees only keys at and before its position.
    public var isCausal: Expression
    /// The input that marks visible keys with 1, where it is given.
    public var mask: String?
    /// How many keys, itself included, a query sees at most; 0 is all.
    public var window: Expression = 0
    /// What scores are multiplied by; nil is 1/√head_size.
    public var scale: Expression?
    /// Scores become cap · tanh(scores / cap); 0 is not.
    public var softCap: Expression = 0
    /// A value to add to the scores.
    public var bias: String?
    /// Whether ALiBi's slopes are added; arXiv 2108.12409.
    public var alibi: Expression = false
    /// The value that it makes.
    public var output: String
  }
}

extension Operation.Attention: WeightlessOperation {
  static let word = "attention"

  var operation: Operation { .attention(self) }

  var reads: [String] { [query, key, value] + (bias.map { [$0] } ?? []) }

  func readsAhead(_ environment: Environment) throws -> Bool {
    try !environment.holds(isCausal)
  }

  func shape(of given: [[Int]], _ check: ShapeCheck) throws -> [Int] {
    let (queries, keys, values) = (given[0], given[1], given[2])
    for (shape, name) in [(queries, query), (keys, key), (values, value)] {
      try check.rank(shape, 3, name, "[batch, sequence, features]")
      try check.equal(shape[0], queries[0], "sequences", name)
    }
    try check.equal(values[1], keys[1], "positions", value)
    let (heads, keyHeads) = (try check.count(self.heads), try check.count(self.keyHeads))
    guard keyHeads > 0, heads > 0, heads % keyHeads == 0 else {
      throw check.failure("\(keyHeads) key heads do not divide \(heads) heads")
    }
    let size = try check.group(queries, heads, query)
    let keySize = try check.group(keys, keyHeads, key)
    guard size == keySize else {
      throw check.failure(
        "a head of '\(query)' has \(size) components, one of '\(key)' \(keySize)")
    }
    let valueSize = try check.group(values, keyHeads, value)
    if let mask {
      guard check.isInput(mask) else { throw check.failure("the mask '\(mask)' is no input") }
      if let shape = check.values[mask] {
        guard shape == [keys[0], keys[1]] else {
          throw check.failure(
            "the mask '\(mask)' is \(ShapeCheck.text(shape)) for keys of \(ShapeCheck.text(keys))")
        }
      }
    }
    if let bias {
      _ = try check.broadcast([queries[0], heads, queries[1], keys[1]], given[3], "scores", bias)
    }
    return [
      queries[0], queries[1], try heads.multiplied(by: valueSize, "the width of all heads"),
    ]
  }

  func work(_ it: ShapeWalk.Application) throws -> ForwardCost.Work? {
    // q·kᵀ runs over the features of all query heads, the weighted sum over those of all outputs.
    let (queries, keys) = (it.inputs[0], it.inputs[1])
    let scores = try ForwardCost.product(queries + [keys[1]])
    let sums = try ForwardCost.product(it.output + [keys[1]])
    var work = ForwardCost.Work(
      it.scope.component == .crossAttention ? .crossAttentionScores : .attentionScores,
      multiplyAdds: try scores.adding(sums, "the FLOPs of scores"))
    work.scores = try pairs(it)
    return work
  }

  /// All pairs of a query and a key of one sequence, and those that masks of the architecture leave.
  private func pairs(_ it: ShapeWalk.Application) throws -> ForwardCost.Scores {
    let (queries, keys) = (it.inputs[0][1], it.inputs[1][1])
    // A sum below is twice as large as the pairs that it counts.
    let all = try ForwardCost.product([4, queries, keys]) / 4
    guard try it.scope.environment.holds(isCausal) else {
      return .init(queries: queries, pairs: all, visible: all)
    }
    let window = try it.scope.environment.count(self.window)
    // The last query sees the last key; a query sees at most `most` keys up to its own.
    let most = window == 0 ? keys : min(window, keys)
    let first = max(0, keys - queries + 1)
    // Queries see first, first + 1, … keys, until `most` of them.
    let growing = max(0, min(queries, most - first + 1))
    let visible = growing * (2 * first + growing - 1) / 2 + (queries - growing) * most
    return .init(queries: queries, pairs: all, visible: min(visible, all))
  }

  /// The scores of all heads, and the keys and values that generation keeps.
  func memory(_ it: ShapeWalk.Application) throws -> MemoryEstimate.Extra {
    let environment = it.scope.environment
    let (queries, keys, values) = (it.inputs[0], it.inputs[1], it.inputs[2])
    var extra = MemoryEstimate.Extra()
    extra.scratch = try ForwardCost.product(
      [queries[0], try environment.count(heads), queries[1], keys[1]])
    let isCross = it.scope.component == .crossAttention
    guard try isCross || environment.holds(isCausal) else { return extra }
    let window = try environment.count(self.window)
    let kept = window == 0 ? keys[1] : min(window, keys[1])
    extra.cached = try [keys[2], values[2]].map { features in
      try ForwardCost.product([keys[0], kept, features])
    }
    return extra
  }

  var outline: String {
    var text = "attention(\(query), \(key), \(value))  \(heads.outlined) heads"
    if keyHeads != heads { text += ", \(keyHeads.outlined) key heads" }
    if !isCausal.isNever { text += ", causal\(isCausal.outlinedCondition)" }
    if window != 0 { text += ", window \(window.outlined)" }
    if let scale { text += ", scale \(scale.outlined)" }
    if softCap != 0 { text += ", soft cap \(softCap.outlined)" }
    if let bias { text += ", + \(bias)" }
    if !alibi.isNever { text += ", ALiBi\(alibi.outlinedCondition)" }
    if let mask { text += ", mask \(mask)" }
    return text
  }

  static var blank: Self {
    .init(query: "", key: "", value: "", heads: 0, keyHeads: 0, isCausal: false, output: "")
  }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("query", &query)
    try fields.word("key", &key)
    try fields.word("value", &value)
    try fields.required("heads", &heads)
    try fields.required("key_heads", &keyHeads)
    try fields.required("causal", &isCausal)
    try fields.optional("mask", &mask)
    try fields.optional("window", &window)
    try fields.optional("scale", &scale)
    try fields.optional("soft_cap", &softCap)
    try fields.optional("bias", &bias)
    try fields.optional("alibi", &alibi)
    try fields.word("output", &output)
  }
}
