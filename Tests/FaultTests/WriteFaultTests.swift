import Foundation
import Synchronization
import Tensors
import TestSupport
import Testing

/// Every system call of the write path, each made to fail in every way, for every format, new and replacing.
///
/// The destination is then absent, or what it was, or complete; of a set (shards and their index) all is
/// old, all is complete, or there is no index. The exit status says which class of failure it was, nothing
/// is left behind, and the source is as it was. First the calls of a run are counted, then each is hit in
/// turn: all of them with `INGOT_LONG=1`, otherwise a sample that is the same every time.
@Suite(.enabled(if: FaultShim.isAvailable, "\(FaultShim.absence)"))
struct WriteFaultTests {
  /// Faults of a case that a developer waits for.
  private static let sampleSize = 4

  /// How the runs of a test ended.
  private struct Tally: CustomStringConvertible {
    var runs = 0
    var complete = 0
    var asBefore = 0
    var between = 0
    var statuses: [Int32: Int] = [:]

    var description: String {
      let statuses = statuses.sorted { $0.key < $1.key }.map { "\($0.key)×\($0.value)" }
      return
        "\(runs) faults: \(complete) complete, \(asBefore) as before, \(between) without index;"
        + " status \(statuses.joined(separator: " "))"
    }
  }

  /// All runs of this process so far.
  private static let total = Mutex(0)

