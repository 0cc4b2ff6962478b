#if LIBDEFLATE
private import CDeflate
#endif
#if ISAL
private import CISAL
#endif
private import CZlib
internal import Tensors

/// One way of writing a raw deflate stream.
enum Encoder: Hashable {
  #if ISAL
  /// ISA-L at its level 2 or 3: 1,200 and 500 MB/s on float weights.
  ///
  /// Not at level 1, which is no faster: about once in ten thousand times it gives other bytes of the same
  /// length and content, by where its buffer lies in memory, and a file would not be the same twice.
  case isal(level: Int)
  #endif
  #if LIBDEFLATE
  /// libdeflate: on integers and rounded floats, of which zlib makes 10 MB/s, 50 to 300 MB/s.
  case libdeflate(level: Int)
  #endif
  /// zlib as everyone knows it: 10 to 70 MB/s.
  case zlib(level: Int)
  /// zlib looking for runs of one byte only: for sparse weights without ISA-L.
  case runs
  /// zlib's Huffman coding without any matches, 150 MB/s: all that there is to gain on most weights.
  case huffman

  /// How a stretch of a stream ends.
  enum End {
    /// With an empty stored block, on a byte boundary; more follows.
    case flush
    /// With the stream's last block.
    case finish
  }

  /// All but zlib's general levels, the fastest first.
  private static let quick: [Encoder] = {
    var encoders: [Encoder] = []
    #if ISAL
    encoders += [.isal(level: 2), .isal(level: 3)]
    #endif
    #if LIBDEFLATE
    encoders += [.libdeflate(level: 1)]
    #endif
    encoders += [.huffman]
    #if LIBDEFLATE
    encoders += [.libdeflate(level: 4), .libdeflate(level: 6), .libdeflate(level: 7)]
    #endif
    return encoders + [.runs, .zlib(level: 1)]
  }()

  /// The fastest encoder that does as well for `content` as zlib at level `reference`, as far as samples
  /// tell; larger by the share `tolerance` counts as as well.
  static func choose(
    for content: RawSpan, reference: Int, tolerance: Double, sampleShare: Int = 32
  ) -> Encoder {
    let usual = Encoder.zlib(level: reference)
    let samples = sampleRanges(of: content.byteCount, share: sampleShare)
    guard !samples.isEmpty else { return usual }
    let bound = Double(usual.size(of: content, in: samples)) * (1 + tolerance)
    let quickest = quick.first { encoder in
      encoder != usual
        && Double(encoder.size(of: content, in: samples)) * encoder.handicap <= bound
    }
    guard let quickest, !quickest.overlooksRepeats(in: content) else { return usual }
    return quickest
  }

  /// How many bytes the stretches `ranges` of `content` take.
  private func size(of content: RawSpan, in ranges: [Range<Int>]) -> Int {
    var output: [UInt8] = []
    for range in ranges { append(content.extracting(range), end: .finish, to: &output) }
    return output.count
  }

  /// Two stretches of one part in `share` each, round the first and the third quarter.
  ///
  /// Bytes that HDF5's shuffle has sorted into planes change character at the quarters, so each stretch
  /// sees two planes.
  private static func sampleRanges(of count: Int, share: Int) -> [Range<Int>] {
    let length = max(count / share, shortestSample)
    // What is this small costs little at any level.
    guard count >= 4 * length else { return [] }
    return [count / 4, count / 4 * 3].map { $0 - length / 2..<$0 + length / 2 }
  }

  #if ISAL
  private static let shortestSample = 4 << 10

  /// Whether something repeats at a distance (tiled rows) that this encoder does not see and the samples
  /// are too short to show.
  ///
  /// ISA-L's level 3 sees it; only content that hardly shrinks otherwise is worth the look.
  private func overlooksRepeats(in content: RawSpan) -> Bool {
    let thorough = Encoder.isal(level: 3)
    guard self != thorough, !isLibdeflate else { return false }
    let count = content.byteCount
    let length = min(count, max(count / 4, 128 << 10))
    let middle = (count - length) / 2..<(count + length) / 2
    let ours = size(of: content, in: [middle])
    return ours > length / 2 && thorough.size(of: content, in: [middle]) < ours / 16 * 15
  }
  #else
  /// Long enough to show rows that repeat, as nothing else would.
  private static let shortestSample = 24 << 10

