public import Tensors

/// A table under the names and in the layouts of another convention.
public struct Respelling: Sendable {
  /// How one tensor came about, or what became of one.
  public struct Row: Sendable, Hashable {
    /// The tensors of the source.
    public let from: [String]
    /// The weights in between.
    public let roles: [String]
    /// The tensor of the result; nil where there is none.
    public let to: String?
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
  }

  /// The convention of the result.
  public let convention: Convention
  /// Every tensor of the result and every one of the source that is not in it.
  public let rows: [Row]
  /// The tensors of the result; nothing where a row stands in the way.
  public let entries: [TensorTable.Entry]

  /// The rows that stand in the way.
  public var obstacles: [Row] {
    rows.filter { [.unmapped, .missing, .mismatched].contains($0.remark) }
  }

  /// Names and lays out the weights of `table`, which was read as `reading`, for `convention`.
  ///
  /// - Parameter allows: Whether a name that nothing explains may stay as it is.
  /// - Throws: what views throw; `unsupported` for a convention that lacks a name.
  public init(
    _ table: TensorTable, _ reading: ModelReading, to convention: Convention,
    allowing allows: (String) -> Bool
  ) throws {
    self.convention = convention
    let model = reading.model
    var rows: [Row] = []
    var weights: [String: (tensor: Tensor, name: String)] = [:]
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
          weights[role] = (weight, name)
        }
      }
    }
    for name in reading.buffers {
      rows.append(Row(from: [name], roles: [], to: nil, remark: .buffer))
    }
    for name in reading.unexpected where !allows(name) {
      rows.append(Row(from: [name], roles: [], to: nil, remark: .unmapped))
    }
    var entries: [TensorTable.Entry] = []
    if !rows.contains(where: { [.missing, .mismatched, .unmapped].contains($0.remark) }) {
      let placement = try convention.placement(of: model)
      for stored in try convention.tensors(of: model) {
        guard !stored.isTied || convention.repeatsTied else { continue }
        var origins: [String] = []
        var isRestored = false
        let tensor = try stored.tensor(model.environment) { weight in
          if let found = weights[weight.role] {
            origins.append(found.name)
            return found.tensor
          }
          guard let target = weight.tiedTo.flatMap({ weights[$0] }) else {
            throw IngotError(.internal, "the weight '\(weight.role)' was not read")
          }
          isRestored = true
          origins.append(target.name)
          return target.tensor
        }
        let name = placement.prefix(of: stored.spelling) + stored.name
        entries.append(.init(name: name, tensor: tensor))
        rows.append(
          Row(
            from: origins.uniqued, roles: stored.turns.joined().map(\.role), to: name,
            remark: isRestored ? .tiedRestored : nil))
      }
      for name in reading.unexpected where allows(name) {
        guard let tensor = table[name] else { continue }
        entries.append(.init(name: name, tensor: tensor))
        rows.append(Row(from: [name], roles: [], to: name, remark: .allowed))
      }
    }
    self.rows = rows
    self.entries = entries
  }
}

extension Convention {
  /// What stands before the names that are written for a model.
  func placement(of model: Model) throws -> Placement {
    Placement(inner: try model.environment.holds(prefixCondition) ? prefix : "", outer: "")
  }
}

extension [String] {
  /// The elements without repetitions, each at its first place.
  fileprivate var uniqued: [String] {
    var seen: Set<String> = []
    return filter { seen.insert($0).inserted }
  }
}
