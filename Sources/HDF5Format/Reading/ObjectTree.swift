internal import Tensors

/// What the header of a dataset says.
struct DatasetHeader: Sendable {
  let space: Dataspace
  let type: Datatype
  let fill: FillValue
  let layout: DataLayout
  let pipeline: FilterPipeline
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
    let name: String
    let node: Int
  }

  struct Node {
    let address: Int
    var content = Content.group([])
    var attributes: [Attribute] = []
  }

  /// The objects, each once; the first is the root group.
  private(set) var nodes: [Node]

  /// Reads all objects, level by level. Within a level they are read in the order of their addresses:
  /// names are sorted otherwise than the file is laid out, and a file is read fastest from front to
  /// back.
  ///
  /// - Throws: `malformed` for anything broken; `unsafe` for a link that leaves the file, a soft link,
  ///   or data elsewhere.
  static func read(_ view: FileView, _ superblock: Superblock) throws -> ObjectTree {
    var reader = try ObjectReader(view, superblock)
    var tree = ObjectTree(nodes: [Node(address: superblock.rootAddress)])
    var known = [superblock.rootAddress: 0]
    var level = [0]
    while !level.isEmpty {
      level.sort { tree.nodes[$0].address < tree.nodes[$1].address }
      var next: [Int] = []
      for index in level {
        let object = try reader.object(at: tree.nodes[index].address)
        tree.nodes[index].attributes = object.attributes
        switch object.content {
        case .datatype: tree.nodes[index].content = .datatype
        case .dataset(let header): tree.nodes[index].content = .dataset(header)
        case .group(let links):
          var children: [Child] = []
          children.reserveCapacity(links.count)
          for link in links {
            if let node = known[link.address] {
              children.append(Child(name: link.name, node: node))
              continue
            }
            guard tree.nodes.count < Limits.tensors else {
              throw IngotError(.limit, "more than \(Limits.tensors) objects")
            }
            known[link.address] = tree.nodes.count
            next.append(tree.nodes.count)
            children.append(Child(name: link.name, node: tree.nodes.count))
            tree.nodes.append(Node(address: link.address))
          }
          tree.nodes[index].content = .group(children)
        }
      }
      level = next
    }
    guard case .group = tree.nodes[0].content else {
      throw IngotError(
        .malformed, "the root object is no group", offset: superblock.rootAddress)
    }
    return tree
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
    let path: String
    let node: Int
  }

  /// Deeper than any framework nests its layers.
  private static let depthLimit = Limits.depth
  /// What all paths may take together, beyond what the file could spell out: a short file whose
  /// groups are linked again and again has very long ones.
  private static let pathAllowance = 32 << 20

  /// All names of all objects but the root, parents before members, members in order.
  ///
  /// - Parameter order: the members of a group of this name in the order to visit them.
  /// - Throws: `malformed` for a group that contains itself; `limit` for more names than bounds allow.
  func visits(
    fileSize: Int, order: (_ group: String, [Child]) -> [Child]
  ) throws -> [Visit] {
    struct Frame {
      let node: Int
      let path: String
      let members: [Child]
      var next = 0
    }
    var visits: [Visit] = []
    visits.reserveCapacity(nodes.count)
    var isOnPath = [Bool](repeating: false, count: nodes.count)
    var pathBytes = 0
    let pathLimit = try fileSize.multiplied(by: 16, "the size of all names")
      .adding(Self.pathAllowance, "the size of all names")
    var stack = [Frame(node: 0, path: "", members: order("", children(0) ?? []))]
    isOnPath[0] = true
    while var frame = stack.popLast() {
      guard frame.next < frame.members.count else {
        isOnPath[frame.node] = false
        continue
      }
      let child = frame.members[frame.next]
      frame.next += 1
      let path = frame.path.isEmpty ? child.name : "\(frame.path)/\(child.name)"
      stack.append(frame)
      let length = path.utf8.count
      pathBytes += length
      guard length <= Limits.nameBytes, visits.count < Limits.tensors, pathBytes <= pathLimit else {
        throw IngotError(
          .limit, "names beyond \(Limits.tensors) paths of \(Limits.nameBytes) bytes",
          tensor: child.name)
      }
      visits.append(Visit(path: path, node: child.node))
      guard case .group(let members) = nodes[child.node].content else { continue }
      guard !isOnPath[child.node] else {
        throw IngotError(
          .malformed, "the group '\(path.escapedForDisplay())' contains itself",
          offset: nodes[child.node].address)
      }
      guard stack.count < Self.depthLimit else {
        throw IngotError(
          .limit, "groups nested deeper than \(Self.depthLimit)", offset: nodes[child.node].address)
      }
      isOnPath[child.node] = true
      stack.append(Frame(node: child.node, path: path, members: order(child.name, members)))
    }
    return visits
  }
}
