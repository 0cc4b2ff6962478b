/// What is in a checkpoint: `ingot inspect`.
public struct Inspection: Sendable {
  /// One tensor.
  public struct Item: Sendable {
    /// Its name.
    public let name: ExactString
    /// Its element type.
    public let elementType: ElementType
    /// Its dimensions.
    public let shape: Shape
    /// The size of its elements in bytes.
    public let byteCount: Int
    private var remarks: Remarks?

    /// What few tensors have, apart, so that an item stays small: a checkpoint may have many.
    private final class Remarks: Sendable {
      let aliasOf: ExactString?
      let obstacle: String?
      let statistics: Statistics?

      init(aliasOf: ExactString?, obstacle: String?, statistics: Statistics?) {
        self.aliasOf = aliasOf
        self.obstacle = obstacle
        self.statistics = statistics
      }
    }

    init(_ entry: TensorTable.Entry, aliasOf: ExactString?) {
      name = entry.name
      elementType = entry.tensor.elementType
      shape = entry.tensor.shape
      byteCount = entry.tensor.byteCount
      let obstacle = entry.tensor.obstacle?.message
      if aliasOf != nil || obstacle != nil {
        remarks = Remarks(aliasOf: aliasOf, obstacle: obstacle, statistics: nil)
      }
    }

    /// The first tensor that shares its bytes, where there is one.
    public var aliasOf: ExactString? { remarks?.aliasOf }
    /// Why it cannot be read, where it cannot.
    public var obstacle: String? { remarks?.obstacle }
    /// Statistics of its values, where they were asked for.
    public fileprivate(set) var statistics: Statistics? {
      get { remarks?.statistics }
      set { remarks = Remarks(aliasOf: aliasOf, obstacle: obstacle, statistics: newValue) }
    }
  }

  /// The identifier of the format.
  public let format: String
  /// The files that hold the checkpoint.
  public let files: [String]
  /// Values beside the tensors.
  public let metadata: Metadata
  /// The tensors in the file's order.
  public private(set) var items: [Item]
  /// What is there and is no tensor.
  public let others: [OtherItem]
  /// What a user should know of the file.
  public let notes: [String]

  /// Looks at headers only, unless `includesStatistics` asks for every value.
  ///
  /// - Throws: what reading throws; with statistics, the obstacle of a tensor that cannot be read.
  public init(_ checkpoint: Checkpoint, includesStatistics: Bool = false, jobs: Int? = nil) throws {
    let table = checkpoint.table
    let aliases = table.aliasTargets()
    format = checkpoint.format.identifier
    files = checkpoint.files
    metadata = table.metadata
    others = table.others
    notes = table.notes + ModelDocuments.notes(of: checkpoint)
    items = aliases.indices.map { index in
      Item(table.entries[index], aliasOf: aliases[index].map { table.entries[$0].name })
    }
    count(table, aliases)
    guard includesStatistics else { return }
    try checkpoint.naming {
      try checkpoint.checkReadable(table)
      let statistics = try TensorStatistics.compute(table, jobs: jobs ?? Workers.processorCount)
      for index in items.indices { items[index].statistics = statistics[aliases[index] ?? index] }
    }
    try checkpoint.checkUnchanged()
  }

  /// Counts of all tensors, or of those of one element type.
  public struct Totals: Sendable, Hashable {
    /// The number of names.
    public var tensors = 0
    /// The elements of all names.
    public var elements = 0
    /// The bytes of all names.
    public var bytes = 0
    /// The bytes, those of shared storage once.
    public var uniqueBytes = 0

    fileprivate mutating func add(_ tensor: Tensor, isAlias: Bool) {
      tensors += 1
      elements += tensor.shape.elementCount
      bytes += tensor.byteCount
      uniqueBytes += isAlias ? 0 : tensor.byteCount
    }
  }

  /// The counts of all tensors.
  public private(set) var totals = Totals()
  /// The counts by element type, in the types' order.
  public private(set) var byElementType: [(type: ElementType, totals: Totals)] = []

  private mutating func count(_ table: TensorTable, _ aliases: [Int?]) {
    var byType: [ElementType: Totals] = [:]
    for index in aliases.indices {
      let tensor = table.entries[index].tensor
      totals.add(tensor, isAlias: aliases[index] != nil)
      byType[tensor.elementType, default: Totals()].add(tensor, isAlias: aliases[index] != nil)
    }
    byElementType = ElementType.allCases.compactMap { type in byType[type].map { (type, $0) } }
  }

  /// The report that `--json` prints (`schemas/inspect.schema.json`).
  public var json: JSON {
    [
      "format": .string(format), "files": .array(files.map(JSON.string)),
      "metadata": .object(metadata.sorted.map { JSON.Member($0.key, $0.value) }),
      "tensors": .array(items.map(\.json)),
      "others": .array(
        others.map { other in
          [
            "name": .string(other.name), "type": .string(other.type),
            "shape": other.shape.map { JSON($0.dimensions) } ?? .null,
            "class": .string(other.refusal.errorClass.rawValue),
          ]
        }),
      "totals": [
        "tensors": JSON(totals.tensors), "elements": JSON(totals.elements),
        "bytes": JSON(totals.bytes), "unique_bytes": JSON(totals.uniqueBytes),
        "by_dtype": .object(
          byElementType.map { entry in
            JSON.Member(
              ExactString(entry.type.name),
              [
                "tensors": JSON(entry.totals.tensors), "elements": JSON(entry.totals.elements),
                "bytes": JSON(entry.totals.bytes),
              ])
          }),
      ],
      "notes": .array(notes.map(JSON.string)),
    ]
  }
}

extension Inspection.Item {
  fileprivate var json: JSON {
    var members: [JSON.Member] = [
      .init("name", .string(name)), .init("dtype", .string(elementType.name)),
      .init("shape", JSON(shape.dimensions)), .init("elements", JSON(shape.elementCount)),
      .init("bytes", JSON(byteCount)),
    ]
    if let aliasOf { members.append(.init("alias_of", .string(aliasOf))) }
    if let obstacle { members.append(.init("note", .string(obstacle))) }
    if let statistics { members.append(.init("stats", statistics.json)) }
    return .object(members)
  }
}
