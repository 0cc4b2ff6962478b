internal import Architectures
internal import Tensors

extension Evaluation {
  /// The last axes joined, group by group; a right value that is shared joins every group.
  func concatenate(_ it: Operation.Concatenate, _ scope: Scope) throws -> Numbers<Scalar> {
    let groups = try scope.environment.count(it.groups)
    let (left, right) = (try value(it.left), try value(it.right))
    let parts = it.sharesRight ? 1 : groups
    guard groups > 0, left.width % groups == 0, right.width % parts == 0,
      left.shape.dropLast() == right.shape.dropLast()
    else {
      throw IngotError(
        .malformed,
        "'\(it.left)' \(left.shape) and '\(it.right)' \(right.shape) do not join in \(groups) groups"
      )
    }
    let (one, other) = (left.width / groups, right.width / parts)
    var elements: [Scalar] = []
    elements.reserveCapacity(left.rows * groups * (one + other))
    for group in 0..<left.rows * groups {
      elements += left.elements[group * one..<(group + 1) * one]
      let part = it.sharesRight ? group / groups : group
      elements += right.elements[part * other..<(part + 1) * other]
    }
    return Numbers(shape: left.shape.dropLast() + [groups * (one + other)], elements: elements)
  }
}
