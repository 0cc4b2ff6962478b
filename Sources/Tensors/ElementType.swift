/// The type of one element of a tensor.
///
/// The set is closed. What there is to know of a type is its row in `ElementType+Rows.swift`; nothing else
/// switches over all of them.
public enum ElementType: Sendable, CaseIterable, Hashable {
  case float64
  case float32
  case float16
  /// The upper half of a float32: 8 exponent and 7 fraction bits.
  case bfloat16
  /// OCP 8-bit float, 4 exponent bits, no infinity, largest 448 (safetensors' `F8_E4M3`).
  case float8E4M3FN
  /// OCP 8-bit float, 5 exponent bits, with infinity, largest 57344.
  case float8E5M2
  /// 4 exponent bits, bias 8, one NaN (0x80), no infinity, no negative zero.
  case float8E4M3FNUZ
  /// 5 exponent bits, bias 16, one NaN (0x80), no infinity, no negative zero.
  case float8E5M2FNUZ
  /// A power of two: 8 exponent bits, no sign, no zero; 0xFF is NaN.
  case float8E8M0FNU
  case float6E2M3FN
  case float6E3M2FN
  case float4E2M1FN
  /// ggml's `q8_0`: 32 elements share a float16, by which each one's int8 is multiplied.
  case q80
  /// ggml's `q4_0`: 32 elements share a float16, by which each one's four bits, less 8, are multiplied.
  case q40
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

  /// What the bits of an element mean.
  public enum Kind: Sendable {
    case float
    case signedInteger
    case unsignedInteger
    case boolean
    case complex
  }

  /// The name as NumPy, ml_dtypes and PyTorch spell it.
  public var name: String { row.name }

  /// What the bits of an element mean.
  public var kind: Kind { row.kind }

  /// How elements lie in bytes.
  public var layout: ElementLayout { row.layout }

  /// Whether blocks of elements share what they are decoded with, so that none has a value of its own.
  public var hasBlocks: Bool { row.codec != nil }

  /// The size of the unit that changes with byte order: half an element for complex numbers.
  package var wordWidth: Int { row.wordWidth }
}
