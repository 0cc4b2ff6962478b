internal import Architectures
internal import Tensors

extension Evaluation {
  /// Elements start ..< start + count of each of the groups along the last axis.
  func slice(_ it: Operation.Slice, _ scope: Scope) throws -> Numbers<Scalar> {
    let x = try value(it.input)
    let groups = try scope.environment.count(it.groups)
    let (first, count) = (
      try scope.environment.count(it.start), try scope.environment.count(it.count)
    )
    guard groups > 0, x.width % groups == 0, first + count <= x.width / groups else {
      throw IngotError(
        .malformed,
        "\(groups) groups of \(first)..<\(first + count) do not fit \(x.width) features")
    }
    let size = x.width / groups
    var elements: [Scalar] = []
    elements.reserveCapacity(x.rows * groups * count)
    for group in 0..<x.rows * groups {
      elements += x.elements[group * size + first..<group * size + first + count]
    }
    return Numbers(shape: x.shape.dropLast() + [groups * count], elements: elements)
  }
}
