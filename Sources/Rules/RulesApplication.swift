internal import Tensors

/// A table on its way through the stages of a rules file.
struct RulesApplication {
  private(set) var table: TensorTable
  private(set) var report = RulesReport()

  init(_ table: TensorTable) { self.table = table }

  mutating func apply(_ rules: [TransposeRule], spoolFolder: String?) throws {
    try run(.transpose, rules.map { [$0.pattern] }) { stage in
      try stage.mapping { entry, claim in
        let shape = entry.tensor.shape
        let axes = rules[claim.rule].axes ?? Array((0..<shape.rank).reversed())
        guard axes.count == shape.rank else {
          throw claim.failure(
            "orders \(axes.count) axes, the shape \(shape) has \(shape.rank)", tensor: entry.name)
        }
        let tensor = try claim.view(tensor: entry.name) {
          try entry.tensor.transposed(axes, spoolFolder: spoolFolder)
        }
        return [TensorTable.Entry(name: entry.name, tensor: tensor)]
      }
    }
  }

  mutating func apply(_ rules: [SplitRule]) throws {
    try run(.split, rules.map { [$0.pattern] }) { stage in
      try stage.mapping { entry, claim in
        let rule = rules[claim.rule]
        let axis = try Self.axis(rule.axis, of: entry, claim)
        var start = 0
        return try zip(rule.parts, Self.sizes(rule, axis, of: entry, claim)).map { part, size in
          defer { start += size }
          return TensorTable.Entry(
            name: try Self.name(part, for: entry.name, claim),
            tensor: try claim.view(tensor: entry.name) {
              try entry.tensor.sliced(axis: axis, range: start..<start + size)
            })
        }
      }
    }
  }

  mutating func apply(_ rules: [JoinRule]) throws {
    try run(.join, rules.map(\.patterns)) { stage in
      try JoinGroups(stage, rules).products { group, members in
        let claim = group.claim
        let first = members[0]
        let axis = try Self.axis(rules[claim.rule].axis, of: first, claim)
        for member in members.dropFirst() {
          try Self.check(member, fits: first, axis, claim)
        }
        return TensorTable.Entry(
          name: try Self.name(rules[claim.rule].name, for: first.name, claim),
          tensor: try claim.view(tensor: first.name) {
            try Tensor.concatenated(members.map(\.tensor), axis: axis)
          })
      }
    }
  }

  mutating func apply(_ rules: [RenameRule]) throws {
    var newNames: [ExactString: ExactString] = [:]
    try run(.rename, rules.map { [$0.pattern] }) { stage in
      try stage.mapping { entry, claim in
        let name = try Self.name(rules[claim.rule].name, for: entry.name, claim)
        newNames[entry.name] = name
        return [TensorTable.Entry(name: name, tensor: entry.tensor)]
      }
    }
    if !newNames.isEmpty { try table.metadata.moveAttributes(newNames) }
  }

  /// Runs the stage of the rules of one kind, which have these expressions.
  private mutating func run(
    _ kind: RuleKind, _ patterns: [[Pattern]],
    _ transform: (RulesStage) throws -> [RulesStage.Product]
  ) throws {
    guard !patterns.isEmpty else { return }
    let products = try transform(RulesStage(patterns, on: table.entries))
    try RulesStage.check(names: products)
    table = try table.replacingEntries(products.lazy.flatMap(\.results))
    var rules = patterns.map { RulesReport.Rule(kind: kind, patterns: $0) }
    for product in products {
      guard let rule = product.rule else { continue }
      rules[rule].changes.append(
        RulesReport.Change(from: product.from, to: product.results.map(\.name)))
    }
    report.rules += rules
  }

  /// The axis counted from the first, which the tensor must have.
  private static func axis(
    _ axis: Int, of entry: TensorTable.Entry, _ claim: RulesStage.Claim
  ) throws -> Int {
    let shape = entry.tensor.shape
    let counted = axis < 0 ? axis + shape.rank : axis
    guard shape.dimensions.indices.contains(counted) else {
      throw claim.failure(
        "needs axis \(axis), the shape \(shape) has \(shape.rank) axes", tensor: entry.name)
    }
    return counted
  }

  /// How long the parts of a split are along its axis.
  private static func sizes(
    _ rule: SplitRule, _ axis: Int, of entry: TensorTable.Entry, _ claim: RulesStage.Claim
  ) throws -> [Int] {
    let shape = entry.tensor.shape
    let length = shape.dimensions[axis]
    guard let sizes = rule.sizes else {
      let count = rule.parts.count
      guard length % count == 0 else {
        throw claim.failure(
          "cuts axis \(axis) of \(shape) into \(count) equal parts, \(length) is not divisible by \(count)",
          tensor: entry.name)
      }
      return Array(repeating: length / count, count: count)
    }
    var rest = length
    // Sizes above what is left end the search, so the sum cannot overflow.
    for size in sizes { rest = size > rest ? -1 : rest - size }
    guard rest == 0 else {
      throw claim.failure(
        "cuts axis \(axis) of \(shape) into \(sizes.map(String.init).joined(separator: " + ")), which is not \(length)",
        tensor: entry.name)
    }
    return sizes
  }

  /// Checks that a tensor can lie beside the first one of a join.
  private static func check(
    _ entry: TensorTable.Entry, fits first: TensorTable.Entry, _ axis: Int,
    _ claim: RulesStage.Claim
  ) throws {
    let (tensor, other) = (entry.tensor, first.tensor)
    guard tensor.elementType == other.elementType else {
      throw claim.failure(
        "joins \(other.elementType.name) with \(tensor.elementType.name) of '\(entry.name.escapedForDisplay())'",
        tensor: first.name)
    }
    var dimensions = tensor.shape.dimensions
    if dimensions.count == other.shape.rank { dimensions[axis] = other.shape.dimensions[axis] }
    guard dimensions == other.shape.dimensions else {
      throw claim.failure(
        "joins \(other.shape) with \(tensor.shape) of '\(entry.name.escapedForDisplay())', they differ not only in axis \(axis)",
        tensor: first.name)
    }
  }

  /// The name that a template gives.
  private static func name(
    _ template: NameTemplate, for tensor: ExactString, _ claim: RulesStage.Claim
  ) throws -> ExactString {
    let name = template.name(claim.captures)
    guard !name.isEmpty else { throw claim.failure("makes an empty name", tensor: tensor) }
    guard name.utf8.count <= Limits.nameBytes else {
      throw IngotError(
        .limit,
        "\(claim.pattern.ruleLabel) makes a name of \(name.utf8.count) bytes, above \(Limits.nameBytes)",
        tensor: tensor)
    }
    return name
  }
}

extension Metadata {
  /// Gives the keys `path@attribute` of renamed paths the new paths, all at once.
  ///
  /// - Throws: `malformed` where a key of another owner stands in the way.
  fileprivate mutating func moveAttributes(_ newNames: [ExactString: ExactString]) throws {
    let owners = AttributeOwners(newNames.keys)
    let moves = sorted.compactMap { key, value in
      owners.cut(key).map { name, attribute in
        (from: key, to: (newNames[name] ?? name) + attribute, value: value)
      }
    }
    for move in moves { self[move.from] = nil }
    for move in moves {
      guard self[move.to] == nil else {
        throw IngotError(
          .malformed,
          "the metadata key '\(move.from.escapedForDisplay())' would become '\(move.to.escapedForDisplay())', which is there already"
        )
      }
      self[move.to] = move.value
    }
  }
}
