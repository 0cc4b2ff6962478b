internal import Ingot

/// A name with its numbers apart: `h.3.attn.weight` and `h.11.attn.weight` share the skeleton
/// `h.#.attn.weight` and print as `h.3–11.attn.weight`.
struct NamePattern {
  /// The name with `#` for each number.
  let skeleton: ExactString
  private var ranges: [(low: Int, high: Int)] = []

  /// Longer runs of digits are identifiers and not counters.
  private static let longestNumber = 6

  init(_ name: ExactString) {
    // Byte by byte: an inspection of many tensors does little else.
    var text: [UInt8] = []
    text.reserveCapacity(name.utf8.count)
    var digits = 0
    var number = 0
    func closeNumber(_ text: inout [UInt8], _ ranges: inout [(low: Int, high: Int)]) {
      guard (1...Self.longestNumber).contains(digits) else { return }
      text.removeLast(digits)
      text.append(UInt8(ascii: "#"))
      ranges.append((number, number))
    }
    for byte in name.utf8 {
      if byte &- 0x30 < 10 {
        digits += 1
        if digits <= Self.longestNumber { number = number * 10 + Int(byte &- 0x30) }
      } else {
        closeNumber(&text, &ranges)
        digits = 0
        number = 0
        // A '#' of the name itself must not be taken for a number.
        if byte == UInt8(ascii: "#") { text.append(byte) }
      }
      text.append(byte)
    }
    closeNumber(&text, &ranges)
    skeleton = ExactString(String(decoding: text, as: UTF8.self))
  }

  /// Takes in the numbers of another name with the same skeleton.
  mutating func widen(_ other: NamePattern) {
    for index in ranges.indices {
      ranges[index].low = min(ranges[index].low, other.ranges[index].low)
      ranges[index].high = max(ranges[index].high, other.ranges[index].high)
    }
  }

  /// The name with ranges for the numbers that vary.
  var text: String {
    var text = ""
    var next = 0
    var previousWasMark = false
    for character in skeleton.text.unicodeScalars {
      guard character == "#" else {
        if previousWasMark { text += number(&next) }
        previousWasMark = false
        text.unicodeScalars.append(character)
        continue
      }
      if previousWasMark { text += "#" }
      previousWasMark.toggle()
    }
    return previousWasMark ? text + number(&next) : text
  }

  private func number(_ next: inout Int) -> String {
    defer { next += 1 }
    let range = ranges[next]
    return range.low == range.high ? "\(range.low)" : "\(range.low)–\(range.high)"
  }
}
