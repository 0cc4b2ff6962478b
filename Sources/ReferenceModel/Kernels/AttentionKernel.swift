/// The sizes of an attention.
struct AttentionShape: Sendable {
  var batch: Int
  var queries: Int
  var keys: Int
  var heads: Int
  var keyHeads: Int
  var headSize: Int
  var valueSize: Int
  /// The key position of the first query.
  var first = 0
  /// Whether a query sees only keys at and before its position.
  var keepsOrder = false
  /// How many keys, its own included, a query sees at most; 0 is all.
  var window = 0

  /// The keys that a query may see, masks apart.
  func keys(of query: Int) -> Range<Int> {
    guard keepsOrder else { return 0..<keys }
    let end = min(keys, first + query + 1)
    return (window > 0 ? max(0, end - window) : 0)..<max(0, end)
  }
}

/// What is done to scores before the softmax.
struct Scoring<Scalar: Real>: Sendable {
  var scale: Scalar
  /// 0 is none.
  var softCap: Scalar = 0
  /// [heads, queries, keys].
  var bias: Numbers<Scalar>?
  /// One for each head.
  var slopes: [Scalar]?
  /// [batch, keys].
  var isVisible: [Bool]?
}

/// Attention in blocks of queries, so that scores stay in the cache and a causal half is left out.
enum AttentionKernel {
  private static let block = 64

  /// q [batch, queries, heads · size], k and v [batch, keys, key_heads · size] →
  /// [batch, queries, heads · value_size].
  static func attention<Scalar: Real>(
    _ query: [Scalar], _ key: [Scalar], _ value: [Scalar], _ shape: AttentionShape,
    _ scoring: Scoring<Scalar>, jobs: Int
  ) -> [Scalar] {
    let s = shape
    let (queryPitch, keyPitch) = (s.heads * s.headSize, s.keyHeads * s.headSize)
    let (valuePitch, outPitch) = (s.keyHeads * s.valueSize, s.heads * s.valueSize)
    precondition(query.count == s.batch * s.queries * queryPitch)
    precondition(key.count == s.batch * s.keys * keyPitch)
    precondition(value.count == s.batch * s.keys * valuePitch)
    var out = [Scalar](repeating: 0, count: s.batch * s.queries * outPitch)
    let blocks = (s.queries + block - 1) / block
    // Each task is a block of queries of one head and row of the batch, and writes their columns of
    // their rows only; all offsets lie within the sizes checked above.
    unsafe query.withUnsafeBufferPointer { query in
      unsafe key.withUnsafeBufferPointer { key in
        unsafe value.withUnsafeBufferPointer { value in
          unsafe out.withUnsafeMutableBufferPointer { out in
            guard let query = query.baseAddress, let key = key.baseAddress,
              let value = value.baseAddress, let out = out.baseAddress
            else { return }
            let at = unsafe Operands(query: query, key: key, value: value, out: out)
            Parallel.run(s.batch * s.heads * blocks, jobs: jobs) { task in
              // The longest blocks of a causal attention come first, so that threads end together.
              let number = blocks - 1 - task / (s.batch * s.heads)
              let (row, head) = (task % (s.batch * s.heads) / s.heads, task % s.heads)
              let keyHead = head / (s.heads / s.keyHeads)
              let queries = number * block..<min((number + 1) * block, s.queries)
              let keys =
                s.keys(of: queries.lowerBound)
                .lowerBound..<s.keys(of: queries.upperBound - 1).upperBound
              guard !keys.isEmpty else { return }
              let values =
                unsafe at.value + (row * s.keys + keys.lowerBound) * valuePitch
                + keyHead * s.valueSize
              var scores = Self.scratch(queries.count * keys.count, Scalar.self)
              // scores[i, j] = q[i]·k[j]
              unsafe scores.withUnsafeMutableBufferPointer { scores in
                guard let scores = scores.baseAddress else { return }
                unsafe Products.multiply(
                  at.query + (row * s.queries + queries.lowerBound) * queryPitch
                    + head * s.headSize, pitch: queryPitch, isTransposed: false,
                  at.key + (row * s.keys + keys.lowerBound) * keyPitch + keyHead * s.headSize,
                  pitch: keyPitch, isTransposed: true, into: scores, pitch: keys.count,
                  adding: false,
                  m: queries.count, n: keys.count, k: s.headSize)
              }
              weigh(&scores, queries, keys, head, row, s, scoring)
              // out[i] = Σ weights[i, j] · v[j]
              unsafe scores.withUnsafeBufferPointer { scores in
                guard let scores = scores.baseAddress else { return }
                unsafe Products.multiply(
                  scores, pitch: keys.count, isTransposed: false,
                  values, pitch: valuePitch, isTransposed: false,
                  into: at.out + (row * s.queries + queries.lowerBound) * outPitch
                    + head * s.valueSize, pitch: outPitch, adding: false,
                  m: queries.count, n: s.valueSize, k: keys.count)
              }
            }
          }
        }
      }
    }
    return out
  }

  /// Room for scores, all of which the product writes.
  private static func scratch<Scalar: Real>(_ count: Int, _: Scalar.Type) -> [Scalar] {
    // Every pattern of bits is a number.
    unsafe [Scalar](unsafeUninitializedCapacity: count) { _, initialized in initialized = count }
  }

  @unsafe
  private struct Operands<Scalar>: @unchecked Sendable {
    let query: UnsafePointer<Scalar>
    let key: UnsafePointer<Scalar>
    let value: UnsafePointer<Scalar>
    let out: UnsafeMutablePointer<Scalar>
  }

  /// Turns scores [queries, keys] of one head into weights.
  private static func weigh<Scalar: Real>(
    _ scores: inout [Scalar], _ queries: Range<Int>, _ keys: Range<Int>, _ head: Int, _ row: Int,
    _ shape: AttentionShape, _ scoring: Scoring<Scalar>
  ) {
    var span = scores.mutableSpan
    // Where scores are only scaled, the softmax does it on the way.
    let isPlain =
      scoring.softCap <= 0 && scoring.bias == nil && scoring.slopes == nil
      && scoring.scale > 0
    for query in queries {
      let start = (query - queries.lowerBound) * keys.count
      let seen = shape.keys(of: query)
      for key in keys.lowerBound..<max(keys.lowerBound, seen.lowerBound) {
        span[start + key - keys.lowerBound] = 0
      }
      for key in min(keys.upperBound, seen.upperBound)..<keys.upperBound {
        span[start + key - keys.lowerBound] = 0
      }
      let first = start + seen.lowerBound - keys.lowerBound
      if !isPlain {
        for place in first..<first + seen.count { span[place] *= scoring.scale }
        if scoring.softCap > 0 { Rows.softCap(&span, first, seen.count, scoring.softCap) }
        for key in seen where scoring.bias != nil || scoring.slopes != nil {
          let place = first + key - seen.lowerBound
          var score = span[place]
          if let bias = scoring.bias {
            score += bias.elements[(head * shape.queries + query) * shape.keys + key]
          }
          if let slopes = scoring.slopes {
            score -= slopes[head] * Scalar(abs(shape.first + query - key))
          }
          span[place] = score
        }
      }
      if let isVisible = scoring.isVisible {
        for key in seen where !isVisible[row * shape.keys + key] {
          span[first + key - seen.lowerBound] = -.infinity
        }
      }
      Rows.softmax(&span, first, seen.count, scale: isPlain ? scoring.scale : 1)
    }
  }
}
