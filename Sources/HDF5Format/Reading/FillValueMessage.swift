internal import Tensors

/// What elements that were never written hold.
///
/// The old message is a size and a value. The new one starts with a version: 1 and 2 spell out when
/// space is allocated, when it is filled, and whether there is a value (version 1 gives a size even
/// where not); 3 packs these into flags (bits 2–3 the time, 4 no value on purpose, 5 a value).
struct FillValue: Sendable {
  /// One element as stored, or nil for zeros.
  let element: [UInt8]?

  static let zeros = FillValue(element: nil)

  /// The writer filled nothing ("never"), so readers see whatever is there; h5py shows zeros.
  private static let fillsNever: UInt8 = 1
  /// When space is allocated, never, or only where a value was set.
  ///
  /// With any other number libhdf5 leaves unwritten chunks as they are, which no reader should guess.
  private static let times: ClosedRange<UInt8> = 0...2

  private init(element: [UInt8]?) { self.element = element }

  init(old reader: inout ByteReader) throws {
    let size = Int(try reader.uint32("the size of a fill value"))
    element = size == 0 ? nil : try reader.array(size, "a fill value")
  }

  init(_ reader: inout ByteReader) throws {
    let at = reader.offset
    let version = try reader.uint8("a fill value's version")
    let time: UInt8
    let hasValue: Bool
    switch version {
    case 1, 2:
      try reader.skip(1, "a fill value's allocation time")
      time = try reader.uint8("a fill value's time")
      let isDefined = try reader.uint8("a fill value's presence") != 0
      hasValue = isDefined || version == 1
    case 3:
      let flags = try reader.uint8("a fill value's flags")
      time = flags >> 2 & 3
      hasValue = flags & 0x20 != 0
      guard !hasValue || flags & 0x10 == 0 else {
        throw reader.failure("a fill value both defined and undefined", at: at)
      }
    default:
      throw reader.failure("fill value version \(version)", class: .unsupported, at: at)
    }
    guard Self.times.contains(time) else {
      throw reader.failure("a fill value set at time \(time), where 2 is the last", at: at)
    }
    guard hasValue else {
      element = nil
      return
    }
    // libhdf5 stores an undefined value as a size of −1.
    let size = try reader.uint32("the size of a fill value")
    let isEmpty = size == 0 || size == UInt32.max
    let value = isEmpty ? nil : try reader.array(Int(size), "a fill value")
    element = time == Self.fillsNever ? nil : value
  }
}
