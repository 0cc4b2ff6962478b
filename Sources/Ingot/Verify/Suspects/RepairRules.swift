internal import Architectures
internal import Tensors

/// The rules file that undoes a mistake in a checkpoint, on the names and layouts that it has.
struct RepairRules {
  private let reading: ModelReading
  /// Where each role lies: which stored tensor, and which part of it.
  private var homes: [String: (tensor: Int, part: Int)] = [:]

  /// What is done to one stored tensor, or with its name.
  private enum Action: Hashable {
    case transpose
    /// Cut into parts of these sizes along an axis, which are laid end to end in this order.
    case reorder(axis: Int, sizes: [Int], order: [Int])
    /// The tensor of that number gets its name.
    case rename(from: Int)
  }

  init(_ reading: ModelReading) {
    self.reading = reading
    for (index, (stored, _)) in reading.tensors.enumerated() where stored.turns.count == 1 {
      for (part, weight) in stored.turns[0].enumerated() { homes[weight.role] = (index, part) }
    }
  }

  /// The text of the rules file; nil where rules cannot undo it.
  func text(for mistake: Mistake) -> String? {
    guard !mistake.edits.isEmpty else { return nil }
    var actions: [Int: Action] = [:]
    for role in mistake.edits.keys.sorted() {
      guard let home = homes[role] else { return nil }
      guard actions[home.tensor] == nil else { continue }
      guard let action = action(on: home.tensor, mistake.edits) else { return nil }
      actions[home.tensor] = action
    }
    return document(actions)
  }

  private func action(on tensor: Int, _ edits: [String: WeightEdit]) -> Action? {
    let stored = reading.tensors[tensor].stored
    let parts = stored.turns[0]
    guard parts.count == 1 else { return joinedAction(on: tensor, edits) }
    switch edits[parts[0].role] {
    case .transposed: return axis(of: stored) == nil ? nil : .transpose
    case .blocks(let blocks):
      guard let axis = axis(of: stored) else { return nil }
      let inOrder = blocks.sorted { $0.lowerBound < $1.lowerBound }
      return .reorder(
        axis: axis, sizes: inOrder.map(\.count),
        order: blocks.map { inOrder.firstIndex(of: $0) ?? 0 })
    case .taken(let other): return rename(to: tensor, from: [other])
    case .made, nil: return nil
    }
  }

  /// Of weights in one tensor: its parts in another order, or another tensor of such parts.
  private func joinedAction(on tensor: Int, _ edits: [String: WeightEdit]) -> Action? {
    let stored = reading.tensors[tensor].stored
    let parts = stored.turns[0]
    var sources: [String] = []
    for part in parts {
      switch edits[part.role] {
      case nil: sources.append(part.role)
      case .taken(let other): sources.append(other)
      case .transposed, .blocks, .made: return nil
      }
    }
    let roles = parts.map(\.role)
    guard Set(sources) == Set(roles) else { return rename(to: tensor, from: sources) }
    guard let axis = axis(of: stored) else { return nil }
    return .reorder(
      axis: axis, sizes: parts.map { $0.shape.dimensions[0] },
      order: sources.map { roles.firstIndex(of: $0) ?? 0 })
  }

  private func rename(to tensor: Int, from roles: [String]) -> Action? {
    guard let source = homes[roles[0]]?.tensor else { return nil }
    let (one, other) = (reading.tensors[tensor].stored, reading.tensors[source].stored)
    guard other.turns[0].map(\.role) == roles, one.spelling.layout == other.spelling.layout,
      one.shape == other.shape
    else { return nil }
    return .rename(from: source)
  }

  /// The stored axis that the canonical first one is; nil where layouts are more than a transposition.
  private func axis(of stored: StoredTensor) -> Int? {
    switch stored.spelling.layout {
    case []: 0
    case [.transpose]: 1
    default: nil
    }
  }
}

// MARK: Text

