internal import Architectures
internal import Tensors

extension Evaluation {
  /// An activation function of each element.
  mutating func activation(_ it: Operation.Activate, _ scope: Scope) throws -> Numbers<Scalar> {
    let word = try scope.environment.word(it.function)
    guard let function = Activation(rawValue: word) else {
      throw IngotError(.unsupported, "the activation function '\(word)' is not known")
    }
    var x = try take(it.input, for: it.output)
    x.forEachRun(ofRows: x.width, jobs: jobs, cost: 8) { _, span in
      Rows.activate(&span, function)
    }
    return x
  }
}
