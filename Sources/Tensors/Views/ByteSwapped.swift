/// The words of another source with their bytes reversed: big-endian data seen as little-endian.
public struct ByteSwapped: ByteSource {
  private let base: any ByteSource
  private let wordWidth: Int

  /// `base` with the bytes of each word of `wordWidth` bytes (1, 2, 4 or 8) reversed.
  ///
  /// - Throws: `internal` for another width; `malformed` where `base` does not hold whole words.
  public init(_ base: any ByteSource, wordWidth: Int) throws {
    guard [1, 2, 4, 8].contains(wordWidth) else {
      throw IngotError(.internal, "no byte order is known for words of \(wordWidth) bytes")
    }
    guard base.byteCount % wordWidth == 0 else {
      throw IngotError(
        .malformed, "\(base.byteCount) bytes are not whole words of \(wordWidth) bytes")
    }
    self.base = base
    self.wordWidth = wordWidth
  }

  /// As many as the base has.
  public var byteCount: Int { base.byteCount }
  /// How the base likes to be read.
  public var access: AccessPattern { base.access }
  /// The base's, which is worth keeping even where it splits a word.
  public var granularity: Int { base.granularity }

  /// Reads from the base and swaps in place; words that the range cuts are read whole.
  public func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    guard wordWidth > 1 else { return try base.read(into: &buffer, at: offset) }
    let end = offset + buffer.byteCount
    let firstWhole = min(offset.roundedUp(toMultipleOf: wordWidth), end)
    let lastWhole = max(end - end % wordWidth, firstWhole)
    try copyPartialWord(offset..<firstWhole, to: &buffer, at: 0)
    if lastWhole > firstWhole {
      try buffer.withRange(firstWhole - offset..<lastWhole - offset) { part in
        try base.read(into: &part, at: firstWhole)
        Kernels.swapWords(of: wordWidth, in: &part)
      }
    }
    try copyPartialWord(lastWhole..<end, to: &buffer, at: lastWhole - offset)
  }

  /// Fills in `range`, which lies within one word.
  private func copyPartialWord(
    _ range: Range<Int>, to buffer: inout MutableRawSpan, at position: Int
  ) throws {
    guard !range.isEmpty else { return }
    let start = range.lowerBound - range.lowerBound % wordWidth
    let word: [UInt8] = try base.bytes(at: start, count: wordWidth, "a word").reversed()
    buffer.copy(from: word, at: range.lowerBound - start, count: range.count, to: position)
  }
}
