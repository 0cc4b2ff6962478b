internal import Tensors

/// The literal text that every name matched by an expression has: at its beginning, at its end, and
/// in between.
///
/// A rule spells out most of its tensors' names, so looking for that text settles nearly all pairs
/// of rule and tensor at a small fraction of the expression's cost. Nothing is claimed for
/// expressions that are not plainly understood: this is a filter, the expression decides.
struct LiteralFilter: Sendable, Equatable {
  private(set) var prefix: [UInt8] = []
  private(set) var suffix: [UInt8] = []
  /// The texts between them that stand outside all groups, in order.
  private(set) var inner: [[UInt8]] = []
  /// Whether the expression is `prefix` and nothing else.
  private(set) var isWhole = false

  /// Reads the text off an expression.
  init(of expression: ExactString) {
    var reader = Reader(expression)
    guard reader.read() else { return }
    inner = reader.inner
    if let first = reader.first {
      prefix = first
      suffix = reader.run
    } else {
      prefix = reader.run
      isWhole = true
    }
  }

  /// Whether a name of these bytes has all of it.
  func fits(_ name: [UInt8]) -> Bool {
    guard name.count >= prefix.count, Self.has(name, prefix, at: 0) else { return false }
    var start = prefix.count
    for text in inner {
      while !Self.has(name, text, at: start) {
        start += 1
        guard start < name.count else { return false }
      }
      start += text.count
    }
    return Self.has(name, suffix, at: max(start, name.count - suffix.count))
  }

  private static func has(_ name: [UInt8], _ text: [UInt8], at start: Int) -> Bool {
    guard text.count <= name.count - start else { return false }
    for index in text.indices where name[start + index] != text[index] { return false }
    return true
  }

  /// Walks over an expression and collects runs of literal bytes.
  private struct Reader {
    private let bytes: [UInt8]
    private var index = 0
    private var depth = 0
    /// The literal bytes just before `index`.
    private(set) var run: [UInt8] = []
    /// The run that the expression begins with, once something else has followed it.
    private(set) var first: [UInt8]?
    private(set) var inner: [[UInt8]] = []

    init(_ expression: ExactString) {
      var bytes = Array(expression.utf8)
      // A whole match makes these two superfluous; people write them all the same.
      if bytes.first == UInt8(ascii: "^") { bytes.removeFirst() }
      if bytes.last == UInt8(ascii: "$"), bytes.dropLast().last != UInt8(ascii: "\\") {
        bytes.removeLast()
      }
      self.bytes = bytes
    }

    private func byte(at index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0 }

    private mutating func endRun() {
      if first == nil {
        first = run
      } else if depth == 0, !run.isEmpty {
        // What stands in a group may be one of several alternatives, or not there at all.
        inner.append(run)
      }
      run = []
    }

    /// Reads to the end; false where the expression has something that is not understood.
    mutating func read() -> Bool {
      while index < bytes.count {
        let byte = bytes[index]
        index += 1
        switch byte {
        case UInt8(ascii: "\\"): guard readEscape() else { return false }
        case UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "+"):
          // What is repeated may be there several times or not at all.
          _ = run.popLast()
          endRun()
        case UInt8(ascii: "{"):
          _ = run.popLast()
          endRun()
          guard skipRepetition() else { return false }
        case UInt8(ascii: "["):
          endRun()
          guard skipClass() else { return false }
        case UInt8(ascii: "("):
          endRun()
          depth += 1
          // Options change how the rest is read, comments need not balance.
          if self.byte(at: index) == UInt8(ascii: "?") {
            let kind = self.byte(at: index + 1)
            guard kind == UInt8(ascii: ":") || kind == UInt8(ascii: "<") else { return false }
          }
        case UInt8(ascii: ")"):
          endRun()
          depth -= 1
        case UInt8(ascii: "|"):
          guard depth > 0 else { return false }
          endRun()
        case UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "$"): endRun()
        case UInt8(ascii: "]"), UInt8(ascii: "}"): return false
        case 0x20..<0x7F: run.append(byte)
        default: return false
        }
      }
      return true
    }

    /// Reads what follows a backslash.
    private mutating func readEscape() -> Bool {
      let byte = byte(at: index)
      index += 1
      switch byte {
      case 0x21..<0x30, 0x3A..<0x41, 0x5B..<0x61, 0x7B..<0x7F: run.append(byte)
      case _ where Self.simpleEscapes.contains(byte): endRun()
      default: return false
      }
      return true
    }

    /// Classes and boundaries that take no argument.
    private static let simpleEscapes = Array("dDwWsSbB".utf8)

    /// Skips the rest of `{2}` or `{2,3}`.
    private mutating func skipRepetition() -> Bool {
      while byte(at: index) &- 0x30 < 10 || byte(at: index) == UInt8(ascii: ",") { index += 1 }
      index += 1
      return byte(at: index - 1) == UInt8(ascii: "}")
    }

    /// Skips the rest of a class without classes in it.
    private mutating func skipClass() -> Bool {
      if byte(at: index) == UInt8(ascii: "^") { index += 1 }
      // Whether `]` ends a class that has nothing yet differs between dialects.
      guard byte(at: index) != UInt8(ascii: "]") else { return false }
      while index < bytes.count {
        switch bytes[index] {
        case UInt8(ascii: "["): return false
        case UInt8(ascii: "]"):
          index += 1
          return true
        case UInt8(ascii: "\\"): index += 2
        default: index += 1
        }
      }
      return false
    }
  }
}
