internal import Architectures
internal import Tensors

extension Evaluation {
  /// x [batch, sequence, inputs] → [batch, steps, outputs]: at every step the features of `kernel`
  /// neighbours, times the weight [outputs, inputs, kernel], plus its bias where it has one.
  func convolution(
    _ it: Operation.Convolution, _ operation: Operation, _ scope: Scope
  ) throws -> Numbers<Scalar> {
    let count = scope.environment.count
    let (inputs, kernel) = try (count(it.inputs), count(it.kernel))
    let (stride, padding) = try (count(it.stride), count(it.padding))
    let x = try value(it.input, width: inputs)
    guard x.shape.count == 3, kernel > 0, stride > 0, kernel <= x.shape[1] + 2 * padding else {
      throw IngotError(
        .malformed, "'\(it.input)' of shape \(x.shape) has no place for a kernel of \(kernel)")
    }
    let (batch, sequence) = (x.shape[0], x.shape[1])
    let steps = (sequence + 2 * padding - kernel) / stride + 1
    // The neighbours of each step as a row, feature by feature as the weight has them.
    var neighbours = try Numbers<Scalar>(unfilled: [batch, steps, inputs * kernel])
    neighbours.forEachRun(ofRows: inputs * kernel, jobs: jobs) { run, span in
      var index = 0
      for row in run {
        let first = row % steps * stride - padding
        for feature in 0..<inputs {
          for position in first..<first + kernel {
            span[index] =
              (0..<sequence).contains(position)
              ? x.elements[(row / steps * sequence + position) * inputs + feature] : 0
            index += 1
          }
        }
      }
    }
    return try product(neighbours, operation, scope)
  }
}
