internal import Tensors

/// A datatype: class and version (4 bits each), 24 bits of flags, the size of an element (4 bytes),
/// and what the class adds.
struct Datatype: Sendable {
  enum Class: Sendable {
    case integer(Integer)
    case floating(Floating)
    case time
    case string(StringPadding)
    case bitfield
    case opaque
    case compound([Member])
    case reference
    indirect case enumeration(base: Datatype, members: [EnumerationMember])
    indirect case sequence(Datatype)
    case variableString(StringPadding)
    indirect case array(dimensions: [Int], base: Datatype)
    case complex
  }

  enum ByteOrder: Sendable { case little, big, vax }

  struct Integer: Sendable {
    let order: ByteOrder
    let isSigned: Bool
    let bitOffset: UInt16
    let precision: UInt16
  }

  /// Every field that says what the bits of a float mean, as narrow as the file has them: datatypes are
  /// copied for every dataset.
  struct Floating: Sendable, Hashable {
    var order: ByteOrder
    var bitOffset: UInt16
    var precision: UInt16
    var exponentLocation: UInt8
    var exponentSize: UInt8
    var mantissaLocation: UInt8
    var mantissaSize: UInt8
    var exponentBias: UInt32
    var signLocation: UInt8
    /// 2: the leading one is implied, as IEEE has it.
    var normalization: UInt8
  }

  /// How a string fills its field.
  enum StringPadding: UInt8, Sendable {
    case nullTerminated = 0
    case nullPadded = 1
    case spacePadded = 2
  }

  struct Member: Sendable {
    let name: ExactString
    let offset: Int
    let type: Datatype
  }

  struct EnumerationMember: Sendable {
    let name: ExactString
    let value: [UInt8]
  }

  let kind: Class
  let size: Int

  /// Compounds and arrays nest in files by hand at three or four levels.
  private static let depthLimit = 32

  init(_ reader: inout ByteReader) throws { try self.init(&reader, depth: 0) }

  private init(_ reader: inout ByteReader, depth: Int) throws {
    let at = reader.offset
    guard depth < Self.depthLimit else {
      throw reader.failure("datatypes nested deeper than \(Self.depthLimit)")
    }
    let head = try reader.uint32("a datatype")
    let version = Int(head >> 4 & 15)
    let flags = head >> 8
    size = Int(try reader.uint32("a datatype's size"))
    guard 1...5 ~= version else {
      throw reader.failure(
        "datatype version \(version)", class: version == 0 ? .malformed : .unsupported, at: at)
    }
    guard size > 0, size < 1 << 31 else {
      throw reader.failure("a datatype of \(size) bytes", at: at)
    }
    switch head & 15 {
    case 0:
      let bitOffset = try reader.uint16("an integer's bit offset")
      let precision = try reader.uint16("an integer's precision")
      guard precision > 0, Int(bitOffset) + Int(precision) <= size * 8 else {
        throw reader.failure("an integer of \(precision) bits in \(size) bytes", at: at)
      }
      kind = .integer(
        Integer(
          order: flags & 1 == 0 ? .little : .big, isSigned: flags & 8 != 0, bitOffset: bitOffset,
          precision: precision))
    case 1: kind = .floating(try Self.floating(&reader, flags, size))
    case 2:
      try reader.skip(2, "a time's precision")
      kind = .time
    case 3: kind = .string(try Self.padding(flags & 15, reader, at))
    case 4:
      try reader.skip(4, "a bit field's precision")
      kind = .bitfield
    case 5:
      // The tag is text for people; what fills it up to a multiple of eight may be missing.
      try reader.skip(min(Int(flags & 0xFF).roundedUp(toMultipleOf: 8), reader.remaining), "a tag")
      kind = .opaque
    case 6: kind = .compound(try Self.members(&reader, version, flags, size, depth))
    case 7: kind = .reference
    case 8: kind = try Self.enumeration(&reader, version, flags, size, depth)
    case 9:
      let base = try Datatype(&reader, depth: depth + 1)
      switch flags & 15 {
      case 0: kind = .sequence(base)
      case 1: kind = .variableString(try Self.padding(flags >> 4 & 15, reader, at))
      default: throw reader.failure("a variable-length datatype of kind \(flags & 15)", at: at)
      }
    case 10:
      kind = try Self.array(&reader, version, size, depth)
    case 11:
      _ = try Datatype(&reader, depth: depth + 1)
      kind = .complex
    default: throw reader.failure("datatype class \(head & 15)", class: .unsupported, at: at)
    }
  }

  private static func padding(
    _ number: UInt32, _ reader: ByteReader, _ offset: Int
  ) throws -> StringPadding {
    guard let padding = StringPadding(rawValue: UInt8(number)) else {
      throw reader.failure("string padding of kind \(number)", at: offset)
    }
    return padding
  }

