internal import Architectures
internal import Tensors

extension Evaluation {
  /// ids [batch, sequence] → rows of the table: [batch, sequence, width].
  func embedding(
    _ it: Operation.Embedding, _ operation: Operation, _ scope: Scope
  ) throws -> Numbers<Scalar> {
    let width = try scope.environment.count(it.width)
    let rows = try scope.environment.count(it.rows)
    let ids: ModelInputs.Integers
    if let given = inputs.integers[it.input] {
      ids = given
    } else {
      // An optional input that is left out is all 0, with the shape of the others.
      guard let other = inputs.shape(like: it.input) else {
        throw IngotError(.malformed, "the input '\(it.input)' is missing")
      }
      ids = .init(shape: other, elements: [Int](repeating: 0, count: other.reduce(1, *)))
    }
    if let id = ids.elements.first(where: { $0 >= rows }) {
      throw IngotError(.malformed, "the input '\(it.input)': \(id) is above the \(rows) rows")
    }
    guard let table = try weights.tensor("weight", of: operation, scope) else {
      throw IngotError(.internal, "an embedding without a table")
    }
    return Numbers(
      shape: ids.shape + [width], elements: try gather(ids.elements, of: table, width: width))
  }

  /// Rows of a table, each read once: only those that are asked for, unless they are many.
  func gather(_ ids: [Int], of table: Tensor, width: Int) throws -> [Scalar] {
    let rows = table.shape.dimensions[0]
    var result: [Scalar] = []
    result.reserveCapacity(ids.count * width)
    if ids.count >= rows || table.source.access != .random {
      let all: [Scalar] = try WeightReader.elements(of: table, jobs: jobs)
      for id in ids { result += all[id * width..<(id + 1) * width] }
    } else {
      var row: [Scalar] = []
      let cast = try table.cast(to: Scalar.elementType)
      for id in ids {
        try WeightReader.read(cast, id * width..<(id + 1) * width, into: &row, jobs: 1)
        result += row
      }
    }
    return result
  }
}
