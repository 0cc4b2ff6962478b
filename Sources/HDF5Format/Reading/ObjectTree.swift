internal import Tensors

/// What the header of a dataset says.
final class DatasetHeader: Sendable {
  let space: Dataspace
  let type: Datatype
  let fill: FillValue
  let layout: DataLayout
  let pipeline: FilterPipeline
  /// Nil for a dataset without a shape (a null dataspace).
  let shape: Shape?
  /// The size of all elements.
  let byteCount: Int

  /// - Throws: `malformed` where the size overflows.
  init(
    space: Dataspace, type: Datatype, fill: FillValue, layout: DataLayout,
    pipeline: FilterPipeline
  ) throws {
    self.space = space
    self.type = type
    self.fill = fill
    self.layout = layout
    self.pipeline = pipeline
    shape = space.kind == .null ? nil : try Shape(space.dimensions)
    byteCount = try (shape?.elementCount ?? 0).multiplied(
      by: type.size, "the size of a dataset")
  }
}

/// The objects of a file and the links between them: a graph, because an object may have many names.
struct ObjectTree {
  enum Content {
    case group([Child])
    case dataset(DatasetHeader)
    /// A datatype with a name of its own; not data.
    case datatype
  }

  struct Child {
    let name: ExactString
    let node: Int
  }

  struct Node {
    let address: Int
    var content = Content.group([])
    var attributes: [Attribute] = []
  }

  /// The objects, each once; the first is the root group.
  private(set) var nodes: [Node]

  /// Reads all objects, each once, the members of a group in the order of their addresses: names are
  /// sorted otherwise than the file is laid out, and a file is read fastest from front to back.
  ///
  /// - Throws: `malformed` for anything broken; `unsafe` for a link that leaves the file, a soft link,
  ///   or data elsewhere; `limit` for more than `most` objects.
  static func read(
    _ view: FileView, _ superblock: Superblock, most: Int = Limits.objects
  ) throws -> ObjectTree {
    var reader = try ObjectReader(view, superblock)
    var tree = ObjectTree(nodes: [Node(address: superblock.rootAddress)])
    var known = [superblock.rootAddress: 0]
    // The last is read next.
    var pending = [0]
    while let index = pending.popLast() {
      let object: (content: ObjectReader.Content, attributes: [Attribute])
      do {
        object = try reader.object(at: tree.nodes[index].address)
      } catch let error as IngotError {
        throw error.naming(tensor: tree.path(to: index))
      }
      tree.nodes[index].attributes = object.attributes
      switch object.content {
      case .datatype: tree.nodes[index].content = .datatype
      case .dataset(let header): tree.nodes[index].content = .dataset(header)
      case .group(let links):
        let first = tree.nodes.count
        var children: [Child] = []
        children.reserveCapacity(links.count)
        known.reserveCapacity(known.count + links.count)
        for link in links {
          let node = known[link.address] ?? tree.nodes.count
          children.append(Child(name: link.name, node: node))
          guard node == tree.nodes.count else { continue }
          known[link.address] = node
          tree.nodes.append(Node(address: link.address))
        }
        guard tree.nodes.count <= most else {
          throw IngotError(
            .limit, "more than \(most) groups and datasets", offset: tree.nodes[index].address)
        }
        tree.nodes[index].content = .group(children)
        pending += (first..<tree.nodes.count).sorted {
          tree.nodes[$0].address > tree.nodes[$1].address
        }
      }
    }
    guard case .group = tree.nodes[0].content else {
      throw IngotError(
        .malformed, "the root object is no group", offset: superblock.rootAddress)
    }
    return tree
  }

  /// The path by which an object was first found; nil for the root.
  private func path(to node: Int) -> ExactString? {
    var names: [ExactString] = []
    var current = node
    while current != 0 {
      // Parents are found before their members.
      guard
        let (parent, name) = nodes[..<current].indices.lazy.compactMap({ index in
          children(index)?.first { $0.node == current }.map { (index, $0.name) }
        }).first
      else { return nil }
      names.append(name)
      current = parent
    }
    return names.isEmpty ? nil : names.reversed().joined(separator: "/")
  }

  /// The members of a group, or nil for another object.
  func children(_ node: Int) -> [Child]? {
    guard case .group(let children) = nodes[node].content else { return nil }
    return children
  }
}

extension ObjectTree {
  /// An object under one of its names.
  struct Visit {
    let path: ExactString
    let node: Int
  }

  /// Deeper than any framework nests its layers.
  private static let depthLimit = Limits.depth

  /// All names of all objects but the root, parents before members, members in order.
  ///
  /// - Parameters:
  ///   - budget: pays for every path.
  ///   - order: the members of a group of this name in the order to visit them.
  /// - Throws: `malformed` for a group that contains itself; `limit` for more names than bounds allow.
  func visits(
    _ budget: inout NameBudget, order: (_ group: ExactString, [Child]) -> [Child]
  ) throws -> [Visit] {
    struct Frame {
      let node: Int
      /// What the paths of members start with: nothing, or a path and a slash.
      let prefix: ExactString
      let members: [Child]
      var next = 0
    }
    var visits: [Visit] = []
    visits.reserveCapacity(nodes.count)
    var isOnPath = [Bool](repeating: false, count: nodes.count)
    var stack: [Frame] = []
    var frame = Frame(node: 0, prefix: "", members: order("", children(0) ?? []))
    isOnPath[0] = true
    while true {
      guard frame.next < frame.members.count else {
        isOnPath[frame.node] = false
        guard let parent = stack.popLast() else { break }
        frame = parent
        continue
      }
      let child = frame.members[frame.next]
      frame.next += 1
      let path = frame.prefix + child.name
      try budget.spend(path)
      visits.append(Visit(path: path, node: child.node))
      guard case .group(let members) = nodes[child.node].content else { continue }
      guard !isOnPath[child.node] else {
        throw IngotError(
          .malformed, "the group '\(path.escapedForDisplay())' contains itself",
          offset: nodes[child.node].address)
      }
      guard stack.count + 1 < Self.depthLimit else {
        throw IngotError(
          .limit, "groups nested deeper than \(Self.depthLimit)", offset: nodes[child.node].address)
      }
      isOnPath[child.node] = true
      stack.append(frame)
      frame = Frame(node: child.node, prefix: path + "/", members: order(child.name, members))
    }
    return visits
  }
}

/// How many names a file may have, and of what length in all.
///
/// Groups may be linked again and again, so that a short file spells out very many or very long paths.
struct NameBudget {
  /// What any file may use, beside what its size explains.
  private static let allowance = 32 << 20
  private static let perFileByte = 16

  private var count = 0
  private var bytes: Int
  private let most: Int

  /// - Parameter most: how many names there may be; each tensor has one, each group, and each attribute.
  /// - Throws: `malformed` for a file too large to be one.
  init(fileSize: Int, most: Int = Limits.objects) throws {
    self.most = most
    bytes = try fileSize.multiplied(by: Self.perFileByte, "the size of all names")
      .adding(Self.allowance, "the size of all names")
  }

  /// - Throws: `limit` for one name too many, or too long.
  mutating func spend(_ name: ExactString) throws {
    count += 1
    let length = name.utf8.count
    bytes -= length
    guard length <= Limits.nameBytes else {
      throw IngotError(
        .limit, "a name of \(length) bytes is above \(Limits.nameBytes)", tensor: name)
    }
    guard count <= most else {
      throw IngotError(.limit, "more than \(most) names", tensor: name)
    }
    guard bytes >= 0 else {
      throw IngotError(.limit, "names longer than the file explains", tensor: name)
    }
  }
}
