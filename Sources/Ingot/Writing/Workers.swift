private import Synchronization
internal import Tensors

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Runs numbered tasks on several threads.
enum Workers {
  /// The number of processors that are online.
  static var processorCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  private struct Failure {
    var task: Int
    var error: any Error
  }

  /// Runs tasks `0 ..< count`, handed out in order to at most `jobs` threads.
  ///
  /// Each thread has a workspace of its own, made by `makeWorkspace`.
  ///
  /// - Throws: of all failed tasks the one with the lowest number, so that the same input gives the
  /// same message whatever the threads' timing. No task is started after a failure.
  static func run<Workspace>(
    _ count: Int, jobs: Int, makeWorkspace: @Sendable () -> Workspace,
    _ body: @Sendable (Int, inout Workspace) throws -> Void
  ) throws {
    let next = Atomic<Int>(0)
    let failure = Mutex<Failure?>(nil)
    @Sendable func work() {
      var workspace = makeWorkspace()
      while failure.withLock({ $0 == nil }) {
        let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard task < count else { return }
        do {
          try body(task, &workspace)
        } catch {
          failure.withLock { known in
            if known.map({ task < $0.task }) ?? true { known = Failure(task: task, error: error) }
          }
        }
      }
    }
    let threads = max(1, min(jobs, count))
    Threads.run(threads, work)
    if let failure = failure.withLock({ $0 }) { throw failure.error }
  }

  /// The results of tasks `0 ..< count`, in order; see `run`.
  static func map<Workspace, Result: Sendable>(
    _ count: Int, jobs: Int, makeWorkspace: @Sendable () -> Workspace,
    _ body: @Sendable (Int, inout Workspace) throws -> Result
  ) throws -> [Result] {
    let results = Mutex<[Result?]>([Result?](repeating: nil, count: count))
    try run(count, jobs: jobs, makeWorkspace: makeWorkspace) { task, workspace in
      let result = try body(task, &workspace)
      results.withLock { $0[task] = result }
    }
    return results.withLock { $0.compactMap { $0 } }
  }
}
