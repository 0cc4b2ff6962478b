private import Synchronization

/// How far a conversion is; read by whoever shows it.
public final class ProgressMeter: Sendable {
  private let done = Atomic<Int>(0)
  private let expected = Atomic<Int>(0)
  private let latest = Mutex("")

  /// A meter at zero.
  public init() {}

  /// The bytes that are done.
  public var completedBytes: Int { done.load(ordering: .relaxed) }
  /// The bytes that there are to do, as far as they are known.
  public var totalBytes: Int { expected.load(ordering: .relaxed) }
  /// The tensor that was last worked on.
  public var currentName: String { latest.withLock { $0 } }

  func expect(_ bytes: Int) { expected.wrappingAdd(bytes, ordering: .relaxed) }

  func advance(by bytes: Int, at name: ExactString) {
    done.wrappingAdd(bytes, ordering: .relaxed)
    latest.withLock { $0 = name.text }
  }
}
