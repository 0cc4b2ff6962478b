#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Threads that last as long as the work they were started for.
///
/// Not libdispatch's: it ends the process where it gets no file descriptor for its own use.
package enum Threads {
  /// Runs `body` on at most `count` threads at once, this one among them, and waits for all to end.
  ///
  /// Where the system gives no more threads, fewer do the work: each takes what is left of it.
  package static func run(_ count: Int, _ body: @Sendable () -> Void) {
    guard count > 1 else { return body() }
    withoutActuallyEscaping(body) { body in
      let work = Work(body)
      var threads: [pthread_t] = []
      while threads.count < count - 1, let thread = start(work) { threads.append(thread) }
      body()
      // Each thread is joined once, and `work` lives until the last has ended.
      for thread in threads { pthread_join(thread, nil) }
      withExtendedLifetime(work) {}
    }
  }

  /// Runs `body` on this thread while `other` runs on one of its own, and waits for it; where the system gives
  /// none, `other` runs after `body`.
  package static func run(
    beside other: @Sendable () -> Void, _ body: () throws -> Void
  ) rethrows {
    try withoutActuallyEscaping(other) { other in
      let work = Work(other)
      let thread = start(work)
      defer {
        if let thread { pthread_join(thread, nil) } else { other() }
        withExtendedLifetime(work) {}
      }
      try body()
    }
  }

  /// Starts a thread that ends with the process; false where the system gives none.
  package static func startDetached(_ body: @escaping @Sendable () -> Never) -> Bool {
    let work = Work { body() }
    guard let thread = start(work) else { return false }
    pthread_detach(thread)
    // The thread borrows it for good.
    _ = unsafe Unmanaged.passRetained(work)
    return true
  }

  private final class Work: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private static func start(_ work: Work) -> pthread_t? {
    // The thread borrows `work`, which `run` keeps until it has joined the thread.
    let argument = unsafe Unmanaged.passUnretained(work).toOpaque()
    #if canImport(Darwin)
    var thread: pthread_t?
    let code = unsafe pthread_create(
      &thread, nil,
      { argument in
        unsafe Unmanaged<Work>.fromOpaque(argument).takeUnretainedValue().body()
        return nil
      }, argument)
    return code == 0 ? thread : nil
    #else
    var thread = pthread_t()
    let code = unsafe pthread_create(
      &thread, nil,
      { argument in
        if let argument = unsafe argument {
          unsafe Unmanaged<Work>.fromOpaque(argument).takeUnretainedValue().body()
        }
        return nil
      }, argument)
    return code == 0 ? thread : nil
    #endif
  }
}
