internal import Tensors

/// Puts the datasets of a file into a table.
struct TableBuilder {
  private(set) var table: TensorTable
  private let tree: ObjectTree
  private let input: DatasetInput
  /// How many paths lead to each object.
  private let pathCounts: [Int]
  /// What the objects of several paths have become: one tensor each, and its names are aliases.
  private var known: [Int: DatasetHeader.Reading] = [:]
  private var byteCount = 0

  init(
    _ tree: ObjectTree, _ visits: [ObjectTree.Visit], _ input: DatasetInput, _ table: TensorTable
  ) {
    self.tree = tree
    self.input = input
    self.table = table
    var pathCounts = [Int](repeating: 0, count: tree.nodes.count)
    for visit in visits { pathCounts[visit.node] += 1 }
    self.pathCounts = pathCounts
    self.table.reserveCapacity(visits.count)
  }

  /// Adds an object under one of its paths, where it is a dataset.
  mutating func add(_ visit: ObjectTree.Visit) throws {
    guard case .dataset(let header) = tree.nodes[visit.node].content else { return }
    let isShared = pathCounts[visit.node] > 1
    if isShared, let reading = known[visit.node] { return try add(reading, visit.path) }
    let reading = try naming(tensor: visit.path, offset: tree.nodes[visit.node].address) {
      try header.reading(
        visit.path, identity: tree.nodes[visit.node].address, isShared: isShared,
        tree.nodes[visit.node].attributes, input)
    }
    if isShared { known[visit.node] = reading }
    try naming(offset: tree.nodes[visit.node].address) { try add(reading, visit.path) }
  }

  private mutating func add(_ reading: DatasetHeader.Reading, _ path: ExactString) throws {
    switch reading {
    case .tensor(let tensor):
      try checkSum(adding: tensor.byteCount, path)
      try table.append(path, tensor)
    case .other(let item):
      table.others.append(
        OtherItem(
          name: path, type: item.type, shape: item.shape,
          refusal: IngotError(item.refusal.errorClass, item.refusal.message, tensor: path)))
    }
  }

  /// - Throws: `limit` where the tensors claim more than the file could hold compressed as densely as
  ///   deflate can: chunks that were never written make such a bomb a few hundred bytes long.
  private mutating func checkSum(adding count: Int, _ path: ExactString) throws {
    byteCount = try byteCount.adding(count, "the size of all datasets")
    let fileSize = input.file.byteCount
    guard byteCount / Limits.deflateRatio <= fileSize else {
      throw IngotError(
        .limit,
        "the datasets up to this one claim \(byteCount) bytes, above \(Limits.deflateRatio) times the file's \(fileSize)",
        tensor: path)
    }
  }
}