  /// Runs the case once for each fault.
  ///
  /// - Parameters:
  ///   - statuses: The exit statuses that a fault may have.
  ///   - text: What every run says that fails with 74.
  private func provoke(
    _ write: WriteCase, _ name: String,
    _ makeFaults: (_ calls: [String: Int]) -> [Fault],
    statuses: (Fault) -> Set<Int32>, says text: String = ""
  ) throws {
    try Places.withTemporaryFolder(in: Places.memory) { folder in
      let scene = try WriteScene(write, in: folder)
      var faults = makeFaults(scene.calls)
      if !Places.isLong {
        var generator = SeededGenerator(
          seed: UInt64(write.testDescription.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) }))
        faults = Array(faults.shuffled(using: &generator).prefix(Self.sampleSize))
      }
      var tally = Tally()
      for fault in faults {
        try scene.reset()
        let run = try FaultShim.ingot(scene.arguments, fault: fault, always: write.always)
        let isKilled = run.status == 128 + SIGKILL
        var violation = ""
        let outcome = try scene.check(
          killed: isKilled, leftoverIsTold: run.diagnostics.contains("could not be"),
          violation: &violation)
        #expect(outcome != nil, "\(write), \(fault): \(violation)\n\(run.diagnostics)")
        #expect(
          statuses(fault).contains(run.status),
          "\(write), \(fault): \(run.status) \(run.diagnostics)")
        if run.status == 0 { #expect(outcome == .complete, "\(write), \(fault)") }
        // Where nothing can be renamed any more, not even back, the old files are named.
        if outcome == .between {
          #expect(
            isKilled || run.diagnostics.contains("could not be put back"), "\(write), \(fault)")
        }
        if run.status == 74, !text.isEmpty {
          #expect(run.diagnostics.contains(text), "\(write), \(fault): \(run.diagnostics)")
        }
        if run.status == 74, outcome == .complete {
          #expect(run.diagnostics.contains("is in place"), "\(write), \(fault): \(run.diagnostics)")
        }
        expectReadable(run, "\(write), \(fault)")
        tally.runs += 1
        tally.statuses[run.status, default: 0] += 1
        switch outcome {
        case .complete: tally.complete += 1
        case .asBefore: tally.asBefore += 1
        case .between: tally.between += 1
        case nil: break
        }
      }
      let sum = Self.total.withLock { total in
        total += tally.runs
        return total
      }
      print("\(name), \(write.testDescription): \(tally) (\(sum) so far)")
    }
  }

  /// One line of a cause, then only hints and notes.
  private func expectReadable(_ run: CommandRun, _ what: String) {
    let lines = run.diagnosticLines
    guard run.status != 0, run.status != 128 + SIGKILL else {
      #expect(lines.allSatisfy { $0.hasPrefix("note: ") }, "\(what): \(run.diagnostics)")
      return
    }
    #expect(lines.first?.hasPrefix("ingot: ") == true, "\(what): \(run.diagnostics)")
    #expect(
      lines.dropFirst().allSatisfy { $0.hasPrefix("hint: ") || $0.hasPrefix("note: ") },
      "\(what): \(run.diagnostics)")
    #expect(run.diagnostics.utf8.count <= 4096)
  }

  /// Each call of each kind, with each action.
  private func faults(
    _ calls: [String: Int], _ kinds: [String]? = nil, count: Int = 1, step: Int = 1,
    doing actions: FaultAction...
  ) -> [Fault] {
    (kinds ?? calls.keys.sorted()).flatMap { kind in
      (0..<calls[kind, default: 0]).flatMap { number in
        actions.map {
          Fault(call: kind, number: number + 1, action: $0, count: count, step: step)
        }
      }
    }
  }

  @Test(.row("W1"), arguments: WriteCase.all)
  func deathBeforeAnyCall(_ write: WriteCase) throws {
    try provoke(
      write, "death", { faults($0, doing: .kill(SIGKILL)) }, statuses: { _ in [128 + SIGKILL] })
  }

  @Test(.row("W3"), arguments: WriteCase.all)
  func aSignalBeforeAnyCall(_ write: WriteCase) throws {
    try provoke(
      write, "signals", { faults($0, doing: .kill(SIGTERM), .kill(SIGINT), .kill(SIGHUP)) },
      statuses: { fault in
        guard case .kill(let signal) = fault.action else { return [] }
        // One that comes when all is done is too late.
        return [0, 128 + signal]
      })
  }

  @Test(.row("W5", "W7"), arguments: WriteCase.all)
  func aFullDiskAtAnyCall(_ write: WriteCase) throws {
    try provoke(
      write, "full once", { faults($0, doing: .error(ENOSPC)) }, statuses: { _ in [0, 74] })
  }

  @Test(.row("W6"), arguments: WriteCase.all)
  func aDiskThatStaysFullFromAnyCallOn(_ write: WriteCase) throws {
    try provoke(
      write, "full from then on",
      { faults($0, count: 0, doing: .error(ENOSPC), .error(EDQUOT), .error(EIO)) },
      statuses: { _ in [0, 74] })
  }

  @Test(.row("W8"), arguments: WriteCase.all)
  func anyErrorAtAnyCall(_ write: WriteCase) throws {
    try provoke(
      write, "errors",
      {
        faults(
          $0, doing: .error(EDQUOT), .error(EIO), .error(ENOMEM), .error(EROFS), .error(EPERM),
          .error(EACCES))
      },
      statuses: { fault in
        let isOfThePlace = [.error(EROFS), .error(EPERM), .error(EACCES)].contains(fault.action)
        // The source and its folder are opened too.
        let isOfTheSource = ["open", "open-folder", "status-of-name"].contains(fault.call)
        return isOfThePlace ? (isOfTheSource ? [0, 66, 73, 74] : [0, 73, 74]) : [0, 74]
      })
  }

  @Test(.row("W10", "G21"), arguments: WriteCase.all)
  func shortTransfersAreContinued(_ write: WriteCase) throws {
    try provoke(
      write, "short transfers",
      { faults($0, ["write", "read"], doing: .half, .one) + faults($0, ["write"], doing: .zero) },
      statuses: { _ in [0] })
    try provoke(
      write, "short transfers, all of them",
      { faults($0, ["write", "read"], count: 0, step: 2, doing: .half) }, statuses: { _ in [0] })
  }

  @Test(.row("W10"), arguments: WriteCase.all)
  func aDeviceThatTakesNothingIsAnError(_ write: WriteCase) throws {
    try provoke(
      write, "nothing written", { faults($0, ["write"], count: 0, doing: .zero) },
      statuses: { _ in [74] })
  }

  @Test(.row("W11"), arguments: WriteCase.all)
  func interruptedCallsAreMadeAgain(_ write: WriteCase) throws {
    let kinds = [
      "open", "open-folder", "open-unnamed", "create", "read", "write", "reserve", "truncate",
      "sync", "chmod", "link", "rename", "unlink", "close", "duplicate",
    ]
    try provoke(
      write, "interrupted", { faults($0, kinds, doing: .error(EINTR)) }, statuses: { _ in [0] })
    try provoke(
      write, "interrupted, each second call",
      {
        faults($0, kinds, count: 0, step: 2, doing: .error(EINTR))
          + faults($0, ["read", "write"], count: 0, step: 2, doing: .error(EAGAIN))
      }, statuses: { _ in [0] })
  }

  @Test(.row("W37"), arguments: WriteCase.all)
  func aBitThatFlipsInAnyWriteIsFound(_ write: WriteCase) throws {
    try provoke(
      write, "flipped bits", { faults($0, ["write"], doing: .flip) },
      // What is written twice is right in the end.
      statuses: { _ in [0, 74] }, says: "differs from")
  }
}
