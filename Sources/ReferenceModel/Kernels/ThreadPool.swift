private import CSystem
private import Synchronization
private import Tensors

/// Threads that stay from one parallel region of a pass to the next.
///
/// A pass has hundreds of regions, many of them shorter than a thread takes to start and end. Who waits for
/// the next one spins for a while before going to sleep.
final class ThreadPool: Sendable {
  static let shared = ThreadPool()

  private struct Region {
    var work: Work?
    /// How many of the workers are to take part.
    var wanted = 0
    /// How many workers there are.
    var workers = 0
  }

  private final class Work: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private let isTaken = Atomic<Bool>(false)
  private let region = Mutex(Region())
  /// How many regions have begun.
  private let begun = Atomic<Int>(0)
  /// How many workers have not come back from the last.
  private let unfinished = Atomic<Int>(0)
  /// Where those sleep who have spun long enough.
  private let monitor = Monitor()

  /// Spins, of some 40 cycles each: together about as long as waking a sleeper takes.
  private static let mostSpins = 1 << 11

  /// Runs `body` on this thread and at most `count - 1` others, and waits for all to end; false, and
  /// nothing is done, where the pool is at work already or has no others.
  func run(_ count: Int, _ body: @Sendable () -> Void) -> Bool {
    guard !isTaken.exchange(true, ordering: .acquiring) else { return false }
    defer { isTaken.store(false, ordering: .releasing) }
    let workers = workers(count - 1)
    guard workers > 0 else { return false }
    withoutActuallyEscaping(body) { body in
      region.withLock { $0.work = Work(body) }
      unfinished.store(workers, ordering: .relaxed)
      begun.wrappingAdd(1, ordering: .releasing)
      monitor.withLock { monitor.notifyAll() }
      body()
      wait { unfinished.load(ordering: .acquiring) == 0 }
      region.withLock { $0.work = nil }
    }
    return true
  }

  /// How many workers there are, after some were started so that `wanted` can take part.
  private func workers(_ wanted: Int) -> Int {
    region.withLock { region in
      region.wanted = wanted
      while region.workers < wanted {
        let (number, seen) = (region.workers, begun.load(ordering: .relaxed))
        guard Threads.startDetached({ self.serve(number, after: seen) }) else { break }
        region.workers += 1
      }
      return region.workers
    }
  }

  /// What worker `number` does, from the region after number `seen` on.
  private func serve(_ number: Int, after seen: Int) -> Never {
    var seen = seen
    while true {
      wait { begun.load(ordering: .acquiring) != seen }
      seen += 1
      takePart(number)
      if unfinished.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
        monitor.withLock { monitor.notifyAll() }
      }
    }
  }

  /// A function of its own, so that nothing of the work is held any more when it returns.
  @inline(never)
  private func takePart(_ number: Int) {
    region.withLock { number < $0.wanted ? $0.work : nil }?.body()
  }

  private func wait(until isDone: () -> Bool) {
    for _ in 0..<Self.mostSpins {
      if isDone() { return }
      ingot_pause()
    }
    monitor.withLock { monitor.wait { !isDone() } }
  }
}
