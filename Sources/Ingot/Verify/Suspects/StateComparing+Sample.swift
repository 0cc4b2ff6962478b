internal import Architectures
internal import ReferenceModel
internal import Tensors

extension StateComparing {
  /// Positions that a sample keeps of a causal model.
  private static let sampleLength = 32

  /// A part of the inputs and states on which a trial costs less; nil where that would be everything.
  ///
  /// It is one sequence of the batch and, where no position reads a later one, its first positions.
  ///
  /// - Throws: what formulas throw.
  func sample(of model: Model) throws -> StateComparing? {
    let shapes = inputs.values.map(\.shape.dimensions).filter { $0.count > 1 }
    guard let batch = shapes.first?[0], shapes.allSatisfy({ $0[0] == batch }) else { return nil }
    var length: Int?
    if try model.isCausal, shapes.allSatisfy({ $0.count == 2 && $0[1] == shapes[0][1] }),
      inputs["causal"] == nil, shapes[0][1] > Self.sampleLength
    {
      length = shapes[0][1]
    }
    guard batch > 1 || length != nil else { return nil }

    func cut(_ tensor: Tensor) throws -> Tensor? {
      let shape = tensor.shape.dimensions
      guard shape.count > 1, shape[0] == batch else { return nil }
      let sequence = try tensor.sliced(axis: 0, range: 0..<1)
      guard let length else { return sequence }
      guard shape[1] == length else { return nil }
      return try sequence.sliced(axis: 1, range: 0..<Self.sampleLength)
    }
    var sample = StateComparing(
      path: path, inputs: try inputs.mapValues { try cut($0) ?? $0 },
      expected: try expected.compactMapValues { expectation in
        try cut(expectation.tensor).map { Expectation(name: expectation.name, tensor: $0) }
      },
      tolerance: tolerance)
    sample.roundingEffects = roundingEffects
    sample.extent =
      length == nil
      ? "one sequence" : "the first \(Self.sampleLength) positions of one sequence"
    return sample
  }
}

extension Model {
  /// Whether no position reads a later one.
  fileprivate var isCausal: Bool {
    get throws {
      try placedOperations.allSatisfy { placed in
        try !placed.operation.readsAhead(placed.scope.environment)
      }
    }
  }
}
