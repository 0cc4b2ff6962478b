/// Names in zip archives: UTF-8 where flag bit 11 says so, else the character set of the first IBM PC.
enum ZipText {
  /// Code page 437 from 0x80 on; below it is ASCII.
  private static let upperHalf = Array(
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"
      + "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}")

  /// The name that `bytes` spell, or nil where they claim to be UTF-8 and are not.
  static func name(_ bytes: ArraySlice<UInt8>, isUTF8: Bool) -> String? {
    if isUTF8 || bytes.allSatisfy({ $0 < 0x80 }) {
      return String(validating: bytes, as: UTF8.self)
    }
    var name = ""
    for byte in bytes {
      name.append(byte < 0x80 ? Character(UnicodeScalar(byte)) : upperHalf[Int(byte) - 0x80])
    }
    return name
  }
}
