import Foundation
import TestSupport
import Tensors
import Testing

/// A conversion that dies at any moment leaves the destination absent, old, or complete.
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

  private func names(in folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.filePath).sorted()
  }

  @Test(arguments: [
    (SIGKILL, "npz", false), (SIGTERM, "ingot", false), (SIGINT, "h5", true),
    (SIGHUP, "safetensors", true), (SIGKILL, "safetensors", true), (SIGKILL, "ingot", true),
  ])
  func theDestinationIsAbsentOldOrComplete(signal: Int32, format: String, exists: Bool) throws {
    try Places.withTemporaryFolder { folder in
      let source = try makeSource(in: folder)
      let out = folder.appending(path: "out", directoryHint: .isDirectory)
      try FileManager.default.createDirectory(at: out, withIntermediateDirectories: false)
      let destination = out.appending(path: "d.\(format)")
      let whole = folder.appending(path: "whole.\(format)")
      #expect(try CommandRun.ingot("convert", source, whole.filePath).status == 0)
      let complete = try Data(contentsOf: whole)
      let old = Data("old".utf8)
      var generator = SeededGenerator(seed: UInt64(signal))
      var outcomes = ["absent or old": 0, "complete": 0]
      for _ in 0..<25 {
        try? FileManager.default.removeItem(at: destination)
        if exists { try old.write(to: destination) }
        let process = Process()
        process.executableURL = URL(filePath: CommandRun.ingot)
        process.arguments =
          ["convert", source, destination.filePath, "--quiet"] + (exists ? ["--force"] : [])
        process.standardError = FileHandle.nullDevice
        try process.run()
        usleep(UInt32.random(in: 0...60_000, using: &generator))
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        let status = process.terminationStatus
        if signal != SIGKILL {
          #expect(process.terminationReason == .exit || status == signal)
          #expect([0, 128 + signal, signal].contains(status))
        }
        let left = try names(in: out)
        // After SIGKILL between link and rename one hidden sibling may remain, never anything else.
        let unexpected = left.filter {
          $0 != "d.\(format)"
            && !(signal == SIGKILL && exists && $0.hasPrefix(".d.\(format).ingot-"))
        }
        #expect(unexpected.isEmpty)
        let found = try? Data(contentsOf: destination)
        if found == complete {
          outcomes["complete", default: 0] += 1
        } else {
          #expect(found == (exists ? old : nil))
          outcomes["absent or old", default: 0] += 1
        }
      }
      #expect(outcomes["absent or old", default: 0] > 0)
    }
  }
}
