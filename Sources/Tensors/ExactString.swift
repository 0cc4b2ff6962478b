#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// A string that is compared, ordered and hashed by its UTF-8 bytes.
///
/// Swift's `String` follows canonical equivalence: `é` as one scalar (U+00E9) equals `e` with an accent
/// (U+0065 U+0301), although their bytes differ. Files tell such names apart, and so do the libraries
/// that write them. Whatever a file uses as a name, a key or a word is an `ExactString`; `text` is for
/// output.
public struct ExactString: Sendable {
  /// The text.
  public let text: String

  /// The text's bytes.
  @inlinable public var utf8: String.UTF8View { text.utf8 }

  /// Whether there are no bytes.
  @inlinable public var isEmpty: Bool { text.isEmpty }

  /// Takes over `text` without a change.
  public init(_ text: String) {
    var text = text
    // Strings that Foundation lends elsewhere are copied once, so that their bytes lie side by side.
    text.makeContiguousUTF8()
    self.text = text
  }

  /// Copies a part of another string.
  public init(_ part: Substring) { text = String(part) }

  /// The text of valid UTF-8; of other bytes nil.
  package init?(validating bytes: some Sequence<UInt8>) {
    guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
    self.text = text
  }

  /// The text of bytes of which those that are not UTF-8 are replaced.
  package init(repairing bytes: some Collection<UInt8>) {
    text = String(decoding: bytes, as: UTF8.self)
  }

  fileprivate init(_ bytes: Substring.UTF8View) { text = String(Substring(bytes)) }

  /// Lends the bytes.
  @unsafe private func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    // The pointer is valid within the call, and every body here ends with it.
    let lent = unsafe text.utf8.withContiguousStorageIfAvailable {
      unsafe body(UnsafeRawBufferPointer($0))
    }
    // `init` made the text contiguous, so that the second way is never taken.
    return unsafe lent ?? Array(text.utf8).withUnsafeBytes(body)
  }
}

extension ExactString: Hashable, Comparable {
  /// Whether both have the same bytes.
  public static func == (one: ExactString, other: ExactString) -> Bool {
    let count = one.utf8.count
    guard count == other.utf8.count else { return false }
    // Both buffers hold `count` bytes; an empty one may have no address.
    return unsafe one.withBytes { a in
      unsafe other.withBytes { b in
        guard let from = a.baseAddress, let to = b.baseAddress else { return true }
        return unsafe memcmp(from, to, count) == 0
      }
    }
  }

  /// Whether the bytes of `one` come before those of `other`.
  public static func < (one: ExactString, other: ExactString) -> Bool {
    // Both buffers hold at least `shared` bytes; an empty one may have no address.
    unsafe one.withBytes { a in
      unsafe other.withBytes { b in
        let (mine, theirs) = (a.count, b.count)
        let shared = Swift.min(mine, theirs)
        guard let from = a.baseAddress, let to = b.baseAddress else {
          return mine < theirs
        }
        let order = unsafe memcmp(from, to, shared)
        return order == 0 ? mine < theirs : order < 0
      }
    }
  }

  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) {
    // The hasher takes the bytes in before the call ends.
    unsafe withBytes { unsafe hasher.combine(bytes: $0) }
    // What follows in the same hasher must not read as more of this text; UTF-8 has no such byte.
    hasher.combine(0xFF as UInt8)
  }
}

extension ExactString: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
  /// A text written in the source.
  public init(stringLiteral text: String) { self.init(text) }
}

extension ExactString: LosslessStringConvertible, CustomDebugStringConvertible {
  /// The text.
  public var description: String { text }
  /// The text in quotes.
  public var debugDescription: String { text.debugDescription }
}

// What is asked of names, by bytes. A prefix ends where its own text ends: of `String`'s methods those
// that count characters would join an accent that follows to the last character of the prefix.
extension ExactString {
  /// Whether the bytes begin with those of `prefix`.
  public func hasPrefix(_ prefix: ExactString) -> Bool { utf8.starts(with: prefix.utf8) }

  /// Whether the bytes end with those of `suffix`.
  public func hasSuffix(_ suffix: ExactString) -> Bool {
    utf8.count >= suffix.utf8.count && utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
  }

  /// Whether the bytes of `part` stand somewhere in the text.
  public func contains(_ part: ExactString) -> Bool {
    var rest = utf8[...]
    while rest.count >= part.utf8.count {
      if rest.starts(with: part.utf8) { return true }
      rest = rest.dropFirst()
    }
    return false
  }

  /// What follows `prefix`, or nil where the text does not begin with it.
  public func removingPrefix(_ prefix: ExactString) -> ExactString? {
    hasPrefix(prefix) ? ExactString(utf8.dropFirst(prefix.utf8.count)) : nil
  }

  /// What stands before `suffix`, or nil where the text does not end with it.
  public func removingSuffix(_ suffix: ExactString) -> ExactString? {
    hasSuffix(suffix) ? ExactString(utf8.dropLast(suffix.utf8.count)) : nil
  }

  /// The parts between the scalars `separator`.
  ///
  /// - Parameters:
  ///   - separator: An ASCII character.
  ///   - maxSplits: How many separators part the text at most; what follows the last stays whole.
  ///   - omittingEmptySubsequences: Whether empty parts are left out.
  public func split(
    separator: Unicode.Scalar, maxSplits: Int = Int.max, omittingEmptySubsequences: Bool = true
  ) -> [ExactString] {
    utf8.split(
      separator: UInt8(ascii: separator), maxSplits: maxSplits,
      omittingEmptySubsequences: omittingEmptySubsequences
    ).map { ExactString($0) }
  }

  /// What stands before the last `separator` and what follows it, or nil without one.
  ///
  /// - Parameter separator: An ASCII character.
  public func splitAtLast(_ separator: Unicode.Scalar) -> (before: ExactString, after: ExactString)?
  {
    guard let place = utf8.lastIndex(of: UInt8(ascii: separator)) else { return nil }
    return (ExactString(utf8[..<place]), ExactString(utf8[utf8.index(after: place)...]))
  }

  /// Both texts in a row.
  public static func + (one: ExactString, other: ExactString) -> ExactString {
    ExactString(one.text + other.text)
  }

  /// Adds a text at the end.
  public static func += (one: inout ExactString, other: ExactString) { one = one + other }
}
