import Foundation
import TestSupport
import Tensors
import Testing

/// Runs every command on a case and holds it to what all threats have in common.
///
/// * I1: the exit status is one of those documented, never a signal, never 70;
/// * I2: stderr is one line, perhaps with hints and notes, of plain text that names the file;
/// * I3: stdout is empty after a failure, or one object with the error's class;
/// * I4, I5: neither the destination's folder nor the source changes;
/// * I6: two seconds of processor time and 128 MiB are enough for a small file, and twice its size more
///   for a large one; under a sanitizer, which has memory of its own, only a hang is told;
/// * I8: a second run says the same;
/// * I10: what is read has the digest that is known.
struct Harness {
  /// In seconds; code that is not optimised, or that a sanitizer watches, takes several times as long.
  #if DEBUG
  static let patience = 20.0
  #else
  static let patience = Sanitizer.isOn ? 20.0 : 2.0
  #endif

  private static let allowed: Set<Int32> = [0, 1, 64, 65, 66, 69, 73, 74]
  private static let golden = Places.fixture("demo/tiny-transformer.golden.npz")

  let threat: ThreatCase

  func check() throws {
    try Places.withTemporaryFolder { folder in
      let input = folder.appending(path: "input", directoryHint: .isDirectory)
      let output = folder.appending(path: "output", directoryHint: .isDirectory)
      for url in [input, output] {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
      }
      try Data("kept".utf8).write(to: output.appending(path: "neighbour"))
      let path = try threat.prepare(input)
      let before = try FolderState(input)
      let outputBefore = try FolderState(output)

      try checkDigest(path, before)
      for (index, command) in commands(path, output).enumerated() {
        // In the long mode both text and JSON of each command, else one of them.
        let forms =
          Places.isLong ? [false, true] : [(index + threat.title.utf8.count).isMultiple(of: 2)]
        for isJSON in forms {
          let run = try run(command.arguments + (isJSON ? ["--json"] : []), before)
          checkStatus(run, command)
          checkText(run, isJSON: isJSON, path: path)
          if command.writes, run.status == 0 {
            try FileManager.default.removeItem(atPath: command.arguments[2])
          } else {
            let after = try FolderState(output)
            #expect(after == outputBefore, "I4: \(run.arguments) changed its folder")
          }
        }
      }
      let after = try FolderState(input)
      #expect(after == before, "I5: the source changed")
    }
  }

  // MARK: The commands

  private struct Command {
    let arguments: [String]
    /// Whether it reads the data and not headers only.
    let readsData: Bool
    /// Whether it asks for a model, which most of these files are not.
    var needsModel = false
    var writes = false
  }

  private func commands(_ path: String, _ output: URL) -> [Command] {
    [
      Command(arguments: ["inspect", path], readsData: false),
      Command(arguments: ["inspect", path, "--stats"], readsData: true),
      Command(
        arguments: ["convert", path, output.appending(path: "a.ingot").filePath], readsData: true,
        writes: true),
      Command(
        arguments: ["convert", path, output.appending(path: "a.safetensors").filePath],
        readsData: true, writes: true),
      Command(arguments: ["diff", path, path], readsData: true),
      Command(arguments: ["validate", path], readsData: false, needsModel: true),
      Command(
        arguments: ["verify", path, "--golden", Self.golden], readsData: false, needsModel: true),
    ]
  }

