internal import Tensors

/// Turns the stored values of attributes into JSON.
///
/// Numbers, strings, booleans, enumerations (their numbers), records, arrays and variable-length data
/// have a JSON form; references and opaque bytes have none.
struct AttributeValues {
  private let view: FileView
  private let heap: GlobalHeap
  /// How many bytes all values together may still have: honest values are in the file once.
  private var allowance: Int

  init(_ view: FileView) {
    self.view = view
    heap = GlobalHeap(view)
    allowance = view.byteCount
  }

  /// The value that takes the rest of an attribute message; nil where JSON has no form for it.
  mutating func value(
    _ reader: inout ByteReader, _ type: Datatype, _ space: Dataspace
  ) throws -> JSON? {
    guard space.kind != .null else { return .null }
    let count = try space.elementCount()
    let size = try count.multiplied(by: type.size, "the size of the value")
    guard size <= Limits.attributeBytes else {
      throw reader.failure(
        "a value of \(size) bytes is above \(Limits.attributeBytes)", class: .limit)
    }
    guard size <= reader.remaining else {
      throw reader.failure("the value needs \(size) bytes, \(reader.remaining) are left")
    }
    try spend(size, reader)
    guard type.hasJSONForm else { return nil }
    var spent = 0
    return try array(&reader, type, space.dimensions, &spent)
  }

  private mutating func spend(_ count: Int, _ reader: ByteReader) throws {
    allowance -= count
    guard allowance >= 0 else {
      throw reader.failure("attributes claim more bytes than the file has")
    }
  }

  /// Elements as nested arrays; `spent` counts the variable-length bytes of the whole attribute.
  private mutating func array(
    _ reader: inout ByteReader, _ type: Datatype, _ dimensions: some Collection<Int>,
    _ spent: inout Int
  ) throws -> JSON {
    guard let count = dimensions.first else { return try element(&reader, type, &spent) }
    // An extent of a billion beside an extent of 0 has no elements either.
    guard !dimensions.contains(0) else { return .array([]) }
    var elements: [JSON] = []
    elements.reserveCapacity(count)
    for _ in 0..<count {
      elements.append(try array(&reader, type, Array(dimensions.dropFirst()), &spent))
    }
    return .array(elements)
  }

  private mutating func element(
    _ reader: inout ByteReader, _ type: Datatype, _ spent: inout Int
  ) throws -> JSON {
    switch type.kind {
    case .integer(let integer): return try number(&reader, integer, type.size)
    case .floating:
      guard case .tensor(let element) = type.meaning else { return .null }
      return try number(&reader, element, type.size)
    case .enumeration(let base, _):
      let value = try self.element(&reader, base, &spent)
      return type.isBoolean ? .boolean(value != .integer(0)) : value
    case .string(let padding):
      return try Self.string(try reader.array(type.size, "a string"), padding, reader)
    case .variableString(let padding):
      guard let (_, content) = try variable(&reader, 1, &spent) else { return .string("") }
      var text = content
      // The library hands out C strings, which end at the first NUL.
      return try Self.string(
        try text.terminatedBytes(text.remaining, "a string"), padding, reader)
    case .sequence(let base):
      guard let (count, content) = try variable(&reader, base.size, &spent) else {
        return .array([])
      }
      var elements = content
      return try array(&elements, base, [count], &spent)
    case .array(let dimensions, let base): return try array(&reader, base, dimensions, &spent)
    case .compound(let members):
      let whole = try reader.sub(type.size, "a record")
      return .object(
        try members.map { member in
          var field = whole
          try field.skip(member.offset, "a record's member")
          return JSON.Member(member.name, try self.element(&field, member.type, &spent))
        })
    case .time, .bitfield, .opaque, .reference, .complex: return .null
    }
  }

  /// The elements that a variable-length value points to: count (4), collection, object (4).
  private mutating func variable(
    _ reader: inout ByteReader, _ elementSize: Int, _ spent: inout Int
  ) throws -> (count: Int, content: ByteReader)? {
    let at = reader.offset
    let count = Int(try reader.uint32("the length of a variable-length value"))
    let address = try reader.address(view.widths, "the global heap of a value")
    let index = Int(try reader.uint32("the object of a value"))
    guard count > 0 else { return nil }
    guard let address, address > 0, index > 0 else {
      throw reader.failure("a value of \(count) elements that lies nowhere", at: at)
    }
    var object = try heap.object(at: address, index: index)
    let size = try count.multiplied(by: elementSize, "a variable-length value")
    guard size <= object.remaining else {
      throw reader.failure(
        "a value of \(size) bytes in a heap object of \(object.remaining)", at: at)
    }
    spent += size
    guard spent <= Limits.attributeBytes else {
      throw reader.failure(
        "a value above \(Limits.attributeBytes) bytes", class: .limit, at: at)
    }
    try spend(size, reader)
    return (count, try object.sub(size, "a variable-length value"))
  }

  private static func string(
    _ raw: [UInt8], _ padding: Datatype.StringPadding, _ reader: ByteReader
  ) throws -> JSON {
    var end = raw.count
    switch padding {
    case .nullTerminated: end = raw.firstIndex(of: 0) ?? end
    case .nullPadded: while end > 0, raw[end - 1] == 0 { end -= 1 }
    case .spacePadded: while end > 0, raw[end - 1] == 0x20 { end -= 1 }
    }
    // Files of the 1990s have Latin-1 here; what is no UTF-8 shows as replacement characters.
    return .string(String(decoding: raw[..<end], as: UTF8.self))
  }

  private func number(
    _ reader: inout ByteReader, _ integer: Datatype.Integer, _ size: Int
  ) throws -> JSON {
    let bits = try word(&reader, size, isBigEndian: integer.order == .big)
    let value = bits >> UInt64(integer.bitOffset)
    let unused = UInt64(64 - min(integer.precision, 64))
    guard integer.isSigned else { return JSON((value << unused) >> unused) }
    return .integer(Int64(bitPattern: value << unused) >> Int64(unused))
  }

  private func number(
    _ reader: inout ByteReader, _ element: StoredElement, _ size: Int
  ) throws -> JSON {
    let bits = try word(&reader, size, isBigEndian: element.isBigEndian)
    guard case .float(let exponent, let fraction) = element.type.row.hdf5 else { return .null }
    switch (exponent, fraction) {
    case (11, 52): return .number(Double(bitPattern: bits))
    case (8, 23): return .number(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))))
    case (5, 10): return .number(Double(Float16(bitPattern: UInt16(truncatingIfNeeded: bits))))
    case (8, 7):
      return .number(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits) << 16)))
    default: return .null
    }
  }

  private func word(
    _ reader: inout ByteReader, _ size: Int, isBigEndian: Bool
  ) throws -> UInt64 {
    let little = try reader.unsigned(width: size, "a number")
    return isBigEndian ? little.byteSwapped >> UInt64(64 - 8 * size) : little
  }
}

extension Datatype {
  /// Whether values of this type can be written as JSON.
  fileprivate var hasJSONForm: Bool {
    switch kind {
    case .integer(let integer): size <= 8 && integer.order != .vax
    case .floating:
      if case .tensor = meaning { true } else { false }
    case .string, .variableString: true
    case .enumeration(let base, _): base.hasJSONForm
    case .sequence(let base): base.hasJSONForm
    case .array(_, let base): base.hasJSONForm
    case .compound(let members):
      Set(members.map(\.name)).count == members.count && members.allSatisfy { $0.type.hasJSONForm }
    case .time, .bitfield, .opaque, .reference, .complex: false
    }
  }
}
