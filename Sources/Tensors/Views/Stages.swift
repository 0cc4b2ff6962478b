private import Synchronization

/// Stages that are not in use, at most as many as threads copied at one time.
///
/// A fresh one costs more than what is done with it: the system clears and maps each of its pages.
enum Stages {
  /// What stays in the second cache of a core.
  static let cachedByteCount = 512 << 10

  private static let spare = Mutex<[[UInt8]]>([])

  /// A stage of at least `byteCount` bytes.
  static func take(_ byteCount: Int) -> [UInt8] {
    let stage = spare.withLock { $0.popLast() } ?? []
    return stage.count >= byteCount
      ? stage : [UInt8](repeating: 0, count: max(byteCount, cachedByteCount))
  }

  /// Keeps a stage for others.
  static func giveBack(_ stage: [UInt8]) { spare.withLock { $0.append(stage) } }
}
