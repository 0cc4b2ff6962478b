import Foundation
import Ingot
import Tensors
import TestSupport
import Testing

/// Every read of every reader, failing, interrupted and short; sources that change while they are read.
@Suite(.enabled(if: FaultShim.isAvailable, "\(FaultShim.absence)"))
struct ReadFaultTests {
  /// A file of each format and layout, copied by themselves or with the files that they name.
  static let sources = [
    "npy/fortran-2d.npy", "npz/savez.npz", "npz/savez-compressed.npz",
    "safetensors/dtypes.safetensors", "safetensors/sharded.safetensors.index.json",
    "native/compressed.ingot", "native/small.ingot", "hdf5/filters_v0.h5",
    "hdf5/filters_latest.h5", "hdf5/layouts_latest.h5", "hdf5/dtypes_v0.h5",
    "keras/keras3-mixed.h5", "keras/keras3-mixed.weights.h5", "keras/keras3-optimizer.keras",
    "keras/keras3-sharded.weights.json",
  ]

  /// The calls of a kind that are hit: all up to the two hundredth, or a few.
  private func numbers(_ count: Int, _ source: String) -> [Int] {
    let all = Array(1...max(1, min(count, 200)))
    guard !Places.isLong else { return all }
    var generator = SeededGenerator(seed: UInt64(source.utf8.count) &* 77 &+ UInt64(count))
    return Array(all.shuffled(using: &generator).prefix(4))
  }

  private static let reading = ["open", "status", "read"]

  @Test(.row("G28", "G21"), arguments: sources)
  func aReadThatFailsIsAnErrorAndOneThatIsShortIsContinued(_ source: String) throws {
    try Places.withTemporaryFolder { folder in
      let arguments = ["digest", Places.fixture(source)]
      let (whole, calls) = try FaultShim.calls(arguments, in: folder)
      try #require(whole.status == 0, "\(whole.diagnostics)")
      var runs = 0
      for kind in Self.reading {
        for number in numbers(calls[kind, default: 0], source) {
          for count in [1, 0] {
            let failed = try FaultShim.ingot(
              arguments,
              fault: Fault(call: kind, number: number, action: .error(EIO), count: count))
            runs += 1
            #expect(failed.status == 74, "\(kind) \(number): \(failed.diagnostics)")
            #expect(failed.output.isEmpty)
            #expect(failed.diagnostics.contains("Input/output error"), "\(failed.diagnostics)")
          }
        }
      }
      for number in numbers(calls["read", default: 0], source) {
        for fault in [
          Fault(call: "read", number: number, action: .error(EINTR)),
          Fault(call: "read", number: number, action: .half),
          Fault(call: "read", number: number, action: .one),
          Fault(call: "read", number: number, action: .half, count: 0, step: 2),
          Fault(call: "read", number: number, action: .error(EINTR), count: 0, step: 2),
        ] {
          let run = try FaultShim.ingot(arguments, fault: fault)
          runs += 1
          #expect(run.status == 0, "\(fault): \(run.diagnostics)")
          #expect(run.output == whole.output, "\(fault)")
        }
        // As if the file had become shorter.
        let ended = try FaultShim.ingot(
          arguments, fault: Fault(call: "read", number: number, action: .zero))
        runs += 1
        #expect(ended.status == 74, "\(number): \(ended.diagnostics)")
        #expect(ended.diagnostics.contains("became shorter while it was read"))
      }
      print("reads, \(source): \(calls["read", default: 0]) reads, \(runs) faults")
    }
  }

  @Test(.row("W22", "G26", "G27"), arguments: sources)
  func aSourceThatChangesWhileItIsReadIsToldAndNothingIsWritten(_ source: String) throws {
    try Places.withTemporaryFolder(in: Places.memory) { folder in
      let original = URL(filePath: Places.fixture(source))
      let place = folder.appending(path: "in", directoryHint: .isDirectory)
      let out = folder.appending(path: "out", directoryHint: .isDirectory)
      let copy = place.appending(path: original.lastPathComponent)
      let stem = original.lastPathComponent.prefix { $0 != "." }
      func restore() throws {
        try? FileManager.default.removeItem(at: place)
        try? FileManager.default.removeItem(at: out)
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: false)
        try FileManager.default.createDirectory(at: out, withIntermediateDirectories: false)
        let beside = original.deletingLastPathComponent()
        for name in try FileManager.default.contentsOfDirectory(atPath: beside.filePath)
        where name.hasPrefix(stem) {
          try FileManager.default.copyItem(
            at: beside.appending(path: name), to: place.appending(path: name))
        }
        try FileManager.default.copyItem(
          at: original, to: place.appending(path: copy.lastPathComponent + ".other"))
      }
      try restore()
      let size = try Data(contentsOf: copy).count
      let destination = out.appending(path: source.hasSuffix("npy") ? "d.npy" : "d.npz")
      for arguments in [
        ["convert", copy.filePath, destination.filePath, "--jobs", "1"],
        ["digest", copy.filePath, "--jobs", "1"],
      ] {
        try restore()
        let (whole, calls) = try FaultShim.calls(arguments, in: folder)
        try #require(whole.status == 0, "\(whole.diagnostics)")
        var ends: [Int32: Int] = [:]
        for number in numbers(calls["read", default: 0], source) {
          for action in [
            FaultAction.truncate(size / 2), .truncate(0), .append, .change, .replace,
          ] {
            try restore()
            let run = try FaultShim.ingot(
              arguments, fault: Fault(call: "read", number: number, action: action),
              on: copy.filePath)
            ends[run.status, default: 0] += 1
            #expect(run.status == 74, "\(action) before read \(number): \(run.diagnostics)")
            #expect(
              ["changed while it was read", "took its place", "became shorter"].contains {
                run.diagnostics.contains($0)
              }, "\(action) before read \(number): \(run.diagnostics)")
            #expect(try WriteScene.content(of: out).isEmpty)
          }
        }
        print("changes, \(arguments[0]) \(source): \(ends.map { "status \($0.key)×\($0.value)" })")
      }
    }
  }

  @Test(.row("G26")) func aGoldenWhoseSourceChangesIsNotWritten() throws {
    try Places.withTemporaryFolder { folder in
      let model = folder.appending(path: "gpt2", directoryHint: .isDirectory)
      try FileManager.default.copyItem(
        atPath: Places.fixture("models/gpt2"), toPath: model.filePath)
      let weights = model.appending(path: "model.safetensors").filePath
      let golden = folder.appending(path: "g.npz")
      let arguments = [
        "golden", model.filePath, "--inputs", model.appending(path: "golden.npz").filePath,
        "--output", golden.filePath, "--jobs", "1",
      ]
      let run = try FaultShim.ingot(
        arguments, fault: Fault(call: "write", number: 1, action: .append), on: weights)
      #expect(run.status == 74)
      #expect(run.diagnostics.contains("the file changed while it was read"))
      #expect(!FileManager.default.fileExists(atPath: golden.filePath))
    }
  }
}
