internal import Tensors

/// What elements that were never written hold.
///
/// The old message is a size and a value. The new one starts with a version: 1 and 2 spell out when
/// space is allocated, when it is filled, and whether there is a value; 3 packs these into flags (bits
/// 2–3 the time, 4 no value on purpose, 5 a value).
struct FillValue: Sendable {
  /// One element as stored, or nil for zeros.
  let element: [UInt8]?
  /// Whether there is none on purpose, or no message: a dataset that was never written then holds nothing.
  let isUndefined: Bool

  static let undefined = FillValue(element: nil, isUndefined: true)

  /// The writer filled nothing ("never"), so readers see whatever is there; h5py shows zeros.
  private static let fillsNever: UInt8 = 1
  /// When space is allocated, never, or only where a value was set.
  ///
  /// With any other number libhdf5 leaves unwritten chunks as they are, which no reader should guess.
  private static let times: ClosedRange<UInt8> = 0...2

  private init(element: [UInt8]?, isUndefined: Bool) {
    self.element = element
    self.isUndefined = isUndefined
  }

  init(old reader: inout ByteReader) throws {
    let size = Int(try reader.uint32("the size of a fill value"))
    self.init(
      element: size == 0 ? nil : try reader.array(size, "a fill value"), isUndefined: size == 0)
  }

  init(_ reader: inout ByteReader) throws {
    let at = reader.offset
    let version = try reader.uint8("a fill value's version")
    let time: UInt8
    let hasValue: Bool
    let isUndefined: Bool
    switch version {
    case 1, 2:
      try reader.skip(1, "a fill value's allocation time")
      time = try reader.uint8("a fill value's time")
      hasValue = try reader.uint8("a fill value's presence") != 0
      isUndefined = !hasValue
    case 3:
      let flags = try reader.uint8("a fill value's flags")
      time = flags >> 2 & 3
      hasValue = flags & 0x20 != 0
      isUndefined = flags & 0x10 != 0
      guard !hasValue || !isUndefined else {
        throw reader.failure("a fill value both defined and undefined", at: at)
      }
    default:
      throw reader.failure("fill value version \(version)", class: .unsupported, at: at)
    }
    guard Self.times.contains(time) else {
      throw reader.failure("a fill value set at time \(time), where 2 is the last", at: at)
    }
    let isFilled = time != Self.fillsNever
    guard hasValue else {
      self.init(element: nil, isUndefined: isUndefined && isFilled)
      return
    }
    // libhdf5 stores an undefined value as a size of −1.
    let size = try reader.uint32("the size of a fill value")
    let isNone = size == UInt32.max
    let value = size == 0 || isNone ? nil : try reader.array(Int(size), "a fill value")
    self.init(element: isFilled ? value : nil, isUndefined: isNone && isFilled)
  }
}