extension RepairRules {
  private func document(_ actions: [Int: Action]) -> String? {
    var lines: [RuleKind: [String]] = [:]
    var done: Set<Int> = []
    for (tensor, action) in actions.sorted(by: { $0.key < $1.key }) where !done.contains(tensor) {
      // Of tensors that differ in the layer's number alone, and are all treated alike, one rule.
      let kin = reading.tensors.indices.filter { isSpelled($0, like: tensor) }
      let isCommon = kin.count > 1 && kin.allSatisfy { isAlike(actions[$0], action, $0, tensor) }
      guard let pattern = pattern(tensor, isCommon: isCommon),
        let name = template(tensor, isCommon: isCommon)
      else { return nil }
      done.formUnion(isCommon ? kin : [tensor])
      switch action {
      case .transpose: lines[.transpose, default: []].append("match: \(pattern)")
      case .reorder(let axis, let sizes, let order):
        let parts = order.indices.map { "\(name).part_\($0)" }
        lines[.split, default: []].append(
          "match: \(pattern)\n    axis: \(axis)\n    into: [\(parts.map(Self.quoted).joined(separator: ", "))]"
            + "\n    sizes: [\(sizes.map(String.init).joined(separator: ", "))]")
        let from = order.map { part in
          Self.quoted(Self.unquoted(pattern) + "\\.part_\(part)")
        }
        lines[.join, default: []].append(
          "from: [\(from.joined(separator: ", "))]\n    axis: \(axis)\n    to: \(Self.quoted(name))"
        )
      case .rename(let source):
        guard let from = self.pattern(source, isCommon: isCommon) else { return nil }
        lines[.rename, default: []].append("from: \(from)\n    to: \(Self.quoted(name))")
      }
    }
    return RuleKind.allCases.compactMap { kind in
      lines[kind].map { rules in
        "\(kind.rawValue):\n" + rules.map { "  - \($0)\n" }.joined()
      }
    }.joined()
  }

  private func isSpelled(_ one: Int, like other: Int) -> Bool {
    reading.tensors[one].stored.spelling.name == reading.tensors[other].stored.spelling.name
  }

  /// Whether the same is done to two tensors of one spelling.
  private func isAlike(_ one: Action?, _ other: Action, _ tensor: Int, _ otherTensor: Int) -> Bool {
    guard case .rename(let source) = one, case .rename(let otherSource) = other else {
      return one == other
    }
    func keepsNumbers(_ tensor: Int, _ source: Int) -> Bool {
      reading.tensors[tensor].stored.turns[0][0].variables
        == reading.tensors[source].stored.turns[0][0].variables
    }
    return isSpelled(source, like: otherSource) && keepsNumbers(tensor, source)
      && keepsNumbers(otherTensor, otherSource)
  }

  /// The expression for the name of a tensor, or of all of its spelling.
  private func pattern(_ tensor: Int, isCommon: Bool) -> String? {
    guard let pieces = pieces(tensor, isCommon: isCommon) else { return nil }
    return Self.quoted(pieces.map(Self.escaped).joined(separator: "(\\d+)"))
  }

  private func template(_ tensor: Int, isCommon: Bool) -> String? {
    guard let pieces = pieces(tensor, isCommon: isCommon) else { return nil }
    var text = ""
    for (index, piece) in pieces.enumerated() {
      if index > 0 { text += "$\(index)" }
      text += piece.replacing("$", with: "$$")
    }
    return text
  }

  /// The texts between the numbers; nil for a name that YAML would not hold as it is.
  private func pieces(_ tensor: Int, isCommon: Bool) -> [String]? {
    let (stored, found) = reading.tensors[tensor]
    guard let found, found == found.escapedForDisplay(limit: .max) else { return nil }
    guard isCommon, found == reading.name(of: stored) else { return isCommon ? nil : [found.text] }
    var pieces = [found.removingSuffix(stored.name)?.text ?? ""]
    var rest = stored.spelling.name.text[...]
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      guard !rest[open..<close].contains(":") else { return nil }
      pieces[pieces.count - 1] += rest[..<open]
      pieces.append("")
      rest = rest[rest.index(after: close)...]
    }
    pieces[pieces.count - 1] += rest
    return pieces
  }

  private static func escaped(_ text: String) -> String {
    // By scalars: an accent may follow what has a meaning of its own.
    String(
      text.unicodeScalars.reduce(into: String.UnicodeScalarView()) { escaped, scalar in
        if "\\.[](){}*+?^$|/".unicodeScalars.contains(scalar) { escaped.append("\\") }
        escaped.append(scalar)
      })
  }

  private static func quoted(_ text: String) -> String {
    "'" + text.replacing("'", with: "''") + "'"
  }

  private static func unquoted(_ text: String) -> String {
    String(text.dropFirst().dropLast()).replacing("''", with: "'")
  }
}