  private func run(_ arguments: [String], _ state: FolderState) throws -> MeasuredRun {
    let run = try MeasuredRun(arguments)
    #expect(Self.allowed.contains(run.status), "I1: \(arguments) ended with \(run.status)")
    #expect(
      run.processorSeconds < Self.patience, "I6: \(arguments) took \(run.processorSeconds) s")
    #expect(
      run.isWithinMemoryBound(for: state.byteCount),
      "I6: \(arguments) took \(run.peakBytes >> 10) KiB")
    return run
  }

  // MARK: What they say

  /// The class, the words and the digest, and that all of it comes twice.
  private func checkDigest(_ path: String, _ state: FolderState) throws {
    let text = try run(["digest", path], state)
    let again = try run(["digest", path], state)
    #expect(
      text.status == again.status && text.output == again.output
        && text.diagnostics == again.diagnostics, "I8")
    checkText(text, isJSON: false, path: path)
    for part in threat.says {
      #expect(text.diagnostics.contains(part), "'\(part)' is not in: \(text.diagnostics)")
    }
    let json = try run(["digest", path, "--json"], state)
    checkText(json, isJSON: true, path: path)
    #expect(json.status == text.status)
    switch threat.outcome {
    case .read(let tensors):
      #expect(text.status == 0, "\(text.diagnostics)")
      if let tensors { #expect(text.output == PlainTensor.manifest(tensors), "I10") }
    case .refused(let errorClass):
      #expect(text.status == errorClass.exitStatus, "\(text.diagnostics)")
      let error = try failure(json.output)
      #expect(error?["class"] as? String == errorClass.rawValue, "\(json.output)")
      switch errorClass {
      case .malformed:
        #expect(error?["offset"] is Int, "I2: no byte: \(text.diagnostics)")
      case .integrity, .limit:
        #expect(
          error?["offset"] is Int || error?["tensor"] is String, "I2: \(text.diagnostics)")
      case .unsafe, .unsupported, .unreadable, .changed, .io, .output, .internal, .usage: break
      }
    }
    if ProcessInfo.processInfo.environment["INGOT_PRINT"] != nil {
      print("\(threat.testDescription): \(text.status): \(text.diagnostics)", terminator: "")
    }
  }

  private func checkStatus(_ run: MeasuredRun, _ command: Command) {
    let expected: Set<Int32> =
      switch threat.outcome {
      case .read: command.needsModel ? [ErrorClass.unsupported.exitStatus, 1, 65] : [0]
      case .refused(let errorClass):
        if !threat.headerIsSound || command.readsData {
          [errorClass.exitStatus]
        } else if command.needsModel {
          [ErrorClass.unsupported.exitStatus, errorClass.exitStatus]
        } else {
          [0, errorClass.exitStatus]
        }
      }
    #expect(
      expected.contains(run.status),
      "\(run.arguments): \(run.status), not \(expected): \(run.diagnostics)")
  }

  private func checkText(_ run: MeasuredRun, isJSON: Bool, path: String) {
    #expect(
      run.diagnostics.utf8.count <= 4096, "I2: stderr has \(run.diagnostics.utf8.count) bytes")
    let controls = run.diagnostics.unicodeScalars.filter {
      $0.properties.generalCategory == .control && $0 != "\n"
    }
    #expect(controls.isEmpty, "I2: control characters")
    var lines = run.diagnostics.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last == "" { lines.removeLast() }
    let failures = lines.filter { $0.hasPrefix("ingot: ") }
    let others = lines.filter { $0.hasPrefix("note: ") || $0.hasPrefix("hint: ") }
    #expect(failures.count + others.count == lines.count, "I2: \(run.diagnostics)")
    // A check that does not hold is a result, not a failure.
    guard run.status > 1 else {
      #expect(failures.isEmpty, "I2: \(run.diagnostics)")
      return
    }
    #expect(failures.count == 1, "I2: \(run.diagnostics)")
    let name = URL(filePath: path).lastPathComponent.escapedForDisplay()
    #expect(
      failures.first?.contains(name) == true || failures.first?.contains("input/") == true,
      "I2: names no file: \(run.diagnostics)")
    guard isJSON else {
      #expect(run.output.isEmpty, "I3: \(run.output)")
      return
    }
    let error = try? failure(run.output)
    #expect(error?["class"] is String && error?["message"] is String, "I3: \(run.output)")
  }

  private func failure(_ text: String) throws -> [String: Any]? {
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    return object?["error"] as? [String: Any]
  }
}
