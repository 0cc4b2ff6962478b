import TestSupport
import Tensors
import Testing

@testable import HDF5Format

/// B-trees of version 2, built by hand: what they must agree on, and the smallest that may be.
@Suite struct BTree2Tests {
  /// A tree of records of 11 bytes, as those of links are: a header, at 0, and one leaf or two.
  private struct Tree {
    var kind: UInt8 = 5
    var nodeKind: UInt8 = 5
    var nodeSize = 512
    var recordSize = 11
    var depth = 0
    var records = 1
    var total: Int?
    var hasRoot = true

    private static let headerSize = 38

    private func leaf(_ count: Int) -> [UInt8] {
      let content = [UInt8](repeating: 7, count: count * recordSize)
      return sealed(Array("BTLF".utf8) + [0, nodeKind] + content)
    }

    private func sealed(_ bytes: [UInt8]) -> [UInt8] {
      bytes + little(HDF5Builder.checksum(bytes), 4)
    }

    /// Of depth 1: a root of one record between two leaves of one.
    func bytes() -> [UInt8] {
      var nodes: [UInt8]
      if depth == 1 {
        let leaf = self.leaf(1)
        // Signature to kind, a record, two children of address and number, and the checksum.
        let first = Self.headerSize + 6 + 11 + 2 * 9 + 4
        nodes = sealed(
          Array("BTIN".utf8) + [0, nodeKind] + [UInt8](repeating: 7, count: 11)
            + [first, first + leaf.count].flatMap { little($0, 8) + [1] })
        nodes += leaf + leaf
      } else {
        nodes = leaf(records)
      }
      let header =
        Array("BTHD".utf8) + [0, kind] + little(nodeSize, 4) + little(recordSize, 2)
        + little(depth, 2) + [100, 40]
        + (hasRoot ? little(Self.headerSize, 8) : undefinedAddress) + little(records, 2)
        + little(total ?? (depth == 1 ? 3 : records), 8)
      return sealed(header) + nodes
    }
  }

  private static let verdicts: [Verdict] = [
    .legal("one record", Tree().bytes()),
    .refused("a B-tree of kind 8 in the wrong place", Tree(kind: 8, nodeKind: 8).bytes()),
    .refused("a B-tree of kind 99 in the wrong place", Tree(kind: 99).bytes()),
    .refused("a B-tree node of kind 6 in a tree of kind 5", Tree(nodeKind: 6).bytes()),
    .refused(
      "a B-tree of depth 0, nodes of 512 and records of 0 bytes", Tree(recordSize: 0).bytes()),
    .legal("a node of one record", Tree(nodeSize: 21).bytes()),
    .refused(
      "a B-tree of depth 0, nodes of 20 and records of 11 bytes",
      Tree(nodeSize: 20, records: 0).bytes()),
    .legal("as many records as fit", Tree(nodeSize: 43, records: 3).bytes()),
    .refused("a B-tree node of 4 records, above its 3", Tree(nodeSize: 43, records: 4).bytes()),
    .refused(
      "a B-tree of depth 17, nodes of 512 and records of 11 bytes", Tree(depth: 17).bytes()),
    .legal("no records and no root", Tree(records: 0, hasRoot: false).bytes()),
    .refused("a B-tree of 1 records without a root", Tree(hasRoot: false).bytes()),
    .refused("the B-tree declares 2 records and holds 1", Tree(total: 2).bytes()),
    .refused("the B-tree declares 0 records and holds 1", Tree(total: 0).bytes()),
    .legal("an inner node of one record", Tree(nodeSize: 39, depth: 1).bytes()),
    .refused(
      "a B-tree whose nodes of 38 bytes hold no records", Tree(nodeSize: 38, depth: 1).bytes()),
  ]

  @Test(arguments: verdicts)
  func aTreeIsRefusedByTheRuleItBreaks(_ verdict: Verdict) throws {
    try verdict.expect { reader in
      let view = FileView(ArraySource(reader.bytes), FieldWidths())
      try BTree2.forEachRecord(view, at: 0, of: [.linkName]) { kind, record in
        #expect(kind == .linkName)
        #expect(record.remaining == 11)
      }
    }
  }
}
