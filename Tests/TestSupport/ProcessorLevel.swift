import Synchronization
import Tensors

extension Kernels.Level {
  private static let inUse = Mutex(())

  /// Calls `body` while the kernels use at most this level; one test at a time, because the level is the process's.
  ///
  /// Where the processor lacks the level, the highest that it has is used.
  package func use<Result>(_ body: () throws -> Result) rethrows -> Result {
    try Self.inUse.withLock { _ in
      Kernels.limit(to: self)
      defer { Kernels.limit(to: .avx512) }
      return try body()
    }
  }
}
