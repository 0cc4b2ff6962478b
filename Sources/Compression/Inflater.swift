#if ISAL
private import CISAL
#endif
private import CZlib
internal import Tensors

/// Takes a raw deflate stream apart in steps of any size.
///
/// Both implementations are always tested; ISA-L's is the faster one and is used where it is built in.
protocol Inflater: AnyObject {
  /// Whether the last block has ended.
  var isFinished: Bool { get }
  /// Consumes from the front of `input` and fills `output` from its front.
  ///
  /// `consumed` counts exactly the bytes that belong to the stream. It can be negative in the step that
  /// finishes: bytes taken earlier, read ahead, turned out not to belong to it.
  /// - Throws: `malformed` where the stream breaks deflate's rules.
  func step(_ input: borrowing RawSpan, into output: inout MutableRawSpan) throws
    -> (consumed: Int, produced: Int)
  /// Forgets everything, for another stream.
  func reset()
}

/// The fastest inflater of this build.
func makeInflater() -> any Inflater {
  #if ISAL
  ISALInflater()
  #else
  ZlibInflater()
  #endif
}

/// The C libraries count in 32 bits: no step is given more than this.
private let largestStep = 1 << 30

/// zlib's inflate.
@safe final class ZlibInflater: Inflater {
  private(set) var isFinished = false
  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

  init() {
    unsafe stream.initialize(to: z_stream())
    let code = unsafe CZlib_inflateInit2(stream, -15)
    // The arguments are constants, so only a lack of memory is left, which Swift does not survive either.
    precondition(code == Z_OK, "zlib has no memory")
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  func reset() {
    unsafe inflateReset(stream)
    isFinished = false
  }

  func step(
    _ input: borrowing RawSpan, into output: inout MutableRawSpan
  ) throws -> (consumed: Int, produced: Int) {
    let inputCount = min(input.byteCount, largestStep)
    let outputCount = min(output.byteCount, largestStep)
    // zlib reads at most `inputCount` and writes at most `outputCount` bytes, and keeps no pointer.
    let code = unsafe input.withUnsafeBytes { from in
      unsafe output.withUnsafeMutableBytes { to in
        // zlib's declaration lacks a const; it does not write to its input.
        unsafe stream.pointee.next_in = UnsafeMutablePointer(
          mutating: from.baseAddress?.assumingMemoryBound(to: UInt8.self))
        unsafe stream.pointee.avail_in = UInt32(inputCount)
        var nowhere: UInt8 = 0
        return unsafe withUnsafeMutablePointer(to: &nowhere) { nowhere in
          unsafe stream.pointee.next_out =
            to.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? nowhere
          unsafe stream.pointee.avail_out = UInt32(outputCount)
          return unsafe inflate(stream, Z_NO_FLUSH)
        }
      }
    }
    switch code {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END: isFinished = true
    default: throw IngotError(.malformed, "the deflate stream is damaged")
    }
    return unsafe (
      inputCount - Int(stream.pointee.avail_in), outputCount - Int(stream.pointee.avail_out)
    )
  }
}

#if ISAL
/// ISA-L's inflate: about one and a half times as fast as zlib's.
@safe final class ISALInflater: Inflater {
  private(set) var isFinished = false
  private let state = UnsafeMutablePointer<inflate_state>.allocate(capacity: 1)

  init() {
    // isal_inflate_init sets every field that is read before it is written.
    unsafe isal_inflate_init(state)
  }

  deinit { unsafe state.deallocate() }

  func reset() {
    unsafe isal_inflate_reset(state)
    isFinished = false
  }

  func step(
    _ input: borrowing RawSpan, into output: inout MutableRawSpan
  ) throws -> (consumed: Int, produced: Int) {
    guard !isFinished else { return (0, 0) }
    let inputCount = min(input.byteCount, largestStep)
    let outputCount = min(output.byteCount, largestStep)
    // ISA-L reads at most `inputCount` and writes at most `outputCount` bytes, and keeps no pointer.
    let code = unsafe input.withUnsafeBytes { from in
      unsafe output.withUnsafeMutableBytes { to in
        // ISA-L's declaration lacks a const; it does not write to its input.
        unsafe state.pointee.next_in = UnsafeMutablePointer(
          mutating: from.baseAddress?.assumingMemoryBound(to: UInt8.self))
        unsafe state.pointee.avail_in = UInt32(inputCount)
        unsafe state.pointee.next_out = to.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe state.pointee.avail_out = UInt32(outputCount)
        return unsafe isal_inflate(state)
      }
    }
    guard code >= 0 else { throw IngotError(.malformed, "the deflate stream is damaged") }
    isFinished = unsafe state.pointee.block_state == ISAL_BLOCK_FINISH
    // Up to eight bytes are read ahead into a register; what lies there unused at the end of the
    // stream does not belong to it.
    let unused = isFinished ? unsafe Int(state.pointee.read_in_length / 8) : 0
    return unsafe (
      inputCount - Int(state.pointee.avail_in) - unused,
      outputCount - Int(state.pointee.avail_out)
    )
  }
}
#endif
