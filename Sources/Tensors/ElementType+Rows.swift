internal import CKernels

extension ElementType {
  private static let rows = Dictionary(uniqueKeysWithValues: allCases.map { ($0, $0.makeRow()) })

  /// What there is to know of the type.
  package var row: ElementTypeRow {
    guard let row = Self.rows[self] else { preconditionFailure("a type without a row") }
    return row
  }

  /// The one place that says what a type is.
  ///
  /// Ranks of safetensors are the reference library's order, by which its writer sorts.
  private func makeRow() -> ElementTypeRow {
    switch self {
    case .float64:
      .init(
        "float64", .float, .init(bytes: 8), word: 8, kernel: INGOT_FLOAT64,
        safetensors: .init("F64", rank: 19), npy: .init("<f8", others: ["double", "d"]),
        hdf5: .float(exponent: 11, fraction: 52))
    case .float32:
      .init(
        "float32", .float, .init(bytes: 4), word: 4, kernel: INGOT_FLOAT32,
        safetensors: .init("F32", rank: 17), npy: .init("<f4", others: ["single", "f"]),
        hdf5: .float(exponent: 8, fraction: 23))
    case .float16:
      .init(
        "float16", .float, .init(bytes: 2), word: 2, kernel: INGOT_FLOAT16,
        safetensors: .init("F16", rank: 13), npy: .init("<f2", others: ["half", "e"]),
        hdf5: .float(exponent: 5, fraction: 10))
    case .bfloat16:
      .init(
        "bfloat16", .float, .init(bytes: 2), word: 2, kernel: INGOT_BFLOAT16,
        safetensors: .init("BF16", rank: 14), hdf5: .float(exponent: 8, fraction: 7),
        keras: .opaque)
    case .float8E4M3FN:
      .init(
        "float8_e4m3fn", .float, .init(bytes: 1), kernel: INGOT_FLOAT8_E4M3FN,
        safetensors: .init("F8_E4M3", rank: 7), hdf5: .opaque)
    case .float8E5M2:
      .init(
        "float8_e5m2", .float, .init(bytes: 1), kernel: INGOT_FLOAT8_E5M2,
        safetensors: .init("F8_E5M2", rank: 6), hdf5: .float(exponent: 5, fraction: 2))
    case .float8E4M3FNUZ:
      .init(
        "float8_e4m3fnuz", .float, .init(bytes: 1), kernel: INGOT_FLOAT8_E4M3FNUZ,
        safetensors: .init("F8_E4M3FNUZ", rank: 9), hdf5: .opaque)
    case .float8E5M2FNUZ:
      .init(
        "float8_e5m2fnuz", .float, .init(bytes: 1), kernel: INGOT_FLOAT8_E5M2FNUZ,
        safetensors: .init("F8_E5M2FNUZ", rank: 10), hdf5: .opaque)
    case .float8E8M0FNU:
      .init(
        "float8_e8m0fnu", .float, .init(bytes: 1), kernel: INGOT_FLOAT8_E8M0FNU,
        safetensors: .init("F8_E8M0", rank: 8), hdf5: .opaque)
    case .float6E2M3FN:
      .init(
        "float6_e2m3fn", .float, .init(elements: 4, bytes: 3), kernel: INGOT_FLOAT6_E2M3FN,
        safetensors: .init("F6_E2M3", rank: 2))
    case .float6E3M2FN:
      .init(
        "float6_e3m2fn", .float, .init(elements: 4, bytes: 3), kernel: INGOT_FLOAT6_E3M2FN,
        safetensors: .init("F6_E3M2", rank: 3))
    case .float4E2M1FN:
      .init(
        "float4_e2m1fn", .float, .init(elements: 2, bytes: 1), kernel: INGOT_FLOAT4_E2M1FN,
        safetensors: .init("F4", rank: 1))
    case .q80:
      .init("q8_0", .float, .init(elements: 32, bytes: 34), codec: Q80Codec.self)
    case .q40:
      .init("q4_0", .float, .init(elements: 32, bytes: 18), codec: Q40Codec.self)
    case .int8:
      .init(
        "int8", .signedInteger, .init(bytes: 1), kernel: INGOT_INT8,
        safetensors: .init("I8", rank: 5), npy: .init("|i1", others: ["b"]), hdf5: .integer)
    case .int16:
      .init(
        "int16", .signedInteger, .init(bytes: 2), word: 2, kernel: INGOT_INT16,
        safetensors: .init("I16", rank: 11), npy: .init("<i2", others: ["h"]), hdf5: .integer)
    case .int32:
      .init(
        "int32", .signedInteger, .init(bytes: 4), word: 4, kernel: INGOT_INT32,
        safetensors: .init("I32", rank: 15), npy: .init("<i4", others: ["i"]), hdf5: .integer)
    case .int64:
      .init(
        "int64", .signedInteger, .init(bytes: 8), word: 8, kernel: INGOT_INT64,
        safetensors: .init("I64", rank: 20), npy: .init("<i8", others: ["q"]), hdf5: .integer)
    case .uint8:
      .init(
        "uint8", .unsignedInteger, .init(bytes: 1), kernel: INGOT_UINT8,
        safetensors: .init("U8", rank: 4), npy: .init("|u1", others: ["B"]), hdf5: .integer)
    case .uint16:
      .init(
        "uint16", .unsignedInteger, .init(bytes: 2), word: 2, kernel: INGOT_UINT16,
        safetensors: .init("U16", rank: 12), npy: .init("<u2", others: ["H"]), hdf5: .integer)
    case .uint32:
      .init(
        "uint32", .unsignedInteger, .init(bytes: 4), word: 4, kernel: INGOT_UINT32,
        safetensors: .init("U32", rank: 16), npy: .init("<u4", others: ["I"]), hdf5: .integer)
    case .uint64:
      .init(
        "uint64", .unsignedInteger, .init(bytes: 8), word: 8, kernel: INGOT_UINT64,
        safetensors: .init("U64", rank: 21), npy: .init("<u8", others: ["Q"]), hdf5: .integer)
    case .bool:
      .init(
        "bool", .boolean, .init(bytes: 1), kernel: INGOT_BOOL,
        safetensors: .init("BOOL", rank: 0), npy: .init("|b1"), hdf5: .boolean)
    case .complex64:
      .init(
        "complex64", .complex, .init(bytes: 8), word: 4, component: .float32,
        kernel: INGOT_FLOAT32, safetensors: .init("C64", rank: 18),
        npy: .init("<c8", others: ["csingle", "F"]), hdf5: .complex)
    case .complex128:
      .init(
        "complex128", .complex, .init(bytes: 16), word: 8, component: .float64,
        kernel: INGOT_FLOAT64, npy: .init("<c16", others: ["cdouble", "D"]), hdf5: .complex)
    }
  }
}
