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
    x.forEachRun(ofRows: width, jobs: jobs) { _, span in
      Rows.normalize(&span, kind, epsilon: epsilon, scale: scale, shift: shift)
    }
    return x
  }
}
