private import CSystem
private import Synchronization
private import Tensors

/// Threads that stay from one shared part of a pass to the next.
///
/// A pass has hundreds of such parts, many of them shorter than a thread takes to start and end. Who waits
/// for the next one looks out for it a while before going to sleep.
final class Crew: Sendable {
  static let shared = Crew()

  private struct Post {
    var work: Work?
    /// How many of the helpers are to take part.
    var wanted = 0
    /// How many helpers there are.
    var helpers = 0
  }

  private final class Work: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private let isTaken = Atomic<Bool>(false)
  private let post = Mutex(Post())
  /// How many works have been posted.
  private let posted = Atomic<Int>(0)
  /// How many helpers have not come back from the last.
  private let unfinished = Atomic<Int>(0)
  /// Where those wait who have looked out long enough.
  private let monitor = Monitor()

  /// Looks, with a pause of some 40 cycles after each: about as long as waking a sleeper takes.
  private static let looks = 1 << 11

  /// Runs `body` on this thread and at most `count - 1` others, and waits for all to end; false, and
  /// nothing is done, where the crew is at work already or has no others.
  func run(_ count: Int, _ body: @Sendable () -> Void) -> Bool {
    guard !isTaken.exchange(true, ordering: .acquiring) else { return false }
    defer { isTaken.store(false, ordering: .releasing) }
    let helpers = helpers(count - 1)
    guard helpers > 0 else { return false }
    withoutActuallyEscaping(body) { body in
      post.withLock { $0.work = Work(body) }
      unfinished.store(helpers, ordering: .relaxed)
      posted.wrappingAdd(1, ordering: .releasing)
      monitor.withLock { monitor.announce() }
      body()
      wait { unfinished.load(ordering: .acquiring) == 0 }
      post.withLock { $0.work = nil }
    }
    return true
  }

  /// How many helpers there are, after some were started so that `wanted` can take part.
  private func helpers(_ wanted: Int) -> Int {
    post.withLock { post in
      post.wanted = wanted
      while post.helpers < wanted {
        let (number, seen) = (post.helpers, posted.load(ordering: .relaxed))
        guard Threads.startForever({ self.help(number, after: seen) }) else { break }
        post.helpers += 1
      }
      return post.helpers
    }
  }

  /// What helper `number` does, from the work after number `seen` on.
  private func help(_ number: Int, after seen: Int) -> Never {
    var seen = seen
    while true {
      wait { posted.load(ordering: .acquiring) != seen }
      seen += 1
      takePart(number)
      if unfinished.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
        monitor.withLock { monitor.announce() }
      }
    }
  }

  /// A function of its own, so that nothing of the work is held any more when it returns.
  @inline(never)
  private func takePart(_ number: Int) {
    post.withLock { number < $0.wanted ? $0.work : nil }?.body()
  }

  private func wait(until isDone: () -> Bool) {
    for _ in 0..<Self.looks {
      if isDone() { return }
      ingot_pause()
    }
    monitor.withLock { monitor.wait { !isDone() } }
  }
}
