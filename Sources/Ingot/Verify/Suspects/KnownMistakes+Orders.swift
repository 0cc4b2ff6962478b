internal import Architectures
internal import ReferenceModel
internal import Tensors

/// Positions, experts and layers in other orders.
extension KnownMistakes {
  func positionsShifted(_ placed: PlacedOperation) throws -> [Mistake] {
    guard case .positions = placed.operation, let role = try placed.role("weight"),
      let rows = dimensions(role).first, rows > 2
    else { return [] }
    return [1, 2].flatMap { distance in
      let rowsText = distance == 1 ? "1 row" : "\(distance) rows"
      return [
        mistake(
          "positions are shifted: each stands \(rowsText) too late", at: placed,
          [role: .blocks([distance..<rows, 0..<distance])]),
        mistake(
          "positions are shifted: each stands \(rowsText) too early", at: placed,
          [role: .blocks([rows - distance..<rows, 0..<rows - distance])]),
      ]
    }
  }

  /// All orders of more experts than these are too many to try.
  private static let fewExperts = 4
  private static let mostExchangedExperts = 16

  func expertsReordered(_ placed: PlacedOperation) throws -> [Mistake] {
    guard case .experts = placed.operation, let role = try placed.role("router.weight"),
      let count = dimensions(role).first, count > 1
    else { return [] }
    let usual = Array(0..<count)
    var orders: [[Int]]
    if count <= Self.fewExperts {
      orders = Self.orders(of: count)
    } else {
      orders = [usual.reversed(), usual.rotated(by: 1), usual.rotated(by: count - 1)]
      orders += Self.textOrders(count)
      if count <= Self.mostExchangedExperts {
        for one in usual {
          for other in usual[(one + 1)...] {
            var order = usual
            order.swapAt(one, other)
            orders.append(order)
          }
        }
      }
    }
    return orders.map { order in
      mistake(
        "router and experts are in different orders: the experts belong to its rows \(Self.text(order))",
        at: placed, [role: .blocks(order.map { $0..<$0 + 1 })])
    }
  }

  private static func text(_ order: [Int]) -> String {
    order.prefix(16).map(String.init).joined(separator: ", ") + (order.count > 16 ? " …" : "")
  }

  /// The order of so many numbers as text, 0, 1, 10, 11, 2 …, and the one that undoes it; where two
  /// digits make a difference.
  private static func textOrders(_ count: Int) -> [[Int]] {
    guard count > 10 else { return [] }
    let order = (0..<count).sorted { "\($0)" < "\($1)" }
    return [order, (0..<count).map { number in order.firstIndex(of: number) ?? number }]
  }

  func layersReordered(_ operations: [PlacedOperation]) throws -> [Mistake] {
    var touched: [(stack: String, layer: Int)] = []
    for placed in operations {
      guard !(try placed.roles.isEmpty), let path = placed.scope.layer,
        let dot = path.lastIndex(of: "."), let layer = Int(path[path.index(after: dot)...])
      else { continue }
      let stack = String(path[..<dot])
      if !touched.contains(where: { $0 == (stack, layer) }) { touched.append((stack, layer)) }
    }
    var mistakes: [Mistake] = []
    for stack in Set(touched.map(\.stack)).sorted() {
      let layers = layers(of: stack)
      guard layers.count > 1 else { continue }
      for (order, text) in zip(Self.textOrders(layers.count), ["", ", undone once too often"]) {
        // What lies at the place `index` of the order is the layer of that number.
        var edits: [String: WeightEdit] = [:]
        for (index, layer) in order.enumerated() {
          edits.merge(exchange(layers, layer, takenFrom: index) ?? [:]) { one, _ in one }
        }
        mistakes.append(
          layersMistake(
            "layers lie in the order of their numbers as text (0, 1, 10, 11 …)\(text)", stack, edits
          ))
      }
      var tried: Set<[Int]> = []
      for layer in touched.filter({ $0.stack == stack }).map(\.layer) {
        for other in layers.indices
        where other != layer && tried.insert([min(layer, other), max(layer, other)]).inserted {
          guard let one = exchange(layers, layer, takenFrom: other),
            let two = exchange(layers, other, takenFrom: layer)
          else { continue }
          mistakes.append(
            layersMistake(
              "layers \(min(layer, other)) and \(max(layer, other)) are exchanged", stack,
              one.merging(two) { one, _ in one }))
        }
      }
    }
    return mistakes
  }

  private func layersMistake(
    _ cause: String, _ stack: String, _ edits: [String: WeightEdit]
  ) -> Mistake {
    Mistake(
      cause: cause, place: stack, pattern: stack,
      layers: Set(edits.keys.compactMap { weights[$0]?.layer }), edits: edits)
  }

  /// The roles of each layer of a stack by what follows the layer's path.
  private func layers(of stack: String) -> [[String: String]] {
    var layers: [Int: [String: String]] = [:]
    for weight in model.weights {
      guard let path = weight.layer, path.hasPrefix(stack + "."),
        let number = Int(path.dropFirst(stack.count + 1)), weight.role.hasPrefix(path + ".")
      else { continue }
      layers[number, default: [:]][String(weight.role.dropFirst(path.count))] = weight.role
    }
    return (0..<layers.count).map { layers[$0] ?? [:] }
  }

  /// The weights of one layer taken from another; nil where they are not alike.
  private func exchange(
    _ layers: [[String: String]], _ layer: Int, takenFrom other: Int
  ) -> [String: WeightEdit]? {
    guard layers.indices.contains(layer), layers.indices.contains(other) else { return nil }
    guard layer != other else { return [:] }
    var edits: [String: WeightEdit] = [:]
    for (ending, role) in layers[layer] {
      guard let source = layers[other][ending], dimensions(source) == dimensions(role) else {
        return nil
      }
      edits[role] = .taken(from: source)
    }
    return edits
  }
}

extension [Int] {
  fileprivate func rotated(by distance: Int) -> [Int] {
    Array(self[distance...] + self[..<distance])
  }
}
