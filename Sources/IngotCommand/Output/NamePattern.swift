/// A name with its numbers apart: `h.3.attn.weight` and `h.11.attn.weight` share the skeleton
/// `h.#.attn.weight` and print as `h.3–11.attn.weight`.
struct NamePattern {
  private var literals: [String] = [""]
  private var ranges: [(low: Int, high: Int)] = []

  init(_ name: String) {
    var digits = ""
    func closeNumber(_ literals: inout [String], _ ranges: inout [(low: Int, high: Int)]) {
      guard !digits.isEmpty else { return }
      // Long digit runs are identifiers and not counters.
      if digits.utf8.count <= 6, let number = Int(digits) {
        ranges.append((number, number))
        literals.append("")
      } else {
        literals[literals.count - 1] += digits
      }
      digits = ""
    }
    for character in name {
      if character.isASCII, character.isNumber {
        digits.append(character)
      } else {
        closeNumber(&literals, &ranges)
        literals[literals.count - 1].append(character)
      }
    }
    closeNumber(&literals, &ranges)
  }

  /// The name with `#` for each number.
  var skeleton: String { literals.joined(separator: "#") }

  /// Takes in the numbers of another name with the same skeleton.
  mutating func widen(_ other: NamePattern) {
    for index in ranges.indices {
      ranges[index].low = min(ranges[index].low, other.ranges[index].low)
      ranges[index].high = max(ranges[index].high, other.ranges[index].high)
    }
  }

  /// The name with ranges for the numbers that vary.
  var text: String {
    var text = literals[0]
    for (index, range) in ranges.enumerated() {
      text += range.low == range.high ? "\(range.low)" : "\(range.low)–\(range.high)"
      text += literals[index + 1]
    }
    return text
  }
}
