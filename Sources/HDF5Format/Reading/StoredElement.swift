internal import Tensors

/// How a tensor's elements are stored: which type, and in which byte order.
struct StoredElement: Sendable, Hashable {
  let type: ElementType
  let isBigEndian: Bool
}

/// What a datatype means to us.
enum ElementMeaning {
  case tensor(StoredElement)
  /// Bytes without a meaning of their own; an attribute of the dataset may give them one.
  case opaque(size: Int)
  /// No tensor: its type in HDF5's words, and what is odd about it.
  case other(type: String, reason: String)
}

extension Datatype.Floating {
  private static func standard(
    _ size: UInt8, exponent: UInt8, mantissa: UInt8
  ) -> Datatype.Floating {
    Datatype.Floating(
      order: .little, bitOffset: 0, precision: UInt16(size) * 8, exponentLocation: mantissa,
      exponentSize: exponent, mantissaLocation: 0, mantissaSize: mantissa,
      exponentBias: 1 << (exponent - 1) - 1, signLocation: size * 8 - 1, normalization: 2)
  }

  /// The floats we know, by all of their fields: a 2-byte float may be either of two, or neither.
  private static let known: [(Datatype.Floating, ElementType)] = [
    (standard(4, exponent: 8, mantissa: 23), .float32),
    (standard(8, exponent: 11, mantissa: 52), .float64),
    (standard(2, exponent: 5, mantissa: 10), .float16),
    (standard(2, exponent: 8, mantissa: 7), .bfloat16),
    (standard(1, exponent: 5, mantissa: 2), .float8E5M2),
  ]

  fileprivate func element(size: Int) -> StoredElement? {
    guard order != .vax else { return nil }
    var plain = self
    plain.order = .little
    for (layout, type) in Self.known where layout == plain && type.layout.bytesPerElement == size {
      return StoredElement(type: type, isBigEndian: order == .big)
    }
    return nil
  }
}

extension Datatype {
  /// What elements of this type mean to us.
  var meaning: ElementMeaning {
    switch kind {
    case .integer(let integer):
      guard let type = integer.elementType(size: size) else {
        return .other(
          type: "integer",
          reason: "integers of \(integer.precision) bits in \(size) bytes")
      }
      return .tensor(StoredElement(type: type, isBigEndian: integer.order == .big))
    case .floating(let floating):
      guard let element = floating.element(size: size) else {
        return .other(
          type: "float",
          reason:
            "floats of \(floating.precision) bits in \(size) bytes, \(floating.exponentSize) of the exponent with bias \(floating.exponentBias)"
        )
      }
      return .tensor(element)
    case .enumeration:
      guard isBoolean else { return .other(type: "enumeration", reason: "enumerations") }
      return .tensor(StoredElement(type: .bool, isBigEndian: false))
    case .compound(let members):
      guard let element = Self.complex(members, size: size) else {
        return .other(type: "record", reason: "records")
      }
      return .tensor(element)
    case .opaque: return .opaque(size: size)
    case .time: return .other(type: "time", reason: "times")
    case .string, .variableString: return .other(type: "string", reason: "strings")
    case .bitfield: return .other(type: "bitfield", reason: "bit fields")
    case .reference: return .other(type: "reference", reason: "references")
    case .sequence: return .other(type: "sequence", reason: "variable-length sequences")
    case .array: return .other(type: "array", reason: "arrays as elements")
    case .complex: return .other(type: "complex", reason: "complex numbers of HDF5 2.0")
    }
  }

  /// h5py's bool: an enumeration over int8 of FALSE and TRUE.
  var isBoolean: Bool {
    guard case .enumeration(let base, let members) = kind, base.size == 1, members.count == 2,
      case .integer(let integer) = base.kind, integer.precision == 8
    else { return false }
    return members.contains { $0.name == "FALSE" && $0.value == [0] }
      && members.contains { $0.name == "TRUE" && $0.value == [1] }
  }

  /// h5py's complex: a record of `r` and `i`.
  private static func complex(_ members: [Member], size: Int) -> StoredElement? {
    guard members.count == 2, members[0].name == "r", members[1].name == "i",
      members[0].offset == 0, members[1].offset == members[0].type.size,
      size == 2 * members[1].offset,
      case .tensor(let real) = members[0].type.meaning,
      case .tensor(let imaginary) = members[1].type.meaning, real == imaginary
    else { return nil }
    switch real.type {
    case .float32: return StoredElement(type: .complex64, isBigEndian: real.isBigEndian)
    case .float64: return StoredElement(type: .complex128, isBigEndian: real.isBigEndian)
    case .float16, .bfloat16, .float8E4M3FN, .float8E5M2, .float8E4M3FNUZ, .float8E5M2FNUZ,
      .float8E8M0FNU, .float6E2M3FN, .float6E3M2FN, .float4E2M1FN, .int8, .int16, .int32, .int64,
      .uint8, .uint16, .uint32, .uint64, .bool, .complex64, .complex128:
      return nil
    }
  }
}

extension Datatype.Integer {
  /// The element type of an integer that fills its bytes.
  func elementType(size: Int) -> ElementType? {
    guard bitOffset == 0, precision == size * 8 else { return nil }
    switch (size, isSigned) {
    case (1, true): return .int8
    case (2, true): return .int16
    case (4, true): return .int32
    case (8, true): return .int64
    case (1, false): return .uint8
    case (2, false): return .uint16
    case (4, false): return .uint32
    case (8, false): return .uint64
    default: return nil
    }
  }
}
