internal import Tensors

/// The value of an attribute as it goes into a file.
///
/// | JSON | attribute | h5py reads |
/// |---|---|---|
/// | string | UTF-8 of variable length, in the global heap | `str` |
/// | integer | int64, or uint64 above its range | `int64` |
/// | real | float64 | `float64` |
/// | boolean | h5py's enumeration | `bool` |
/// | array of one of these, nested to a rectangle | array | array |
/// | empty array | float64 without elements, as NumPy makes of an empty list | empty array |
///
/// Objects, null, mixed and ragged arrays and text with a NUL have no counterpart.
struct AttributeContent: Equatable {
  enum Elements: Equatable {
    case booleans([Bool])
    case signed([Int64])
    case unsigned([UInt64])
    case reals([Double])
    /// In the global heap.
    case texts([ExactString])
    /// In the attribute, all as long as the longest.
    case paddedTexts([ExactString])
  }

  /// The extents; none for a single value.
  let dimensions: [Int]
  let elements: Elements

  /// A single text.
  init(text: ExactString) {
    dimensions = []
    elements = .texts([text])
  }

  /// A list of texts that lie in the attribute itself, as Keras 2 and older readers expect lists of names.
  init(paddedTexts texts: [ExactString]) {
    dimensions = [texts.count]
    elements = texts.isEmpty ? .reals([]) : .paddedTexts(texts)
  }

  /// The value as an attribute, or nil where HDF5 has no counterpart.
  init?(_ value: JSON) {
    var flattened = FlattenedArray()
    guard flattened.add(value, depth: 0), let elements = Self.elements(flattened.leaves) else {
      return nil
    }
    dimensions = flattened.dimensions
    self.elements = elements
  }

  private static func elements(_ leaves: [JSON]) -> Elements? {
    func all<Element>(_ cast: (JSON) -> Element?) -> [Element]? {
      var cast = leaves.lazy.map(cast).makeIterator()
      var elements: [Element] = []
      elements.reserveCapacity(leaves.count)
      while let next = cast.next() {
        guard let next else { return nil }
        elements.append(next)
      }
      return elements
    }
    if leaves.isEmpty { return .reals([]) }
    if let texts = all(\.string) {
      return texts.contains { $0.utf8.contains(0) } ? nil : .texts(texts)
    }
    if let booleans = all(\.boolean) { return .booleans(booleans) }
    if let signed = all(\.signed) { return .signed(signed) }
    if let unsigned = all(\.unsigned) { return .unsigned(unsigned) }
    return all(\.real).map(Elements.reals)
  }

  /// Whether the value is the name of an element type.
  var namesElementType: Bool {
    guard case .texts(let texts) = elements, let name = texts.first, texts.count == 1 else {
      return false
    }
    return ElementType(name: name) != nil
  }

  /// The same value with texts in the attribute itself; for lists whose references alone are too long.
  var withTextsInside: AttributeContent? {
    guard case .texts(let texts) = elements, !dimensions.isEmpty else { return nil }
    return AttributeContent(dimensions: dimensions, elements: .paddedTexts(texts))
  }

  private init(dimensions: [Int], elements: Elements) {
    self.dimensions = dimensions
    self.elements = elements
  }
}

/// A nested array as its extents and its elements in row-major order.
private struct FlattenedArray {
  private(set) var dimensions: [Int] = []
  private(set) var leaves: [JSON] = []
  private var depthOfLeaves: Int?

  /// Adds a value and those in it; false where they do not form a rectangle.
  mutating func add(_ value: JSON, depth: Int) -> Bool {
    guard let elements = value.array else {
      leaves.append(value)
      if depthOfLeaves == nil { depthOfLeaves = depth }
      return depthOfLeaves == depth && dimensions.count == depth
    }
    if depth == dimensions.count {
      guard depthOfLeaves == nil, depth < DataspaceEncoding.rankLimit else { return false }
      dimensions.append(elements.count)
    }
    guard dimensions[depth] == elements.count else { return false }
    return elements.allSatisfy { add($0, depth: depth + 1) }
  }
}

extension JSON {
  fileprivate var boolean: Bool? { if case .boolean(let value) = self { value } else { nil } }
  fileprivate var signed: Int64? { if case .integer(let value) = self { value } else { nil } }
  fileprivate var real: Double? { if case .number(let value) = self { value } else { nil } }
  fileprivate var unsigned: UInt64? {
    if case .unsigned(let value) = self { value } else { signed.flatMap(UInt64.init(exactly:)) }
  }
}

extension AttributeContent {
  /// Messages count their bytes in 16 bits, in multiples of 8.
  private static let largestMessage = 65_528

  private var datatype: [UInt8] {
    switch elements {
    case .booleans: DatatypeEncoding.boolean
    case .signed: DatatypeEncoding.integer(size: 8, isSigned: true)
    case .unsigned: DatatypeEncoding.integer(size: 8, isSigned: false)
    case .reals: DatatypeEncoding.float64
    case .texts: DatatypeEncoding.variableText
    case .paddedTexts(let texts):
      DatatypeEncoding.paddedText(
        size: Self.width(of: texts), isASCII: texts.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } })
    }
  }

  /// NumPy's width of a list of texts: that of the longest, at least 1.
  static func width(of texts: [ExactString]) -> Int { texts.reduce(1) { max($0, $1.utf8.count) } }

  private var dataSize: Int {
    switch elements {
    case .booleans(let values): values.count
    case .signed(let values): values.count * 8
    case .unsigned(let values): values.count * 8
    case .reals(let values): values.count * 8
    case .texts(let texts): texts.count * GlobalHeapWriter.referenceSize
    case .paddedTexts(let texts): texts.count * Self.width(of: texts)
    }
  }

  /// Whether the attribute fits a message under this name.
  func fits(name: [UInt8]) -> Bool {
    let fixedSize = 8 + 8 + 8 * dimensions.count + datatype.count.roundedUp(toMultipleOf: 8)
    return fixedSize + name.count + 8 + dataSize + 7 <= Self.largestMessage
  }

  /// The attribute message: version 1, a reserved byte, the sizes of name, datatype and dataspace (2 each),
  /// the three padded to 8 bytes, the data.
  func message(name: [UInt8], heap: inout GlobalHeapWriter) -> [UInt8] {
    let datatype = self.datatype
    let dataspace = DataspaceEncoding.message(dimensions)
    var writer = ByteWriter()
    writer.append(contentsOf: [1, 0])
    for size in [name.count + 1, datatype.count, dataspace.count] { writer.append(size, width: 2) }
    writer.append(paddedName: name)
    writer.append(padded: datatype)
    writer.append(contentsOf: dataspace)
    switch elements {
    case .booleans(let values): for value in values { writer.append(UInt8(value ? 1 : 0)) }
    case .signed(let values): for value in values { writer.append(UInt64(bitPattern: value)) }
    case .unsigned(let values): for value in values { writer.append(value) }
    case .reals(let values): for value in values { writer.append(value.bitPattern) }
    case .texts(let texts):
      for text in texts { writer.append(contentsOf: heap.reference(to: Array(text.utf8))) }
    case .paddedTexts(let texts):
      let width = Self.width(of: texts)
      for text in texts {
        writer.append(text.text)
        writer.append(contentsOf: repeatElement(0, count: width - text.utf8.count))
      }
    }
    return writer.bytes
  }
}
