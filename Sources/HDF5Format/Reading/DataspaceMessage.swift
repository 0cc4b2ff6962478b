internal import Tensors

/// The extent of a dataset or an attribute.
///
/// Version 1: version, rank, flags (bit 0: largest extents follow, bit 1: a permutation, never
/// implemented), 5 reserved bytes. Version 2: version, rank, flags, kind (0 scalar, 1 simple, 2 null).
/// Then an extent for each dimension, and the largest extents, where all bits set mean no bound.
struct Dataspace: Sendable {
  enum Kind: UInt8 {
    case scalar = 0
    case simple = 1
    /// No elements and no shape.
    case null = 2
  }

  let kind: Kind
  let dimensions: [Int]
  /// The largest extents, nil for an unbounded one; nil where they are the present ones.
  let largest: [Int?]?

  /// What the HDF5 library allows.
  static let rankLimit = 32

  init(_ reader: inout ByteReader, _ widths: FieldWidths) throws {
    let at = reader.offset
    let version = try reader.uint8("a dataspace's version")
    let rank = Int(try reader.uint8("a dataspace's rank"))
    let flags = try reader.uint8("a dataspace's flags")
    switch version {
    case 1:
      try reader.skip(5, "reserved bytes of a dataspace")
      kind = rank == 0 ? .scalar : .simple
      guard flags & 2 == 0 else {
        throw reader.failure("a dataspace with a permutation", class: .unsupported, at: at)
      }
    case 2:
      let number = try reader.uint8("a dataspace's kind")
      guard let kind = Kind(rawValue: number) else {
        throw reader.failure("a dataspace of kind \(number)", at: at)
      }
      guard kind == .simple || rank == 0 else {
        throw reader.failure("a scalar or null dataspace of rank \(rank)", at: at)
      }
      self.kind = kind
    default:
      throw reader.failure("dataspace version \(version)", class: .unsupported, at: at)
    }
    guard rank <= Self.rankLimit else {
      throw reader.failure(
        "a dataspace of rank \(rank), above \(Self.rankLimit)", class: .limit, at: at)
    }
    var dimensions = [Int](repeating: 0, count: rank)
    for axis in 0..<rank { dimensions[axis] = try reader.length(widths, "a dimension") }
    self.dimensions = dimensions
    guard flags & 1 != 0 else {
      largest = nil
      return
    }
    let unbounded = UInt64.max >> UInt64(64 - 8 * widths.length)
    var largest: [Int?]?
    for (axis, dimension) in dimensions.enumerated() {
      let bound = try reader.unsigned(width: widths.length, "a largest dimension")
      guard bound >= UInt64(dimension) else {
        throw reader.failure("a dimension of \(dimension) above its maximum \(bound)", at: at)
      }
      guard bound > UInt64(dimension) else { continue }
      if largest == nil { largest = dimensions }
      largest?[axis] = bound == unbounded ? nil : Int(exactly: bound)
    }
    self.largest = largest
  }

  /// The number of elements; 0 for a null dataspace.
  func elementCount() throws -> Int {
    kind == .null ? 0 : try Shape(dimensions).elementCount
  }
}
