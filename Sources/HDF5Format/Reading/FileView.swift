internal import Tensors

/// What an extent of the file is used for.
enum ExtentUse: String {
  case superblock = "the superblock"
  case objectHeader = "an object header"
  case symbolTable = "a symbol table"
  case localHeap = "a local heap"
  case globalHeap = "a global heap"
  case fractalHeap = "a fractal heap"
  case treeNode = "a B-tree node"
  case data = "a dataset"
}

/// Reads the structures of an HDF5 file by address, through a few cached pages, and keeps account of
/// which bytes belong to which structure.
///
/// The account is what makes hostile files harmless: honest structures never overlap, so their sizes
/// add up to at most the file's size. A loop, a block claimed by a thousand headers, or two datasets
/// over the same bytes break that sum, and all work here is proportional to it.
final class FileView {
  let source: any ByteSource
  let widths: FieldWidths
  let byteCount: Int

  /// Small enough that 300 scattered headers of a 2 GB file cost 300 small reads, large enough that
  /// 20,000 neighbouring ones cost a thousand.
  private static let pageSize = 16_384
  private static let pageCount = 256

  private var pages: [[UInt8]]
  private var pageNumbers: [Int]

  struct Extent {
    let start: Int
    let end: Int
    let use: ExtentUse
  }

  private(set) var extents: [Extent] = []
  private var claimedBytes = 0
  private var revisitedBytes = 0

  init(_ source: any ByteSource, _ widths: FieldWidths) {
    self.source = source
    self.widths = widths
    byteCount = source.byteCount
    pages = Array(repeating: [], count: Self.pageCount)
    pageNumbers = Array(repeating: -1, count: Self.pageCount)
  }

  /// A reader over the `count` bytes at `address`.
  func reader(
    at address: Int, count: Int, _ what: @autoclosure () -> String
  ) throws -> ByteReader {
    guard address >= 0, count >= 0, address <= byteCount, count <= byteCount - address else {
      throw IngotError(
        .malformed,
        "\(what()) needs \(count) bytes at \(address), the file ends at \(byteCount)",
        offset: max(0, min(address, byteCount)))
    }
    let page = address / Self.pageSize
    let start = page * Self.pageSize
    guard address + count <= start + Self.pageSize else {
      return ByteReader(
        try source.bytes(at: address, count: count, what()), base: address)
    }
    let slot = page % Self.pageCount
    if pageNumbers[slot] != page {
      pages[slot] = try source.bytes(
        at: start, count: min(Self.pageSize, byteCount - start), what())
      pageNumbers[slot] = page
    }
    var reader = ByteReader(pages[slot], base: start)
    try reader.seek(to: address - start, what())
    return try reader.sub(count, what())
  }

  /// Notes that the bytes belong to a structure that no other may overlap.
  func claim(_ address: Int, _ count: Int, _ use: ExtentUse) throws {
    guard count > 0 else { return }
    claimedBytes = try claimedBytes.adding(count, "the size of all structures")
    guard claimedBytes <= byteCount else { throw overlap(use, address) }
    extents.append(Extent(start: address, end: address + count, use: use))
  }

  /// Notes that bytes which may belong to a structure already claimed are read once more.
  func revisit(_ address: Int, _ count: Int, _ use: ExtentUse) throws {
    revisitedBytes = try revisitedBytes.adding(count, "the size of all structures")
    guard revisitedBytes <= byteCount else { throw overlap(use, address) }
  }

  private func overlap(_ use: ExtentUse, _ address: Int) -> IngotError {
    IngotError(.malformed, "\(use.rawValue) overlaps other structures", offset: address)
  }

  /// Checks that no two claimed extents overlap, and returns them in the order of their addresses.
  func checkedExtents() throws -> [Extent] {
    let sorted = extents.sorted { $0.start < $1.start }
    for index in sorted.indices.dropFirst() {
      let before = sorted[index - 1]
      let extent = sorted[index]
      guard before.end <= extent.start else {
        throw IngotError(
          .malformed,
          "\(extent.use.rawValue) at \(extent.start) overlaps \(before.use.rawValue) at \(before.start)..<\(before.end)",
          offset: extent.start)
      }
    }
    return sorted
  }
}
