internal import Tensors

/// The groups, datasets and attributes that a table becomes: dataset path = tensor name.
struct FileTree {
  struct Object {
    /// The members of a group by the bytes of their names, as numbers of objects. (Strings would take two
    /// spellings of one accented letter for the same name; HDF5 does not.)
    var members: [[UInt8]: Int] = [:]
    /// The number of the tensor in the table; nil for a group.
    var tensor: Int?
    /// How many names the object has: aliases are hard links.
    var linkCount = 1
    var attributes: [Attribute] = []
  }

  struct Attribute {
    let name: [UInt8]
    let content: AttributeContent
  }

  /// Why HDF5 cannot hold a name.
  private struct Misfit: Error {
    let reason: String
  }

  /// The root group.
  static let root = 0

  private(set) var objects = [Object()]
  /// The metadata keys without a counterpart.
  private(set) var droppedMetadata: [ExactString] = []

  /// Places the tensors of `table`; what HDF5 cannot hold, or our reader would not take back for more than
  /// `most` objects, goes to `obstacles`.
  init(_ table: TensorTable, obstacles: inout Obstacles, most: Int = Limits.objects) {
    let aliases = table.aliasTargets()
    var placed = [Int?](repeating: nil, count: aliases.count)
    for (index, entry) in table.entries.enumerated() {
      if let reason = Self.misfit(entry.tensor) {
        obstacles.add(entry.name, reason)
        continue
      }
      do {
        placed[index] = try place(
          Array(entry.name.utf8), tensor: index, aliasOf: aliases[index].flatMap { placed[$0] })
      } catch {
        obstacles.add(entry.name, error.reason)
      }
    }
    if objects.count > most {
      obstacles.add("\(objects.count) groups and datasets, above \(most)")
    }
  }

  private static func misfit(_ tensor: Tensor) -> String? {
    if DatatypeEncoding.message(of: tensor.elementType, .plain) == nil {
      return "\(tensor.elementType.name), whose elements share bytes"
    }
    if tensor.shape.rank > DataspaceEncoding.rankLimit {
      return "rank \(tensor.shape.rank) is above \(DataspaceEncoding.rankLimit)"
    }
    return nil
  }

  /// Links a dataset under its path; a new one, or the object that the path is an alias of.
  private mutating func place(
    _ path: [UInt8], tensor: Int, aliasOf target: Int?
  ) throws(Misfit) -> Int {
    var components = try Self.components(of: path[...])
    let name = components.removeLast()
    let group = try makeGroups(components)
    guard objects[group].members[name] == nil else {
      throw Misfit(reason: "other tensors lie below this name")
    }
    let object = target ?? objects.count
    objects[group].members[name] = object
    if target == nil {
      objects.append(Object(tensor: tensor))
    } else {
      objects[object].linkCount += 1
    }
    return object
  }

  private static func components(of path: ArraySlice<UInt8>) throws(Misfit) -> [[UInt8]] {
    guard !path.isEmpty else { throw Misfit(reason: "an empty name") }
    let parts = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard parts.count < Limits.depth else {
      throw Misfit(reason: "\(parts.count) levels of groups, above \(Limits.depth - 1)")
    }
    for part in parts {
      guard !part.isEmpty else { throw Misfit(reason: "an empty part between slashes") }
      guard part != [UInt8(ascii: ".")] else {
        throw Misfit(reason: "a part '.', which means the group itself")
      }
      guard !part.contains(0) else { throw Misfit(reason: "a NUL in the name") }
    }
    return parts.map(Array.init)
  }

  /// The innermost of nested groups, made where they are missing.
  private mutating func makeGroups(_ components: [[UInt8]]) throws(Misfit) -> Int {
    var group = Self.root
    for component in components {
      if let member = objects[group].members[component] {
        guard objects[member].tensor == nil else {
          throw Misfit(
            reason: "'\(String(decoding: component, as: UTF8.self))' is a tensor, not a group")
        }
        group = member
      } else {
        objects[group].members[component] = objects.count
        group = objects.count
        objects.append(Object())
      }
    }
    return group
  }