  private func overlooksRepeats(in content: RawSpan) -> Bool { false }
  #endif

  /// Appends the encoded `content`, at most 1 GiB, to `output`.
  func append(_ content: RawSpan, end: End, to output: inout [UInt8]) {
    // The C libraries count in 32 bits; nobody hands over more than a chunk or a piece at once.
    precondition(content.byteCount <= 1 << 30)
    // More than zlib's own bound for its least favourable settings; ISA-L needs less.
    let room = content.byteCount + content.byteCount / 8 + content.byteCount / 64 + 256
    output.append(addingCapacity: room) { output in
      // The encoders write from the buffer's start on and count what they have written.
      unsafe output.withUnsafeMutableBufferPointer { buffer, initializedCount in
        unsafe content.withUnsafeBytes { content in
          switch self {
          #if ISAL
          case .isal(let level):
            initializedCount = unsafe Self.isal(content, into: buffer, level, end)
          #endif
          #if LIBDEFLATE
          case .libdeflate(let level):
            initializedCount = unsafe Self.libdeflate(content, into: buffer, level, end)
          #endif
          case .zlib(let level):
            initializedCount = unsafe Self.zlib(
              content, into: buffer, level, Z_DEFAULT_STRATEGY, end)
          case .runs:
            initializedCount = unsafe Self.zlib(content, into: buffer, Self.anyLevel, Z_RLE, end)
          case .huffman:
            initializedCount = unsafe Self.zlib(
              content, into: buffer, Self.anyLevel, Z_HUFFMAN_ONLY, end)
          }
        }
      }
    }
  }

  /// The strategies without a search for matches do the same at every level above 0.
  private static let anyLevel = 6

  /// Encodes with zlib and returns how many bytes that gave.
  private static func zlib(
    _ content: UnsafeRawBufferPointer, into buffer: UnsafeMutableBufferPointer<UInt8>, _ level: Int,
    _ strategy: Int32, _ end: End
  ) -> Int {
    var stream = unsafe z_stream()
    // The settings are constants and the buffer holds any result, so only a lack of memory could fail,
    // which Swift does not survive either.
    guard unsafe CZlib_deflateInit2(&stream, Int32(level), -15, strategy) == Z_OK else {
      preconditionFailure("zlib has no memory")
    }
    // zlib's declaration lacks a const; it does not write to its input.
    unsafe stream.next_in = UnsafeMutablePointer(
      mutating: content.baseAddress?.assumingMemoryBound(to: UInt8.self))
    unsafe stream.avail_in = UInt32(content.count)
    unsafe stream.next_out = buffer.baseAddress
    unsafe stream.avail_out = UInt32(buffer.count)
    let code = unsafe deflate(&stream, end == .finish ? Z_FINISH : Z_SYNC_FLUSH)
    precondition(code == (end == .finish ? Z_STREAM_END : Z_OK))
    let count = unsafe buffer.count - Int(stream.avail_out)
    unsafe deflateEnd(&stream)
    return count
  }

  /// By how much an encoder does worse on a whole buffer than on samples, which fill no window: these
  /// two look for fewer of the matches far away than zlib does.
  private var handicap: Double {
    #if LIBDEFLATE
    if self == .libdeflate(level: 4) || self == .libdeflate(level: 6) { return 1.005 }
    #endif
    return 1
  }

  #if LIBDEFLATE
  /// Its whole window is searched from level 1 on.
  private var isLibdeflate: Bool { if case .libdeflate = self { true } else { false } }

  /// Encodes with libdeflate and returns how many bytes that gave.
  private static func libdeflate(
    _ content: UnsafeRawBufferPointer, into buffer: UnsafeMutableBufferPointer<UInt8>, _ level: Int,
    _ end: End
  ) -> Int {
    guard let compressor = unsafe libdeflate_alloc_compressor(Int32(level)) else {
      preconditionFailure("libdeflate has no memory")
    }
    defer { unsafe libdeflate_free_compressor(compressor) }
    let count = unsafe libdeflate_deflate_compress(
      compressor, content.baseAddress, content.count, buffer.baseAddress, buffer.count)
    precondition(count > 0)
    return unsafe end == .finish ? count : reopen(buffer, count)
  }

