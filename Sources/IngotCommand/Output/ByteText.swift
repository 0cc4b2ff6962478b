/// Sizes and counts as people read them.
enum ByteText {
  /// `12.4 GB`: decimal units, three digits.
  static func size(_ bytes: Int) -> String {
    var value = Double(bytes)
    for unit in ["B", "kB", "MB", "GB", "TB", "PB"] {
      if value < 999.5 {
        return unit == "B" ? "\(bytes) B" : "\(plainThreeDigits(value)) \(unit)"
      }
      value /= 1000
    }
    return "\(plainThreeDigits(value)) EB"
  }

  /// `292 GFLOPs`: three digits.
  static func flops(_ flops: Double) -> String {
    var value = flops
    for unit in ["", "k", "M", "G", "T", "P", "E", "Z"] {
      if value < 999.5 { return "\(plainThreeDigits(value)) \(unit)FLOPs" }
      value /= 1000
    }
    return "\(plainThreeDigits(value)) YFLOPs"
  }

  /// `22.8 %`.
  static func percent(_ share: Double) -> String {
    let tenths = Int(min((share * 1000).rounded(), 1e15))
    return "\(tenths / 10).\(tenths % 10) %"
  }

  private static func plainThreeDigits(_ value: Double) -> String {
    let scale: Double = value < 9.995 ? 100 : value < 99.95 ? 10 : 1
    let rounded = (value * scale).rounded() / scale
    return scale == 1 ? String(Int(rounded)) : "\(rounded)"
  }

  /// `124,439,808`.
  static func count(_ number: Int) -> String {
    var groups: [String] = []
    var rest = number.magnitude
    repeat {
      let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 1000)
      let digits = String(remainder)
      groups.append(
        quotient > 0 ? String(repeating: "0", count: 3 - digits.count) + digits : digits)
      rest = quotient
    } while rest > 0
    return (number < 0 ? "-" : "") + groups.reversed().joined(separator: ",")
  }
}
