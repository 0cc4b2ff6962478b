import TestSupport
import Tensors
import Testing

@testable import HDF5Format

/// Every rule of dataspaces, layouts, fill values and filter pipelines by its words, and what just keeps it.
@Suite struct MessageRefusalTests {
  private static let dataspaces: [Verdict] = [
    .legal("a scalar of version 1", [1, 0, 0, 0, 0, 0, 0, 0]),
    .refused("a dataspace with a permutation", as: .unsupported, [1, 0, 2, 0, 0, 0, 0, 0]),
    .refused("a scalar or null dataspace of rank 1", [2, 1, 0, 0] + little(1, 8)),
    .refused("a scalar or null dataspace of rank 1", [2, 1, 0, 2] + little(1, 8)),
  ]

  @Test(arguments: dataspaces)
  func aDataspaceIsRefusedByTheRuleItBreaks(_ verdict: Verdict) throws {
    try verdict.expect { _ = try Dataspace(&$0, FieldWidths()) }
  }

  /// A layout of chunks under a B-tree, and one under an index of version 4 (all chunks in order).
  private static func chunks(_ extents: [Int]) -> [UInt8] {
    [3, 2, UInt8(extents.count)] + little(64, 8) + extents.flatMap { little($0, 4) }
  }

  private static func indexed(rank: Int, width: Int) -> [UInt8] {
    [4, 2, 0, UInt8(rank), UInt8(width)] + (0..<rank).flatMap { _ in little(1, width) } + [2]
      + little(64, 8)
  }

  private static let layouts: [Verdict] = [
    .refused("chunks of extents []", chunks([])), .refused("chunks of extents [1]", chunks([1])),
    .legal("one axis and elements of a byte", chunks([2, 1])),
    .refused("chunks of extents [0, 1]", chunks([0, 1])),
    .refused("chunks of extents [2, 0]", chunks([2, 0])),
    .refused("a layout of rank 2 with extents of 0 bytes", indexed(rank: 2, width: 0)),
    .legal("extents of 8 bytes", indexed(rank: 2, width: 8)),
    .refused("a layout of rank 2 with extents of 9 bytes", indexed(rank: 2, width: 9)),
    .legal("32 axes", indexed(rank: 33, width: 1)),
    .refused("a layout of rank 34 with extents of 1 bytes", indexed(rank: 34, width: 1)),
  ]

  @Test(arguments: layouts)
  func aLayoutIsRefusedByTheRuleItBreaks(_ verdict: Verdict) throws {
    try verdict.expect { _ = try DataLayout(&$0, FieldWidths()) }
  }

  /// A dataset of 16 bytes that lies as far behind the last 16 of its file as told.
  private static func stretch(_ distance: Int) -> [UInt8] {
    func file(_ address: Int) -> (bytes: [UInt8], last: Int) {
      var builder = HDF5Builder()
      let object = builder.object([.space([4]), .float32, .contiguous(address, 16)])
      let root = builder.group([("x", object)])
      let last = builder.append([UInt8](repeating: 7, count: 16))
      return (builder.finished(root: root), last)
    }
    return file(file(0).last + distance).bytes
  }

  @Test func aStretchLiesInItsFile() throws {
    let end = Self.stretch(0).count
    try Verdict.legal("the last bytes", Self.stretch(0)).expectOfFile()
    for distance in [1, 16, 1 << 40] {
      try Verdict.refused(
        "a dataset needs 16 bytes at \(end - 16 + distance), the file ends at \(end)",
        Self.stretch(distance)
      ).expectOfFile()
    }
  }

  private static let fillValues: [Verdict] = [
    .legal("a value", [3, 0x28] + little(1, 4) + [7]), .legal("no value on purpose", [3, 0x18]),
    .refused("a fill value both defined and undefined", [3, 0x38] + little(1, 4) + [7]),
  ]

  @Test(arguments: fillValues)
  func aFillValueIsRefusedByTheRuleItBreaks(_ verdict: Verdict) throws {
    try verdict.expect { _ = try FillValue(&$0) }
  }

  @Test func aFillValueHasTheSizeOfAnElement() throws {
    let bytes = HDF5Builder.dataset([.space([3]), .float32, .fill([9]), .contiguous(nil, 0)])
    try Verdict.refused("a fill value of 1 bytes for elements of 4", bytes).expectOfFile()
  }

  private static func deflates(_ count: Int) -> [UInt8] {
    HDF5Message.filters([(number: Int, parameters: [Int])](repeating: (1, [6]), count: count)).body
  }

  private static let pipelines: [Verdict] = [
    .refused("filter pipeline version 0", as: .unsupported, [0, 0, 0, 0, 0, 0, 0, 0]),
    .legal("version 1", [1, 0, 0, 0, 0, 0, 0, 0]),
    .refused("filter pipeline version 3", as: .unsupported, [3, 0, 0, 0, 0, 0, 0, 0]),
    .legal("eight filters", deflates(8)), .refused("9 filters, above 8", deflates(9)),
    .legal("elements of one byte", HDF5Message.filters([(2, [1])]).body),
    .refused("a shuffle filter without an element size", HDF5Message.filters([(2, [0])]).body),
    .refused("a shuffle filter without an element size", HDF5Message.filters([(2, [])]).body),
  ]

  @Test(arguments: pipelines)
  func aFilterPipelineIsRefusedByTheRuleItBreaks(_ verdict: Verdict) throws {
    try verdict.expect { _ = try FilterPipeline(&$0) }
  }
}
