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

  private struct Page {
    var number = -1
    var bytes: [UInt8] = []
  }

  private var pages = [Page](repeating: Page(), count: pageCount)

  struct Extent {
    var start: Int
    var end: Int
    let use: ExtentUse
  }

  private(set) var extents: [Extent] = []
  private var claimedBytes = 0
  private var revisitedBytes = 0

  init(_ source: any ByteSource, _ widths: FieldWidths) {
    self.source = source
    self.widths = widths
    byteCount = source.byteCount
  }

  /// A reader over the `count` bytes at `address`.
  func reader(
    at address: Int, count: Int, _ what: @autoclosure () -> String
  ) throws -> ByteReader {
    var reader = try self.reader(at: address, atLeast: count, what())
    guard reader.remaining > count else { return reader }
    reader = try reader.sub(count, what())
    return reader
  }

  /// A reader over the bytes at `address`: to the end of the page, but `count` at least.
  func reader(
    at address: Int, atLeast count: Int, _ what: @autoclosure () -> String
  ) throws -> ByteReader {
    guard address >= 0, count >= 0, count <= byteCount - address else {
      throw outside(address, count, what())
    }
    let number = address / Self.pageSize
    let start = number * Self.pageSize
    guard address + count <= start + Self.pageSize else {
      return ByteReader(
        try source.bytes(at: address, count: count, what()), base: address)
    }
    let slot = number % Self.pageCount
    if pages[slot].number != number {
      pages[slot] = Page(
        number: number,
        bytes: try source.bytes(
          at: start, count: min(Self.pageSize, byteCount - start), what()))
    }
    let bytes = pages[slot].bytes
    return ByteReader(bytes, base: start, range: address - start..<bytes.count)
  }

  /// The `count` bytes after what `reader` has read, from its own bytes where it has them.
  func body(
    of reader: inout ByteReader, count: Int, _ what: @autoclosure () -> String
  ) throws -> ByteReader {
    if count <= reader.remaining { return try reader.sub(count, what()) }
    return try self.reader(at: reader.offset, count: count, what())
  }

  private func outside(_ address: Int, _ count: Int, _ what: String) -> IngotError {
    IngotError(
      .malformed,
      "\(what) needs \(count) bytes at \(address), the file ends at \(byteCount)",
      offset: max(0, min(address, byteCount)))
  }

  /// Notes that the bytes belong to a structure that no other may overlap.
  func claim(_ address: Int, _ count: Int, _ use: ExtentUse) throws {
    guard count > 0 else { return }
    claimedBytes = try claimedBytes.adding(count, "the size of all structures")
    guard claimedBytes <= byteCount else { throw overlap(use, address) }
    // Structures are often written side by side; one extent then stands for all of them.
    if let last = extents.last, last.end == address {
      extents[extents.count - 1].end = address + count
    } else if let last = extents.last, last.start == address + count {
      extents[extents.count - 1].start = address
    } else {
      extents.append(Extent(start: address, end: address + count, use: use))
    }
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
