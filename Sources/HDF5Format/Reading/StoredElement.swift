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
  private static let known: [(Datatype.Floating, ElementType)] = ElementType.allCases.compactMap {
    guard case .float(let exponent, let fraction) = $0.row.hdf5,
      let size = $0.layout.bytesPerElement
    else { return nil }
    return (
      standard(UInt8(size), exponent: UInt8(exponent), mantissa: UInt8(fraction)), $0
    )
  }

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
    let type = ElementType.allCases.first { $0.row.component == real.type }
    return type.map { StoredElement(type: $0, isBigEndian: real.isBigEndian) }
  }
}

extension Datatype.Integer {
  /// The element type of an integer that fills its bytes.
  func elementType(size: Int) -> ElementType? {
    guard bitOffset == 0, precision == size * 8 else { return nil }
    let kind: ElementType.Kind = isSigned ? .signedInteger : .unsignedInteger
    return ElementType.allCases.first {
      $0.row.hdf5 == .integer && $0.kind == kind && $0.layout.bytesPerElement == size
    }
  }
}
