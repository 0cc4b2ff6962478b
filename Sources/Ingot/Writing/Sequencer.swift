#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Lets threads pass one point in the order of their numbers.
///
/// Pieces are encoded in any order, but the place of one in the file is known only when the sizes of
/// all before it are. Tasks are handed out in order, so the thread that is waited for always runs.
@safe final class Sequencer: @unchecked Sendable {
  /// Thrown to threads that wait for one that has failed; the failure itself has a lower number.
  struct Cancelled: Error {}

  // Both are allocated for the lifetime of the object and only used through the pthread calls.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var next = 0
  private var isCancelled = false

  init() {
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(condition, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  /// Waits until all lower numbers have passed, runs `body` alone, and lets the next number in.
  ///
  /// - Throws: what `body` throws, and `Cancelled` after a lower number has failed.
  func pass<Result>(_ number: Int, _ body: () throws -> Result) throws -> Result {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    while next != number, !isCancelled { unsafe pthread_cond_wait(condition, mutex) }
    guard !isCancelled else { throw Cancelled() }
    do {
      let result = try body()
      next = number + 1
      unsafe pthread_cond_broadcast(condition)
      return result
    } catch {
      isCancelled = true
      unsafe pthread_cond_broadcast(condition)
      throw error
    }
  }

  /// Wakes every waiting thread with `Cancelled`: a lower number will never come.
  func cancel() {
    unsafe pthread_mutex_lock(mutex)
    isCancelled = true
    unsafe pthread_cond_broadcast(condition)
    unsafe pthread_mutex_unlock(mutex)
  }
}
