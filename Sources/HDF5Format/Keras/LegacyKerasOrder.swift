internal import Tensors

/// The order of weights in the legacy Keras format, which links do not keep.
///
/// The root, or the group `model_weights`, lists its layers in the attribute `layer_names`; each layer's
/// group lists its weights in `weight_names`, as paths within the group. Lists above 64,512 bytes are cut
/// into `layer_names0`, `layer_names1`, … The groups `top_level_model_weights` and `optimizer_weights`
/// list theirs alike.
struct LegacyKerasOrder {
  private let tree: ObjectTree
  /// The group with `layer_names`, and its path with a slash, if any.
  private let container: Int
  private let prefix: ExactString
  private let layers: [ExactString]

  /// The order of a file, or nil for one that is not of this kind.
  init?(_ tree: ObjectTree) throws {
    self.tree = tree
    let model = Self.member(tree, 0, "model_weights")
    if let model, let layers = try Self.names(tree, model, "layer_names", "model_weights") {
      (container, prefix, self.layers) = (model, "model_weights/", layers)
    } else if let layers = try Self.names(tree, 0, "layer_names", "") {
      (container, prefix, self.layers) = (0, "", layers)
    } else {
      return nil
    }
  }

  /// For each weight that the names mention its place, by path.
  ///
  /// - Throws: `malformed` quoting a name that is missing, or names the wrong kind of object.
  func ranks(_ budget: inout NameBudget) throws -> [ExactString: Int] {
    let index = MemberIndex(tree)
    var ranks: [ExactString: Int] = [:]
    func add(_ group: Int, _ path: ExactString, _ budget: inout NameBudget) throws {
      guard let names = try Self.names(tree, group, "weight_names", path) else {
        throw IngotError(
          .malformed, "the Keras group '\(path.escapedForDisplay())' has no weight_names")
      }
      for name in names {
        try budget.spend(name)
        let node = try index.resolve(name, from: group, in: path)
        guard tree.children(node) == nil else {
          throw IngotError(
            .malformed,
            "weight_names of '\(path.escapedForDisplay())' names the group '\(name.escapedForDisplay())'"
          )
        }
        let place = ranks.count
        if ranks["\(path)/\(name)"] == nil { ranks["\(path)/\(name)"] = place }
      }
    }
    for layer in layers {
      let node = try index.resolve(layer, from: container, in: prefix.isEmpty ? "/" : prefix)
      guard tree.children(node) != nil else {
        throw IngotError(
          .malformed, "layer_names names '\(layer.escapedForDisplay())', which is no group",
          offset: tree.nodes[node].address)
      }
      try naming(offset: tree.nodes[node].address) { try add(node, prefix + layer, &budget) }
    }
    if let top = Self.member(tree, container, "top_level_model_weights"), tree.children(top) != nil
    {
      try naming(offset: tree.nodes[top].address) {
        try add(top, prefix + "top_level_model_weights", &budget)
      }
    }
    if let optimizer = Self.member(tree, 0, "optimizer_weights"), tree.children(optimizer) != nil {
      try naming(offset: tree.nodes[optimizer].address) {
        try add(optimizer, "optimizer_weights", &budget)
      }
    }
    return ranks
  }

  private static func member(_ tree: ObjectTree, _ group: Int, _ name: ExactString) -> Int? {
    tree.children(group)?.first { $0.name == name }?.node
  }

  /// A list of names, joined where it was cut; nil where there is none.
  private static func names(
    _ tree: ObjectTree, _ node: Int, _ key: ExactString, _ path: ExactString
  ) throws -> [ExactString]? {
    let attributes = Dictionary(
      tree.nodes[node].attributes.map { ($0.name, $0.value) },
      uniquingKeysWith: { first, _ in first })
    if let value = attributes[key] {
      return try naming(offset: tree.nodes[node].address) { try strings(value, key, path) }
    }
    let parts = attributes.keys.filter {
      $0.removingPrefix(key).flatMap(KerasLayout.number) != nil
    }
    guard !parts.isEmpty else { return nil }
    return try (0..<parts.count).flatMap { part in
      guard let value = attributes["\(key)\(part)"] else {
        throw IngotError(
          .malformed,
          "'\(path.isEmpty ? "/" : path.escapedForDisplay())' has \(parts.count) parts of \(key) but no \(key)\(part)",
          offset: tree.nodes[node].address)
      }
      return try naming(offset: tree.nodes[node].address) { try strings(value, key, path) }
    }
  }

  private static func strings(_ value: JSON?, _ key: ExactString, _ path: ExactString) throws
    -> [ExactString]
  {
    guard let elements = value?.array else { throw notNames(key, path) }
    return try elements.map {
      guard let name = $0.string else { throw notNames(key, path) }
      return name
    }
  }

  private static func notNames(_ key: ExactString, _ path: ExactString) -> IngotError {
    IngotError(.malformed, "\(key) of '\(path.escapedForDisplay())' is no list of names")
  }
}

/// Finds the members of groups by name.
final class MemberIndex {
  private let tree: ObjectTree
  private var tables: [Int: [ExactString: Int]] = [:]

  init(_ tree: ObjectTree) { self.tree = tree }

  func member(_ group: Int, _ name: ExactString) -> Int? {
    if let table = tables[group] { return table[name] }
    let children = tree.children(group) ?? []
    let table = Dictionary(
      children.map { ($0.name, $0.node) }, uniquingKeysWith: { first, _ in first })
    tables[group] = table
    return table[name]
  }

  /// The object at a path within a group.
  ///
  /// - Throws: `malformed` quoting a path that leads nowhere, or tries to leave the group.
  func resolve(_ path: ExactString, from group: Int, in container: ExactString) throws -> Int {
    var node = group
    for part in path.split(separator: "/", omittingEmptySubsequences: false) {
      guard part != "..", let next = member(node, part) else {
        throw IngotError(
          .malformed,
          "'\(container.escapedForDisplay())' names '\(path.escapedForDisplay())', which it does not hold",
          offset: tree.nodes[group].address)
      }
      node = next
    }
    return node
  }
}
