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
  /// The lowest number that has failed: those from it on never pass, those before it still do.
  private var failed = Int.max

  /// Waits until all lower numbers have passed, runs `body` alone, and lets the next number in.
  ///
  /// - Throws: what `body` throws, and `Cancelled` after a lower number has failed.
  func pass<Result>(_ number: Int, _ body: () throws -> Result) throws -> Result {
    try monitor.withLock {
      monitor.wait { next != number && number < failed }
      guard number < failed else { throw Cancelled() }
      defer { monitor.notifyAll() }
      do {
        let result = try body()
        next = number + 1
        return result
      } catch {
        failed = number
        throw error
      }
    }
  }

  /// Wakes with `Cancelled` every thread that waits for `number` or a higher one, which will never come.
  ///
  /// Those before it pass as ever: were they woken too, they would seem to be what failed first.
  func cancel(from number: Int) {
    monitor.withLock {
      failed = min(failed, number)
      monitor.notifyAll()
    }
  }
}
