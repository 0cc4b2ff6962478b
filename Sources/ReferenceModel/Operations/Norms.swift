internal import Architectures
internal import Tensors

extension Evaluation {
  /// x [..., width] normalised over its last axis, times (weight + offset), plus bias.
  mutating func norm(
    _ it: Operation.Norm, _ operation: Operation, _ scope: Scope
  ) throws -> Numbers<Scalar> {
    let width = try scope.environment.count(it.width)
    let epsilon = Scalar(try scope.environment.number(it.epsilon))
    let offset = Scalar(try scope.environment.number(it.offset))
    _ = try value(it.input, width: width)
    guard let weight: Numbers<Scalar> = try weights.numbers("weight", of: operation, scope) else {
      throw IngotError(.internal, "a norm without a weight")
    }
    let bias: Numbers<Scalar>? = try weights.numbers("bias", of: operation, scope)
    let scale = weight.elements.map { $0 + offset }
    let shift = bias?.elements ?? [Scalar](repeating: 0, count: width)
    let kind = it.kind
    var x = try take(it.input, for: it.output)
    x.forEachRun(ofRows: width, jobs: jobs) { run, span in
      for row in 0..<run.count {
        Rows.normalize(
          &span, row * width, width, kind, epsilon: epsilon, scale: scale, shift: shift)
      }
    }
    return x
  }
}

/// Loops over one row of features.
enum Rows {
  /// Normalises the `width` elements from `start` on.
  static func normalize<Scalar: Real>(
    _ x: inout MutableSpan<Scalar>, _ start: Int, _ width: Int, _ kind: Operation.Norm.Kind,
    epsilon: Scalar, scale: [Scalar], shift: [Scalar]
  ) {
    let count = Scalar(width)
    var mean: Scalar = 0
    switch kind {
    case .layer, .bessel:
      for i in 0..<width { mean += x[start + i] }
      mean /= count
    case .rms: break
    }
    // The squared distances from the mean; RMS norm takes them from 0.
    var squares: Scalar = 0
    for i in 0..<width {
      let distance = x[start + i] - mean
      squares += distance * distance
    }
    let factor: Scalar =
      switch kind {
      case .layer, .rms: 1 / (squares / count + epsilon).squareRoot()
      case .bessel: 1 / ((squares / (count - 1)).squareRoot() + epsilon)
      }
    for i in 0..<width { x[start + i] = (x[start + i] - mean) * factor * scale[i] + shift[i] }
  }

  /// exp(x − max) / Σ over the `width` elements from `start` on; all 0 where every one is −∞.
  static func softmax<Scalar: Real>(
    _ x: inout MutableSpan<Scalar>, _ start: Int, _ width: Int
  ) {
    var largest = -Scalar.infinity
    for i in 0..<width {
      // NaN must not be lost: a comparison with it is false.
      let value = x[start + i]
      if !(value <= largest) { largest = value }
    }
    guard largest > -.infinity || largest.isNaN else {
      for i in 0..<width { x[start + i] = 0 }
      return
    }
    var sum: Scalar = 0
    for i in 0..<width {
      let value = Scalar.exp(x[start + i] - largest)
      x[start + i] = value
      sum += value
    }
    let factor = 1 / sum
    for i in 0..<width { x[start + i] *= factor }
  }
}
