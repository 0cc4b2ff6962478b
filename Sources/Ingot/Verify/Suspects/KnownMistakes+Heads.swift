internal import Architectures
internal import ReferenceModel
internal import Tensors

/// Rows of heads in the order of the other kind of rotary positions.
extension KnownMistakes {
  /// A way that the rows of heads may have been moved.
  private struct HeadOrder {
    let text: String
    let move: @Sendable (Tensor) throws -> Tensor
  }

  func headsReordered(_ block: [PlacedOperation]) throws -> [Mistake] {
    var turned: [(placed: PlacedOperation, heads: Int, orders: [HeadOrder])] = []
    let queryHeads = try turning(block, projection(.query, block))?.heads
    for purpose in [Weight.Purpose.query, .key] {
      guard let placed = projection(purpose, block), let it = try turning(block, placed),
        let rows = try placed.role("weight").flatMap({ dimensions($0).first })
      else { continue }
      let own = Self.orders(it.heads, turning: it.dimensions)
      var orders = own
      // A converter that knows of one number of heads moves those of keys by it.
      if let queryHeads, queryHeads != it.heads, rows % (2 * queryHeads) == 0 {
        let wrong = Self.orders(queryHeads, turning: nil).map { order in
          HeadOrder(
            text:
              "\(order.text), by the \(queryHeads) heads of queries, not the \(it.heads) of keys",
            move: order.move)
        }
        orders += wrong
        orders += own.flatMap { one in
          wrong.map { other in
            HeadOrder(text: other.text) { try other.move(one.move($0)) }
          }
        }
      }
      turned.append((placed, it.heads, orders))
    }
    let single = try turned.flatMap { placed, _, orders in
      try orders.map { mistake("rows of the heads \($0.text)", at: placed, try edits(placed, $0)) }
    }
    guard turned.count == 2 else { return single }
    let both = try turned[0].orders.flatMap { query in
      try turned[1].orders.map { key in
        let text =
          query.text == key.text ? query.text : "\(query.text); those of keys \(key.text)"
        return mistake(
          "rows of the heads \(text)", around: turned[0].placed,
          try edits(turned[0].placed, query).merging(edits(turned[1].placed, key)) { one, _ in one }
        )
      }
    }
    return both + single
  }

  private func edits(
    _ placed: PlacedOperation, _ order: HeadOrder
  ) throws -> [String: WeightEdit] {
    Dictionary(
      try placed.roles.map { role in (role, .made { try order.move($0(role)) }) }
    ) { first, _ in first }
  }

  private static func orders(_ heads: Int, turning: Int?) -> [HeadOrder] {
    [
      HeadOrder(text: "lie in rotary pairs, not halves") {
        try $0.rotaryReordered(toPairs: false, heads: heads, turning: turning)
      },
      HeadOrder(text: "were brought from rotary pairs to halves that were halves") {
        try $0.rotaryReordered(toPairs: true, heads: heads, turning: turning)
      },
    ]
  }

  /// How many heads of what a projection gives are turned, and how many components of each.
  private func turning(
    _ block: [PlacedOperation], _ projection: PlacedOperation?
  ) throws -> (heads: Int, dimensions: Int)? {
    guard let projection else { return nil }
    for placed in block {
      guard case .rotary(let it) = placed.operation, it.input == projection.operation.output
      else { continue }
      let environment = placed.scope.environment
      return (try environment.count(it.heads), try environment.count(it.dimensions))
    }
    return nil
  }
}
