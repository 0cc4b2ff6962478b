public import Tensors

/// Between stored tensors and weights, as lazy views.
extension StoredTensor {
  /// The weights in a tensor that a file holds for this one, by role, in the canonical layout.
  ///
  /// - Throws: `malformed` where its shape is another.
  public func weights(
    of tensor: Tensor, _ environment: Environment
  ) throws -> [(role: String, tensor: Tensor)] {
    guard tensor.shape == shape else {
      throw IngotError(.malformed, "expected shape \(shape), found \(tensor.shape)")
    }
    let isStacked = !spelling.stackedVariables.isEmpty
    return try turns.enumerated().flatMap { index, parts in
      var turn = tensor
      if isStacked {
        turn = try tensor.sliced(axis: 0, range: index..<index + 1)
          .reshaped(to: Shape(Array(tensor.shape.dimensions.dropFirst())))
      }
      return try separate(turn, parts, environment.binding(parts[0].variables))
    }
  }

  private func separate(
    _ tensor: Tensor, _ parts: [ModelWeight], _ environment: Environment
  ) throws -> [(role: String, tensor: Tensor)] {
    let sizes = parts.map { $0.shape.dimensions.first ?? 1 }
    var shapes = [try Self.joined(parts.map(\.shape))]
    for step in spelling.layout {
      shapes.append(try step.applied(to: shapes[shapes.count - 1], environment))
    }
    var tensor = tensor
    for (step, shape) in zip(spelling.layout, shapes).reversed() {
      tensor = try step.undone(on: tensor, shape: shape, parts: sizes, environment)
    }
    guard parts.count > 1 else { return [(parts[0].role, tensor)] }
    var start = 0
    return try zip(parts, sizes).map { part, size in
      defer { start += size }
      return (part.role, try tensor.sliced(axis: 0, range: start..<start + size))
    }
  }

  /// The stored tensor made of weights in the canonical layout.
  ///
  /// - Parameter weight: The tensor of a role.
  public func tensor(
    _ environment: Environment, _ weight: (ModelWeight) throws -> Tensor
  ) throws -> Tensor {
    let isStacked = !spelling.stackedVariables.isEmpty
    let turns = try turns.map { parts in
      let environment = environment.binding(parts[0].variables)
      let tensors = try parts.map(weight)
      var tensor = tensors.count > 1 ? try Tensor.concatenated(tensors, axis: 0) : tensors[0]
      let sizes = parts.map { $0.shape.dimensions.first ?? 1 }
      for step in spelling.layout {
        tensor = try step.applied(to: tensor, parts: sizes, environment)
      }
      guard isStacked else { return tensor }
      return try tensor.reshaped(to: Shape([1] + tensor.shape.dimensions))
    }
    return turns.count > 1 ? try Tensor.concatenated(turns, axis: 0) : turns[0]
  }

  /// The shape of weights joined along their first axis.
  static func joined(_ shapes: [Shape]) throws -> Shape {
    guard shapes.count > 1, let first = shapes.first, !first.dimensions.isEmpty else {
      return shapes[0]
    }
    return try Shape(
      [shapes.reduce(0) { $0 + $1.dimensions[0] }] + first.dimensions.dropFirst())
  }
}

extension LayoutStep {
  /// The shape after this step.
  func applied(to shape: Shape, _ environment: Environment) throws -> Shape {
    switch self {
    case .transpose: try Shape(shape.dimensions.reversed())
    case .permute(let axes): shape.permuted(axes)
    case .reshape(let formulas): try Shape(formulas.map(environment.count))
    case .interleaveHeads, .rotaryPairs: shape
    }
  }
}
