/// The literal bytes that every name matched by an expression begins and ends with.
///
/// A rule names most of its tensor's name outright, so these few bytes settle nearly all pairs of rule
/// and tensor without the expression, at a small fraction of its cost. Nothing is claimed where the
/// expression is not plainly understood: this is a filter, the expression decides.
struct LiteralEnds: Sendable, Equatable {
  private(set) var prefix: [UInt8] = []
  private(set) var suffix: [UInt8] = []
  /// Whether the expression is `prefix` and nothing else.
  private(set) var isWhole = false

  /// Reads the ends off an expression.
  init(of expression: String) {
    var bytes = Array(expression.utf8)
    // A whole match makes these two superfluous; people write them all the same.
    if bytes.first == UInt8(ascii: "^") { bytes.removeFirst() }
    if bytes.last == UInt8(ascii: "$"), bytes.dropLast().last != UInt8(ascii: "\\") {
      bytes.removeLast()
    }
    // An alternative inside parentheses is as good as any group, but in a class `(` and `|` are
    // letters, and classes are not parsed here.
    let hasClass = bytes.contains(UInt8(ascii: "["))
    var run: [UInt8] = []
    var firstRun: [UInt8]?
    var depth = 0
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      let next = index + 1 < bytes.count ? bytes[index + 1] : 0
      switch byte {
      case UInt8(ascii: "\\"):
        index += 1
        if Self.isPunctuation(next) {
          run.append(next)
        } else if Self.simpleClasses.contains(next) {
          firstRun = firstRun ?? run
          run = []
        } else {
          return
        }
      case UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "+"), UInt8(ascii: "{"):
        // What is repeated may be there several times or not at all.
        firstRun = firstRun ?? run.dropLast()
        run = []
      case UInt8(ascii: "("):
        if next == UInt8(ascii: "?") {
          let kind = index + 2 < bytes.count ? bytes[index + 2] : 0
          // Options change how the rest is read; comments need not balance.
          guard kind == UInt8(ascii: ":") || kind == UInt8(ascii: "<") else { return }
        }
        depth += 1
        firstRun = firstRun ?? run
        run = []
      case UInt8(ascii: "|"):
        guard depth > 0, !hasClass else { return }
        run = []
      case UInt8(ascii: ")"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "}"),
        UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "$"):
        if byte == UInt8(ascii: ")") { depth -= 1 }
        firstRun = firstRun ?? run
        run = []
      case 0x20..<0x7F: run.append(byte)
      default: return
      }
      index += 1
    }
    isWhole = firstRun == nil
    prefix = firstRun ?? run
    suffix = run
  }

  /// `\d` and its kin, and the boundaries: they take no argument.
  private static let simpleClasses = Array("dDwWsSbB".utf8)

  private static func isPunctuation(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x21..<0x30, 0x3A..<0x41, 0x5B..<0x61, 0x7B..<0x7F: true
    default: false
    }
  }

  /// Whether a name with these bytes has both ends.
  func fit(_ name: [UInt8]) -> Bool {
    name.count >= max(prefix.count, suffix.count) && name.starts(with: prefix)
      && name.suffix(suffix.count).elementsEqual(suffix)
  }
}
