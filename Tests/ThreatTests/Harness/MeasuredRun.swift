import Foundation
import TestSupport

/// A finished run of `ingot` and what it cost.
struct MeasuredRun: Sendable {
  let arguments: [String]
  let status: Int32
  let output: String
  let diagnostics: String
  let seconds: Double
  let processorSeconds: Double
  /// The largest resident set.
  let peakBytes: Int

  private static let measured = URL(filePath: CommandRun.ingot)
    .deletingLastPathComponent().appending(path: "measured").filePath

  /// Runs `ingot`; after twenty seconds of processor time it is killed, which counts as signal 9.
  init(_ arguments: [String], addressSpace: Int = 0, seconds limit: Int = 20) throws {
    let report = FileManager.default.temporaryDirectory.appending(
      path: "ingot-measured-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: report) }
    let run = try CommandRun.run(
      Self.measured,
      [report.filePath, "\(limit)", "\(addressSpace)", CommandRun.ingot] + arguments)
    let fields = try String(contentsOf: report, encoding: .utf8).split(separator: " ")
      .compactMap { Double($0.trimmingCharacters(in: .newlines)) }
    self.arguments = arguments
    status = Int32(fields[0])
    output = run.output
    diagnostics = run.diagnostics
    seconds = fields[1] / 1e6
    processorSeconds = fields[2] / 1e6
    peakBytes = Int(fields[3]) * 1024
  }

  /// Whether it took no more memory than I6 allows for a source of `byteCount` bytes: 64 MiB and 32 MiB a job;
  /// large files here are those of very many tensors, so mostly header.
  func isWithinMemoryBound(for byteCount: Int) -> Bool {
    peakBytes < 128 << 20 + (byteCount > 1 << 20 ? 2 * byteCount : 0) || Sanitizer.isOn
  }
}
