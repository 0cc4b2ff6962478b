import Foundation
import TestSupport
import Testing

/// The kit itself: what it counts is what the system sees, and the system's own way of failing calls, which
/// knows nothing of libc, gives the same results.
@Suite(
  .enabled(
    if: FaultShim.isAvailable && Machine.canTrace,
    "no strace that may trace, \(FaultShim.absence)"))
struct ShimTests {
  /// The kinds of the write path, and the system calls behind them.
  private static let kinds = [
    "write": ["pwrite64"], "sync": ["fsync", "fdatasync"], "truncate": ["ftruncate"],
    "reserve": ["fallocate"], "link": ["linkat", "link"], "chmod": ["fchmod"],
    "permit": ["fsetxattr", "fremovexattr"], "permissions": ["getxattr"],
    "rename": ["renameat", "renameat2", "rename"], "unlink": ["unlinkat", "unlink"],
  ]

  @Test(.row("W1"), arguments: WriteCase.all)
  func noCallOfTheWritePathEscapesTheShim(_ write: WriteCase) throws {
    try Places.withTemporaryFolder(in: Places.memory) { folder in
      let scene = try WriteScene(write, in: folder)
      try scene.reset()
      let trace = folder.appending(path: "trace")
      let traced = Self.kinds.values.flatMap(\.self).sorted().joined(separator: ",")
      var variables = ["-E", "LD_PRELOAD=" + (FaultShim.library ?? "")]
      if let always = write.always { variables += ["-E", "FAULT_ALWAYS=" + always] }
      let run = try CommandRun.run(
        "/usr/bin/env",
        ["strace", "-f", "-qq", "-o", trace.filePath, "-e", "trace=" + traced] + variables
          + [CommandRun.ingot] + scene.arguments)
      #expect(run.status == 0, "\(run.diagnostics)")
      let text = try String(contentsOf: trace, encoding: .utf8)
      let seen = Dictionary(
        grouping: text.split(separator: "\n").compactMap { line -> String? in
          // `PID  pwrite64(3, …`, once more as `resumed` where another thread came between.
          guard let end = line.firstIndex(of: "("), !line.contains("resumed>") else { return nil }
          return line[..<end].split(separator: " ").last.map(String.init)
        }, by: \.self
      ).mapValues(\.count)
      for (kind, calls) in Self.kinds {
        // Calls that fail throughout never reach the system.
        guard write.always?.hasPrefix(kind) != true else { continue }
        let count = calls.reduce(0) { $0 + seen[$1, default: 0] }
        #expect(count == scene.calls[kind, default: 0], "\(kind): \(seen)")
      }
    }
  }

  @Test(
    .row("W1", "W3", "W5", "W8"),
    arguments: [
      ("pwrite64:error=ENOSPC:when=2", 74), ("fsync:error=EIO:when=1", 74),
      ("fallocate:error=EDQUOT:when=1", 74), ("ftruncate:error=EIO:when=1", 74),
      ("linkat:error=EIO:when=1", 74), ("linkat:error=EPERM:when=1", 0),
      ("pwrite64:signal=KILL:when=3", 137), ("linkat:signal=KILL:when=1", 137),
      ("pwrite64:error=EINTR:when=1+2", 0), ("pread64:error=EIO:when=5", 74),
    ])
  func callsFailInTheKernelAsTheyDoInTheShim(injection: String, status: Int) throws {
    for replaces in [false, true] {
      try Places.withTemporaryFolder(in: Places.memory) { folder in
        let scene = try WriteScene(.named("npz", replaces: replaces), in: folder)
        try scene.reset()
        let run = try CommandRun.run(
          "/usr/bin/env",
          [
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=" + injection,
            CommandRun.ingot,
          ] + scene.arguments)
        #expect(run.status == Int32(status), "\(run.diagnostics)")
        var violation = ""
        let outcome = try scene.check(
          killed: status == 137, leftoverIsTold: false, violation: &violation)
        let isComplete = status == 0
        #expect(outcome == (isComplete ? .complete : .asBefore), "\(violation)")
      }
    }
  }
}
