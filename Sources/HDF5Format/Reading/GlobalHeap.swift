internal import Tensors

/// The global heap: collections of objects that variable-length data points into.
///
/// Collection: `GCOL`, version 1, 3 reserved bytes, size; then objects: index (2), reference count (2),
/// 4 reserved bytes, size, data padded to 8 bytes. Index 0 is the free space at the end.
///
/// Most mutants that crash libhdf5 do so here, because it trusts the sizes inside a collection.
final class GlobalHeap {
  private let view: FileView
  private var collections: [Int: [Int: Range<Int>]] = [:]

  init(_ view: FileView) { self.view = view }

  /// A reader over object `index` of the collection at `address`.
  func object(at address: Int, index: Int) throws -> ByteReader {
    guard let range = try collection(at: address)[index] else {
      throw IngotError(
        .malformed, "the global heap at \(address) has no object \(index)", offset: address)
    }
    return try view.reader(at: range.lowerBound, count: range.count, "a heap object")
  }

  private func collection(at address: Int) throws -> [Int: Range<Int>] {
    if let known = collections[address] { return known }
    let widths = view.widths
    let headerSize = 8 + widths.length
    var header = try view.reader(at: address, count: headerSize, "a global heap")
    try header.signature("GCOL", "the global heap")
    try header.version(1, "global heap")
    try header.skip(3, "reserved bytes of a global heap")
    let size = try header.length(widths, "the size of a global heap")
    guard size >= headerSize else { throw header.failure("a global heap of \(size) bytes") }
    var reader = try view.reader(at: address, count: size, "a global heap")
    try view.claim(address, size, .globalHeap)
    try reader.skip(headerSize, "a global heap's header")
    var objects: [Int: Range<Int>] = [:]
    while reader.remaining >= 8 + widths.length {
      let at = reader.offset
      let index = Int(try reader.uint16("the index of a heap object"))
      if index == 0 { break }
      try reader.skip(6, "a heap object's reference count")
      let count = try reader.length(widths, "the size of a heap object")
      let start = reader.offset
      try reader.skip(count, "a heap object")
      try reader.skip(min((8 - count % 8) % 8, reader.remaining), "the padding of a heap object")
      guard objects.updateValue(start..<start + count, forKey: index) == nil else {
        throw reader.failure("the global heap has object \(index) twice", at: at)
      }
    }
    collections[address] = objects
    return objects
  }
}
