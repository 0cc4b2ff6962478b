internal import Tensors

/// The element types of safetensors and how a header spells them.
///
/// Sub-byte types pack their elements into whole bytes. `F8_E4M3` is the "fn" type, without infinity.
enum SafetensorsType {
  private static let types = ElementType.types(in: .safetensors)

  /// How a header spells `type`; nil for what safetensors lacks (complex128).
  static func name(of type: ElementType) -> String? {
    type.spelling(in: .safetensors)?.text
  }

  /// Where `type` stands in the reference library's order, or nil.
  static func position(of type: ElementType) -> Int? {
    type.spelling(in: .safetensors)?.rank
  }

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
