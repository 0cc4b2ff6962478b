import TestSupport
import Tensors
import Testing

/// Types whose elements share a scale: what can be done with whole blocks, and how the rest is refused.
@Suite struct BlockTests {
  static let types = ElementType.allCases.filter(\.hasBlocks)

  private static func numbers(_ count: Int) -> [Float] {
    var random = SeededGenerator(seed: 61)
    return (0..<count).map { _ in Float.random(in: -2...2, using: &random) }
  }

  private static func tensor(_ dimensions: [Int], _ type: ElementType) throws -> Tensor {
    let shape = try Shape(dimensions)
    let bytes = Elements.bytes(of: numbers(shape.elementCount))
    return try Tensor(elementType: .float32, shape: shape, source: ArraySource(bytes)).cast(
      to: type)
  }

  private static func values(_ tensor: Tensor) throws -> [Float] {
    Elements.values(
      try tensor.cast(to: .float32).source.bytes(at: 0, count: 4 * tensor.shape.elementCount, ""),
      as: Float.self)
  }

  @Test func thereAreSuchTypes() { #expect(Self.types.map(\.name).contains("q8_0")) }

  @Test(arguments: types)
  func rowsThatCutABlockAreMalformed(type: ElementType) throws {
    let count = type.layout.elementsPerBlock
    #expect(
      try Shape([3, 2 * count]).byteCount(of: type) == 6 * type.layout.bytesPerBlock)
    for dimensions in [[count + 1], [count, 2], [count / 2, 2], []] {
      let error = #expect(throws: IngotError.self) {
        try Shape(dimensions).byteCount(of: type)
      }
      #expect(error?.errorClass == .malformed)
      #expect(error?.message.contains("\(count) elements of a block of \(type.name)") == true)
    }
    let error = #expect(throws: IngotError.self) { try type.byteRange(of: 1..<count) }
    #expect(error?.message == "1 elements of \(type.name) do not fill blocks of \(count)")
    #expect(try type.byteRange(of: count..<count * 3).count == 2 * type.layout.bytesPerBlock)
  }

  @Test(arguments: types)
  func wholeBlocksAreMovedAndOthersRefused(type: ElementType) throws {
    let count = type.layout.elementsPerBlock
    let tensor = try Self.tensor([3, 2, 2 * count], type)
    let values = try Self.values(tensor)
    let row = 2 * count
    let turned = try Self.values(tensor.transposed([1, 0, 2]))
    #expect(Array(turned[row..<2 * row]) == Array(values[2 * row..<3 * row]))
    let sliced = try Self.values(tensor.sliced(axis: 2, range: count..<row))
    #expect(Array(sliced[..<count]) == Array(values[count..<row]))
    let joined = try Tensor.concatenated([tensor, tensor], axis: 2)
    #expect(Array(try Self.values(joined)[row..<2 * row]) == Array(values[..<row]))
    #expect(try Self.values(tensor.reshaped(to: Shape([6, row]))) == values)
    let refused: [(String, () throws -> Tensor)] = [
      ("cannot be transposed by [2, 1, 0]", { try tensor.transposed([2, 1, 0]) }),
      ("cut a block of \(count)", { try tensor.sliced(axis: 2, range: 1..<count) }),
      (
        "cannot become",
        { try tensor.reshaped(to: Shape([12 * count])).reshaped(to: Shape([count, 12])) }
      ),
    ]
    for (words, view) in refused {
      let error = #expect(throws: IngotError.self) { _ = try view() }
      #expect(error?.errorClass == .unsupported)
      #expect(error?.message.contains(words) == true && error?.message.contains(type.name) == true)
    }
    #expect(tensor.untransposed == nil)
  }

  @Test(arguments: types)
  func rowsThatDoNotFillBlocksAreNotCast(type: ElementType) throws {
    let tensor = try Self.tensor([2, 40], .float16)
    let error = #expect(throws: IngotError.self) { try tensor.cast(to: type) }
    #expect(error?.errorClass == .unsupported)
    #expect(error?.message.contains("shape 2×40 cannot be cast to \(type.name)") == true)
  }

  @Test(arguments: types)
  func anyRangeIsThatRangeOfTheWhole(type: ElementType) throws {
    var random = SeededGenerator(seed: 67)
    let count = type.layout.elementsPerBlock
    let blocks = try Self.tensor([40, 3 * count], type)
    for view in [blocks.source, try blocks.cast(to: .float16).source] {
      let whole = try view.bytes(at: 0, count: view.byteCount, "")
      for _ in 0..<40 {
        let lower = Int.random(in: 0...whole.count, using: &random)
        let upper = Int.random(in: lower...whole.count, using: &random)
        #expect(try view.bytes(at: lower, count: upper - lower, "") == Array(whole[lower..<upper]))
      }
    }
  }

  @Test(arguments: types)
  func theReportSaysWhatChanged(type: ElementType) throws {
    let count = type.layout.elementsPerBlock
    let numbers = Self.numbers(3 * count)
    let recorder = CastRecorder()
    let tensor = try Tensor(
      elementType: .float32, shape: Shape([3 * count]),
      source: ArraySource(Elements.bytes(of: numbers)))
    let found = try Self.values(tensor.cast(to: type, recorder: recorder))
    var expected = CastReport(elements: numbers.count)
    for (old, new) in zip(numbers, found) where old != new {
      expected.inexact += 1
      if new == 0 {
        expected.underflowedToZero += 1
      } else {
        expected.largestRelativeError = max(
          expected.largestRelativeError, abs(Double(new) - Double(old)) / abs(Double(old)))
      }
    }
    #expect(recorder.report == expected && expected.inexact > 0)
  }

  @Test(arguments: types, [Float.nan, .infinity, 3e38])
  func whatABlockHasNoPlaceForIsRefused(type: ElementType, number: Float) throws {
    let count = type.layout.elementsPerBlock
    var numbers = Self.numbers(2 * count)
    numbers[count + 3] = number
    let tensor = try Tensor(
      elementType: .float32, shape: Shape([2 * count]),
      source: ArraySource(Elements.bytes(of: numbers)))
    let error = #expect(throws: IngotError.self) { try Self.values(tensor.cast(to: type)) }
    #expect(error?.errorClass == .unsupported)
    #expect(
      error?.message
        == (number.isFinite
          ? "elements \(count) to \(2 * count - 1) are too large for the scale of \(type.name)"
          : "element \(count + 3) is \(number), for which \(type.name) has no place"))
  }

  /// A scale of infinity times 0 is NaN, of which processors make different bits.
  @Test(arguments: types)
  func notANumberHasOnePattern(type: ElementType) throws {
    let layout = type.layout
    for scale: [UInt8] in [[0x00, 0x7C], [0x01, 0xFD], [0x00, 0xFE]] {
      let bytes = scale + [UInt8](repeating: 0x80, count: layout.bytesPerBlock - 2)
      let tensor = try Tensor(
        elementType: type, shape: Shape([layout.elementsPerBlock]), source: ArraySource(bytes))
      for value in try Self.values(tensor) {
        #expect(!value.isNaN || value.bitPattern == 0x7FC0_0000)
      }
    }
  }

  @Test(arguments: types)
  func blocksAreComparedByBytesAndByValue(type: ElementType) throws {
    let (count, size) = (type.layout.elementsPerBlock, type.layout.bytesPerBlock)
    let tensor = try Self.tensor([4 * count], type)
    let bytes = try tensor.source.bytes(at: 0, count: tensor.byteCount, "")
    var changed = bytes
    changed[2 * size + 2] ^= 1
    var plain = try Comparison(type, type, tolerance: nil)
    plain.add(bytes.rawSpan, changed.rawSpan)
    #expect(plain.count == 4 * count && plain.different == count && plain.maxULP == nil)
    #expect(plain.firstDifference == 2 * count && plain.maxAbsolute > 0)
    var near = try Comparison(type, .float32, tolerance: Tolerance())
    let wide = Elements.bytes(of: try Self.values(tensor))
    near.add(changed.rawSpan, wide.rawSpan)
    #expect(near.different == 1 && near.firstDifference == 2 * count)
    #expect(
      Statistics(of: bytes.rawSpan, type: type).max
        == Statistics(of: wide.rawSpan, type: .float32).max)
  }

  /// The layout of every type fits its kernels and its words.
  @Test(arguments: ElementType.allCases)
  func rowsAreConsistent(type: ElementType) throws {
    #expect(ElementType(name: type.name) == type)
    #expect(type.layout.bytesPerBlock % type.wordWidth == 0)
    #expect(!type.hasBlocks || !type.layout.addressesElements && type.kind == .float)
    if let component = type.row.component {
      #expect(type.layout.bytesPerBlock == 2 * component.layout.bytesPerBlock)
      #expect(type.wordWidth == component.layout.bytesPerBlock)
    }
    let ranks = ElementType.allCases.compactMap { $0.spelling(in: .safetensors)?.rank }
    #expect(Set(ranks) == Set(0..<ranks.count))
  }
}
