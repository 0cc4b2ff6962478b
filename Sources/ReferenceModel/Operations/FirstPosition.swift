internal import Architectures
internal import Tensors

extension Evaluation {
  /// [batch, sequence, features] → [batch, features] of position 0.
  func firstPosition(_ it: Operation.FirstPosition) throws -> Numbers<Scalar> {
    let x = try value(it.input)
    guard x.shape.count == 3 else {
      throw IngotError(.malformed, "'\(it.input)' of shape \(x.shape) has no positions")
    }
    let (batch, sequence, width) = (x.shape[0], x.shape[1], x.shape[2])
    var elements: [Scalar] = []
    for row in 0..<batch {
      elements += x.elements[row * sequence * width..<row * sequence * width + width]
    }
    return Numbers(shape: [batch, width], elements: elements)
  }
}
