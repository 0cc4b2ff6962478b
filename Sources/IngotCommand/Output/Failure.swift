internal import Ingot

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Says what went wrong, once, in the form that was asked for.
enum Failure {
  /// Prints the error (one line and perhaps a hint on stderr; with `--json` one object on stdout) and
  /// ends the process with the status of its class; `details` are members of that object.
  static func exit(_ error: IngotError, details: [JSON.Member] = []) -> Never {
    if CommandLine.arguments.contains("--json") {
      StandardStreams.print(json(error, details))
    }
    StandardStreams.note("ingot: \(error)")
    if let hint = error.hint {
      StandardStreams.note("hint: \(hint.escapedForDisplay(limit: 1024))")
    }
    finish(error.errorClass.exitStatus)
  }

  /// Ends the process, having told what could not be removed.
  static func finish(_ status: Int32) -> Never {
    CommitSection.leftovers.forEach { StandardStreams.note("note: \($0)") }
    #if canImport(Glibc)
    Glibc.exit(status)
    #elseif canImport(Musl)
    Musl.exit(status)
    #else
    Darwin.exit(status)
    #endif
  }

  private static func json(_ error: IngotError, _ details: [JSON.Member]) -> JSON {
    let members: [JSON.Member] = [
      .init("class", .string(error.errorClass.rawValue)),
      .init("message", .string(error.message)), .init("file", JSON(error.file)),
      .init("tensor", JSON(error.tensor)),
      .init("offset", error.offset.map { JSON($0) } ?? .null), .init("hint", JSON(error.hint)),
    ]
    return ["error": .object(members + details)]
  }

  /// The first line of the parser's message without its `Error: `.
  static func plainMessage(_ text: String) -> String {
    let line = text.split(separator: "\n").first.map(String.init) ?? text
    return line.hasPrefix("Error: ") ? String(line.dropFirst(7)) : line
  }
}
