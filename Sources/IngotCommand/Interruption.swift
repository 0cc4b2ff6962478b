internal import Ingot

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// SIGHUP, SIGINT and SIGTERM: one thread waits for them, removes temporary names, and ends the
/// process with 128 plus the signal's number.
///
/// No handler runs in the middle of other code.
enum Interruption {
  /// Blocks the signals in this thread, and so in all that it starts, and starts the waiting thread.
  static func prepare() {
    // Where a standard stream is closed the next file would take its number, and messages would be
    // written into a checkpoint.
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      _ = unsafe open("/dev/null", O_RDWR)
    }
    // A reader that goes away, or a file size limit, is an error of a call and not the end.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for number in [SIGHUP, SIGINT, SIGTERM] { unsafe sigaddset(&signals, number) }
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    var thread = pthread_t()
    unsafe pthread_create(&thread, nil, { _ in Interruption.wait() }, nil)
  }

  private static func wait() -> Never {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for number in [SIGHUP, SIGINT, SIGTERM] { unsafe sigaddset(&signals, number) }
    var number: Int32 = 0
    while unsafe sigwait(&signals, &number) != 0 {}
    let name = number == SIGINT ? "SIGINT" : number == SIGTERM ? "SIGTERM" : "SIGHUP"
    CommitSection.exit(status: 128 + number) { leftovers in
      StandardStreams.note("ingot: interrupted by \(name); no partial output remains")
      leftovers.forEach { StandardStreams.note("note: \($0)") }
    }
  }
}
