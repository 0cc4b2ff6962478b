import Crypto
import Foundation
import Synchronization
import TestSupport
import Tensors
import Testing

@testable import Ingot

/// The parallel executor against the plain one: the same file, whatever the plan and the threads.
@Suite struct PlanExecutorTests {
  /// Bytes that only go forward.
  private final class ForwardSource: ByteSource {
    let bytes: [UInt8]
    private let position = Mutex(0)
    var byteCount: Int { bytes.count }
    var access: AccessPattern { .sequential }

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
      let expected = position.withLock { $0 }
      guard offset == expected else {
        throw IngotError(.internal, "read at \(offset), expected \(expected)")
      }
      buffer.copy(from: bytes, at: offset, count: buffer.byteCount, to: 0)
      position.withLock { $0 = offset + buffer.byteCount }
    }
  }

  private static func randomBytes(_ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count {
      let word = generator.next()
      for shift in 0..<min(8, count - bytes.count) {
        bytes.append(UInt8(truncatingIfNeeded: word >> (8 * UInt64(shift))))
      }
    }
    return bytes
  }

  /// A plan of random parts; `makes` fresh sources each time, because forward ones are used up.
  private static func plan(seed: UInt64, encodes: Bool) -> WritePlan {
    var generator = SeededGenerator(seed: seed)
    var plan = WritePlan()
    // Every third plan is of many small parts, which are written in groups.
    let isFine = seed % 3 == 2
    let sizes =
      isFine
      ? [0, 1, 7, 4096, 20_000, 90_000] : [0, 1, 7, 4096, 200_000, 524_288, 524_289, 1_700_001]
    for number in 0..<Int.random(in: isFine ? 60...90 : 1...12, using: &generator) {
      let count = Int.random(in: 0...300, using: &generator)
      plan.parts.append(.bytes(randomBytes(count, &generator)))
      if Bool.random(using: &generator) {
        plan.parts.append(
          .alignment([8, 12, 64, 4096, 150_000].randomElement(using: &generator) ?? 8))
      }
      let bytes = randomBytes(sizes.randomElement(using: &generator) ?? 0, &generator)
      var payload = WritePlan.Payload(
        name: "t\(number)",
        source: Bool.random(using: &generator) ? ForwardSource(bytes) : ArraySource(bytes))
      payload.checksum = [nil, .crc32, .sha256].randomElement(using: &generator) ?? nil
      if encodes, number > 1, Bool.random(using: &generator) {
        payload.encoding = WritePlan.Encoding(
          pieceLength: 100_000, runLength: Bool.random(using: &generator) ? 250_000 : nil
        ) { piece, index, isLast in
          // The size of a piece rests on its content, as a codec's does.
          [UInt8(truncatingIfNeeded: index), isLast ? 1 : 0] + piece.prefix(Int(piece.first ?? 0))
        }
      }
      plan.parts.append(.payload(payload))
    }
    plan.finish = [
      { progress in
        let text = progress.results.map {
          "\($0.offset) \($0.byteCount) \($0.pieceSizes) \($0.crc32) \($0.sha256)\n"
        }.joined()
        return [.init(offset: progress.file.byteCount, bytes: Array(text.utf8))]
      },
      { progress in [.init(offset: 0, bytes: [UInt8(progress.file.byteCount % 251)])] },
    ]
    return plan
  }

  @Test(arguments: 0..<24)
  func writesWhatThePlainExecutorWrites(seed: Int) throws {
    for (encodes, jobs) in [(false, 1), (false, 4), (true, 1), (true, 4)] {
      let expected = try PlainExecutor.execute(Self.plan(seed: UInt64(seed), encodes: encodes))
      try Places.withTemporaryFolder { folder in
        let output = try OutputFile(
          path: folder.appending(path: "out").filePath, replaces: false, syncs: false)
        let executor = PlanExecutor(jobs: jobs, takesHashes: true, progress: nil)
        _ = try executor.execute(Self.plan(seed: UInt64(seed), encodes: encodes), into: output)
        try output.finishWriting()
        #expect(try output.everything() == expected)
      }
    }
  }

  /// A task each would have two threads wake one another a million times for a million tensors.
  @Test(arguments: [false, true]) func smallEncodedTensorsShareTasks(isAligned: Bool) throws {
    var plan = WritePlan()
    plan.parts = [.bytes([1, 2, 3])]
    for number in 0..<20_000 {
      plan.parts.append(isAligned ? .alignment(64) : .bytes([UInt8](repeating: 9, count: 40)))
      let bytes = [UInt8(number % 7)]
      plan.parts.append(
        .payload(
          .init(
            name: "\(number)", source: ArraySource(bytes), checksum: .sha256,
            encoding: .init(pieceLength: 1 << 20) { piece, _, _ in
              piece + [UInt8](repeating: 5, count: Int(piece[0]))
            })))
    }
    let layouts = plan.parts.map { part in
      if case .payload(let payload) = part { PieceLayout(payload) } else { PieceLayout?.none }
    }
    #expect(PlanTasks(plan, layouts: layouts).tasks.count < 10)
    try Places.withTemporaryFolder { folder in
      let output = try OutputFile(
        path: folder.appending(path: "out").filePath, replaces: false, syncs: false)
      _ = try PlanExecutor(jobs: 3, takesHashes: true, progress: nil).execute(plan, into: output)
      try output.finishWriting()
      #expect(try output.everything() == PlainExecutor.execute(plan))
    }
  }

  @Test(arguments: 0..<24)
  func everyByteOutsideOfTensorsIsKnownAndCompared(seed: Int) throws {
    try Places.withTemporaryFolder { folder in
      let plan = Self.plan(seed: UInt64(seed), encodes: true)
      let output = try OutputFile(
        path: folder.appending(path: "out").filePath, replaces: false, syncs: false)
      let outcome = try PlanExecutor(jobs: 2, takesHashes: true, progress: nil)
        .execute(plan, into: output)
      let fixed = FixedBytes(plan, outcome)
      let payloads = outcome.results.map { $0.offset..<$0.offset + $0.byteCount }
      var known = payloads.reduce(0) { $0 + $1.count }
      for stretch in fixed.stretches {
        known += stretch.content.count
        #expect(!payloads.contains { $0.overlaps(stretch.offset..<stretch.end) })
        #expect(try fixed.difference(in: stretch, of: output) == nil)
        let middle = stretch.offset + stretch.content.count / 2
        let byte = try output.bytes(at: middle, count: 1, "a byte")[0]
        try output.write([byte ^ 1].rawSpan, at: middle)
        #expect(try fixed.difference(in: stretch, of: output) == middle)
      }
      #expect(known == output.byteCount)
    }
  }

  @Test func theFailureOfTheEarliestTaskIsReported() throws {
    struct Failing: ByteSource {
      let byteCount = 600_000
      let number: Int
      func read(into buffer: inout MutableRawSpan, at offset: Int) throws {
        throw IngotError(.malformed, "number \(number)")
      }
    }
    var plan = WritePlan()
    for number in 0..<8 {
      let source: any ByteSource =
        number < 3 ? ArraySource([UInt8](repeating: 1, count: 600_000)) : Failing(number: number)
      plan.parts.append(.payload(.init(name: "t\(number)", source: source)))
    }
    try Places.withTemporaryFolder { folder in
      let path = folder.appending(path: "out").filePath
      for _ in 0..<10 {
        let output = try OutputFile(path: path, replaces: false, syncs: false)
        let error = #expect(throws: IngotError.self) {
          try PlanExecutor(jobs: 4, takesHashes: false, progress: nil).execute(plan, into: output)
        }
        #expect(error?.message == "number 3")
        #expect(error?.tensor == "t3")
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.filePath).isEmpty)
    }
  }

  /// The class and words with which four threads refuse to carry out `plan`.
  private static func refused(_ plan: WritePlan) throws -> String? {
    try Places.withTemporaryFolder { folder in
      let output = try OutputFile(
        path: folder.appending(path: "out").filePath, replaces: false, syncs: false)
      return refusal {
        _ = try PlanExecutor(jobs: 4, takesHashes: false, progress: nil).execute(plan, into: output)
      }
    }
  }

  @Test func aFailureAmongEncodedPiecesEndsEveryThread() throws {
    var plan = WritePlan()
    for number in 0..<4 {
      plan.parts.append(
        .payload(
          .init(
            name: "t\(number)", source: ArraySource([UInt8](repeating: 1, count: 300_000)),
            encoding: .init(pieceLength: 10_000) { piece, index, _ in
              if number == 2, index == 7 { throw IngotError(.internal, "piece 7 of t2") }
              return piece
            })))
    }
    #expect(try Self.refused(plan) == "internal: piece 7 of t2")
  }

  /// Piece 6 is done only after piece 7 has failed: it still passes, and is not taken for the first failure.
  @Test func whatIsUnderWayBeforeAFailureIsNotTakenForIt() throws {
    let hasFailed = DispatchSemaphore(value: 0)
    var plan = WritePlan()
    plan.parts.append(
      .payload(
        .init(
          name: "t", source: ArraySource([UInt8](repeating: 1, count: 100_000)),
          encoding: .init(pieceLength: 10_000) { piece, index, _ in
            if index == 6 {
              hasFailed.wait()
              // Until the failure has reached those who wait.
              Thread.sleep(forTimeInterval: 0.05)
            }
            if index == 7 {
              hasFailed.signal()
              throw IngotError(.internal, "piece 7")
            }
            return piece
          })))
    #expect(try Self.refused(plan) == "internal: piece 7")
  }
}