  /// The object of a path that exists.
  private func object(at path: ArraySlice<UInt8>) -> Int? {
    guard !path.isEmpty else { return Self.root }
    var object = Self.root
    for part in path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      guard let member = objects[object].members[Array(part)] else { return nil }
      object = member
    }
    return object
  }
}

extension FileTree {
  /// Attaches metadata as attributes.
  ///
  /// `path@attribute` goes to the object at `path`; a group is made where there is none, since layers
  /// without weights are groups with nothing but attributes. A key without `@` goes to the root. What has
  /// no counterpart is noted in `droppedMetadata`.
  mutating func attach(_ metadata: Metadata) {
    var taken: [Int: [[UInt8]: AttributeContent]] = [:]
    for (key, value) in metadata.sorted {
      guard let (object, name) = target(of: Array(key.utf8)),
        let content = Self.content(value, name)
      else {
        droppedMetadata.append(key)
        continue
      }
      if let other = taken[object]?[name] {
        // Two names of one object say the same twice.
        if other != content { droppedMetadata.append(key) }
        continue
      }
      guard attach(name, content, to: object) else {
        droppedMetadata.append(key)
        continue
      }
      taken[object, default: [:]][name] = content
    }
  }

  /// Attaches one attribute to a group, which is made where there is none.
  mutating func attach(_ name: ExactString, _ content: AttributeContent, toGroup path: ExactString)
  {
    guard let group = group(at: Array(path.utf8)[...]),
      attach(Array(name.utf8), content, to: group)
    else {
      droppedMetadata.append("\(path)@\(name)")
      return
    }
  }

  /// Marks the datasets that are stored as opaque bytes with their element type, and takes marks that are
  /// no longer true from the others.
  mutating func markTypes(of table: TensorTable, _ convention: DatatypeEncoding.Convention) {
    let name = Array(DatatypeEncoding.mark.utf8)
    for number in objects.indices {
      guard let tensor = objects[number].tensor else { continue }
      let type = table.entries[tensor].tensor.elementType
      let mark = AttributeContent(text: ExactString(type.name))
      let isOpaque = DatatypeEncoding.isOpaque(type, convention)
      objects[number].attributes.removeAll {
        $0.name == name && $0.content != mark && (isOpaque || $0.content.namesElementType)
      }
      if isOpaque, !objects[number].attributes.contains(where: { $0.name == name }) {
        objects[number].attributes.append(Attribute(name: name, content: mark))
      }
    }
  }

  private mutating func attach(
    _ name: [UInt8], _ content: AttributeContent, to object: Int
  ) -> Bool {
    guard content.fits(name: name),
      objects[object].attributes.count < ObjectHeaderWriter.attributeLimit
    else { return false }
    objects[object].attributes.append(Attribute(name: name, content: content))
    return true
  }

  /// Makes sure that there is a group at `path`, unless a tensor is in the way.
  mutating func addGroup(_ path: ExactString) { _ = group(at: Array(path.utf8)[...]) }

  private mutating func group(at path: ArraySlice<UInt8>) -> Int? {
    if path.isEmpty { return Self.root }
    guard let components = try? Self.components(of: path) else { return nil }
    return try? makeGroups(components)
  }

  /// The object and the attribute that a key names.
  ///
  /// Both may hold an `@` of their own: the last one parts them if there is such an object, else the first.
  private mutating func target(of key: [UInt8]) -> (object: Int, name: [UInt8])? {
    func name(_ name: ArraySlice<UInt8>) -> [UInt8]? {
      name.isEmpty || name.contains(0) ? nil : Array(name)
    }
    let at = UInt8(ascii: "@")
    guard let last = key.lastIndex(of: at), let first = key.firstIndex(of: at) else {
      return name(key[...]).map { (Self.root, $0) }
    }
    for split in [last, first] {
      if let object = object(at: key[..<split]) {
        return name(key[(split + 1)...]).map { (object, $0) }
      }
    }
    guard let name = name(key[(last + 1)...]), let group = group(at: key[..<last]) else {
      return nil
    }
    return (group, name)
  }

  private static func content(_ value: JSON, _ name: [UInt8]) -> AttributeContent? {
    guard let content = AttributeContent(value) else { return nil }
    return content.fits(name: name) ? content : content.withTextsInside
  }
}
