internal import Tensors

/// B-trees of version 1 as written, all at once from the leaves up.
///
/// A node: `TREE`, kind, level, number of children (2), left and right sibling (8 each), then keys and
/// children (8) in turn, one key more than children; room for all that it may hold.
///
/// The n children of the lowest level have n + 1 keys round them; an upper node repeats the keys at the
/// borders of its children.
struct BTreeWriter {
  /// What a tree is for.
  enum Kind: UInt8 {
    /// The members of a group: keys are offsets of names, children symbol table nodes.
    case group = 0
    /// The chunks of a dataset.
    case chunks = 1
  }

  let kind: Kind
  /// The bytes of a key.
  let keySize: Int

  /// Half of what a node holds, as superblock version 0 states it for groups and implies it for chunks.
  static let groupHalf = 16
  private static let chunkHalf = 32

  private var capacity: Int {
    switch kind {
    case .group: 2 * Self.groupHalf
    case .chunks: 2 * Self.chunkHalf
    }
  }

  private var nodeSize: Int { 24 + capacity * 8 + (capacity + 1) * keySize }

  /// How many nodes each level has, from the leaves up; a tree without children has one node.
  private func nodeCounts(_ childCount: Int) -> [Int] {
    var counts = [max(1, (childCount + capacity - 1) / capacity)]
    while let last = counts.last, last > 1 { counts.append((last + capacity - 1) / capacity) }
    return counts
  }

  /// The bytes of a tree over so many children.
  func byteCount(_ childCount: Int) -> Int { nodeCounts(childCount).reduce(0, +) * nodeSize }

  /// Appends the tree to `writer`, whose first byte has the address `base`.
  ///
  /// - Parameter key: Writes the key before child `index`; the last index is one past the children.
  /// - Returns: The address of the root.
  func append(
    to writer: inout ByteWriter, base: Int, children: [Int],
    key: (_ index: Int, _ writer: inout ByteWriter) -> Void
  ) -> Int {
    var children = children
    // The index of the key before each child of the level at hand, and after the last.
    var borders = Array(0...children.count)
    for (level, nodeCount) in nodeCounts(children.count).enumerated() {
      let first = base + writer.count
      var upperBorders: [Int] = []
      for node in 0..<nodeCount {
        let range = node * capacity..<min((node + 1) * capacity, children.count)
        upperBorders.append(borders[range.lowerBound])
        let end = writer.count + nodeSize
        writer.append("TREE")
        writer.append(kind.rawValue)
        writer.append(UInt8(level))
        writer.append(range.count, width: 2)
        writer.append(address: node == 0 ? nil : first + (node - 1) * nodeSize)
        writer.append(address: node == nodeCount - 1 ? nil : first + (node + 1) * nodeSize)
        for child in range {
          key(borders[child], &writer)
          writer.append(address: children[child])
        }
        if !range.isEmpty { key(borders[range.upperBound], &writer) }
        writer.pad(to: end)
      }
      upperBorders.append(borders[children.count])
      children = (0..<nodeCount).map { first + $0 * nodeSize }
      borders = upperBorders
    }
    return children[0]
  }
}
