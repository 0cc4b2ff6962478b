internal import Tensors

/// The bytes of a dataset that was never written: one element again and again.
struct FillSource: ByteSource {
  let byteCount: Int
  let fill: FillPattern

  func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
    fill.fill(&buffer, phase: offset)
  }
}

/// One element in canonical form, repeated.
struct FillPattern: Sendable {
  /// Empty where all bytes are zero.
  private let element: [UInt8]

  /// The pattern of a fill value as stored.
  ///
  /// - Throws: `malformed` where the value does not have the size of an element.
  init(_ value: FillValue, _ elements: ElementCopy) throws {
    guard let stored = value.element, stored.contains(where: { $0 != 0 }) else {
      element = []
      return
    }
    guard stored.count == elements.elementSize else {
      throw IngotError(
        .malformed,
        "a fill value of \(stored.count) bytes for elements of \(elements.elementSize)")
    }
    element = elements.isPlain ? stored : elements.swapped(stored)
  }

  /// Fills `buffer`, whose first byte is byte `phase` of the repetition.
  func fill(_ buffer: inout MutableRawSpan, phase: Int) {
    guard !element.isEmpty else { return buffer.fill(0) }
    // A block of whole elements, so that each copy is long and starts at the same phase.
    let block = (0..<max(1, 4096 / element.count)).flatMap { _ in element }
    var done = 0
    var start = phase % element.count
    while done < buffer.byteCount {
      let count = min(block.count - start, buffer.byteCount - done)
      buffer.copy(from: block, at: start, count: count, to: done)
      done += count
      start = 0
    }
  }
}

extension ElementCopy {
  /// Whole words with their bytes reversed.
  func swapped(_ stored: [UInt8]) -> [UInt8] {
    var result = stored
    for start in stride(from: 0, to: stored.count - wordSize + 1, by: wordSize) {
      for byte in 0..<wordSize { result[start + byte] = stored[start + wordSize - 1 - byte] }
    }
    return result
  }
}
