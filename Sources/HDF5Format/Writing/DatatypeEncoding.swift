internal import Tensors

/// Datatype messages as written: class and version 1 (one byte), 24 bits of flags, the size of an element
/// (4 bytes), and what the class adds.
///
/// | element type | datatype |
/// |---|---|
/// | float64, float32, float16 | IEEE floats |
/// | bfloat16 | a 2-byte float with 8 bits of exponent, HDF5 2.0's own; h5py reads it as float32 |
/// | float8_e5m2 | a 1-byte float with 5 bits of exponent, HDF5 2.0's own; h5py reads it as float16 |
/// | other float8 types | opaque bytes, marked |
/// | int8 … uint64 | integers |
/// | bool | h5py's enumeration over int8 of FALSE and TRUE |
/// | complex64, complex128 | h5py's record of `r` and `i` |
///
/// HDF5's floats cannot say what the other float8 types mean: it takes all ones in the exponent for infinity
/// or NaN, so that every program would misread a part of their values (e4m3fn from 256 on, fnuz the largest
/// and the NaN), and it has none without a sign for e8m0. They are marked as Keras 3 marks bfloat16, which
/// h5py stores as opaque bytes: by an attribute `dtype` with the name of the type. h5py reads NumPy's void
/// type, whose `view` as the type of that name in ml_dtypes are the values.
///
/// Types that share bytes between elements have no counterpart.
enum DatatypeEncoding {
  /// Who is to read the types that HDF5 did not always have.
  enum Convention {
    /// Any program: as floats where those say what the bits mean.
    case plain
    /// Keras 3, which reads bfloat16 only as marked opaque bytes.
    case keras
  }

  /// The attribute that says what opaque bytes mean.
  static let mark = "dtype"

  private static func datatype(
    of type: ElementType, _ convention: Convention
  ) -> ElementTypeRow.HDF5Datatype? {
    switch convention {
    case .plain: type.row.hdf5
    case .keras: type.row.keras
    }
  }

  /// Whether an element type is stored as marked opaque bytes.
  static func isOpaque(_ type: ElementType, _ convention: Convention) -> Bool {
    datatype(of: type, convention) == .opaque
  }

  /// The message of an element type, or nil where there is no datatype for it.
  static func message(of type: ElementType, _ convention: Convention) -> [UInt8]? {
    guard let datatype = datatype(of: type, convention), let size = type.layout.bytesPerElement
    else { return nil }
    switch datatype {
    case .float(let exponent, let fraction):
      return float(size: size, exponentSize: exponent, mantissaSize: fraction)
    case .integer: return integer(size: size, isSigned: type.kind == .signedInteger)
    case .boolean: return boolean
    case .complex:
      let part = type.row.component.flatMap { message(of: $0, convention) }
      return part.map { complex($0, size: size / 2) }
    case .opaque: return opaque(size: size)
    }
  }

  static let float64 = float(size: 8, exponentSize: 11, mantissaSize: 52)

  private static func head(class number: UInt8, flags: [UInt8], size: Int) -> ByteWriter {
    var writer = ByteWriter()
    writer.append(0x10 | number)
    writer.append(contentsOf: flags)
    writer.append(size, width: 4)
    return writer
  }

  /// Sign on top, then the exponent, then the mantissa with its leading one implied; the bias is half
  /// the exponent's range.
  private static func float(size: Int, exponentSize: Int, mantissaSize: Int) -> [UInt8] {
    let impliedLeadingOne: UInt8 = 2 << 4
    var writer = head(class: 1, flags: [impliedLeadingOne, UInt8(size * 8 - 1), 0], size: size)
    writer.append(0, width: 2)
    writer.append(size * 8, width: 2)
    for field in [mantissaSize, exponentSize, 0, mantissaSize] { writer.append(field, width: 1) }
    writer.append(1 << (exponentSize - 1) - 1, width: 4)
    return writer.bytes
  }

  static func integer(size: Int, isSigned: Bool) -> [UInt8] {
    var writer = head(class: 0, flags: [isSigned ? 1 << 3 : 0, 0, 0], size: size)
    writer.append(0, width: 2)
    writer.append(size * 8, width: 2)
    return writer.bytes
  }

  static let boolean: [UInt8] = {
    var writer = head(class: 8, flags: [2, 0, 0], size: 1)
    writer.append(contentsOf: integer(size: 1, isSigned: true))
    for name in ["FALSE", "TRUE"] { writer.append(paddedName: name.utf8) }
    writer.append(contentsOf: [0, 1])
    return writer.bytes
  }()

  private static func complex(_ part: [UInt8], size: Int) -> [UInt8] {
    var writer = head(class: 6, flags: [2, 0, 0], size: 2 * size)
    for (index, name) in ["r", "i"].enumerated() {
      writer.append(paddedName: name.utf8)
      writer.append(index * size, width: 4)
      // Rank 0, a permutation and four extents: what version 1 has for members that are arrays.
      writer.append(contentsOf: repeatElement(0, count: 28))
      writer.append(contentsOf: part)
    }
    return writer.bytes
  }

  /// Bytes without a meaning, under an empty tag, as h5py writes NumPy's void types.
  private static func opaque(size: Int) -> [UInt8] {
    head(class: 5, flags: [0, 0, 0], size: size).bytes
  }

  private static let utf8: UInt8 = 1

  /// UTF-8 of any length; the elements point into the global heap.
  static let variableText: [UInt8] = {
    let isText: UInt8 = 1
    var writer = head(class: 9, flags: [isText, utf8, 0], size: GlobalHeapWriter.referenceSize)
    writer.append(contentsOf: integer(size: 1, isSigned: false))
    return writer.bytes
  }()

  /// Text of at most `size` bytes, filled up with NUL.
  static func paddedText(size: Int, isASCII: Bool) -> [UInt8] {
    let nullPadded: UInt8 = 1
    return head(class: 3, flags: [nullPadded | (isASCII ? 0 : utf8 << 4), 0, 0], size: size).bytes
  }
}

/// Dataspace messages as written: version 1, rank, no flags, 5 reserved bytes, the extents.
enum DataspaceEncoding {
  /// What HDF5 can count.
  static let rankLimit = 32

  static func message(_ dimensions: [Int]) -> [UInt8] {
    var writer = ByteWriter()
    writer.append(contentsOf: [1, UInt8(dimensions.count), 0, 0, 0, 0, 0, 0])
    for dimension in dimensions { writer.append(dimension, width: 8) }
    return writer.bytes
  }
}

extension ByteWriter {
  /// A name, its final NUL, and zeros up to a multiple of 8 bytes.
  mutating func append(paddedName name: some Collection<UInt8>) {
    append(contentsOf: name)
    let size = (name.count + 1).roundedUp(toMultipleOf: 8)
    append(contentsOf: repeatElement(0, count: size - name.count))
  }

  /// `bytes`, and zeros up to a multiple of 8 bytes.
  mutating func append(padded bytes: [UInt8]) {
    append(contentsOf: bytes)
    append(
      contentsOf: repeatElement(0, count: bytes.count.roundedUp(toMultipleOf: 8) - bytes.count))
  }

  /// An address; nil is HDF5's "undefined".
  mutating func append(address: Int?) { append(address.map(UInt64.init) ?? .max) }
}
