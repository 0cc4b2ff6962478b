public import Tensors

/// A table under the names and in the layouts of another convention.
public struct Respelling: Sendable {
  /// How one tensor came about, or what became of one.
  public struct Row: Sendable, Hashable {
    /// The tensors of the source.
    public let from: [ExactString]
    /// The weights in between.
    public let roles: [String]
    /// The tensor of the result; nil where there is none.
    public let to: ExactString?
    /// Why a row is as it is, where that is not plain.
    public let remark: Remark?
  }

  /// What is special about a row.
  public enum Remark: String, Sendable, Hashable, CaseIterable {
    /// A tensor that nothing explains and that was not allowed.
    case unmapped
    /// A tensor that nothing explains, taken over as it is.
    case allowed
    /// A weight of the architecture that the source lacks.
    case missing
    /// A tensor of another shape than the architecture's.
    case mismatched
    /// No weight; computed where it is needed.
    case buffer
    /// A second copy of a tied weight, left out as the convention does.
    case tiedDropped = "tied, dropped"
    /// A second copy of a tied weight, written as the convention does.
    case tiedRestored = "tied, restored"
    /// A table without its first rows, which the convention lacks.
    case firstRowsDropped = "first rows dropped"
    /// A table with first rows of zeros, which the convention has.
    case firstRowsAdded = "first rows added"
    /// A weight that is all zero, left out because the convention lacks it.
    case zerosDropped = "zeros, dropped"
    /// A weight that was added to every row of another, because the convention lacks it.
    case folded = "added to another"
    /// A weight that the convention has, made of zeros.
    case zerosAdded = "zeros, added"
  }

  /// The convention of the result.
  public let convention: Convention
  /// Every tensor of the result and every one of the source that is not in it.
  public let rows: [Row]
  /// The tensors of the result; nothing where a row stands in the way.
  public let entries: [TensorTable.Entry]
  /// The model that the result is of: the same, but where the convention leaves it no choice.
  public let model: Model
  /// What a user should know of weights that were left out or made, one sentence each.
  public let notes: [String]

  /// The rows that stand in the way.
  public var obstacles: [Row] {
    rows.filter { [.unmapped, .missing, .mismatched].contains($0.remark) }
  }

  /// Names and lays out the weights of `table`, which was read as `reading`, for `convention`.
  ///
  /// - Parameter allows: Whether a name that nothing explains may stay as it is.
  /// - Throws: what views throw; `unsupported` for a convention that lacks a name, or a weight that
  ///   is not all zero.
  public init(
    _ table: TensorTable, _ reading: ModelReading, to convention: Convention,
    allowing allows: (ExactString) -> Bool
  ) throws {
    let model = reading.model
    var rows: [Row] = []
    var weights: [String: AdaptedWeights.Entry] = [:]
    for (stored, name) in reading.tensors {
      let roles = stored.turns.joined().map(\.role)
      guard let name, let tensor = table[name] else {
        if !stored.isTied {
          rows.append(
            Row(from: [reading.name(of: stored)], roles: roles, to: nil, remark: .missing))
        }
        continue
      }
      guard tensor.shape == stored.shape else {
        rows.append(Row(from: [name], roles: roles, to: nil, remark: .mismatched))
        continue
      }
      if stored.isTied, !convention.repeatsTied {
        rows.append(Row(from: [name], roles: roles, to: nil, remark: .tiedDropped))
      }
      try Tensors.naming(tensor: name) {
        for (role, weight) in try stored.weights(of: tensor, model.environment) {
          weights[role] = .init(tensor: weight, name: name)
        }
      }
    }
    for name in reading.buffers {
      rows.append(Row(from: [name], roles: [], to: nil, remark: .buffer))
    }
    for name in reading.unexpected where !allows(name) {
      rows.append(Row(from: [name], roles: [], to: nil, remark: .unmapped))
    }
    guard !rows.contains(where: { [.missing, .mismatched, .unmapped].contains($0.remark) }) else {
      self.init(convention, model, rows: rows)
      return
    }
    let (adaptations, target) = try convention.adapting(model)
    let tensors = try convention.tensors(of: target)
    var adapted = AdaptedWeights(weights, convention, of: model)
    try adapted.adapt(adaptations, from: model, to: target)
    rows += adapted.dropped.map { role, name, remark in
      Row(from: [name], roles: [role], to: nil, remark: remark)
    }
    var entries: [TensorTable.Entry] = []
    let placement = try convention.placement(of: target)
    for stored in tensors {
      guard !stored.isTied || convention.repeatsTied else { continue }
      var origins: [ExactString] = []
      var remark: Remark?
      let tensor = try stored.tensor(target.environment) { weight in
        if let found = adapted.entries[weight.role] {
          origins += found.name.map { [$0] } ?? []
          remark = remark ?? adapted.remarks[weight.role]
          return found.tensor
        }
        guard let tied = weight.tiedTo.flatMap({ adapted.entries[$0] }) else {
          throw IngotError(.internal, "the weight '\(weight.role)' was not read")
        }
        remark = .tiedRestored
        origins += tied.name.map { [$0] } ?? []
        return tied.tensor
      }
      let name = placement.prefix(of: stored.spelling) + stored.name
      entries.append(.init(name: name, tensor: tensor))
      rows.append(
        Row(
          from: origins.uniqued, roles: stored.turns.joined().map(\.role), to: name,
          remark: remark))
    }
    for name in reading.unexpected where allows(name) {
      guard let tensor = table[name] else { continue }
      entries.append(.init(name: name, tensor: tensor))
      rows.append(Row(from: [name], roles: [], to: name, remark: .allowed))
    }
    self.init(convention, target, rows: rows, entries: entries, notes: adapted.notes)
  }

  private init(
    _ convention: Convention, _ model: Model, rows: [Row], entries: [TensorTable.Entry] = [],
    notes: [String] = []
  ) {
    self.convention = convention
    self.model = model
    self.rows = rows
    self.entries = entries
    self.notes = notes
  }
}

extension Convention {
  /// What stands before the names that are written for a model.
  func placement(of model: Model) throws -> Placement {
    Placement(inner: try model.environment.holds(prefixCondition) ? prefix : "", outer: "")
  }
}

extension [ExactString] {
  /// The elements without repetitions, each at its first place.
  fileprivate var uniqued: [ExactString] {
    var seen: Set<ExactString> = []
    return filter { seen.insert($0).inserted }
  }
}
