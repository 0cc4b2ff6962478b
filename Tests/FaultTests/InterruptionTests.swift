import Foundation
import Tensors
import TestSupport
import Testing

/// Death at a moment that nobody chose: by signals from outside, at random times.
@Suite struct InterruptionTests {
  /// A checkpoint that takes long enough to be killed in the middle.
  private func makeSource(in folder: URL) throws -> String {
    let path = folder.appending(path: "source.npy")
    let count = 6_000_000
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(count),), }"
    header += String(repeating: " ", count: 117 - header.utf8.count) + "\n"
    var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(header.utf8))
    data.append(Data((0..<count * 4).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }))
    try data.write(to: path)
    return path.filePath
  }

  /// Starts a conversion, sends `signals` after a random time, five milliseconds apart, and waits.
  private func interrupt(
    _ arguments: [String], _ signals: [Int32], within time: Double,
    _ generator: inout SeededGenerator
  ) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(filePath: CommandRun.ingot)
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    try process.run()
    usleep(UInt32.random(in: 0...UInt32(time * 1_000_000), using: &generator))
    for (number, signal) in signals.enumerated() {
      if number > 0 { usleep(5000) }
      kill(process.processIdentifier, signal)
    }
    process.waitUntilExit()
    let isSignal = process.terminationReason == .uncaughtSignal
    return process.terminationStatus + (isSignal ? 128 : 0)
  }

  @Test(
    .row("W2", "W3", "W4"),
    arguments: [
      ([SIGKILL], "npz", false), ([SIGTERM], "ingot", false), ([SIGINT], "h5", true),
      ([SIGHUP], "safetensors", true), ([SIGKILL], "safetensors", true),
      ([SIGKILL], "ingot", true), ([SIGKILL], "h5", true), ([SIGKILL], "npy", false),
      ([SIGINT, SIGINT], "npz", true), ([SIGINT, SIGTERM], "safetensors", false),
    ])
  func theDestinationIsAbsentOldOrComplete(
    signals: [Int32], format: String, exists: Bool
  ) throws {
    try Places.withTemporaryFolder { folder in
      let source = try makeSource(in: folder)
      let out = folder.appending(path: "out", directoryHint: .isDirectory)
      try FileManager.default.createDirectory(at: out, withIntermediateDirectories: false)
      let name = "d.\(format)"
      let destination = out.appending(path: name)
      let whole = folder.appending(path: "whole.\(format)")
      let start = Date()
      #expect(try CommandRun.ingot("convert", source, whole.filePath).status == 0)
      let duration = Date().timeIntervalSince(start)
      let complete = [name: try Data(contentsOf: whole)]
      let old = exists ? [name: Data("old".utf8)] : [:]
      var generator = SeededGenerator(seed: UInt64(signals[0]) &+ UInt64(format.utf8.count))
      var outcomes = ["absent or old": 0, "complete": 0]
      for _ in 0..<(Places.isLong ? 1000 : 8) {
        for name in try FileManager.default.contentsOfDirectory(atPath: out.filePath) {
          try FileManager.default.removeItem(at: out.appending(path: name))
        }
        for data in old.values { try data.write(to: destination) }
        let status = try interrupt(
          ["convert", source, destination.filePath, "--quiet"] + (exists ? ["--force"] : []),
          signals, within: duration * 1.2, &generator)
        #expect([0, 128 + signals[0]].contains(status))
        var violation = ""
        let outcome = WriteScene.check(
          try WriteScene.content(of: out), old: old, complete: complete, isSet: false,
          hiddenAtMost: signals == [SIGKILL] && exists ? 1 : 0, violation: &violation)
        #expect(outcome == .complete || outcome == .asBefore, "\(violation)")
        outcomes[outcome == .complete ? "complete" : "absent or old", default: 0] += 1
      }
      print("random signals \(signals), \(format): \(outcomes)")
    }
  }

  @Test(.row("W41"), .enabled(if: FaultShim.isAvailable, "\(FaultShim.absence)"))
  func aReportOrGoldenIsAbsentOrComplete() throws {
    try Places.withTemporaryFolder(in: Places.memory) { folder in
      let model = Places.fixture("models/gpt2")
      let file = folder.appending(path: "r.npz")
      for arguments in [
        ["verify", model, "--golden", model + "/golden.npz", "--report", "json=\(file.filePath)"],
        ["golden", model, "--inputs", model + "/golden.npz", "--output", file.filePath],
      ] {
        try? FileManager.default.removeItem(at: file)
        let (run, calls) = try FaultShim.calls(arguments + ["--jobs", "1"], in: folder)
        #expect(run.status == 0, "\(run.diagnostics)")
        let complete = try Data(contentsOf: file)
        var faults = calls.keys.sorted().flatMap { kind in
          (1...calls[kind, default: 1]).flatMap { number in
            [SIGTERM, SIGKILL].map { Fault(call: kind, number: number, action: .kill($0)) }
          }
        }
        if !Places.isLong {
          var generator = SeededGenerator(seed: 41)
          // The calls that give the file its name, and some of the others.
          let last = faults.filter { ["link", "rename", "sync", "truncate"].contains($0.call) }
          faults = last + faults.shuffled(using: &generator).prefix(10)
        }
        for fault in faults {
          try? FileManager.default.removeItem(at: file)
          let run = try FaultShim.ingot(arguments + ["--jobs", "1"], fault: fault)
          #expect([0, 143, 137].contains(run.status), "\(fault): \(run.diagnostics)")
          let found = try? Data(contentsOf: file)
          #expect(found == nil || found == complete, "\(fault)")
          if run.status == 0 { #expect(found == complete) }
          let names = try FileManager.default.contentsOfDirectory(atPath: folder.filePath)
          let hidden = names.filter { $0.hasPrefix(".") }
          #expect(hidden.isEmpty || run.status == 137, "\(fault): \(hidden)")
          for name in hidden {
            try FileManager.default.removeItem(at: folder.appending(path: name))
          }
        }
      }
    }
  }
}