  private static func floating(
    _ reader: inout ByteReader, _ flags: UInt32, _ size: Int
  ) throws -> Floating {
    let at = reader.offset
    let order: ByteOrder =
      switch (flags & 1, flags >> 6 & 1) {
      case (0, 0): .little
      case (1, 0): .big
      case (1, 1): .vax
      default: throw reader.failure("a float of an unknown byte order", at: at)
      }
    let field = Floating(
      order: order, bitOffset: try reader.uint16("a float's bit offset"),
      precision: try reader.uint16("a float's precision"),
      exponentLocation: try reader.uint8("a float's exponent"),
      exponentSize: try reader.uint8("a float's exponent"),
      mantissaLocation: try reader.uint8("a float's mantissa"),
      mantissaSize: try reader.uint8("a float's mantissa"),
      exponentBias: try reader.uint32("a float's exponent bias"),
      signLocation: UInt8(truncatingIfNeeded: flags >> 8),
      normalization: UInt8(flags >> 4 & 3))
    let end = Int(field.bitOffset) + Int(field.precision)
    guard field.precision > 0, end <= size * 8,
      Int(field.exponentLocation) + Int(field.exponentSize) <= end,
      Int(field.mantissaLocation) + Int(field.mantissaSize) <= end, field.signLocation < end
    else { throw reader.failure("a float whose fields leave its \(size) bytes", at: at) }
    func bits(_ start: UInt8, _ count: UInt8) -> Range<Int> { Int(start)..<Int(start) + Int(count) }
    let exponent = bits(field.exponentLocation, field.exponentSize)
    let mantissa = bits(field.mantissaLocation, field.mantissaSize)
    let sign = Int(field.signLocation)
    guard !exponent.overlaps(mantissa), !exponent.contains(sign), !mantissa.contains(sign) else {
      throw reader.failure("a float whose fields overlap", at: at)
    }
    guard field.normalization < 3 else {
      throw reader.failure("a float of an unknown normalization", at: at)
    }
    return field
  }

  /// A name that ends with NUL, padded to a multiple of 8 bytes before version 3.
  private static func name(_ reader: inout ByteReader, _ version: Int) throws -> ExactString {
    let at = reader.offset
    let start = reader.position
    while try reader.uint8("the name of a datatype's member") != 0 {}
    let raw = reader.bytes[start..<reader.position - 1]
    if version < 3 {
      try reader.skip((8 - (reader.position - start) % 8) % 8, "the padding of a name")
    }
    guard let name = ExactString(validating: raw) else {
      throw reader.failure("the name of a datatype's member is not UTF-8", at: at)
    }
    return name
  }

  private static func members(
    _ reader: inout ByteReader, _ version: Int, _ flags: UInt32, _ size: Int, _ depth: Int
  ) throws -> [Member] {
    let at = reader.offset
    let count = Int(flags & 0xFFFF)
    guard count > 0 else { throw reader.failure("a record without members", at: at) }
    var offsetWidth = 4
    if version >= 3 {
      offsetWidth = 1
      while offsetWidth < 4, size >> (8 * offsetWidth) > 0 { offsetWidth += 1 }
    }
    return try (0..<count).map { _ in
      let name = try name(&reader, version)
      let offset = try reader.integer(width: offsetWidth, "a member's offset")
      var dimensions: [Int] = []
      if version == 1 {
        let rank = Int(try reader.uint8("a member's rank"))
        guard rank <= 4 else { throw reader.failure("a member of rank \(rank)", at: at) }
        try reader.skip(11, "a member's permutation")
        for index in 0..<4 {
          let dimension = Int(try reader.uint32("a member's dimension"))
          if index < rank { dimensions.append(dimension) }
        }
      }
      var type = try Datatype(&reader, depth: depth + 1)
      if !dimensions.isEmpty {
        type = try Datatype(
          array: dimensions, of: type, reader.failure("a member's dimensions", at: at))
      }
      guard type.size <= size - offset else {
        throw reader.failure("a member that leaves its record", at: at)
      }
      return Member(name: name, offset: offset, type: type)
    }
  }

  private init(array dimensions: [Int], of base: Datatype, _ failure: IngotError) throws {
    size = try Shape(dimensions).elementCount.multiplied(by: base.size, "an array's size")
    guard size > 0, size < 1 << 31 else { throw failure }
    kind = .array(dimensions: dimensions, base: base)
  }

  private static func enumeration(
    _ reader: inout ByteReader, _ version: Int, _ flags: UInt32, _ size: Int, _ depth: Int
  ) throws -> Class {
    let at = reader.offset
    let base = try Datatype(&reader, depth: depth + 1)
    guard case .integer = base.kind, base.size == size else {
      throw reader.failure("an enumeration that is not over integers of its size", at: at)
    }
    let count = Int(flags & 0xFFFF)
    let names = try (0..<count).map { _ in try name(&reader, version) }
    let members = try names.map {
      EnumerationMember(name: $0, value: try reader.array(size, "an enumeration's value"))
    }
    return .enumeration(base: base, members: members)
  }

  private static func array(
    _ reader: inout ByteReader, _ version: Int, _ size: Int, _ depth: Int
  ) throws -> Class {
    let at = reader.offset
    let rank = Int(try reader.uint8("an array's rank"))
    guard 1...Dataspace.rankLimit ~= rank else {
      throw reader.failure("an array datatype of rank \(rank)", at: at)
    }
    if version < 3 { try reader.skip(3, "reserved bytes of an array") }
    let dimensions = try (0..<rank).map { _ in Int(try reader.uint32("an array's dimension")) }
    if version < 3 { try reader.skip(4 * rank, "an array's permutation") }
    let base = try Datatype(&reader, depth: depth + 1)
    let needed = try Shape(dimensions).elementCount.multiplied(by: base.size, "an array's size")
    guard needed == size else {
      throw reader.failure("an array datatype of \(size) bytes that needs \(needed)", at: at)
    }
    return .array(dimensions: dimensions, base: base)
  }
}
