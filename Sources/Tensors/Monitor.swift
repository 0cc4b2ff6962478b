#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// A lock, and waiting for a change of what it guards.
@safe package final class Monitor: @unchecked Sendable {
  // Both are allocated for the lifetime of the object and only used through the pthread calls.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let variable = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  package init() {
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(variable, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(variable)
    unsafe pthread_mutex_destroy(mutex)
    unsafe variable.deallocate()
    unsafe mutex.deallocate()
  }

  /// Runs `body` alone.
  package func withLock<Result>(_ body: () throws -> Result) rethrows -> Result {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    return try body()
  }

  /// Within `withLock`: lets others in while `condition` holds; who changes that calls `notifyAll`.
  package func wait(while condition: () -> Bool) {
    while condition() { unsafe pthread_cond_wait(variable, mutex) }
  }

  /// Within `withLock`: has all that wait look again.
  package func notifyAll() { unsafe pthread_cond_broadcast(variable) }
}
