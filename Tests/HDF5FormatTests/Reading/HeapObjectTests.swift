import TestSupport
import Tensors
import Testing

@testable import HDF5Format

/// Objects of fractal heaps, built by hand: where they may lie, and how the heap's blocks hang together.
@Suite struct HeapObjectTests {
  /// A heap whose header lies at 0, with blocks of 64 bytes, and blocks behind it.
  fileprivate struct Heap {
    var width = 4
    var rows = 0
    var bits = 32
    var largest = 64
    var hugeTree: Int?
    var filterSize = 0
    var hasChecksum = false
    /// From `root` on, where the root lies.
    var blocks: [UInt8] = []

    static let root = 192

    private var placeWidth: Int { (bits + 7) / 8 }

    /// A block of 64 bytes for the objects from `place` on; each of its bytes says where it is.
    func direct(at place: Int) -> [UInt8] {
      let start = Array("FHDB".utf8) + [0] + little(0, 8) + little(place, placeWidth)
      let content = UInt8(start.count)..<64
      guard hasChecksum else { return start + content }
      let sum = HDF5Builder.checksum(start + [0, 0, 0, 0] + content.dropFirst(4))
      return start + little(sum, 4) + content.dropFirst(4)
    }

    func indirect(at place: Int, _ children: [Int: Int], rows: Int) -> [UInt8] {
      let entries = (0..<rows * width).flatMap {
        children[$0].map { little($0, 8) } ?? undefinedAddress
      }
      let block = Array("FHIB".utf8) + [0] + little(0, 8) + little(place, placeWidth) + entries
      return block + little(HDF5Builder.checksum(block), 4)
    }

    func bytes() -> [UInt8] {
      var header = Array("FRHP".utf8) + [0] + little(2 + placeWidth, 2) + little(filterSize, 2)
      header += [hasChecksum ? 2 : 0] + little(64, 4) + little(0, 8)
      header += hugeTree.map { little($0, 8) } ?? undefinedAddress
      header += little(0, 8) + undefinedAddress + [UInt8](repeating: 0, count: 64)
      header += little(width, 2) + little(64, 8) + little(largest, 8) + little(bits, 2)
      header += little(0, 2) + little(Self.root, 8) + little(rows, 2)
      if filterSize > 0 { header += [UInt8](repeating: 0, count: 12 + filterSize) }
      header += little(HDF5Builder.checksum(header), 4)
      return header + [UInt8](repeating: 0, count: Self.root - header.count) + blocks
    }
  }

  /// A heap, objects that are read from it in turn, and what the last of them is refused with.
  struct Case: Sendable, CustomTestStringConvertible {
    fileprivate let heap: Heap
    let identifiers: [[UInt8]]
    let refusal: String?
    let testDescription: String
  }

  private static func refused(
    _ message: String, as errorClass: ErrorClass = .malformed, _ heap: Heap,
    _ identifiers: [UInt8]...
  ) -> Case {
    let refusal = "\(errorClass): \(message)"
    return Case(heap: heap, identifiers: identifiers, refusal: refusal, testDescription: refusal)
  }

  private static func legal(_ what: String, _ heap: Heap, _ identifiers: [UInt8]...) -> Case {
    Case(heap: heap, identifiers: identifiers, refusal: nil, testDescription: what)
  }

  /// The identifier of an object of a heap of 32 bits.
  private static func at(_ place: Int, _ count: Int) -> [UInt8] {
    [0] + little(place, 4) + [UInt8(count)]
  }

  private static func huge(_ number: Int) -> [UInt8] { [0x10] + little(number, 5) }

  // MARK: Heaps

  /// One direct block.
  private static func single(_ change: (inout Heap) -> Void = { _ in }) -> Heap {
    var heap = Heap()
    heap.blocks = heap.direct(at: 0)
    change(&heap)
    return heap
  }

  /// A root of one row or more, and behind it what `blocks` makes of its address.
  private static func rooted(
    width: Int = 4, rows: Int = 1, bits: Int = 32, _ children: [Int],
    _ blocks: (Heap, _ address: Int) -> [UInt8] = { _, _ in [] }
  ) -> Heap {
    var heap = Heap(width: width, rows: rows, bits: bits)
    let next = Heap.root + heap.indirect(at: 0, [:], rows: rows).count
    let known = Dictionary(uniqueKeysWithValues: children.map { ($0, next) })
    heap.blocks = heap.indirect(at: 0, known, rows: rows) + blocks(heap, next)
    return heap
  }

  /// A root whose third row, of 128 bytes each, lists one indirect block once or twice.
  private static func nested(_ children: [Int]) -> Heap {
    rooted(width: 2, rows: 3, children) { heap, address in
      let size = heap.indirect(at: 256, [:], rows: 1).count
      return heap.indirect(at: 256, [0: address + size], rows: 1) + heap.direct(at: 256)
    }
  }

