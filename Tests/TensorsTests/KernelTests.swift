import TestSupport
import Tensors
import Testing

/// The kernels that move and compare bytes, against the plain way.
@Suite struct KernelTests {
  private func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  private func hash(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
    var bytes = bytes
    return bytes.withMutableBytes { Kernels.hash64($0.bytes, seed: seed) }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 8, 12, 16])
  func shuffleGathersTheBytesOfTheElements(width: Int) {
    for count in [0, 1, 15, 16, 17, 64, 1000] {
      for rest in [0, width - 1] {
        let bytes = bytes(count * width + rest)
        let gathered = (0..<width).flatMap { byte in (0..<count).map { bytes[$0 * width + byte] } }
        let shuffled = Kernels.shuffled(bytes, elementByteWidth: width)
        #expect(shuffled == gathered + bytes.suffix(rest))
        #expect(Kernels.unshuffled(shuffled, elementByteWidth: width) == bytes)
      }
    }
  }

  @Test func everyFlippedBitChangesTheChecksum() {
    for count in [1, 7, 8, 63, 64, 65, 128, 200] {
      let bytes = bytes(count, seed: UInt64(count))
      let original = hash(bytes)
      for bit in 0..<count * 8 {
        var flipped = bytes
        flipped[bit / 8] ^= 1 << UInt8(bit % 8)
        #expect(hash(flipped) != original)
      }
    }
  }

  @Test func checksumSeesLengthSeedAndOrder() {
    let zeros = (0...200).map { hash([UInt8](repeating: 0, count: $0)) }
    #expect(Set(zeros).count == zeros.count)
    let bytes = bytes(256)
    #expect(hash(bytes, seed: 1) != hash(bytes, seed: 2))
    // Any two words exchanged, in one lane or in two.
    for word in 1..<32 {
      var exchanged = bytes
      for byte in 0..<8 { exchanged.swapAt(byte, word * 8 + byte) }
      #expect(hash(exchanged) != hash(bytes))
    }
    // The upper bits of two words of one lane, which multiplication alone would let cancel.
    var both = bytes
    both[7] ^= 0x80
    both[64 + 7] ^= 0x80
    #expect(hash(both) != hash(bytes))
  }

  @Test func checksumsAreWellDistributed() {
    // Each flipped bit turns about half of the 64 bits; over many the mean is close to 32.
    let bytes = bytes(96)
    let original = hash(bytes)
    var turned = [Int](repeating: 0, count: 64)
    for bit in 0..<96 * 8 {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      let difference = hash(flipped) ^ original
      for position in 0..<64 where difference >> UInt64(position) & 1 == 1 { turned[position] += 1 }
    }
    for count in turned { #expect((300...468).contains(count)) }
  }

  /// The checksum is written nowhere, but plans that compare it across processes rely on one value.
  @Test func checksumIsTheSameEverywhere() {
    #expect(hash([], seed: 0) == 0x76A6_DF9B_2E19_5CC5)
    #expect(hash((0..<100).map { UInt8($0) }, seed: 7) == 0x173B_616D_2596_3E81)
  }

  @Test func firstDifferenceIsFound() {
    let count = 10_000
    var a = bytes(count)
    for position in [0, 1, 4095, 4096, 9999] {
      var b = a
      b[position] ^= 1
      b[count - 1] ^= 2
      let found = a.withMutableBytes { a in
        let left = a.bytes
        return b.withMutableBytes { Kernels.firstDifference(left, $0.bytes) }
      }
      #expect(found == position)
    }
    var same = a
    let none = a.withMutableBytes { a in
      let left = a.bytes
      return same.withMutableBytes { Kernels.firstDifference(left, $0.bytes) }
    }
    #expect(none == nil)
  }
}