  /// Makes the last block of the stream in the first `count` bytes one that others follow, ends it on a
  /// byte boundary with an empty stored block, and returns how many bytes the stream has then.
  ///
  /// libdeflate always finishes a stream. Where its last block begins is found by inflating it, which
  /// takes a fraction of the time that compressing it took.
  private static func reopen(_ buffer: UnsafeMutableBufferPointer<UInt8>, _ count: Int) -> Int {
    let scratch = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 64 << 10)
    defer { unsafe scratch.deallocate() }
    var stream = unsafe z_stream()
    guard unsafe CZlib_inflateInit2(&stream, -15) == Z_OK else {
      preconditionFailure("zlib has no memory")
    }
    defer { unsafe inflateEnd(&stream) }
    unsafe stream.next_in = buffer.baseAddress
    unsafe stream.avail_in = UInt32(count)
    // In bits.
    var lastHeader = 0
    while true {
      unsafe stream.next_out = scratch.baseAddress
      unsafe stream.avail_out = UInt32(scratch.count)
      let code = unsafe inflate(&stream, Z_BLOCK)
      precondition(code == Z_OK)
      // Bit 7: at the end of a block; bit 6: of the last one; below: the unused bits of the last byte.
      let state = unsafe Int(stream.data_type)
      guard state & 128 != 0 else { continue }
      let position = unsafe (count - Int(stream.avail_in)) * 8 - state & 63
      guard state & 64 != 0 else {
        lastHeader = position
        continue
      }
      unsafe buffer[lastHeader / 8] &= ~(1 << UInt8(lastHeader % 8))
      // Three zero bits, up to the end of the byte, then a length of 0 and its complement.
      let start = (position + 3 + 7) / 8
      for (index, byte) in ([0, 0, 0xFF, 0xFF] as [UInt8]).enumerated() {
        unsafe buffer[start + index] = byte
      }
      for index in count..<max(count, start) { unsafe buffer[index] = 0 }
      return start + 4
    }
  }
  #else
  private var isLibdeflate: Bool { false }
  #endif

  #if ISAL
  /// Encodes with ISA-L and returns how many bytes that gave.
  private static func isal(
    _ content: UnsafeRawBufferPointer, into buffer: UnsafeMutableBufferPointer<UInt8>, _ level: Int,
    _ end: End
  ) -> Int {
    // The largest level buffer: with small ones ISA-L writes short blocks and gives up on floats.
    let workspace = UnsafeMutableBufferPointer<UInt8>.allocate(
      capacity: Int(CISAL_largestLevelBuffer()))
    defer { unsafe workspace.deallocate() }
    let stream = UnsafeMutablePointer<isal_zstream>.allocate(capacity: 1)
    defer { unsafe stream.deallocate() }
    // isal_deflate_init sets every field that is read before it is written.
    unsafe isal_deflate_init(stream)
    unsafe stream.pointee.level = UInt32(level)
    unsafe stream.pointee.level_buf = workspace.baseAddress
    unsafe stream.pointee.level_buf_size = UInt32(workspace.count)
    unsafe stream.pointee.end_of_stream = end == .finish ? 1 : 0
    unsafe stream.pointee.flush = UInt16(end == .finish ? NO_FLUSH : SYNC_FLUSH)
    // ISA-L's declaration lacks a const; it does not write to its input.
    unsafe stream.pointee.next_in = UnsafeMutablePointer(
      mutating: content.baseAddress?.assumingMemoryBound(to: UInt8.self))
    unsafe stream.pointee.avail_in = UInt32(content.count)
    unsafe stream.pointee.next_out = buffer.baseAddress
    unsafe stream.pointee.avail_out = UInt32(buffer.count)
    let code = unsafe isal_deflate(stream)
    precondition(unsafe code == COMP_OK && stream.pointee.avail_in == 0)
    return unsafe buffer.count - Int(stream.pointee.avail_out)
  }
  #endif
}
