import Foundation

/// How much more memory this process has taken at its peak since a moment.
struct PeakMemory {
  private let start: Int

  /// Has the system forget the peak until now.
  init() throws {
    try Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs"))
    start = try Self.peak()
  }

  func taken() throws -> Int { try Self.peak() - start }

  private static func peak() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status.firstMatch(of: /VmHWM:\s+(?<size>\d+) kB/)
    return (line.flatMap { Int($0.output.size) } ?? 0) * 1024
  }
}
