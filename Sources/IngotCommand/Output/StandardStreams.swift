internal import Ingot

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// stdout carries the result, stderr everything else.
enum StandardStreams {
  /// Prints a line of the result.
  static func print(_ text: String) { writeLine(Array(text.utf8), to: STDOUT_FILENO) }

  /// Prints a result as JSON.
  static func print(_ value: JSON) { writeLine(value.bytes(.indented), to: STDOUT_FILENO) }

  /// Prints a line for the person at the terminal.
  static func note(_ text: String) { writeLine(Array(text.utf8), to: STDERR_FILENO) }

  /// Writes text as it is to stderr.
  static func progress(_ text: String) { write(Array(text.utf8), to: STDERR_FILENO) }

  /// The width of the terminal that shows stderr, or nil where that is none.
  static var terminalWidth: Int? {
    guard isatty(STDERR_FILENO) == 1 else { return nil }
    var size = winsize()
    guard unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      return 80
    }
    return Int(size.ws_col)
  }

  private static func writeLine(_ text: consuming [UInt8], to descriptor: Int32) {
    text.append(UInt8(ascii: "\n"))
    write(text, to: descriptor)
  }

  private static func write(_ text: [UInt8], to descriptor: Int32) {
    var bytes = text[...]
    while !bytes.isEmpty {
      let count = unsafe bytes.withUnsafeBytes {
        #if canImport(Glibc)
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
        #elseif canImport(Musl)
        unsafe Musl.write(descriptor, $0.baseAddress, $0.count)
        #else
        unsafe Darwin.write(descriptor, $0.baseAddress, $0.count)
        #endif
      }
      if count < 0 {
        if errno == EINTR || errno == EAGAIN { continue }
        // `ingot inspect … | head`: whoever reads has seen enough.
        if errno == EPIPE, descriptor == STDOUT_FILENO { Failure.finish(0) }
        // A full disk behind a redirected result must not look like success.
        if descriptor == STDOUT_FILENO {
          let reason = SystemCalls.message(errno)
          note("ingot: the result cannot be printed: \(reason)")
          Failure.finish(74)
        }
        return
      }
      bytes = bytes.dropFirst(count)
    }
  }
}
