internal import Tensors

/// A name with places for loop variables: `h.{layer}.attn.c_attn.weight`.
///
/// `{layer}` stands for the number in decimal digits, `{layer:suffix}` for nothing where it is 0 and
/// `_1`, `_2` … where it is not, as Keras numbers layers of one class. A parameter stands for its value,
/// and `{encoder_layers + layer}` for the sum, as where a decoder's layers are numbered on from the
/// encoder's.
public struct NameTemplate: Sendable, Hashable {
  /// The template as it was written.
  public let text: String
  let segments: [Segment]

  enum Segment: Sendable, Hashable {
    case text([UInt8])
    /// The sum of loop variables and parameters.
    case number([String], isSuffix: Bool)
  }

  /// Reads a template; braces that name nothing are part of the name.
  public init(_ text: String) {
    self.text = text
    var segments: [Segment] = []
    // A start reads a thousand templates.
    let bytes = Array(text.utf8)
    var literal = 0
    var position = 0
    while position < bytes.count {
      guard bytes[position] == UInt8(ascii: "{"),
        let end = bytes[position...].firstIndex(of: UInt8(ascii: "}")),
        case let parts = String(decoding: bytes[position + 1..<end], as: UTF8.self)
          .split(separator: ":"),
        case let names = (parts.first ?? "").split(separator: "+").map(Self.trimmed),
        !names.isEmpty, !names.contains("")
      else {
        position += 1
        continue
      }
      if literal < position { segments.append(.text(Array(bytes[literal..<position]))) }
      segments.append(
        .number(names, isSuffix: parts.count > 1 && parts[1] == "suffix"))
      position = end + 1
      literal = position
    }
    if literal < bytes.count { segments.append(.text(Array(bytes[literal...]))) }
    self.segments = segments
  }

  private static func trimmed(_ text: Substring) -> String {
    String(text.split(separator: " ", maxSplits: 1).first ?? "")
  }

  /// The variables and parameters in their order.
  var variables: [String] {
    segments.flatMap { segment in
      switch segment {
      case .text: [String]()
      case .number(let names, _): names
      }
    }
  }

  /// The sums, by the keys that they have in a match.
  var sums: [(key: String, names: [String])] {
    segments.compactMap { segment in
      guard case .number(let names, _) = segment, names.count > 1 else { return nil }
      return (Self.key(names), names)
    }
  }

  private static func key(_ names: [String]) -> String { names.joined(separator: " + ") }

  /// The name with these numbers in its places.
  func name(_ variables: [String: Int]) -> ExactString {
    var bytes: [UInt8] = []
    for segment in segments {
      switch segment {
      case .text(let text): bytes += text
      case .number(let names, let isSuffix):
        let number = names.reduce(0) { $0 + (variables[$1] ?? 0) }
        if !isSuffix {
          bytes += "\(number)".utf8
        } else if number > 0 {
          bytes += "_\(number)".utf8
        }
      }
    }
    return ExactString(repairing: bytes)
  }

  /// The numbers that make this template the name, a sum's under its names with ` + ` between; nil where
  /// none do.
  func match(_ name: some Collection<UInt8>) -> [String: Int]? {
    var rest = Array(name)[...]
    var found: [String: Int] = [:]
    for segment in segments {
      switch segment {
      case .text(let text):
        guard rest.starts(with: text) else { return nil }
        rest = rest.dropFirst(text.count)
      case .number(let names, let isSuffix):
        var value = 0
        let isNumber = !isSuffix || Self.beginsSuffix(rest)
        if isNumber {
          if isSuffix { rest = rest.dropFirst() }
          let digits = rest.prefix { (0x30...0x39).contains($0) }
          guard (1...9).contains(digits.count), digits.count == 1 || digits.first != 0x30 else {
            return nil
          }
          value = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
          rest = rest.dropFirst(digits.count)
        }
        if let known = found.updateValue(value, forKey: Self.key(names)), known != value {
          return nil
        }
      }
    }
    return rest.isEmpty ? found : nil
  }

  private static func beginsSuffix(_ rest: ArraySlice<UInt8>) -> Bool {
    guard rest.first == UInt8(ascii: "_"), let next = rest.dropFirst().first else { return false }
    return (0x31...0x39).contains(next)
  }
}
