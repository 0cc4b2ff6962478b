internal import Architectures
internal import Tensors

extension Evaluation {
  /// Every element times a number.
  mutating func scale(_ it: Operation.Scale, _ scope: Scope) throws -> Numbers<Scalar> {
    let factor = Scalar(try scope.environment.number(it.factor))
    var x = try take(it.input, for: it.output)
    x.forEachRun(ofRows: x.width, jobs: jobs) { _, span in
      Rows.scale(&span, by: factor)
    }
    return x
  }
}
