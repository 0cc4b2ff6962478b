internal import Tensors

/// The header of an `.npy` file (numpy/lib/_format_impl.py).
///
///     0   6   0x93 'NUMPY'
///     6   2   version: (1, 0), (2, 0) or (3, 0)
///     8   2   size of the text, in version 1; 4 bytes in versions 2 and 3
///     …       the text: a Python dictionary with exactly the keys descr, fortran_order and shape
///
/// The text is Latin-1 in versions 1 and 2 and UTF-8 in version 3. Writers pad it with blanks and end it
/// with a newline so that the data, which follows at once, is aligned (to 64 bytes; to 16 before NumPy
/// 1.14), but nothing may depend on that. `shape` is the logical shape whatever the order of storage.
struct NPYHeader: Equatable {
  var description: NPYDescription
  var isFortranOrder: Bool
  var shape: [Int]
  /// The size of the header: where the data begins.
  var size: Int

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Reads the header at the start of `byteCount` bytes.
  ///
  /// - Parameters:
  ///   - offset: Where those bytes begin in the file, for errors.
  ///   - available: The first of those bytes, as far as they are at hand.
  ///   - read: Gives that many of the first bytes, never more than there are.
  init(
    byteCount: Int, offset: Int, available: ArraySlice<UInt8> = [],
    read: (_ count: Int) throws -> [UInt8]
  ) throws {
    func beginning(_ count: Int) throws -> ArraySlice<UInt8> {
      try count <= available.count ? available : read(count)[...]
    }
    let start = try beginning(min(byteCount, 12))
    let extent = try Extent(start.span, byteCount: byteCount, offset: offset)
    size = extent.text.upperBound
    let header = try beginning(size)
    if let usual = Self.usual(header.span.extracting(extent.text)) {
      (description, isFortranOrder, shape) = usual
      return
    }
    let textOffset = offset + extent.text.lowerBound
    do {
      let text = header.dropFirst(extent.text.lowerBound).prefix(extent.text.count)
      (description, isFortranOrder, shape) = try Self.values(
        PythonLiteralParser.parse(text, extent.encoding, offset: textOffset))
    } catch var error as IngotError {
      error.offset = error.offset ?? textOffset
      throw error
    }
  }

  /// Where the text lies, and how it is encoded.
  private struct Extent {
    let text: Range<Int>
    let encoding: PythonLiteralParser.Encoding

    /// Reads magic, version and size; `start` has the first 12 bytes, or all where there are fewer.
    init(_ start: Span<UInt8>, byteCount: Int, offset: Int) throws {
      func failure(_ message: String, at position: Int, _ errorClass: ErrorClass = .malformed)
        -> IngotError
      {
        IngotError(errorClass, message, offset: offset + position)
      }
      for (index, byte) in magic.enumerated()
      where index >= start.count || start[index] != byte {
        throw failure("expected an npy header, which begins with 0x93 'NUMPY'", at: 0)
      }
      guard start.count >= 10 else { throw failure("the npy header is cut short", at: start.count) }
      let textStart: Int
      switch (start[6], start[7]) {
      case (1, 0): (textStart, encoding) = (10, .latin1)
      case (2, 0): (textStart, encoding) = (12, .latin1)
      case (3, 0): (textStart, encoding) = (12, .utf8)
      default:
        throw failure(
          "npy version \(start[6]).\(start[7]); versions 1.0, 2.0 and 3.0 are read", at: 6,
          .unsupported)
      }
      guard start.count >= textStart else {
        throw failure("the npy header is cut short", at: start.count)
      }
      let size = (8..<textStart).reversed().reduce(0) { $0 << 8 | Int(start[$1]) }
      guard size <= byteCount - textStart else {
        throw failure("the header declares \(size) bytes, \(byteCount - textStart) are left", at: 8)
      }
      guard size <= Limits.npyHeaderBytes else {
        throw failure("a header of \(size) bytes is above \(Limits.npyHeaderBytes)", at: 8, .limit)
      }
      text = textStart..<textStart + size
    }
  }

