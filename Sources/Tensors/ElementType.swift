/// The type of one element of a tensor.
///
/// The set is closed and switched over without `default`, so that adding a type makes the compiler
/// list every place that must know it. The float6 and float4 types of safetensors pack several elements into
/// whole bytes.
public enum ElementType: String, Sendable, CaseIterable, Hashable {
  case float64
  case float32
  case float16
  /// The upper half of a float32: 8 exponent and 7 fraction bits.
  case bfloat16
  /// OCP 8-bit float, 4 exponent bits, no infinity, largest 448 (safetensors' `F8_E4M3`).
  case float8E4M3FN = "float8_e4m3fn"
  /// OCP 8-bit float, 5 exponent bits, with infinity, largest 57344.
  case float8E5M2 = "float8_e5m2"
  /// 4 exponent bits, bias 8, one NaN (0x80), no infinity, no negative zero.
  case float8E4M3FNUZ = "float8_e4m3fnuz"
  /// 5 exponent bits, bias 16, one NaN (0x80), no infinity, no negative zero.
  case float8E5M2FNUZ = "float8_e5m2fnuz"
  /// A power of two: 8 exponent bits, no sign, no zero; 0xFF is NaN.
  case float8E8M0FNU = "float8_e8m0fnu"
  case float6E2M3FN = "float6_e2m3fn"
  case float6E3M2FN = "float6_e3m2fn"
  case float4E2M1FN = "float4_e2m1fn"
  case int8
  case int16
  case int32
  case int64
  case uint8
  case uint16
  case uint32
  case uint64
  /// One byte, 0 or 1; the byte is kept as stored.
  case bool
  case complex64
  case complex128

  /// The name as NumPy, ml_dtypes and PyTorch spell it.
  public var name: String { rawValue }

  /// What the bits of an element mean.
  public enum Kind: Sendable {
    case float
    case signedInteger
    case unsignedInteger
    case boolean
    case complex
  }

  /// How elements lie in bytes.
  public var layout: ElementLayout {
    switch self {
    case .complex128: ElementLayout(bytes: 16)
    case .float64, .int64, .uint64, .complex64: ElementLayout(bytes: 8)
    case .float32, .int32, .uint32: ElementLayout(bytes: 4)
    case .float16, .bfloat16, .int16, .uint16: ElementLayout(bytes: 2)
    case .float8E4M3FN, .float8E5M2, .float8E4M3FNUZ, .float8E5M2FNUZ, .float8E8M0FNU, .int8,
      .uint8, .bool:
      ElementLayout(bytes: 1)
    case .float6E2M3FN, .float6E3M2FN: ElementLayout(elements: 4, bytes: 3)
    case .float4E2M1FN: ElementLayout(elements: 2, bytes: 1)
    }
  }

  /// The size of the unit that changes with byte order: half an element for complex numbers.
  package var wordWidth: Int {
    switch self {
    case .complex128: 8
    case .complex64: 4
    case .float64, .int64, .uint64: 8
    case .float32, .int32, .uint32: 4
    case .float16, .bfloat16, .int16, .uint16: 2
    case .float8E4M3FN, .float8E5M2, .float8E4M3FNUZ, .float8E5M2FNUZ, .float8E8M0FNU,
      .float6E2M3FN, .float6E3M2FN, .float4E2M1FN, .int8, .uint8, .bool:
      1
    }
  }

  /// What the bits of an element mean.
  public var kind: Kind {
    switch self {
    case .float64, .float32, .float16, .bfloat16, .float8E4M3FN, .float8E5M2, .float8E4M3FNUZ,
      .float8E5M2FNUZ, .float8E8M0FNU, .float6E2M3FN, .float6E3M2FN, .float4E2M1FN:
      .float
    case .int8, .int16, .int32, .int64: .signedInteger
    case .uint8, .uint16, .uint32, .uint64: .unsignedInteger
    case .bool: .boolean
    case .complex64, .complex128: .complex
    }
  }

  /// The type of that name, or nil.
  public init?(name: String) { self.init(rawValue: name) }
}
