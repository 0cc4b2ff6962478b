internal import Architectures
internal import Tensors

extension Evaluation {
  /// Row p: sin(p / 10000^(2i/width)) in column 2i, the cosine in column 2i + 1: [sequence, width].
  func sinusoids(_ it: Operation.Sinusoids, _ scope: Scope) throws -> Numbers<Scalar> {
    let input = try value(it.input)
    guard input.shape.count == 3 else {
      throw IngotError(.malformed, "'\(it.input)' of shape \(input.shape) has no positions")
    }
    let sequence = input.shape[1]
    let width = try scope.environment.count(it.width)
    var elements: [Scalar] = []
    elements.reserveCapacity(sequence * width)
    for position in start..<start + sequence {
      for column in 0..<width {
        let exponent = Double(column - column % 2) / Double(width)
        let angle = Double(position) / Elementary.pow(10000, exponent)
        elements.append(Scalar(column % 2 == 0 ? Elementary.sin(angle) : Elementary.cos(angle)))
      }
    }
    return Numbers(shape: [sequence, width], elements: elements)
  }
}
