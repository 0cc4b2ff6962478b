internal import Tensors

/// The global heap as written: collections of the texts that attributes point to.
///
/// A collection: `GCOL`, version 1, 3 reserved bytes, size (8); then objects: index (2), reference count
/// (2), 4 reserved bytes, size (8), data padded to 8 bytes. Index 0 is the free space at the end.
struct GlobalHeapWriter {
  /// How many bytes a reference takes: length (4), collection (8), object (4).
  static let referenceSize = 16
  /// libhdf5 refuses smaller collections.
  private static let smallestCollection = 4096
  /// Readers load a collection whole, so that a name must not cost megabytes.
  private static let usualCollection = 64 << 10
  private static let headerSize = 16

  /// Where the heap begins in the file.
  private let start: Int
  private var writer = ByteWriter()
  /// Where the open collection begins in `writer`, or nil.
  private var collection: Int?
  private var objectCount = 0

  init(at start: Int) { self.start = start }

  /// Stores `object` and returns the reference to it.
  mutating func reference(to object: [UInt8]) -> [UInt8] {
    let size = Self.headerSize + object.count.roundedUp(toMultipleOf: 8)
    if let collection {
      let filled = writer.count - collection + size
      if filled > Self.usualCollection || objectCount == UInt16.max { closeCollection() }
    }
    let collection = self.collection ?? openCollection()
    objectCount += 1
    writer.append(objectCount, width: 2)
    // libhdf5 counts references to an object only while it copies; on disk there is 0.
    writer.append(contentsOf: [0, 0, 0, 0, 0, 0])
    writer.append(object.count, width: 8)
    writer.append(padded: object)
    var reference = ByteWriter()
    reference.append(object.count, width: 4)
    reference.append(address: start + collection)
    reference.append(objectCount, width: 4)
    return reference.bytes
  }

  private mutating func openCollection() -> Int {
    let position = writer.count
    writer.append("GCOL")
    writer.append(contentsOf: [1, 0, 0, 0])
    writer.append(0, width: 8)
    collection = position
    objectCount = 0
    return position
  }

  private mutating func closeCollection() {
    guard let collection else { return }
    let used = writer.count - collection
    let free = max(0, Self.smallestCollection - used)
    // What is too small for a header needs none.
    if free >= Self.headerSize {
      writer.append(0, width: 8)
      writer.append(free, width: 8)
    }
    writer.pad(to: collection + used + free)
    writer.patch(UInt64(used + free), width: 8, at: collection + 8)
    self.collection = nil
  }

  /// The heap, which takes no more objects.
  consuming func finished() -> [UInt8] {
    closeCollection()
    return writer.bytes
  }
}
