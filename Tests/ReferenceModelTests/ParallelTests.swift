import Synchronization
import Tensors
import Testing

@testable import ReferenceModel

/// Work that is handed out to the threads of a pass.
@Suite struct ParallelTests {
  /// How often each number was handed out.
  private func handedOut(_ count: Int, jobs: Int) -> [Int] {
    let times = Mutex([Int](repeating: 0, count: count))
    Parallel.run(count, jobs: jobs) { index in times.withLock { $0[index] += 1 } }
    return times.withLock { $0 }
  }

  @Test func `hands out every number once, whatever the number of threads was before`() {
    for round in 0..<2000 {
      let (count, jobs) = (round % 37, 1 + round % 5)
      #expect(handedOut(count, jobs: jobs) == [Int](repeating: 1, count: count))
    }
  }

  @Test func `never uses more threads than it may`() {
    for jobs in [4, 2, 3] {
      let busy = Mutex((now: 0, most: 0))
      Parallel.run(200, jobs: jobs) { _ in
        busy.withLock { busy in
          busy.now += 1
          busy.most = max(busy.most, busy.now)
        }
        var sum = 0.0
        for step in 1..<500 { sum += 1 / Double(step) }
        busy.withLock { $0.now -= sum > 0 ? 1 : 0 }
      }
      #expect(busy.withLock { $0.most } <= jobs)
    }
  }

  @Test func `threads that rest are woken`() async throws {
    for _ in 0..<20 {
      #expect(handedOut(8, jobs: 3) == [Int](repeating: 1, count: 8))
      // Longer than anybody looks out.
      try await Task.sleep(for: .milliseconds(2))
    }
  }

  @Test func `work that comes from several threads at once, or from within, is done too`() {
    let done = Atomic<Int>(0)
    Threads.run(4) {
      for _ in 0..<50 {
        Parallel.run(6, jobs: 3) { _ in
          Parallel.run(5, jobs: 2) { _ in done.wrappingAdd(1, ordering: .relaxed) }
        }
      }
    }
    #expect(done.load(ordering: .relaxed) == 4 * 50 * 6 * 5)
  }
}
