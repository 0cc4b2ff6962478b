internal import Compression
internal import Tensors

/// The member `__ingot__.json` of an `.npz`: what NumPy has no place for (`schemas/npz-sidecar.md`).
///
///     {
///       "format": "ingot-npz",
///       "version": 1,
///       "metadata": {KEY: any JSON value, …},
///       "tensors": {NAME: {"dtype": TYPE, "shape": [n, …]}, …},
///       "aliases": {NAME: NAME OF THE SAME TENSOR, …}
///     }
///
/// `tensors` lists those whose type NumPy lacks. Their members hold the bits: 16-bit types as uint16
/// and 8-bit types as uint8 of the same shape, types below 8 bits as a row of uint8, packed as in
/// safetensors. Every tensor in `aliases` is stored in full as well, so that NumPy reads everything.
/// The last three keys may be missing; the member itself is there only when one of them is needed.
struct NPZSidecar {
  static let memberName: ExactString = "__ingot__.json"
  private static let format: ExactString = "ingot-npz"
  private static let version = 1

  /// The true type of a tensor whose bits alone NumPy sees.
  struct Disguised: Equatable {
    let type: ElementType
    let shape: Shape
  }

  var metadata = Metadata()
  var disguised: [ExactString: Disguised] = [:]
  /// From a tensor to the one that it is.
  var aliases: [ExactString: ExactString] = [:]
  /// The tensors that aliases refer to.
  private var targets: Set<ExactString> = []

  init() {}

  var isEmpty: Bool { metadata.isEmpty && disguised.isEmpty && aliases.isEmpty }

  /// The type and shape of the array that holds the bits of a type NumPy lacks.
  static func disguise(of tensor: Tensor) throws -> (type: ElementType, shape: [Int]) {
    switch tensor.elementType.layout.bytesPerElement {
    case 2: (.uint16, tensor.shape.dimensions)
    case 1: (.uint8, tensor.shape.dimensions)
    default: (.uint8, [tensor.byteCount])
    }
  }
}

// MARK: Reading

extension NPZSidecar {
  /// Reads the member.
  ///
  /// - Throws: `malformed` for anything that the format does not say; `unsupported` for another version.
  init(_ source: any ByteSource) throws {
    guard source.byteCount <= Limits.jsonBytes else {
      throw IngotError(
        .limit, "\(source.byteCount) bytes of JSON are above \(Limits.jsonBytes)",
        tensor: Self.memberName)
    }
    self = try naming(tensor: Self.memberName) {
      try NPZSidecar(
        JSONScanner.parse(source.bytes(at: 0, count: source.byteCount, Self.memberName.text)))
    }
  }

  private init(_ document: JSON) throws {
    func malformed(_ message: String) -> IngotError { IngotError(.malformed, message) }
    guard document["format"] == .string(Self.format), let members = document.object else {
      throw malformed("expected an object with \"format\": \"\(Self.format)\"")
    }
    guard document["version"] == JSON(Self.version) else {
      throw IngotError(
        .unsupported, "version \(document["version"]?.text() ?? "missing"); version 1 is read")
    }
    for member in members {
      switch member.key {
      case "format", "version": break
      case "metadata":
        for entry in try Self.object(member) { metadata[entry.key] = entry.value }
      case "tensors":
        for entry in try Self.object(member) {
          disguised[entry.key] = try Self.disguised(entry)
        }
      case "aliases":
        for entry in try Self.object(member) {
          guard let target = entry.value.string else {
            throw malformed("the alias '\(entry.key)' is not a string")
          }
          aliases[entry.key] = target
        }
      default: throw malformed("unknown key '\(member.key)'")
      }
    }
    targets = Set(aliases.values)
    if let chained = targets.sorted().first(where: { aliases[$0] != nil }) {
      throw malformed("the alias '\(chained)' is itself the target of an alias")
    }
  }

  private static func object(_ member: JSON.Member) throws -> [JSON.Member] {
    guard let members = member.value.object else {
      throw IngotError(.malformed, "'\(member.key)' is not an object")
    }
    return members
  }

