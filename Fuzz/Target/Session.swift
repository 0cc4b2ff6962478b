import Foundation
import FuzzEntries

/// What the environment asks for; libFuzzer owns the arguments.
enum Session {
  private static let environment = ProcessInfo.processInfo.environment

  /// The target that `INGOT_FUZZ_TARGET` names.
  static let target: FuzzTarget = {
    let name = environment["INGOT_FUZZ_TARGET"] ?? ""
    guard let target = FuzzTarget.named(name) else {
      stop("INGOT_FUZZ_TARGET is none of: \(FuzzTarget.all.map(\.name).joined(separator: ", "))")
    }
    return target
  }()

  /// Writes the seeds of every target into a folder of its name under `INGOT_FUZZ_SEEDS`, and ends.
  static func writeSeeds() {
    guard let path = environment["INGOT_FUZZ_SEEDS"] else { return }
    do {
      for target in FuzzTarget.all {
        let folder = URL(filePath: path).appending(path: target.name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for seed in try target.makeSeeds() {
          try Data(seed.bytes).write(to: folder.appending(path: seed.name))
        }
        print(target.name)
      }
    } catch {
      stop("\(error)")
    }
    exit(0)
  }

  private static func stop(_ message: String) -> Never {
    FileHandle.standardError.write(Data((message + "\n").utf8))
    exit(64)
  }
}
