private import Synchronization
private import Tensors

/// Work on several threads.
enum Parallel {
  /// Calls `body` for 0 ..< `count`, handed out in order to at most `jobs` threads.
  static func run(_ count: Int, jobs: Int, _ body: @Sendable (Int) -> Void) {
    let threads = min(jobs, count)
    guard threads > 1 else {
      for index in 0..<count { body(index) }
      return
    }
    let next = Atomic<Int>(0)
    @Sendable func work() {
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < count else { return }
        body(index)
      }
    }
    if !ThreadPool.shared.run(threads, work) { Threads.run(threads, work) }
  }

  /// The same for work that can fail.
  ///
  /// - Throws: what the lowest number that failed threw, so that the message does not depend on timing.
  static func run(_ count: Int, jobs: Int, _ body: @Sendable (Int) throws -> Void) throws {
    let failure = Mutex<(index: Int, error: any Error)?>(nil)
    run(count, jobs: jobs) { index in
      do {
        try body(index)
      } catch {
        failure.withLock { known in
          if known.map({ index < $0.index }) ?? true { known = (index, error) }
        }
      }
    }
    if let failure = failure.withLock({ $0 }) { throw failure.error }
  }

  /// Elements below which another thread costs more than it helps.
  private static let leastElements = 1 << 14

  /// `rows` rows cut into runs that keep `jobs` threads busy.
  static func runs(_ rows: Int, elementsEach width: Int, jobs: Int) -> [Range<Int>] {
    let pieces = jobs > 1 ? min(4 * jobs, rows * width / leastElements) : 1
    guard pieces > 1 else { return [0..<rows] }
    let size = (rows + pieces - 1) / pieces
    return stride(from: 0, to: rows, by: size).map { $0..<min($0 + size, rows) }
  }
}
