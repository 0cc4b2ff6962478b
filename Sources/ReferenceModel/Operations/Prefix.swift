internal import Architectures
internal import Tensors

extension Evaluation {
  /// One learned vector [1, 1, width] before each sequence: [batch, sequence + 1, width].
  func prefix(
    _ it: Operation.Prefix, _ operation: Operation, _ scope: Scope
  ) throws -> Numbers<Scalar> {
    let width = try scope.environment.count(it.width)
    let input = try value(it.input, width: width)
    guard let token: Numbers<Scalar> = try weights.numbers("weight", of: operation, scope) else {
      throw IngotError(.internal, "a prefix without a weight")
    }
    let (batch, sequence) = (input.shape[0], input.rows / input.shape[0])
    var elements: [Scalar] = []
    elements.reserveCapacity(batch * (sequence + 1) * width)
    for row in 0..<batch {
      elements += token.elements
      elements += input.elements[row * sequence * width..<(row + 1) * sequence * width]
    }
    return Numbers(shape: [batch, sequence + 1, width], elements: elements)
  }
}
