import Foundation
import TestSupport
import Tensors
import Testing

@testable import Compression

/// How members are read: in pieces, out of order, by several threads, twice.
@Suite struct ZipSourceTests {
  private static let content: [UInt8] = {
    var generator = SeededGenerator(seed: 3)
    return (0..<1_000_000).map { _ in UInt8.random(in: 0..<16, using: &generator) }
  }()

  private static func source(deflated: Bool, damaged: Bool = false) throws -> any ByteSource {
    var member =
      deflated
      ? ZipBuilder.Member(
        "member", Deflate.piece(content, level: 1, isLast: true), content: content)
      : ZipBuilder.Member("member", content)
    if damaged { member.both { $0.crc ^= 1 } }
    let archive = try ZipArchive(ArraySource(ZipBuilder([member]).build()))
    return archive.content(of: try archive.members()[0])
  }

  /// Ranges that cover the content, in the order of the file.
  private static func ranges(of length: Int) -> [Range<Int>] {
    stride(from: 0, to: content.count, by: length).map { $0..<min($0 + length, content.count) }
  }

  private static func check(_ source: any ByteSource, _ range: Range<Int>) throws {
    let part = try source.bytes(at: range.lowerBound, count: range.count, "a part")
    #expect(part.elementsEqual(content[range]))
  }

  @Test func aStoredMemberIsReadInAnyOrder() throws {
    for length in [999, 65_536, 1_000_000] {
      var generator = SeededGenerator(seed: UInt64(length))
      let source = try Self.source(deflated: false)
      for range in Self.ranges(of: length).shuffled(using: &generator) {
        try Self.check(source, range)
      }
      try Self.check(source, 0..<Self.content.count)
    }
  }

  @Test func theReadThatCompletesAStoredMemberFindsTheDamage() throws {
    var generator = SeededGenerator(seed: 9)
    for _ in 0..<5 {
      let source = try Self.source(deflated: false, damaged: true)
      let ranges = Self.ranges(of: 10_000).shuffled(using: &generator)
      for range in ranges.dropLast() { try Self.check(source, range) }
      // Reading again what was read does not complete it.
      try Self.check(source, try #require(ranges.first))
      let last = try #require(ranges.last)
      for range in [last, last, 0..<1] {
        let error = #expect(throws: IngotError.self) { try Self.check(source, range) }
        #expect(error?.errorClass == .integrity)
      }
    }
  }

  @Test func overlappingReadsAreCountedOnce() throws {
    let source = try Self.source(deflated: false)
    let damaged = try Self.source(deflated: false, damaged: true)
    for start in stride(from: 0, to: 900_000, by: 50_000) {
      try Self.check(source, start..<start + 99_999)
      try Self.check(damaged, start..<start + 99_999)
    }
    try Self.check(source, 100..<Self.content.count)
    #expect(throws: IngotError.self) { try Self.check(damaged, 100..<Self.content.count) }
  }

  @Test func aReaderThatJumpsAboutIsCheckedAtOnce() throws {
    let source = try Self.source(deflated: false, damaged: true)
    var reads = 0
    let error = #expect(throws: IngotError.self) {
      for start in stride(from: 0, to: 1_000_000, by: 500) {
        try Self.check(source, start..<start + 8)
        reads += 1
      }
    }
    #expect(error?.errorClass == .integrity)
    #expect(reads < 1100)
  }

  @Test func severalThreadsCompleteAMember() throws {
    for damaged in [false, true] {
      let source = try Self.source(deflated: false, damaged: damaged)
      let ranges = Self.ranges(of: 7777)
      let failures = FailureCount()
      DispatchQueue.concurrentPerform(iterations: ranges.count) { index in
        do {
          _ = try source.bytes(
            at: ranges[index].lowerBound, count: ranges[index].count, "a piece")
        } catch {
          failures.increment()
        }
      }
      #expect((failures.count > 0) == damaged)
    }
  }

  private final class FailureCount: @unchecked Sendable {
    private let lock = NSLock()
    private(set) var count = 0
    func increment() { lock.withLock { count += 1 } }
  }

  @Test func onDemandNothingIsCheckedBeforeVerify() throws {
    for damaged in [false, true] {
      var member = ZipBuilder.Member("member", [1, 2, 3])
      if damaged { member.both { $0.crc ^= 1 } }
      let archive = try ZipArchive(ArraySource(ZipBuilder([member]).build()))
      let source = ZipStoredSource(
        archive, try archive.members()[0], verification: .onDemand)
      #expect(try source.everything() == [1, 2, 3])
      if damaged {
        #expect(throws: IngotError.self) { try source.verify() }
        #expect(throws: IngotError.self) { try source.everything() }
      } else {
        try source.verify()
        #expect(try source.everything() == [1, 2, 3])
      }
    }
  }

  @Test func aDeflatedMemberIsReadForwardsAndAgain() throws {
    let source = try Self.source(deflated: true)
    #expect(source.access == .sequential)
    for length in [333_333, 65_536, 4099] {
      for range in Self.ranges(of: length) { try Self.check(source, range) }
    }
    // Back, and forward over a gap.
    try Self.check(source, 10..<20)
    try Self.check(source, 5..<300_000)
    try Self.check(source, 900_000..<1_000_000)
  }

  @Test func aDeflatedMembersChecksumIsComparedAtItsEnd() throws {
    let source = try Self.source(deflated: true, damaged: true)
    try Self.check(source, 0..<999_999)
    let error = #expect(throws: IngotError.self) { try Self.check(source, 999_999..<1_000_000) }
    #expect(error?.errorClass == .integrity)
    #expect(error?.tensor == "member")
  }

  @Test func theBeginningOfADeflatedMemberIsExpandedFromWhatIsAtHand() throws {
    let data = Deflate.piece(Self.content, level: 6, isLast: true)
    let beginnings = ZipBeginnings()
    for _ in 0..<2 {
      #expect(
        try beginnings.expand(data.prefix(2000), count: 100) == Array(Self.content.prefix(100)))
      #expect(try beginnings.expand(data.prefix(1), count: 100).isEmpty)
    }
  }
}
