internal import Compression
internal import Tensors

/// Undoes the filters of a chunk.
struct ChunkFilters: Sendable {
  let pipeline: FilterPipeline
  let elementSize: Int
  /// The size of a chunk before filters.
  let byteCount: Int

  /// A chunk without its filters, but for one: where the elements are still shuffled, copying them to
  /// their places puts their bytes together in the same pass.
  struct Content {
    let bytes: [UInt8]
    let isShuffled: Bool

    /// The same elements, each with its bytes together.
    func unshuffled(_ elementSize: Int) -> Content {
      Content(
        bytes: Kernels.unshuffled(bytes, elementByteWidth: elementSize), isShuffled: false)
    }
  }

  /// The filtered bytes as they were before, filter by filter from the last to the first.
  func undo(_ stored: [UInt8], mask: UInt32) throws -> Content {
    var bytes = stored
    var isShuffled = false
    for (index, filter) in pipeline.filters.enumerated().reversed()
    where mask & 1 << UInt32(index) == 0 {
      switch filter {
      case .deflate:
        let size = sizeBefore(index, mask)
        bytes = try Inflate.inflate(bytes, container: .zlib, limit: size.bytes)
        guard !size.isExact || bytes.count == size.bytes else {
          throw IngotError(
            .malformed, "a chunk inflates to \(bytes.count) bytes where \(size.bytes) are due")
        }
      case .lzf: bytes = try LZF.decompress(bytes, count: sizeBefore(index, mask).bytes)
      case .fletcher32: bytes = try Self.withoutFletcher32(bytes)
      case .shuffle(let width):
        if index == 0, width == elementSize {
          isShuffled = width > 1
        } else {
          bytes = Kernels.unshuffled(bytes, elementByteWidth: width)
        }
      case .foreign(let number, _):
        throw IngotError(.unsupported, "HDF5 filter \(number)")
      }
    }
    guard bytes.count == byteCount else {
      throw IngotError(
        .malformed, "a chunk of \(bytes.count) bytes where \(byteCount) are due")
    }
    return Content(bytes: bytes, isShuffled: isShuffled)
  }

  /// How many bytes filter `index` was given when the chunk was written.
  ///
  /// Those of the chunk, and a checksum for each fletcher32 before it. After another compression only a
  /// bound is known.
  private func sizeBefore(_ index: Int, _ mask: UInt32) -> (bytes: Int, isExact: Bool) {
    var size = byteCount
    var isExact = true
    for (place, filter) in pipeline.filters.prefix(index).enumerated()
    where mask & 1 << UInt32(place) == 0 {
      switch filter {
      case .fletcher32: size += 4
      case .deflate, .lzf:
        size += size / 8 + 64
        isExact = false
      case .shuffle, .foreign: break
      }
    }
    return (size, isExact)
  }

  /// Checks and removes the checksum at the end.
  private static func withoutFletcher32(_ bytes: [UInt8]) throws -> [UInt8] {
    guard bytes.count > 4 else {
      throw IngotError(.malformed, "a chunk of \(bytes.count) bytes with a checksum of 4")
    }
    let end = bytes.count - 4
    let stored = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[end + $1]) << (8 * UInt32($1)) }
    let computed = fletcher32(bytes, end)
    // HDF5 1.6.2 swapped the bytes of each half on little-endian machines.
    let swapped = computed & 0x00FF_00FF << 8 | computed >> 8 & 0x00FF_00FF
    guard stored == computed || stored == swapped else {
      throw IngotError(
        .integrity, Checksum.mismatch("the Fletcher-32", of: "a chunk", stored, computed))
    }
    return Array(bytes[..<end])
  }

  /// Fletcher's checksum over big-endian 16-bit words; an odd last byte is the high half of one.
  private static func fletcher32(_ bytes: [UInt8], _ count: Int) -> UInt32 {
    var low: UInt32 = 0
    var high: UInt32 = 0
    var index = 0
    while index < count {
      // 360 words keep both sums below 2^32.
      let end = min(index + 720, count)
      while index < end {
        let next: UInt32 = index + 1 < count ? UInt32(bytes[index + 1]) : 0
        low += UInt32(bytes[index]) << 8 | next
        high += low
        index += 2
      }
      low = low & 0xFFFF + low >> 16
      high = high & 0xFFFF + high >> 16
    }
    low = low & 0xFFFF + low >> 16
    high = high & 0xFFFF + high >> 16
    return high << 16 | low
  }
}
