internal import Tensors

/// HDF5's own kinds of field, read through the checked cursor.
extension ByteReader {
  /// An address, or nil where it is undefined (all bits set).
  mutating func address(_ widths: FieldWidths, _ what: @autoclosure () -> String) throws -> Int? {
    let at = offset
    let value = try unsigned(width: widths.offset, what())
    guard value != UInt64.max >> UInt64(64 - 8 * widths.offset) else { return nil }
    guard let address = Int(exactly: value) else {
      throw failure("\(what()) \(value) exceeds 2^63", at: at)
    }
    return address
  }

  /// An address that must be defined.
  mutating func definedAddress(
    _ widths: FieldWidths, _ what: @autoclosure () -> String
  ) throws -> Int {
    let at = offset
    guard let address = try address(widths, what()) else {
      throw failure("\(what()) is undefined", at: at)
    }
    return address
  }

  /// A length.
  mutating func length(_ widths: FieldWidths, _ what: @autoclosure () -> String) throws -> Int {
    try integer(width: widths.length, what())
  }

  /// Four letters that say which structure this is.
  mutating func signature(
    _ expected: StaticString, _ what: @autoclosure () -> String
  ) throws {
    let at = offset
    var found: UInt32 = 0
    for _ in 0..<4 { found = found << 8 | UInt32(try uint8(what())) }
    // A static string of four ASCII letters is four bytes of constant data.
    let wanted = expected.withUTF8Buffer { unsafe $0.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } }
    guard found == wanted else {
      throw failure("\(what()) does not start with \(expected)", at: at)
    }
  }

  /// A version number that must be `expected`.
  mutating func version(_ expected: UInt8, _ what: @autoclosure () -> String) throws {
    let at = offset
    let found = try uint8(what())
    guard found == expected else {
      throw failure("\(what()) version \(found)", class: .unsupported, at: at)
    }
  }

  /// Checks the checksum that lies `count` bytes after the cursor, over everything from `start` (a
  /// position in `bytes`) to there; the cursor stays.
  ///
  /// - Throws: `integrity`, before anything in the structure is believed.
  func verifyChecksum(
    from start: Int, after count: Int, _ what: @autoclosure () -> String
  ) throws {
    var end = self
    try end.skip(count, what())
    let computed = Lookup3.checksum(bytes, start..<end.position)
    let at = end.offset
    let stored = try end.uint32("the checksum of \(what())")
    guard stored == computed else {
      throw failure(Checksum.mismatch(of: what(), stored, computed), class: .integrity, at: at)
    }
  }

  /// A name that ends with NUL and takes `field` bytes.
  mutating func terminatedBytes(_ field: Int, _ what: @autoclosure () -> String) throws -> [UInt8] {
    let raw = try array(field, what())
    return raw.firstIndex(of: 0).map { Array(raw[..<$0]) } ?? raw
  }
}

extension ExactString {
  /// The text of bytes that are UTF-8; nil for others.
  ///
  /// Decoding is much faster than validating, and the same for ASCII.
  init?(checking raw: ArraySlice<UInt8>) {
    if raw.allSatisfy({ $0 < 0x80 }) {
      self.init(repairing: raw)
    } else {
      self.init(validating: raw)
    }
  }
}
