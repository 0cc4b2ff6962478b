internal import Tensors

/// The element types of safetensors and how a header spells them.
///
/// Sub-byte types pack their elements into whole bytes. `F8_E4M3` is the "fn" type, without infinity.
enum SafetensorsType {
  /// Every type in the reference library's order, by which its writer sorts, the last first.
  private static let spellings: [(type: ElementType, name: ExactString)] = [
    (.bool, "BOOL"), (.float4E2M1FN, "F4"), (.float6E2M3FN, "F6_E2M3"), (.float6E3M2FN, "F6_E3M2"),
    (.uint8, "U8"), (.int8, "I8"), (.float8E5M2, "F8_E5M2"), (.float8E4M3FN, "F8_E4M3"),
    (.float8E8M0FNU, "F8_E8M0"), (.float8E4M3FNUZ, "F8_E4M3FNUZ"),
    (.float8E5M2FNUZ, "F8_E5M2FNUZ"), (.int16, "I16"), (.uint16, "U16"), (.float16, "F16"),
    (.bfloat16, "BF16"), (.int32, "I32"), (.uint32, "U32"), (.float32, "F32"), (.complex64, "C64"),
    (.float64, "F64"), (.int64, "I64"), (.uint64, "U64"),
  ]

  private static let types = Dictionary(
    uniqueKeysWithValues: spellings.map { ($0.name, $0.type) })
  private static let positions = Dictionary(
    uniqueKeysWithValues: spellings.enumerated().map { ($1.type, $0) })

  /// How a header spells `type`; nil for what safetensors lacks (complex128).
  static func name(of type: ElementType) -> ExactString? {
    positions[type].map { spellings[$0].name }
  }

  /// Where `type` stands in the reference library's order, or nil.
  static func position(of type: ElementType) -> Int? { positions[type] }

  /// The type that a header spells `name`.
  ///
  /// - Throws: `unsupported` for a spelling of the usual kind that is not known, `malformed` for any
  ///   other.
  static func type(named name: ExactString, at offset: Int) throws -> ElementType {
    if let type = types[name] { return type }
    let looksLikeType =
      !name.isEmpty
      && name.utf8.allSatisfy {
        switch $0 {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
          UInt8(ascii: "_"):
          true
        default: false
        }
      }
    throw IngotError(
      looksLikeType ? .unsupported : .malformed,
      "the element type '\(name.escapedForDisplay(limit: 40))' is not known", offset: offset)
  }
}