  /// The three values of the dictionary.
  private static func values(_ literal: PythonLiteral) throws -> (NPYDescription, Bool, [Int]) {
    func failure(_ message: String) -> IngotError {
      IngotError(.malformed, "npy header: \(message)")
    }
    guard case .dictionary(let members) = literal else { throw failure("not a dictionary") }
    let keys = members.map(\.key).sorted()
    guard keys == ["descr", "fortran_order", "shape"] else {
      throw failure("expected the keys descr, fortran_order and shape, found \(keys)")
    }
    var description: NPYDescription?
    var order: Bool?
    var shape: [Int]?
    for member in members {
      switch (member.key, member.value) {
      case ("descr", let value): description = try NPYDescription(value)
      case ("fortran_order", .boolean(let value)): order = value
      case ("shape", .tuple(let values)):
        shape = try values.map {
          guard case .integer(let dimension) = $0 else {
            throw failure("shape holds something else than integers")
          }
          return dimension
        }
      default: break
      }
    }
    guard let description else { throw failure("no descr") }
    guard let order else { throw failure("fortran_order is neither True nor False") }
    guard let shape else { throw failure("shape is not a tuple") }
    return (description, order, shape)
  }
}

extension NPYHeader {
  /// The values of a header exactly as NumPy writes it, or nil for anything else.
  ///
  /// The grammar then takes or refuses it.
  /// A file of 20,000 arrays opens in half the time through this.
  private static func usual(_ text: Span<UInt8>) -> (NPYDescription, Bool, [Int])? {
    var position = 0
    func next() -> UInt8 { position < text.count ? text[position] : 0 }
    func take(_ expected: StaticString) -> Bool {
      let count = expected.utf8CodeUnitCount
      guard text.count - position >= count else { return false }
      for index in 0..<count {
        // A static string of ASCII has that many bytes.
        guard unsafe text[position + index] == expected.utf8Start[index] else { return false }
      }
      position += count
      return true
    }
    func digits() -> Int? {
      let start = position
      var number = 0
      // Eighteen digits cannot overflow.
      while next() >= UInt8(ascii: "0"), next() <= UInt8(ascii: "9"), position - start < 18 {
        number = number * 10 + Int(next() - UInt8(ascii: "0"))
        position += 1
      }
      let hasLeadingZero = position - start > 1 && text[start] == UInt8(ascii: "0")
      return position == start || hasLeadingZero ? nil : number
    }
    guard take("{'descr': '") else { return nil }
    let order = next()
    guard order == UInt8(ascii: "<") || order == UInt8(ascii: "|") || order == UInt8(ascii: ">")
    else { return nil }
    position += 1
    let kind = next()
    position += 1
    guard let width = digits(), let type = NPYDescription.elementType(kind: kind, size: width),
      take("', 'fortran_order': ")
    else { return nil }
    let isFortranOrder = next() == UInt8(ascii: "T")
    guard take(isFortranOrder ? "True" : "False"), take(", 'shape': (") else { return nil }
    var shape: [Int] = []
    while next() != UInt8(ascii: ")") {
      // "(3,)", "(3, 4)", "(3, 4, 5)".
      if shape.count > 1, !take(", ") { return nil }
      guard let dimension = digits() else { return nil }
      shape.append(dimension)
      if shape.count == 1 {
        guard take(",") else { return nil }
        if next() != UInt8(ascii: ")"), !take(" ") { return nil }
      }
    }
    guard take("), }"), position < text.count, text[text.count - 1] == UInt8(ascii: "\n") else {
      return nil
    }
    for index in position..<text.count - 1 where text[index] != UInt8(ascii: " ") { return nil }
    return (
      .elements(type, isBigEndian: order == UInt8(ascii: ">")), isFortranOrder, shape
    )
  }

  /// The header of an array in row-major order, byte for byte as NumPy writes it.
  static func bytes(descr: String, shape: [Int]) -> [UInt8] {
    let dimensions = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var text = "{'descr': '\(descr)', 'fortran_order': False, 'shape': (\(dimensions)), }"
    // NumPy leaves room for the first dimension to grow to 21 digits.
    if let first = shape.first { text += String(repeating: " ", count: 21 - String(first).count) }
    var writer = ByteWriter()
    writer.append(contentsOf: magic)
    writer.append(UInt16(1))  // version 1.0
    let size = (10 + text.utf8.count + 1).roundedUp(toMultipleOf: 64)
    // Even 64 dimensions of 19 digits are far from the 65,535 bytes of version 1.
    writer.append(size - 10, width: 2)
    writer.append(text)
    writer.pad(to: size - 1, with: UInt8(ascii: " "))
    writer.append(UInt8(ascii: "\n"))
    return writer.bytes
  }
}