  /// A tree of one huge object, which lies behind it.
  private static func withHugeObject(of count: Int) -> Heap {
    var heap = Heap(hugeTree: Heap.root)
    let end = Heap.root + 38 + 34
    let record = little(end, 8) + little(count, 8) + little(1, 8)
    let leaf = Array("BTLF".utf8) + [0, 1] + record
    let header =
      Array("BTHD".utf8) + [0, 1] + little(512, 4) + little(24, 2) + little(0, 2) + [100, 40]
      + little(Heap.root + 38, 8) + little(1, 2) + little(1, 8)
    for part in [header, leaf] { heap.blocks += part + little(HDF5Builder.checksum(part), 4) }
    heap.blocks += Array("abc".utf8)
    return heap
  }

  // MARK: Cases

  private static let headers: [Case] = [
    refused(
      "a fractal heap with filters", as: .unsupported, single { $0.filterSize = 8 }, at(20, 5)),
    refused("a fractal heap of impossible sizes", single { $0.largest = 96 }, at(20, 5)),
    refused("heap identifier version 1", single(), [0x40] + at(20, 5).dropFirst()),
    refused("a heap identifier of an unknown kind", single(), [0x30] + at(20, 5).dropFirst()),
  ]

  private static let managed: [Case] = [
    legal("the last byte of a block", single(), at(63, 1)),
    refused("an object of 0 bytes at 20 leaves its heap block", single(), at(20, 0)),
    refused("an object of 2 bytes at 63 leaves its heap block", single(), at(63, 2)),
    refused("an object of 1 bytes at 64 leaves its heap block", single(), at(64, 1)),
    refused("an object of 1 bytes at 65 leaves its heap block", single(), at(65, 1)),
    legal("the last block", rooted([3]) { heap, _ in heap.direct(at: 192) }, at(255, 1)),
    refused("an object at 256 beyond its heap", rooted([3]), at(256, 1)),
    refused("an object at 191 in a missing block", rooted([3]), at(191, 1)),
    refused(
      "a heap block in the wrong place", rooted([0, 1]) { heap, _ in heap.direct(at: 0) },
      at(20, 5), at(84, 5)),
  ]

  private static let rows: [Case] = [
    legal("a block below a block", nested([4]), at(276, 5)),
    refused("a heap block in the wrong place", nested([4, 5]), at(276, 5), at(404, 5)),
    refused(
      "a heap row of blocks of 128 bytes", rooted(width: 4, rows: 3, [8]), at(512, 1)),
    refused(
      "a heap row of blocks of 256 bytes", rooted(width: 3, rows: 4, [9]), at(768, 1)),
    refused(
      "a fractal heap beyond 2^63 bytes", rooted(width: 1, rows: 64, bits: 63, []),
      [0] + little(1 << 62, 8) + [1]),
  ]

  private static let hugeObjects: [Case] = [
    legal("a huge object", withHugeObject(of: 3), huge(1)),
    refused("there is no huge object 2", withHugeObject(of: 3), huge(2)),
    refused("a huge object in a heap that has none", single(), huge(1)),
    refused(
      "a heap object of 16777217 bytes is above 16777216", as: .limit,
      withHugeObject(of: Limits.attributeBytes + 1), huge(1)),
  ]

  @Test(arguments: headers + managed + rows + hugeObjects)
  func anObjectIsRefusedByTheRuleThatIsBroken(_ sample: Case) throws {
    let view = FileView(ArraySource(sample.heap.bytes()), FieldWidths())
    var refusal: String?
    var count = 0
    do {
      let heap = try FractalHeap(view, at: 0)
      for identifier in sample.identifiers {
        var reader = ByteReader(identifier)
        _ = try heap.object(&reader)
        count += 1
      }
    } catch let error as IngotError { refusal = "\(error.errorClass): \(error.message)" }
    #expect(refusal == sample.refusal)
    #expect(count == sample.identifiers.count - (sample.refusal == nil ? 0 : 1))
  }

  @Test(arguments: [17, 21, 63]) func aWrongChecksumOfABlockIsIntegrity(_ place: Int) throws {
    var heap = Heap(hasChecksum: true)
    heap.blocks = heap.direct(at: 0)
    func read() throws {
      let view = FileView(ArraySource(heap.bytes()), FieldWidths())
      var reader = ByteReader(Self.at(25, 5))
      _ = try FractalHeap(view, at: 0).object(&reader)
    }
    try read()
    heap.blocks[place] ^= 1
    let error = #expect(throws: IngotError.self) { try read() }
    #expect(error?.errorClass == .integrity)
    #expect(error?.offset == Heap.root)
  }

  @Test func anObjectIsThatOfItsPlaceInTheHeap() throws {
    for (heap, identifier, expected) in [
      (Self.single(), Self.at(20, 5), [20, 21, 22, 23, 24]),
      (Self.nested([4]), Self.at(276, 5), [20, 21, 22, 23, 24]),
      (Self.withHugeObject(of: 3), Self.huge(1), Array("abc".utf8)),
    ] as [(Heap, [UInt8], [UInt8])] {
      let view = FileView(ArraySource(heap.bytes()), FieldWidths())
      var reader = ByteReader(identifier)
      var object = try FractalHeap(view, at: 0).object(&reader)
      #expect(try object.array(object.remaining, "an object") == expected)
    }
  }
}
