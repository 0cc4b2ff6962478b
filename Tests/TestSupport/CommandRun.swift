package import Foundation

/// A finished run of a program.
package struct CommandRun: Sendable {
  /// The exit status, or 128 plus the signal that ended it.
  package let status: Int32
  package let output: String
  package let diagnostics: String

  /// The lines of stderr.
  package var diagnosticLines: [String] { diagnostics.split(separator: "\n").map(String.init) }

  /// Where the built `ingot` lies: what `INGOT_COMMAND` names, or beside the tests.
  package static let ingot: String =
    ProcessInfo.processInfo.environment["INGOT_COMMAND"]
    ?? Bundle.main.bundleURL.appending(path: "ingot").filePath

  /// Runs `ingot` to its end.
  package static func ingot(_ arguments: String..., in folder: URL? = nil) throws -> CommandRun {
    try run(ingot, arguments, in: folder)
  }

  /// Runs a program to its end, with `environment` added to this process's.
  package static func run(
    _ program: String, _ arguments: [String], in folder: URL? = nil,
    environment: [String: String] = [:]
  ) throws -> CommandRun {
    let process = Process()
    if !environment.isEmpty {
      process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    }
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    // Into files and not pipes: a full pipe would stop the program while nobody reads it.
    let out = try TemporaryOutput()
    let diagnostics = try TemporaryOutput()
    process.standardOutput = out.handle
    process.standardError = diagnostics.handle
    try process.run()
    process.waitUntilExit()
    let status = process.terminationStatus
    return CommandRun(
      status: process.terminationReason == .uncaughtSignal ? 128 + status : status,
      output: try out.content(), diagnostics: try diagnostics.content())
  }
}

/// A file that takes what a program prints.
private struct TemporaryOutput {
  let url = FileManager.default.temporaryDirectory.appending(path: "ingot-out-\(UUID().uuidString)")
  let handle: FileHandle

  init() throws {
    try Data().write(to: url)
    handle = try FileHandle(forWritingTo: url)
  }

  func content() throws -> String {
    try handle.close()
    defer { try? FileManager.default.removeItem(at: url) }
    guard let text = String(validating: try Data(contentsOf: url), as: UTF8.self) else {
      throw CocoaError(.fileReadInapplicableStringEncoding)
    }
    return text
  }
}
