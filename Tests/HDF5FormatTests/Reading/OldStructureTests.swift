import Foundation
import TestSupport
import Tensors
import Testing

@testable import HDF5Format

/// Structures as the first version of HDF5 stores them: symbol tables, local heaps, old headers.
@Suite struct OldStructureTests {
  /// A file of the old kind, and where its first structure with this signature lies.
  private func old(_ signature: String) throws -> (bytes: [UInt8], at: Int) {
    let bytes = try written(
      TensorTable([("one", Tensor(.uint8, [1], [1])), ("two", Tensor(.uint8, [1], [2]))]))
    let mark = Array(signature.utf8)
    let at = try #require(
      bytes.indices.dropLast(4).first { bytes[$0..<$0 + 4].elementsEqual(mark) })
    return (bytes, at)
  }

  @Test(.row("H35")) func aSymbolTableNodeWithMoreEntriesThanItsSizeIsMalformed() throws {
    var (bytes, at) = try old("SNOD")
    bytes[at + 6] = 200
    #expect(try faultClass(bytes) == .malformed)
  }

  @Test(.row("H35")) func symbolsOutOfOrderAreMalformed() throws {
    var (bytes, at) = try old("SNOD")
    let (first, second) = (Array(bytes[at + 8..<at + 48]), Array(bytes[at + 48..<at + 88]))
    bytes.replaceSubrange(at + 8..<at + 88, with: second + first)
    #expect(try faultClass(bytes) == .malformed)
  }

  @Test(.row("H34", "H35")) func aNameOutsideTheLocalHeapIsMalformed() throws {
    var (bytes, at) = try old("SNOD")
    bytes[at + 10] = 0xFF
    #expect(try faultClass(bytes) == .malformed)
  }

  @Test(.row("H12")) func aSoftLinkInASymbolTableIsUnsafe() throws {
    var (bytes, at) = try old("SNOD")
    bytes[at + 8 + 16] = 2
    #expect(try faultClass(bytes) == .unsafe)
  }

  @Test(.row("H35")) func aBTreeThatLoopsIsMalformed() throws {
    var (bytes, at) = try old("TREE")
    bytes[at + 5] = 1
    bytes.replaceSubrange(at + 32..<at + 40, with: little(at, 8))
    #expect(try faultClass(bytes) == .malformed)
  }

  /// A library's group of 300 members, whose tree has two levels.
  @Test(.row("H35")) func aNodeOfAnotherLevelThanItsParentSaysIsMalformed() throws {
    let path = Places.fixture("hdf5/group-300-children_v0.h5")
    var bytes = Array(try Data(contentsOf: URL(filePath: path)))
    let root = try #require(bytes.firstRange(of: Array("TREE".utf8) + [0, 1])).lowerBound
    // The first child stands behind the head and a key.
    let child = bytes[root + 32..<root + 40].reversed().reduce(0) { $0 << 8 | Int($1) }
    bytes[child + 5] = 1
    let error = try fault(bytes)
    #expect(error?.errorClass == .malformed)
    #expect(error?.message == "a B-tree node of level 1 where 0 is due")
  }

  @Test(.row("H34")) func aLocalHeapWithoutItsSignatureIsMalformed() throws {
    var (bytes, at) = try old("HEAP")
    bytes[at] = 0
    #expect(try faultClass(bytes) == .malformed)
  }

  /// A change to the file of the old kind: how far behind a signature, what is put there, what is told.
  struct OldDamage: Sendable, CustomTestStringConvertible {
    let signature: String
    let distance: Int
    let bytes: [UInt8]
    let text: String
    var testDescription: String { "\(signature) + \(distance): \(text)" }

    init(_ signature: String, _ distance: Int, _ bytes: [UInt8], _ text: String) {
      self.signature = signature
      self.distance = distance
      self.bytes = bytes
      self.text = text
    }
  }

  @Test(
    .row("H34", "H35", "H3"),
    arguments: [
      OldDamage("HEAP", 16, little(1 << 20, 8), "free list of a local heap leaves it or loops"),
      // The letters of the first name for a size.
      OldDamage("HEAP", 16, little(0, 8), "a free block of 6647407 bytes in a local heap of"),
      OldDamage("TREE", 8, little(64, 8), "siblings are not the nodes beside it"),
      OldDamage("TREE", 16, little(64, 8), "siblings are not the nodes beside it"),
      OldDamage("TREE", 24, little(8, 8), "'one' lies outside of its node's keys"),
      OldDamage("TREE", 40, little(8, 8), "'two' lies outside of its node's keys"),
      OldDamage("TREE", 24, little(1 << 20, 8), "a B-tree's key at 1048576 leaves its local heap"),
      OldDamage("\u{89}HDF", 9, [1], "version 1 of the free space"),
      OldDamage("\u{89}HDF", 10, [1], "version 1 of the root group"),
      OldDamage("\u{89}HDF", 12, [1], "version 1 of shared messages in the superblock"),
      OldDamage("\u{89}HDF", 17, [0xFF], "a symbol table node needs"),
      OldDamage("\u{89}HDF", 19, [0xFF], "a B-tree node needs"),
      OldDamage("\u{89}HDF", 20, [0xFA], "the consistency flags 0xf8 have unknown bits"),
      OldDamage("\u{89}HDF", 22, [1], "the consistency flags 0x10000 have unknown bits"),
      OldDamage("\u{89}HDF", 72, [2], "the root is cached as of kind 2"),
    ])
  func whatALibraryStumblesOverIsRefused(_ damage: OldDamage) throws {
    var bytes = try written(
      TensorTable([("one", Tensor(.uint8, [1], [1])), ("two", Tensor(.uint8, [1], [2]))]))
    let mark = damage.signature.unicodeScalars.map { UInt8($0.value) }
    let at = try #require(
      bytes.indices.dropLast(4).first { bytes[$0..<$0 + 4].elementsEqual(mark) })
    let start = at + damage.distance
    bytes.replaceSubrange(start..<start + damage.bytes.count, with: damage.bytes)
    let error = try #require(try fault(bytes))
    #expect(error.message.contains(damage.text), "\(error)")
  }

  @Test(.row("H34")) func aFreeListThatLoopsIsMalformed() throws {
    var (bytes, at) = try old("HEAP")
    // A block at 0 whose next is itself, of 8 bytes.
    bytes.replaceSubrange(at + 16..<at + 24, with: little(0, 8))
    bytes.replaceSubrange(at + 32..<at + 48, with: little(0, 8) + little(8, 8))
    let error = try #require(try fault(bytes))
    #expect(error.message == "the free list of a local heap leaves it or loops")
  }

  /// Where the first header of a dataset of the old kind begins.
  private func oldHeader() throws -> (bytes: [UInt8], at: Int) {
    let (bytes, at) = try old("SNOD")
    return (bytes, (0..<8).reduce(0) { $0 | Int(bytes[at + 16 + $1]) << (8 * $1) })
  }

  @Test(.row("H10")) func fewerMessagesThanThereAreAreMalformed() throws {
    var (bytes, at) = try oldHeader()
    bytes[at + 2] -= 1
    let error = try #require(try fault(bytes))
    #expect(error.message.contains("messages and holds"), "\(error)")
  }

  @Test(.row("H10")) func aMessageOfTheOldKindHasAMultipleOfEightBytes() throws {
    var (bytes, at) = try oldHeader()
    bytes[at + 16 + 2] += 1
    let error = try #require(try fault(bytes))
    #expect(error.message.contains("which is no multiple of 8"), "\(error)")
  }

  @Test(.row("H10"), arguments: [0b110, 0b10_0000, 0b11_1000] as [UInt8])
  func flagsOfAMessageThatContradictEachOtherAreMalformed(_ flags: UInt8) throws {
    var message = HDF5Message.float32
    message.flags = flags
    let error = try #require(
      try fault(HDF5Builder.dataset([.space([1]), message, .compact([0, 0, 0, 0])])))
    #expect(
      error.message
        == "flags 0x\(String(flags, radix: 16)) of a message contradict each other")
  }

  @Test(.row("H10")) func aDatasetWithoutALayoutIsMalformed() throws {
    let error = try #require(try fault(HDF5Builder.dataset([.space([1]), .uint8])))
    #expect(error.message == "a dataset without a layout")
  }

  @Test(
    .row("H19"),
    arguments: [
      (HDF5Message.float(exponent: (22, 8)), "fields overlap"),
      (HDF5Message.float(exponent: (24, 8)), "fields overlap"),
      (HDF5Message.float(sign: 22), "fields overlap"),
      (HDF5Message.float(normalization: 3), "unknown normalization"),
    ])
  func aFloatOfFieldsThatOverlapIsMalformed(_ type: [UInt8], _ text: String) throws {
    let error = try #require(
      try fault(HDF5Builder.dataset([.space([1]), .type(type), .compact([0, 0, 0, 0])])))
    #expect(error.errorClass == .malformed && error.message.contains(text), "\(error)")
  }
}
