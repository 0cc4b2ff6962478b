/// Takes numbers from the zip64 field where the header's own are saturated.
///
/// The field holds exactly those numbers, in the order in which they are asked for here, or, where it is
/// complete, all of them.
struct WideNumbers: ~Escapable {
  private let bytes: Span<UInt8>
  private var rest: Range<Int>
  private let isComplete: Bool

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>, _ field: Range<Int>?, isComplete: Bool) {
    self.bytes = bytes
    rest = field ?? 0..<0
    self.isComplete = isComplete
  }

  mutating func number(_ narrow: UInt32, _ what: String) throws(ZipFault) -> Int {
    let isSaturated = narrow == UInt32(ZipRecords.saturated32)
    guard isSaturated || isComplete else { return Int(narrow) }
    guard rest.count >= 8 else { throw ZipFault("the zip64 extra field lacks the \(what)") }
    let wide = bytes.uint64(at: rest.lowerBound)
    rest = rest.lowerBound + 8..<rest.upperBound
    guard let value = Int(exactly: wide) else {
      throw ZipFault("the \(what) \(wide) exceeds 2^63")
    }
    guard isSaturated || value == Int(narrow) else {
      throw ZipFault("the header gives the \(what) \(narrow), its zip64 extra field \(value)")
    }
    return value
  }

  /// The last number that the field can hold; it must end here.
  mutating func diskNumber(_ narrow: UInt16) throws(ZipFault) -> UInt32 {
    var number = UInt32(narrow)
    if narrow == UInt16(ZipRecords.saturated16) {
      guard rest.count >= 4 else { throw ZipFault("the zip64 extra field lacks the disk number") }
      number = bytes.uint32(at: rest.lowerBound)
      rest = rest.lowerBound + 4..<rest.upperBound
    }
    try finish()
    return number
  }

  /// Checks that the field holds nothing else.
  func finish() throws(ZipFault) {
    guard rest.isEmpty else {
      throw ZipFault("the zip64 extra field holds \(rest.count) bytes too many")
    }
  }
}
