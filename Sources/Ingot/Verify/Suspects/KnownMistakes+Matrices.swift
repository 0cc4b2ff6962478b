internal import Architectures
internal import ReferenceModel
internal import Tensors

/// Matrices that lie the wrong way round, or in the place of others of their block.
extension KnownMistakes {
  private func square(_ placed: PlacedOperation) throws -> String? {
    guard case .linear = placed.operation, let role = try placed.role("weight") else { return nil }
    let dimensions = dimensions(role)
    return dimensions.count == 2 && dimensions[0] == dimensions[1] ? role : nil
  }

  func transposed(_ placed: PlacedOperation) throws -> [Mistake] {
    if let role = try square(placed) {
      return [mistake("the matrix is transposed", at: placed, [role: .transposed])]
    }
    return try reshaped(placed) + patchesExchanged(placed) + convolutionExchanged(placed)
  }

  private func reshaped(_ placed: PlacedOperation) throws -> [Mistake] {
    guard case .linear = placed.operation, let role = try placed.role("weight"),
      dimensions(role).count == 2
    else { return [] }
    let cause = "the matrix was given its shape without being transposed"
    return [
      mistake(cause, at: placed, [role: .made { try $0(role).rereadTransposed() }]),
      mistake(cause, at: placed, [role: .made { try $0(role).transposedReread() }]),
    ]
  }

  private func patchesExchanged(_ placed: PlacedOperation) throws -> [Mistake] {
    guard case .patches = placed.operation, let role = try placed.role("weight") else { return [] }
    return [
      mistake(
        "height and width of the patches are exchanged", at: placed,
        [role: .made { try $0(role).transposed([0, 1, 3, 2]) }])
    ]
  }

  private func convolutionExchanged(_ placed: PlacedOperation) throws -> [Mistake] {
    guard case .convolution = placed.operation, let role = try placed.role("weight"),
      dimensions(role)[0] == dimensions(role)[1]
    else { return [] }
    return [
      mistake(
        "inputs and outputs of the convolution are exchanged", at: placed,
        [role: .made { try $0(role).transposed([1, 0, 2]) }])
    ]
  }

  /// Several matrices of a block, as where one function converts them all.
  func transposedTogether(_ block: [PlacedOperation]) throws -> [Mistake] {
    let matrices = try block.compactMap { placed in try square(placed).map { (placed, $0) } }
    let inputs = matrices.filter { placed, _ in placed.purpose != .attentionOutput }
    return [inputs, matrices].filter { $0.count > 1 }.map { group in
      mistake(
        "the matrices are transposed", around: group[0].0,
        Dictionary(group.map { ($0.1, .transposed) }) { first, _ in first })
    }
  }

  /// The linear map of a block for a purpose.
  func projection(
    _ purpose: Weight.Purpose, _ block: [PlacedOperation]
  ) -> PlacedOperation? {
    block.first { $0.purpose == purpose }
  }

  /// Weights, or biases, of one block in another order: `order[i]` stands where `i` should.
  private func reordered(
    _ cause: String, _ parts: [PlacedOperation], _ order: [Int]
  ) throws -> [Mistake] {
    func edits(_ name: String) throws -> [String: WeightEdit] {
      let roles = try parts.map { try $0.role(name) }
      var edits: [String: WeightEdit] = [:]
      for (position, role) in roles.enumerated() where order[position] != position {
        guard let role, let other = order.firstIndex(of: position).flatMap({ roles[$0] }),
          dimensions(role) == dimensions(other)
        else { return [:] }
        edits[role] = .taken(from: other)
      }
      return edits
    }
    let (matrices, biases) = (try edits("weight"), try edits("bias"))
    guard !matrices.isEmpty else { return [] }
    var mistakes = [mistake(cause, around: parts[0], matrices.merging(biases) { one, _ in one })]
    if !biases.isEmpty {
      mistakes.append(mistake(cause + ", of the matrices alone", around: parts[0], matrices))
      mistakes.append(mistake(cause + ", of the biases alone", around: parts[0], biases))
    }
    return mistakes
  }

  func projectionsReordered(_ block: [PlacedOperation]) throws -> [Mistake] {
    let words = ["query", "key", "value"]
    guard let query = projection(.query, block), let key = projection(.key, block),
      let value = projection(.value, block)
    else { return [] }
    let parts = [query, key, value]
    let reorderings = try Self.orders(of: 3).flatMap { order in
      let moved = order.indices.filter { order[$0] != $0 }.map { words[$0] }
      let found = order.map { words[$0] }
      return try reordered(
        moved.count == 2
          ? "\(moved[0]) and \(moved[1]) are exchanged"
          : "query, key and value lie in the order \(found.joined(separator: ", "))", parts, order)
    }
    return try reorderings + dealtHeads(parts)
  }

  /// Fused projections lie part by part, or head by head with the three of each head together.
  private func dealtHeads(_ parts: [PlacedOperation]) throws -> [Mistake] {
    let roles = try parts.compactMap { try $0.role("weight") }
    let biases = try parts.compactMap { try $0.role("bias") }
    guard roles.count == 3, let rows = dimensions(roles[0]).first,
      roles.allSatisfy({ dimensions($0).first == rows }),
      let heads = try? parts[0].scope.environment.count("heads"), heads > 1, rows % heads == 0
    else { return [] }
    func edits(_ roles: [String], _ outer: Int, _ inner: Int) -> [String: WeightEdit] {
      Dictionary(
        roles.enumerated().map { index, role in
          let edit = WeightEdit.made { weights in
            try Tensor.concatenated(roles.map(weights), axis: 0).dealt(outer, by: inner)
              .sliced(axis: 0, range: index * rows..<(index + 1) * rows)
          }
          return (role, edit)
        }, uniquingKeysWith: { first, _ in first })
    }
    let whole = [roles, biases].filter { $0.count == 3 }
    return [
      ("fused query, key and value lie one after the other, not head by head", 3, heads),
      ("fused query, key and value lie head by head, not one after the other", heads, 3),
    ].map { cause, outer, inner in
      mistake(
        cause, around: parts[0],
        whole.reduce(into: [:]) { all, roles in
          all.merge(edits(roles, outer, inner)) { one, _ in one }
        })
    }
  }

  func gateExchanged(_ block: [PlacedOperation]) throws -> [Mistake] {
    guard let gate = projection(.feedForwardGate, block), let up = projection(.feedForwardUp, block)
    else { return [] }
    return try reordered("gate and up are exchanged", [gate, up], [1, 0])
  }

  /// Every order of so many things but the usual one.
  static func orders(of count: Int) -> [[Int]] {
    var orders: [[Int]] = [[]]
    for _ in 0..<count {
      orders = orders.flatMap { order in
        (0..<count).filter { !order.contains($0) }.map { order + [$0] }
      }
    }
    return orders.filter { $0 != Array(0..<count) }
  }
}

extension PlacedOperation {
  /// What its matrix is for.
  var purpose: Weight.Purpose? {
    if case .linear(let it) = operation { return it.purpose }
    return nil
  }
}
