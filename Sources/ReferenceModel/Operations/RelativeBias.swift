internal import Architectures
internal import Tensors

extension Evaluation {
  /// The learned bias of the bucket that the distance from query to key falls into:
  /// [heads, queries, keys].
  func relativeBias(
    _ it: Operation.RelativeBias, _ operation: Operation, _ scope: Scope
  ) throws -> Numbers<Scalar> {
    let environment = scope.environment
    let heads = try environment.count(it.heads)
    let buckets = try environment.count(it.buckets)
    let farthest = try environment.count(it.farthest)
    let isBidirectional = try environment.holds(it.isBidirectional)
    let (from, to) = (try value(it.queries), try value(it.keys))
    guard from.shape.count == 3, to.shape.count == 3 else {
      throw IngotError(.malformed, "'\(it.queries)' and '\(it.keys)' must have positions")
    }
    let queries = from.shape[1]
    let keys = it.queries == it.keys ? start + queries : to.shape[1]
    // Half of the buckets hold one distance each, and each direction has its share.
    guard buckets >= (isBidirectional ? 4 : 2), farthest > buckets / (isBidirectional ? 4 : 2)
    else {
      throw IngotError(.malformed, "\(buckets) buckets for distances to \(farthest) make no sense")
    }
    guard let table: Numbers<Scalar> = try weights.numbers("weight", of: operation, scope) else {
      throw IngotError(.internal, "relative positions without a table")
    }
    var bias = try Numbers<Scalar>(shape: [heads, queries, keys], repeating: 0)
    for query in 0..<queries {
      for key in 0..<keys {
        let bucket = RelativeBuckets.bucket(
          key - (start + query), buckets, farthest: farthest, isBidirectional: isBidirectional)
        // table: [buckets, heads].
        for head in 0..<heads {
          bias.elements[(head * queries + query) * keys + key] =
            table.elements[bucket * heads + head]
        }
      }
    }
    return bias
  }
}

/// T5's buckets of distances.
enum RelativeBuckets {
  /// The bucket of key position − query position.
  ///
  /// Near distances have a bucket each, farther ones share buckets whose width grows by the logarithm;
  /// all from `farthest` on share the last. With both directions, keys after the query have the upper
  /// half; else they count as distance 0.
  static func bucket(
    _ distance: Int, _ buckets: Int, farthest: Int, isBidirectional: Bool
  ) -> Int {
    let share = isBidirectional ? buckets / 2 : buckets
    let first = isBidirectional && distance > 0 ? share : 0
    let far = isBidirectional ? abs(distance) : max(0, -distance)
    let exact = share / 2
    guard far >= exact else { return first + far }
    let position =
      Elementary.log(Double(far) / Double(exact)) / Elementary.log(Double(farthest) / Double(exact))
    return first + min(exact + Int(position * Double(share - exact)), share - 1)
  }
}
