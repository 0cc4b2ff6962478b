internal import Architectures
internal import Tensors

extension Evaluation {
  /// x [batch, sequence, heads · head_size]: the first `dimensions` components of each head turn in
  /// pairs by the angle position · frequency.
  mutating func rotary(_ it: Operation.Rotary, _ scope: Scope) throws -> Numbers<Scalar> {
    let environment = scope.environment
    let (heads, headSize) = (try environment.count(it.heads), try environment.count(it.headSize))
    let dimensions = try environment.count(it.dimensions)
    guard dimensions <= headSize, dimensions % 2 == 0 else {
      throw IngotError(.malformed, "\(dimensions) of \(headSize) components cannot turn in pairs")
    }
    var x = try value(it.input, width: heads * headSize)
    guard x.shape.count == 3 else {
      throw IngotError(.malformed, "'\(it.input)' of shape \(x.shape) has no positions")
    }
    let (batch, sequence) = (x.shape[0], x.shape[1])
    // The position of each row of x; one row of `turns` for each position that occurs first.
    var positions = (0..<batch * sequence).map { start + $0 % sequence }
    if let given = inputs.integers["position_ids"], given.shape == [batch, sequence] {
      positions = given.elements
    }
    let half = dimensions / 2
    let last = positions.max() ?? 0
    let turn = try RotaryAngles(it, environment, dimensions: dimensions, length: last + 1)
    guard cache == nil || !turn.changesWithLength else {
      throw IngotError(
        .unsupported,
        "dynamic rotary scaling turns every position anew beyond those of the training: the sequence "
          + "cannot be fed in pieces")
    }
    var cosines: [Scalar] = []
    var sines: [Scalar] = []
    for position in 0...last {
      for frequency in turn.frequencies {
        cosines.append(Scalar(turn.magnitude * Elementary.cos(Double(position) * frequency)))
        sines.append(Scalar(turn.magnitude * Elementary.sin(Double(position) * frequency)))
      }
    }
    // Component i turns with component i + dims/2, or 2i with 2i + 1.
    let (step, distance) = it.order == .halves ? (1, half) : (2, 1)
    x = try take(it.input, for: it.output)
    x.forEachRun(ofRows: heads * headSize, jobs: jobs) { [cosines, sines, positions] run, span in
      for row in run {
        let angles = positions[row] * half
        for head in 0..<heads {
          let base = (row - run.lowerBound) * heads * headSize + head * headSize
          for i in 0..<half {
            let (one, other) = (span[base + step * i], span[base + step * i + distance])
            let (cosine, sine) = (cosines[angles + i], sines[angles + i])
            span[base + step * i] = one * cosine - other * sine
            span[base + step * i + distance] = one * sine + other * cosine
          }
        }
      }
    }
    return x
  }
}
