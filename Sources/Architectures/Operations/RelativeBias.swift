internal import Tensors

extension Operation {
  /// T5's learned bias for each head and bucket of distances: → `[heads, queries, keys]`, to be
  /// added to attention scores; arXiv 1910.10683 §2.1.
  public struct RelativeBias: Sendable, Hashable {
    /// The name in roles.
    public var name: String
    /// The values whose positions are compared.
    public var queries: String
    /// The value whose positions are asked for.
    public var keys: String
    /// The number of heads.
    public var heads: Expression
    /// The number of buckets.
    public var buckets: Expression
    /// The distance from which all share a bucket.
    public var farthest: Expression
    /// Whether keys may lie after queries.
    public var isBidirectional: Expression
    /// The value that it makes.
    public var output: String
  }
}

extension Operation.RelativeBias: WeightedOperation {
  static let word = "relative_bias"

  var operation: Operation { .relativeBias(self) }

  var reads: [String] { [queries, keys] }

  var weights: [Weight] { [Weight("weight", .table, .relativePositions, [buckets, heads])] }

  func shape(of given: [[Int]], _ check: ShapeCheck) throws -> [Int] {
    try check.rank(given[0], atLeast: 2, queries)
    try check.rank(given[1], atLeast: 2, keys)
    return [try check.count(heads), given[0][1], given[1][1]]
  }

  func work(_: ShapeWalk.Application) -> ForwardCost.Work? { nil }

  var outline: String {
    "relative bias(\(queries), \(keys))  \(buckets.outlined) buckets to \(farthest.outlined)"
      + (isBidirectional.isNever
        ? ", keys before queries" : ", both ways\(isBidirectional.outlinedCondition)")
  }

  static var blank: Self {
    .init(
      name: "", queries: "", keys: "", heads: 0, buckets: 0, farthest: 0, isBidirectional: true,
      output: "")
  }

  mutating func map(_ fields: inout FieldMap) throws {
    try fields.word("name", &name)
    try fields.word("queries", &queries)
    try fields.word("keys", &keys)
    try fields.required("heads", &heads)
    try fields.required("buckets", &buckets)
    try fields.required("farthest", &farthest)
    try fields.required("bidirectional", &isBidirectional)
    try fields.word("output", &output)
  }
}
