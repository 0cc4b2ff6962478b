internal import Foundation
internal import Ingot
internal import TensorFormats
internal import TestSupport

/// Verifies a small model with a golden of the fuzzer's.
enum GoldenCheck {
  private static let folder = "models/gpt2-keras-hub/"

  private static let model = Result {
    try ModelSource(path: Places.fixture(folder + "model.weights.h5"))
  }

  /// Goldens are opened by path, like every checkpoint.
  static func run(_ bytes: [UInt8]) throws {
    let source = try model.get()
    let file = FileManager.default.temporaryDirectory
      .appending(path: "ingot-fuzz-\(ProcessInfo.processInfo.processIdentifier).npz")
    try Data(bytes).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    var verification = Verification(source, try Golden(path: file.filePath))
    verification.jobs = 1
    // The search for suspects runs the model for each: where nothing but NaN diverges it is left out, one
    // input in sixteen is held to the true tolerance, and four suspects are enough.
    verification.suspectPasses = 4
    if !bytes.count.isMultiple(of: 16) {
      verification.relativeTolerance = .greatestFiniteMagnitude
      verification.absoluteTolerance = .greatestFiniteMagnitude
    }
    _ = try verification.report().json
  }

  /// The fixture, and its inputs and output alone.
  static func seeds() throws -> [FuzzSeed] {
    let whole = try FuzzSeed.content(of: Places.fixture(folder + "golden.npz"))
    let table = try NPZFormat().read(TableCheck.input(whole))
    let few = table.entries.filter {
      $0.name.hasPrefix("input/") || $0.name.hasPrefix("output/")
    }
    let small = try table.replacingEntries(few)
    let formats: [any TensorFormat] = [NPZFormat(), SafetensorsFormat(), NativeFormat()]
    return try formats.map { format in
      FuzzSeed(
        name: "few.\(format.identifier)",
        bytes: try PlainExecutor.execute(format.plan(small, WriteOptions())))
    } + [FuzzSeed(name: "whole.npz", bytes: whole)]
  }
}
