internal import Tensors

/// Lets threads pass one point in the order of their numbers.
///
/// Pieces are encoded in any order, but the place of one in the file is known only when the sizes of
/// all before it are. Tasks are handed out in order, so the thread that is waited for always runs.
final class Sequencer: @unchecked Sendable {
  /// Thrown to threads that wait for one that has failed; the failure itself has a lower number.
  struct Cancelled: Error {}

  /// Guards what follows.
  private let monitor = Monitor()
  private var next = 0
  private var isCancelled = false

  /// Waits until all lower numbers have passed, runs `body` alone, and lets the next number in.
  ///
  /// - Throws: what `body` throws, and `Cancelled` after a lower number has failed.
  func pass<Result>(_ number: Int, _ body: () throws -> Result) throws -> Result {
    try monitor.withLock {
      monitor.wait { next != number && !isCancelled }
      guard !isCancelled else { throw Cancelled() }
      defer { monitor.notifyAll() }
      do {
        let result = try body()
        next = number + 1
        return result
      } catch {
        isCancelled = true
        throw error
      }
    }
  }

  /// Wakes every waiting thread with `Cancelled`: a lower number will never come.
  func cancel() {
    monitor.withLock {
      isCancelled = true
      monitor.notifyAll()
    }
  }
}
