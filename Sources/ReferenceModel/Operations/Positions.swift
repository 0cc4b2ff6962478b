internal import Architectures
internal import Tensors

extension Evaluation {
  /// A learned row for each position: [sequence, width], or [batch, sequence, width] where rows of
  /// the batch are numbered differently.
  func positions(
    _ it: Operation.Positions, _ operation: Operation, _ scope: Scope
  ) throws -> Numbers<Scalar> {
    let input = try value(it.input)
    guard input.shape.count == 3 else {
      throw IngotError(.malformed, "'\(it.input)' of shape \(input.shape) has no positions")
    }
    let (batch, sequence) = (input.shape[0], input.shape[1])
    let (rows, width) = (
      try scope.environment.count(it.rows), try scope.environment.count(it.width)
    )
    let offset = try scope.environment.count(it.offset)
    guard offset + start + sequence <= rows || inputs.integers["position_ids"] != nil else {
      throw IngotError(
        .malformed,
        "a sequence of \(start + sequence) is longer than the \(rows - offset) positions of the model"
      )
    }
    guard let table = try weights.tensor("weight", of: operation, scope) else {
      throw IngotError(.internal, "positions without a table")
    }
    let numbers: [Int]
    var shape = [sequence, width]
    if let given = inputs.integers["position_ids"], it.numbering == .sequence {
      guard given.shape == [batch, sequence] else {
        throw IngotError(
          .malformed,
          "the input 'position_ids' has shape \(given.shape), not [\(batch), \(sequence)]")
      }
      numbers = given.elements.map { $0 + offset }
      shape.insert(batch, at: 0)
    } else if it.numbering == .visibleTokens, let mask = it.mask.flatMap({ inputs.integers[$0] }) {
      guard mask.shape == [batch, start + sequence] else {
        throw IngotError(
          .malformed, "a mask of shape \(mask.shape) for \(batch) × \(start + sequence) tokens")
      }
      numbers = Self.visiblePositions(mask, last: sequence).map { $0 + offset }
      shape.insert(batch, at: 0)
    } else {
      numbers = (0..<sequence).map { start + $0 + offset }
    }
    if let number = numbers.first(where: { $0 < 0 || $0 >= rows }) {
      throw IngotError(.malformed, "position \(number) is above the \(rows) rows of the table")
    }
    return Numbers(shape: shape, elements: try gather(numbers, of: table, width: width))
  }

  /// For each token how many visible ones come before it, −1 for hidden ones; the last `count` of
  /// each row.
  static func visiblePositions(_ mask: ModelInputs.Integers, last count: Int) -> [Int] {
    let length = mask.shape[1]
    var result: [Int] = []
    for row in 0..<mask.shape[0] {
      var visible = 0
      for column in 0..<length {
        let isVisible = mask.elements[row * length + column] != 0
        if column >= length - count { result.append(isVisible ? visible : -1) }
        if isVisible { visible += 1 }
      }
    }
    return result
  }
}
