internal import Architectures
internal import Tensors

extension Evaluation {
  /// cap · tanh(x / cap); a cap of 0 leaves x as it is.
  mutating func softCap(_ it: Operation.SoftCap, _ scope: Scope) throws -> Numbers<Scalar> {
    let cap = Scalar(try scope.environment.number(it.cap))
    var x = try take(it.input, for: it.output)
    guard cap > 0 else { return x }
    x.forEachRun(ofRows: x.width, jobs: jobs, cost: 8) { _, span in
      Rows.softCap(&span, 0, span.count, cap)
    }
    return x
  }
}
