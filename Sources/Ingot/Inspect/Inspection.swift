/// What is in a checkpoint: `ingot inspect`.
public struct Inspection: Sendable {
  /// One tensor.
  public struct Item: Sendable {
    /// Its name.
    public let name: String
    /// Its element type.
    public let elementType: ElementType
    /// Its dimensions.
    public let shape: Shape
    /// The size of its elements in bytes.
    public let byteCount: Int
    /// The first tensor that shares its bytes, where there is one.
    public let aliasOf: String?
    /// Why it cannot be read, where it cannot.
    public let obstacle: String?
    /// Statistics of its values, where they were asked for.
    public var statistics: Statistics?
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
    notes = table.notes
    items = table.entries.enumerated().map { index, entry in
      Item(
        name: entry.name, elementType: entry.tensor.elementType, shape: entry.tensor.shape,
        byteCount: entry.tensor.byteCount, aliasOf: aliases[index].map { table.entries[$0].name },
        obstacle: entry.tensor.obstacle?.message)
    }
    guard includesStatistics else { return }
    try checkpoint.naming {
      try checkpoint.checkReadable(table)
      let statistics = try TensorStatistics.compute(table, jobs: jobs ?? Workers.processorCount)
      for index in items.indices { items[index].statistics = statistics[aliases[index] ?? index] }
    }
    try checkpoint.checkUnchanged()
  }

  /// The number of elements of all names.
  public var elementCount: Int { items.reduce(0) { $0 + $1.shape.elementCount } }
  /// The bytes of all names.
  public var byteCount: Int { items.reduce(0) { $0 + $1.byteCount } }
  /// The bytes, those of shared storage once.
  public var uniqueByteCount: Int {
    items.reduce(0) { $0 + ($1.aliasOf == nil ? $1.byteCount : 0) }
  }

  /// Bytes, elements and number of tensors by element type, in the types' order.
  public var byElementType: [(type: ElementType, tensors: Int, elements: Int, bytes: Int)] {
    ElementType.allCases.compactMap { type in
      let found = items.filter { $0.elementType == type }
      guard !found.isEmpty else { return nil }
      return (
        type, found.count, found.reduce(0) { $0 + $1.shape.elementCount },
        found.reduce(0) { $0 + $1.byteCount }
      )
    }
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
        "tensors": JSON(items.count), "elements": JSON(elementCount), "bytes": JSON(byteCount),
        "unique_bytes": JSON(uniqueByteCount),
        "by_dtype": .object(
          byElementType.map { entry in
            JSON.Member(
              entry.type.name,
              [
                "tensors": JSON(entry.tensors), "elements": JSON(entry.elements),
                "bytes": JSON(entry.bytes),
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
