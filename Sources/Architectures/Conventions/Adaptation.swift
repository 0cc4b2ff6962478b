internal import Tensors

/// A choice that an ecosystem does not leave, and what becomes of the weights that hang on it.
///
/// Only what no result hangs on goes or comes: first rows of tables that nothing visible reads, and
/// weights that are all zero or can be added into another. What went, or came, is told where a model is
/// brought there.
public struct Adaptation: Sendable, Hashable {
  /// When a model has chosen otherwise.
  public var condition: Expression
  /// What the parameters are there, as formulas over what they are in the model.
  public var values: [String: Expression]
  /// The roles of tables that lose first rows, or get some of zeros, to have the size that follows.
  public var firstRows: [String] = []
  /// The roles of weights that the ecosystem lacks, and that must be all zero to be left out, or that
  /// only the ecosystem has, and that are zeros there.
  public var zeros: [String] = []
  /// For those that are not all zero and have one row: the table that it is added to every row of, because
  /// each time a row of that is read this one is, and the two are added.
  public var folds: [String: String] = [:]
  /// Why no result hangs on them, and what is computed otherwise.
  public var reason: String
}

extension Convention {
  /// The adaptations that `model` needs, and the model as it is after them.
  func adapting(_ model: Model) throws -> (adaptations: [Adaptation], model: Model) {
    let needed = try adaptations.filter { try model.environment.holds($0.condition) }
    guard !needed.isEmpty else { return ([], model) }
    var configuration = model.configuration
    for adaptation in needed {
      for (name, formula) in adaptation.values {
        configuration[name] = .init(
          try model.environment.value(of: formula), source: "as always in \(self.name)")
      }
    }
    return (needed, try Model(model.architecture, configuration))
  }
}

/// The weights of a model on their way into a convention that leaves less choice.
struct AdaptedWeights {
  /// A weight, and the tensor of the source that it is from; none where it is made.
  struct Entry {
    var tensor: Tensor
    var name: ExactString?
  }

  /// The weights by role.
  private(set) var entries: [String: Entry]
  /// What is special about a weight of the result.
  private(set) var remarks: [String: Respelling.Remark] = [:]
  /// The weights that were left out, with their tensors.
  private(set) var dropped: [(role: String, name: ExactString, remark: Respelling.Remark)] = []
  /// What a user should know, a sentence for each role.
  private(set) var notes: [String] = []
  /// The convention and the architecture, as messages begin.
  private let place: String

  init(_ entries: [String: Entry], _ convention: Convention, of model: Model) {
    self.entries = entries
    place = "\(convention.name) of \(model.architecture.name)"
  }

  /// Does what the adaptations say between a model and what it becomes.
  ///
  /// - Throws: `unsupported` for a weight that is not all zero and would have to be.
  mutating func adapt(_ adaptations: [Adaptation], from old: Model, to new: Model) throws {
    for adaptation in adaptations {
      for weight in new.weights where adaptation.firstRows.contains(weight.pattern) {
        try changeRows(weight, adaptation)
      }
      for weight in old.weights where adaptation.zeros.contains(weight.pattern) {
        try drop(weight, adaptation)
      }
      for weight in new.weights where adaptation.zeros.contains(weight.pattern) {
        try add(weight, adaptation)
      }
    }
    if !adaptations.isEmpty { try check(new) }
  }

  /// Checks that what is left is the weights of the adapted model: an adaptation that a user wrote may
  /// forget some.
  private func check(_ model: Model) throws {
    let shapes = Dictionary(model.weights.map { ($0.role, $0.shape) }) { first, _ in first }
    for (role, entry) in entries.sorted(by: { $0.key < $1.key })
    where shapes[role] != entry.tensor.shape {
      throw IngotError(
        .malformed,
        "\(place): an adaptation makes '\(role)' "
          + (shapes[role].map { "\($0), it is \(entry.tensor.shape)" } ?? "superfluous")
          + ", and does not say how", tensor: entry.name)
    }
  }

