internal import Tensors

/// Where and how the elements of a dataset lie.
///
/// Versions 1 and 2 (to HDF5 1.6.2): version, rank, class, 5 reserved bytes, an address unless compact,
/// extents of 4 bytes. Version 3: version, class, then per class. Version 4 (1.10) adds four indexes of
/// chunks to the B-tree, and virtual datasets.
struct DataLayout: Sendable {
  enum Storage: Sendable {
    /// In the object header, at this offset in the file.
    case compact(offset: Int, count: Int)
    /// One stretch of the file; nowhere yet where `address` is nil. The size is absent from old files.
    case contiguous(address: Int?, count: Int?)
    case chunked(Chunks)
    case virtual
  }

  struct Chunks: Sendable {
    /// The extents of a chunk in elements.
    let dimensions: [Int]
    let elementSize: Int
    /// Chunks that reach beyond the dataset are stored without filters.
    let skipsFiltersAtEdges: Bool
    let index: ChunkIndex
    /// Where the index starts; nil where nothing was written.
    let address: Int?
  }

  let storage: Storage

  init(_ reader: inout ByteReader, _ widths: FieldWidths) throws {
    let at = reader.offset
    let version = try reader.uint8("a layout's version")
    switch version {
    case 1, 2: storage = try Self.old(&reader, widths, at)
    case 3, 4: storage = try Self.current(&reader, widths, version, at)
    default: throw reader.failure("layout version \(version)", class: .unsupported, at: at)
    }
  }

  private static func old(
    _ reader: inout ByteReader, _ widths: FieldWidths, _ at: Int
  ) throws -> Storage {
    let rank = Int(try reader.uint8("a layout's rank"))
    let number = try reader.uint8("a layout's class")
    try reader.skip(5, "reserved bytes of a layout")
    guard rank <= Dataspace.rankLimit + 1 else {
      throw reader.failure("a layout of rank \(rank)", at: at)
    }
    let address = number == 0 ? nil : try reader.address(widths, "a dataset's address")
    let extents = try (0..<rank).map { _ in Int(try reader.uint32("a layout's extent")) }
    switch number {
    case 0:
      let count = Int(try reader.uint32("the size of a compact dataset"))
      let offset = reader.offset
      try reader.skip(count, "a compact dataset")
      return .compact(offset: offset, count: count)
    // The extents are cut to 32 bits here; the dataspace knows the size.
    case 1: return .contiguous(address: address, count: nil)
    case 2: return try chunked(extents, .tree1, address, false, reader, at)
    default: throw reader.failure("a layout of class \(number)", at: at)
    }
  }

  private static func current(
    _ reader: inout ByteReader, _ widths: FieldWidths, _ version: UInt8, _ at: Int
  ) throws -> Storage {
    let number = try reader.uint8("a layout's class")
    switch number {
    case 0:
      let count = Int(try reader.uint16("the size of a compact dataset"))
      let offset = reader.offset
      try reader.skip(count, "a compact dataset")
      return .compact(offset: offset, count: count)
    case 1:
      let address = try reader.address(widths, "a dataset's address")
      return .contiguous(
        address: address, count: try reader.length(widths, "the size of a dataset"))
    case 2 where version == 3:
      let rank = Int(try reader.uint8("a layout's rank"))
      guard rank <= Dataspace.rankLimit + 1 else {
        throw reader.failure("a layout of rank \(rank)", at: at)
      }
      let address = try reader.address(widths, "the address of chunks")
      let extents = try (0..<rank).map { _ in Int(try reader.uint32("a chunk's extent")) }
      return try chunked(extents, .tree1, address, false, reader, at)
    case 2: return try indexed(&reader, widths, at)
    case 3 where version == 4: return .virtual
    default: throw reader.failure("a layout of class \(number)", at: at)
    }
  }

  private static func indexed(
    _ reader: inout ByteReader, _ widths: FieldWidths, _ at: Int
  ) throws -> Storage {
    let flags = try reader.uint8("a layout's flags")
    let rank = Int(try reader.uint8("a layout's rank"))
    let width = Int(try reader.uint8("the width of a chunk's extents"))
    guard rank <= Dataspace.rankLimit + 1, 1...8 ~= width else {
      throw reader.failure("a layout of rank \(rank) with extents of \(width) bytes", at: at)
    }
    let extents = try (0..<rank).map { _ in try reader.integer(width: width, "a chunk's extent") }
    let number = try reader.uint8("the kind of chunk index")
    let index: ChunkIndex
    switch number {
    case 1:
      if flags & 2 != 0 {
        let count = try reader.length(widths, "the size of a chunk")
        index = .single(storedSize: count, filterMask: try reader.uint32("a filter mask"))
      } else {
        index = .single(storedSize: nil, filterMask: 0)
      }
    case 2: index = .implicit
    case 3:
      try reader.skip(1, "a fixed array's page size")
      index = .fixedArray
    case 4:
      try reader.skip(5, "the parameters of an extensible array")
      index = .extensibleArray
    case 5:
      try reader.skip(6, "the parameters of a B-tree")
      index = .tree2
    default:
      throw reader.failure("a chunk index of kind \(number)", class: .unsupported, at: at)
    }
    let address = try reader.address(widths, "the address of a chunk index")
    return try chunked(extents, index, address, flags & 1 != 0, reader, at)
  }

  /// The last extent is the size of an element.
  private static func chunked(
    _ extents: [Int], _ index: ChunkIndex, _ address: Int?, _ skipsFiltersAtEdges: Bool,
    _ reader: ByteReader, _ at: Int
  ) throws -> Storage {
    guard let elementSize = extents.last, extents.count >= 2, !extents.contains(0) else {
      throw reader.failure("chunks of extents \(extents)", at: at)
    }
    return .chunked(
      Chunks(
        dimensions: Array(extents.dropLast()), elementSize: elementSize,
        skipsFiltersAtEdges: skipsFiltersAtEdges, index: index, address: address))
  }
}
