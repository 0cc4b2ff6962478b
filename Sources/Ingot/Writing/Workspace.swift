#if os(Linux)
private import CSystem
#endif

/// One thread's buffer.
struct Workspace {
  var buffer: [UInt8] = []

  /// The buffer with at least `count` bytes.
  mutating func grow(to count: Int) {
    guard buffer.count < count else { return }
    buffer = []
    buffer = unsafe [UInt8](unsafeUninitializedCapacity: count) { bytes, initialized in
      #if os(Linux)
      unsafe ingot_prefer_huge_pages(bytes.baseAddress, count)
      #endif
      unsafe bytes.initialize(repeating: 0)
      initialized = count
    }
  }
}