  private mutating func changeRows(_ weight: ModelWeight, _ adaptation: Adaptation) throws {
    guard var entry = entries[weight.role], let name = entry.name else { return }
    let (found, expected) = (entry.tensor.shape.dimensions[0], weight.shape.dimensions[0])
    let difference = abs(found - expected)
    if found > expected {
      entry.tensor = try entry.tensor.sliced(axis: 0, range: difference..<found)
      remarks[weight.role] = .firstRowsDropped
      note("the first \(difference) of \(found) rows of '\(name)' are left out", adaptation)
    } else if found < expected {
      let zeros = try Tensor.zeros(
        entry.tensor.elementType, [difference] + entry.tensor.shape.dimensions.dropFirst())
      entry.tensor = try Tensor.concatenated([zeros, entry.tensor], axis: 0)
      remarks[weight.role] = .firstRowsAdded
      note("\(difference) rows of zeros come before the \(found) of '\(name)'", adaptation)
    }
    entries[weight.role] = entry
  }

  private mutating func drop(_ weight: ModelWeight, _ adaptation: Adaptation) throws {
    guard let entry = entries.removeValue(forKey: weight.role), let name = entry.name else {
      return
    }
    let remark: Respelling.Remark
    if try Tensors.naming(tensor: name, { try entry.tensor.isAllZero }) {
      remark = .zerosDropped
      note("'\(name)' is all zero and left out", adaptation)
    } else if let role = adaptation.folds[weight.pattern], let table = entries[role],
      let tableName = table.name, entry.tensor.isRow(of: table.tensor)
    {
      remark = .folded
      entries[role]?.tensor = try table.tensor.adding(row: entry.tensor)
      note("'\(name)' is added to every row of '\(tableName)' and left out", adaptation)
    } else {
      throw IngotError(
        .unsupported,
        "\(place): it has no '\(weight.role)', which is left out only where it is all zero",
        tensor: name)
    }
    dropped.append((weight.role, name, remark))
  }

  private mutating func add(_ weight: ModelWeight, _ adaptation: Adaptation) throws {
    guard entries[weight.role] == nil,
      let type = entries.min(by: { $0.key < $1.key })?.value.tensor.elementType
    else { return }
    entries[weight.role] = Entry(tensor: try .zeros(type, weight.shape.dimensions), name: nil)
    remarks[weight.role] = .zerosAdded
    note("'\(weight.role)' is added, all zero", adaptation)
  }

  private mutating func note(_ text: String, _ adaptation: Adaptation) {
    notes.append("\(place): \(text): \(adaptation.reason)")
  }
}

/// Bytes that are all 0.
private struct Zeros: ByteSource {
  let byteCount: Int

  func read(into buffer: inout MutableRawSpan, at offset: Int) throws { buffer.fill(0) }
}

extension Tensor {
  /// A tensor of zeros.
  fileprivate static func zeros(_ type: ElementType, _ dimensions: [Int]) throws -> Tensor {
    let shape = try Shape(dimensions)
    return try Tensor(
      elementType: type, shape: shape, source: Zeros(byteCount: shape.byteCount(of: type)))
  }

  /// Whether every element is 0, reading no further than the first piece with another.
  fileprivate var isAllZero: Bool {
    get throws {
      let step = 8192 * elementType.layout.elementsPerBlock
      for start in stride(from: 0, to: shape.elementCount, by: step) {
        let range = try elementType.byteRange(of: start..<min(start + step, shape.elementCount))
        let bytes = try source.bytes(
          at: range.lowerBound, count: range.count, "a weight that may be left out")
        let statistics = Statistics(of: bytes.rawSpan, type: elementType)
        guard statistics.zeros == statistics.count else { return false }
      }
      return true
    }
  }

  /// Whether it is one row that can be added to each of a table's.
  fileprivate func isRow(of table: Tensor) -> Bool {
    shape.dimensions == [1] + table.shape.dimensions.dropFirst()
      && elementType.kind == .float && table.elementType.kind == .float
  }

  /// The table with a row added to each of its own, rounded once to the type of the table.
  ///
  /// In memory: tables of positions are a few megabytes.
  fileprivate func adding(row: Tensor) throws -> Tensor {
    let addends = try row.float64s()
    var sums = ByteWriter(capacity: shape.elementCount * 8)
    for (index, element) in try float64s().enumerated() {
      sums.append((element + addends[index % addends.count]).bitPattern)
    }
    return try Tensor(elementType: .float64, shape: shape, source: ArraySource(sums.bytes))
      .cast(to: elementType)
  }

  private func float64s() throws -> [Double] {
    let bytes = try source.bytes(at: 0, count: byteCount, "a weight that is added to another")
    return Kernels.float64s(shape.elementCount, of: bytes.rawSpan, elementType)
  }
}
