extension String {
  /// The text with control and direction-changing characters escaped and cut at `limit` characters.
  ///
  /// Names come from files that strangers wrote: an escape sequence in one must not reach a terminal.
  package func escapedForDisplay(limit: Int = 200) -> String {
    var escaped = ""
    var count = 0
    for scalar in unicodeScalars {
      if count == limit {
        escaped += "…"
        break
      }
      count += 1
      switch scalar.value {
      case 0x0A: escaped += "\\n"
      case 0x0D: escaped += "\\r"
      case 0x09: escaped += "\\t"
      case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x2069, 0xFEFF:
        escaped += "\\u{" + String(scalar.value, radix: 16) + "}"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}

extension Double {
  /// The number as people compare such: `1.23e-4`.
  package var threeDigits: String {
    guard isFinite, self != 0 else { return self == 0 ? "0" : "\(self)" }
    var exponent = 0
    var scaled = magnitude
    while scaled >= 9.995 { (scaled, exponent) = (scaled / 10, exponent + 1) }
    while scaled < 0.9995 { (scaled, exponent) = (scaled * 10, exponent - 1) }
    return (self < 0 ? "-" : "") + "\((scaled * 100).rounded() / 100)e\(exponent)"
  }
}
