import Tensors
import TestSupport
import Testing

@testable import Compression

/// Buffers of the kinds that checkpoints hold, and the awkward ones.
private enum Content: String, CaseIterable {
  case empty, oneByte, zeros, text, integers, floats, roundedFloats, noise, distantRepeats

  var bytes: [UInt8] {
    var generator = SeededGenerator(seed: 7)
    switch self {
    case .empty: return []
    case .oneByte: return [42]
    case .zeros: return [UInt8](repeating: 0, count: 300_000)
    case .text: return Array(String(repeating: "model.layers.0.mlp ", count: 5000).utf8)
    case .integers:
      return (0..<40_000).flatMap { _ in
        let value = Int64.random(in: 0..<30_000, using: &generator)
        return (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
      }
    case .floats:
      return (0..<70_000).flatMap { _ in
        // The sum of twelve uniform numbers is as good as normal.
        let value = (0..<12).reduce(Float(-6)) { sum, _ in
          sum + Float.random(in: 0..<1, using: &generator)
        }
        return (0..<4).map { UInt8(truncatingIfNeeded: (value * 0.02).bitPattern >> (8 * $0)) }
      }
    case .roundedFloats:
      return (0..<300_000).flatMap { _ in
        let value = Float(Int.random(in: -127...127, using: &generator)) * 0.003
        return (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
      }
    case .noise:
      return (0..<100_000).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    case .distantRepeats:
      let period = (0..<20_000).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
      return (0..<30).flatMap { _ in period }
    }
  }
}

private func encode(
  _ bytes: [UInt8], _ encoder: Encoder, end: Encoder.End = .finish
) -> [UInt8] {
  var stream: [UInt8] = []
  // The span does not leave this call.
  unsafe encoder.append(bytes.span.bytes, end: end, to: &stream)
  return stream
}

/// Every inflater of this build; each rule holds for all of them.
private func inflaters() -> [any Inflater] {
  var inflaters: [any Inflater] = [ZlibInflater()]
  #if ISAL
  inflaters.append(ISALInflater())
  #endif
  return inflaters
}

/// Expands with every inflater and expects the same from each.
private func expand(
  _ stream: [UInt8], _ container: Inflate.Container = .raw, limit: Int = 1 << 24
) throws -> [UInt8] {
  let results = inflaters().map { inflater in
    Result { try Inflate.inflate(stream, container: container, limit: limit, with: inflater) }
  }
  let classes = Set(
    results.map { result in
      if case .failure(let error as IngotError) = result { return error.errorClass.rawValue }
      return "success"
    })
  #expect(classes.count == 1, "the inflaters disagree: \(classes)")
  let first = try #require(results.first)
  for result in results {
    if case .success(let bytes) = result, case .success(let expected) = first {
      #expect(bytes == expected)
    }
  }
  return try first.get()
}

private func errorClass(_ body: () throws -> [UInt8]) -> ErrorClass? {
  do {
    _ = try body()
    return nil
  } catch {
    return (error as? IngotError)?.errorClass
  }
}

@Suite struct CodecTests {
  @Test(arguments: Content.allCases, [nil, 1, 6, 9])
  private func aZlibStreamExpandsToWhatWentIn(_ content: Content, level: Int?) throws {
    let bytes = content.bytes
    let stream = Deflate.zlibStream(bytes, level: level)
    #expect(try expand(stream, .zlib, limit: bytes.count) == bytes)
  }

  @Test(arguments: Content.allCases)
  private func everyEncoderWritesDeflate(_ content: Content) throws {
    let bytes = content.bytes
    var encoders: [Encoder] = [.huffman, .runs, .zlib(level: 1), .zlib(level: 9)]
    #if ISAL
    encoders += [.isal(level: 2), .isal(level: 3)]
    #endif
    #if LIBDEFLATE
    encoders += [.libdeflate(level: 1), .libdeflate(level: 4), .libdeflate(level: 7)]
    #endif
    for encoder in encoders {
      #expect(try expand(encode(bytes, encoder)) == bytes, "\(encoder)")
      // Streams that are not finished join.
      let joined = encode(bytes, encoder, end: .flush) + encode(bytes, encoder, end: .flush)
      #expect(joined.suffix(4) == [0, 0, 0xFF, 0xFF])
      #expect(try expand(joined + encode(bytes, encoder)) == bytes + bytes + bytes, "\(encoder)")
    }
  }

  @Test(arguments: Content.allCases, [0, 4000])
  private func piecesOneAfterTheOtherAreOneStream(_ content: Content, minimumCount: Int) throws {
    let bytes = content.bytes
    let length = 64 << 10
    let starts = bytes.isEmpty ? [0] : Array(stride(from: 0, to: bytes.count, by: length))
    var stream: [UInt8] = []
    for start in starts {
      let piece = Array(bytes[start..<min(start + length, bytes.count)])
      let encoded = Deflate.piece(
        piece, level: nil, isLast: start == starts.last, minimumCount: minimumCount)
      #expect(encoded.count >= minimumCount)
      stream += encoded
    }
    #expect(try expand(stream) == bytes)
  }

  @Test(arguments: Content.allCases)
  private func piecesAreNoLargerThanZlibsUsualResult(_ content: Content) {
    let bytes = content.bytes
    let usual = encode(bytes, .zlib(level: 6))
    let ours = Deflate.piece(bytes, level: nil, isLast: true)
    // Half a percent of what went in for what two short samples cannot tell.
    #expect(ours.count <= usual.count + bytes.count / 200 + 16)
  }

  @Test func compressionIsDeterministic() {
    let bytes = Content.floats.bytes
    #expect(Deflate.zlibStream(bytes, level: nil) == Deflate.zlibStream(bytes, level: nil))
  }

  @Test func outputAboveTheLimitIsMalformed() throws {
    let bytes = Content.text.bytes
    let stream = Deflate.zlibStream(bytes, level: 6)
    #expect(try expand(stream, .zlib, limit: bytes.count) == bytes)
    #expect(errorClass { try expand(stream, .zlib, limit: bytes.count - 1) } == .malformed)
    #expect(errorClass { try expand(stream, .zlib, limit: 0) } == .malformed)
  }

  @Test func aHugeLimitCostsNoMemory() throws {
    let stream = Deflate.zlibStream([1, 2, 3], level: 6)
    #expect(try expand(stream, .zlib, limit: .max) == [1, 2, 3])
  }

  @Test(arguments: [1, 3, 4, 8, 9, 100])
  func bytesAfterTheStreamAreMalformed(_ count: Int) {
    let extra = [UInt8](repeating: 0, count: count)
    let raw = Deflate.piece(Content.text.bytes, level: 6, isLast: true)
    #expect(errorClass { try expand(raw + extra) } == .malformed)
    let wrapped = Deflate.zlibStream(Content.text.bytes, level: 6)
    #expect(errorClass { try expand(wrapped + extra, .zlib) } == .malformed)
  }

  @Test func aStreamCutAnywhereIsMalformed() {
    let raw = Deflate.piece(Array("a short text, a short text".utf8), level: 6, isLast: true)
    for count in 0..<raw.count {
      #expect(errorClass { try expand(Array(raw.prefix(count))) } == .malformed)
    }
    let wrapped = Deflate.zlibStream(Content.floats.bytes, level: nil)
    for count in stride(from: 0, to: wrapped.count, by: 997) {
      let found = errorClass { try expand(Array(wrapped.prefix(count)), .zlib) }
      #expect(found == .malformed || found == .integrity)
    }
  }

  @Test func aWrongAdler32IsAnIntegrityError() {
    for offset in 1...4 {
      var stream = Deflate.zlibStream(Content.text.bytes, level: 6)
      stream[stream.count - offset] ^= 1
      #expect(errorClass { try expand(stream, .zlib) } == .integrity)
    }
  }

  @Test(
    arguments: [
      [0x79, 0x18], [0x79, 0x9C], [0x78, 0x9D], [0x88, 0x1C], [0x78, 0xBB], [0x08, 0x00],
    ] as [[UInt8]])
  func aZlibHeaderThatBreaksTheRulesIsMalformed(_ header: [UInt8]) {
    let stream = header + Deflate.zlibStream([1, 2, 3], level: 6).dropFirst(2)
    #expect(errorClass { try expand(stream, .zlib) } == .malformed)
  }

  @Test(
    arguments: [
      // Block type 3; a stored block whose length and complement differ; too many length codes;
      // a match that reaches before the start.
      [0x07, 0x00], [0x01, 0x05, 0x00, 0x00, 0x00, 1, 2, 3, 4, 5], [0xFD, 0xFF, 0xFF, 0xFF],
      [0x03, 0x02, 0x00, 0x00],
    ] as [[UInt8]])
  func damagedDeflateIsMalformed(_ stream: [UInt8]) {
    #expect(errorClass { try expand(stream) } == .malformed)
  }

  /// Literals have two codes of two bits each, so half of the codes mean nothing.
  ///
  /// zlib refuses that, ISA-L does not; that the checksum differs must not hide it.
  @Test func codeLengthsThatLeaveCodesUnusedAreMalformedNotAnIntegrityError() {
    var stream: [UInt8] = [0x05, 0xE0, 0x01, 0x90, 0x24, 0x49, 0x92, 0x24, 0x49, 0x02]
    stream += [UInt8](repeating: 0, count: 48) + [0x01] + [UInt8](repeating: 0, count: 78)
    stream += [0x10, 0x82]
    #expect(errorClass { try expand([0x78, 0x9C] + stream + [0, 0, 0, 0], .zlib) } == .malformed)
  }

  @Test func randomDamageIsRefusedOrExpandsWithinTheLimit() {
    var generator = SeededGenerator(seed: 11)
    let original = Array(Content.integers.bytes.prefix(3000))
    let stream = Deflate.piece(original, level: 6, isLast: true)
    for _ in 0..<3000 {
      var damaged = stream
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let index = Int.random(in: 0..<damaged.count, using: &generator)
        damaged[index] = UInt8.random(in: .min ... .max, using: &generator)
      }
      for inflater in inflaters() {
        let result = try? Inflate.inflate(damaged, container: .raw, limit: 3000, with: inflater)
        #expect((result?.count ?? 0) <= 3000)
      }
    }
  }

  @Test func crc32IsZips() {
    for content in Content.allCases {
      #expect(CRC32.of(content.bytes) == PlainExecutor.crc32(content.bytes))
    }
    #expect(CRC32.of(Array("123456789".utf8)) == 0xCBF4_3926)
  }

  @Test func crc32OfTwoStretchesIsThatOfBoth() {
    let bytes = Content.noise.bytes
    for cut in [0, 1, 7, 50_000, bytes.count] {
      let first = CRC32.of(Array(bytes[..<cut]))
      let second = CRC32.of(Array(bytes[cut...]))
      #expect(
        CRC32.combine(first, second, secondLength: bytes.count - cut) == CRC32.of(bytes))
    }
  }
}
