import Foundation
import FuzzEntries
import TestSupport
import Testing

/// What the fuzzer drives runs here as well: with its seeds, and with everything that was ever found.
@Suite struct FuzzTests {
  @Test(arguments: FuzzTarget.all.map(\.name))
  func seedsAreSound(_ name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    var accepted = 0
    for seed in try target.makeSeeds() {
      switch target.run(seed.bytes) {
      case .accepted: accepted += 1
      case .refused: break
      case .finding(let text): Issue.record("\(seed.name): \(text)")
      }
    }
    #expect(accepted > 0, "no seed is accepted: the fuzzer starts in the dark")
  }

  /// A finding, and how its input fares now.
  struct Finding {
    let row: String
    /// Target and file under `Fuzz/Regressions`.
    let file: String
    let outcome: FuzzTarget.Outcome

    init(_ row: String, _ file: String, _ outcome: FuzzTarget.Outcome) {
      self.row = row
      self.file = file
      self.outcome = outcome
    }
  }

  static let findings: [Finding] = [
    // Took eight seconds and 1.2 GB before a word was printed.
    Finding(
      "F1", "configuration/hundred-thousand-layers.json",
      .refused("limit: 100000 layers are above 10000"))
  ]

  @Test(.row("F1"))
  func whatWasFoundStaysMended() throws {
    let folder = Places.project.appending(path: "Fuzz/Regressions", directoryHint: .isDirectory)
    for finding in Self.findings {
      let name = finding.file.prefix { $0 != "/" }
      let target = try #require(FuzzTarget.named(String(name)), "\(name) is no target")
      let bytes = Array(try Data(contentsOf: folder.appending(path: finding.file)))
      let start = ContinuousClock.now
      #expect(target.run(bytes) == finding.outcome, "\(finding.row): \(finding.file)")
      #expect(ContinuousClock.now - start < .seconds(2), "\(finding.row): \(finding.file)")
    }
    let files = try FileManager.default.subpathsOfDirectory(atPath: folder.filePath)
      .filter { $0.contains("/") }
    #expect(files.sorted() == Self.findings.map(\.file).sorted(), "each file has its row")
  }
}