  private static func disguised(_ entry: JSON.Member) throws -> Disguised {
    guard entry.value.object?.count == 2,
      let type = entry.value["dtype"]?.string.flatMap({ ElementType(name: $0) }),
      NPYDescription.text(for: type) == nil,
      let dimensions = entry.value["shape"]?.array?.map(\.integer), !dimensions.contains(nil)
    else {
      throw IngotError(
        .malformed,
        "tensor '\(entry.key)' needs a shape and a dtype that NumPy lacks, found \(entry.value.text())"
      )
    }
    return Disguised(type: type, shape: try Shape(dimensions.compactMap { $0 }))
  }

  /// The table as it was before it was written: with metadata, true types, and tied tensors.
  ///
  /// - Throws: `malformed` where the members are not what this sidecar says.
  func restore(_ table: TensorTable, _ entries: [ZipEntry]) throws -> TensorTable {
    var table = table
    table.metadata = metadata
    let names = targets.union(disguised.keys).union(aliases.keys)
    // Metadata alone: the tensors are what they are.
    guard !names.isEmpty else { return table }
    for name in names.sorted() where table[name] == nil {
      throw IngotError(
        .malformed, "\(Self.memberName) names a tensor that the archive lacks", tensor: name)
    }
    var identities: [ExactString: StorageIdentity] = [:]
    for entry in entries {
      let name = entry.name(withoutEnding: ".npy") ?? entry.name
      guard targets.contains(name) || aliases[name] != nil
      else { continue }
      // The checksum tells aliases apart whose content was changed by other hands.
      identities[name] = StorageIdentity(
        "npz \(aliases[name] ?? name) \(entry.crc32) \(entry.uncompressedSize)")
    }
    let restored = try table.replacingEntries(
      table.entries.map { entry in
        TensorTable.Entry(
          name: entry.name,
          tensor: try tensor(entry.tensor, named: entry.name, identities[entry.name]))
      })
    for (name, target) in aliases.sorted(by: { $0.key < $1.key }) {
      guard let alias = restored[name], let original = restored[target],
        alias.storage == original.storage,
        alias.elementType == original.elementType, alias.shape == original.shape
      else {
        throw IngotError(
          .malformed, "\(Self.memberName) calls this tensor '\(target)', but they differ",
          tensor: name)
      }
    }
    return restored
  }

  private func tensor(
    _ tensor: Tensor, named name: ExactString, _ identity: StorageIdentity?
  ) throws -> Tensor {
    let truth = disguised[name]
    guard truth != nil || identity != nil else { return tensor }
    let restored = try naming(tensor: name) {
      try Tensor(
        elementType: truth?.type ?? tensor.elementType, shape: truth?.shape ?? tensor.shape,
        source: tensor.source, storage: identity)
    }
    guard truth != nil else { return restored }
    let expected = try Self.disguise(of: restored)
    guard tensor.elementType == expected.type, tensor.shape.dimensions == expected.shape else {
      throw IngotError(
        .malformed,
        "\(Self.memberName) says \(restored.elementType.name) \(restored.shape), the member holds \(tensor.elementType.name) \(tensor.shape)",
        tensor: name)
    }
    return restored
  }
}

// MARK: Writing

extension NPZSidecar {
  /// The member's content.
  func bytes() -> [UInt8] {
    var members: [JSON.Member] = [
      .init("format", .string(Self.format)), .init("version", JSON(Self.version)),
    ]
    if !metadata.isEmpty {
      members.append(
        .init("metadata", .object(metadata.sorted.map { JSON.Member($0.key, $0.value) })))
    }
    if !disguised.isEmpty {
      members.append(.init("tensors", Self.sortedObject(disguised) { $0.json }))
    }
    if !aliases.isEmpty {
      members.append(.init("aliases", Self.sortedObject(aliases) { .string($0) }))
    }
    return Array(JSON.object(members).text().utf8)
  }

  private static func sortedObject<Value>(
    _ values: [ExactString: Value], _ json: (Value) -> JSON
  ) -> JSON {
    .object(
      values.sorted { $0.key < $1.key }.map { JSON.Member($0.key, json($0.value)) })
  }
}

extension NPZSidecar.Disguised {
  fileprivate var json: JSON {
    ["dtype": .string(type.name), "shape": JSON(shape.dimensions)]
  }
}
