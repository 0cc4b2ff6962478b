internal import Tensors

/// Names in zip archives: UTF-8 where flag bit 11 says so, else the character set of the first IBM PC.
enum ZipText {
  /// Code page 437 from 0x80 on; below it is ASCII.
  private static let upperHalf = Array(
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"
      + "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}")

  /// The name that `bytes` spell, or nil where they claim to be UTF-8 and are not.
  static func name(_ bytes: Span<UInt8>, isUTF8: Bool) -> ExactString? {
    var isASCII = true
    for index in bytes.indices where bytes[index] >= 0x80 { isASCII = false }
    if isUTF8 || isASCII {
      guard let text = try? UTF8Span(validating: bytes) else { return nil }
      return ExactString(String(copying: text))
    }
    var name = ""
    for index in bytes.indices {
      let byte = bytes[index]
      name.append(byte < 0x80 ? Character(UnicodeScalar(byte)) : upperHalf[Int(byte) - 0x80])
    }
    return ExactString(name)
  }
}
