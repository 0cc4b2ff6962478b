/// Something in a file that is not a tensor: strings, references, records, dates, pickled objects.
public struct OtherItem: Sendable {
  /// The name it has in the file.
  public let name: ExactString
  /// Its type in the format's own words (`string`, `object`, `record`).
  public let type: String
  /// Its shape, where it has one.
  public let shape: Shape?
  /// Why it cannot be converted; also the error of a file that holds nothing else.
  public let refusal: IngotError

  /// Describes one item.
  public init(name: ExactString, type: String, shape: Shape?, refusal: IngotError) {
    self.name = name
    self.type = type
    self.shape = shape
    self.refusal = refusal
  }
}

/// An ordered map from names to lazy tensors, with metadata: the one type all formats meet in.
public struct TensorTable: Sendable {
  /// A tensor and its name.
  public struct Entry: Sendable {
    /// The name, unique in the table.
    public let name: ExactString
    /// The tensor.
    public let tensor: Tensor

    /// Pairs a name with a tensor.
    public init(name: ExactString, tensor: Tensor) {
      self.name = name
      self.tensor = tensor
    }
  }

  /// The tensors in the file's order.
  public private(set) var entries: [Entry] = []
  /// What the file says beside its tensors.
  public var metadata: Metadata = Metadata()
  /// What the file holds that is not a tensor.
  public var others: [OtherItem] = []
  /// What a user should know of the file, one sentence each; shown on stderr.
  public var notes: [String] = []
  /// Where the file's content came from, as its writer recorded it; a statement about the file, not
  /// about the tensors, so that other files made from it do not carry it.
  public var provenance: JSON?
  private var positions: [ExactString: Int] = [:]

  /// An empty table with room for `capacity` tensors.
  public init(capacity: Int = 0) {
    entries.reserveCapacity(capacity)
    positions.reserveCapacity(capacity)
  }

  /// Makes room for `count` tensors at once.
  package mutating func reserveCapacity(_ count: Int) {
    entries.reserveCapacity(count)
    positions.reserveCapacity(count)
  }

  /// Adds a tensor at the end.
  ///
  /// - Throws: `malformed` for a name that is there already; `limit` for one above 65,535 bytes or
  ///   for more than a million tensors.
  public mutating func append(_ name: ExactString, _ tensor: Tensor) throws {
    guard name.utf8.count <= Limits.nameBytes else {
      throw IngotError(
        .limit, "a name of \(name.utf8.count) bytes is above \(Limits.nameBytes)", tensor: name)
    }
    guard entries.count < Limits.tensors else {
      throw IngotError(.limit, "more than \(Limits.tensors) tensors")
    }
    guard positions.updateValue(entries.count, forKey: name) == nil else {
      throw IngotError(.malformed, "the name occurs twice", tensor: name)
    }
    entries.append(Entry(name: name, tensor: tensor))
  }

  /// The tensor of that name, or nil.
  public subscript(name: ExactString) -> Tensor? { positions[name].map { entries[$0].tensor } }

  /// A table with the same metadata, items and notes whose tensors are `entries`.
  ///
  /// - Throws: what `append` throws.
  public func replacingEntries(_ entries: some Sequence<Entry>) throws -> TensorTable {
    var table = TensorTable()
    table.metadata = metadata
    table.others = others
    table.notes = notes
    table.provenance = provenance
    table.reserveCapacity(entries.underestimatedCount)
    for entry in entries { try table.append(entry.name, entry.tensor) }
    return table
  }

  /// For each entry the position of the first one that shares its storage, type and shape, or nil
  /// where it is the first itself.
  public func aliasTargets() -> [Int?] {
    struct Key: Hashable {
      let storage: StorageIdentity
      let type: ElementType
      let shape: Shape
    }
    var first: [Key: Int] = [:]
    return entries.indices.map { index in
      let tensor = entries[index].tensor
      guard let storage = tensor.storage, tensor.byteCount > 0 else { return nil }
      let key = Key(storage: storage, type: tensor.elementType, shape: tensor.shape)
      if let target = first[key] { return target }
      first[key] = index
      return nil
    }
  }
}

/// Typed values beside the tensors, by key.
///
/// Values are JSON values: every format's attributes map onto them, and the native format stores
/// them as they are.
public struct Metadata: Sendable, Equatable {
  private var values: [ExactString: JSON] = [:]

  /// No metadata.
  public init() {}

  /// The value of a key.
  public subscript(key: ExactString) -> JSON? {
    get { values[key] }
    set { values[key] = newValue }
  }

  /// Whether there is nothing.
  public var isEmpty: Bool { values.isEmpty }

  /// The keys and values in the order of the keys' UTF-8 bytes, so that output is deterministic.
  public var sorted: [(key: ExactString, value: JSON)] {
    values.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }
  }
}
