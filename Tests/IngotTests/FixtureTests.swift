import Foundation
import TestSupport
import Tensors
import Testing

@testable import Ingot

/// Files that the real libraries wrote: the digest that an independent reader (`fixtures/oracle.py`)
/// gives, or the refusal that `fixtures/expected.tsv` names.
@Suite struct FixtureTests {
  static let rows = ExpectedFile.rows(
    Places.project.appending(path: "fixtures/expected.tsv"))

  @Test func thereAreFixtures() { #expect(Self.rows.count > 200) }

  @Test(.row("H29", "H41", "K9"), arguments: rows)
  func hasTheDigestThatItsLibraryGives(_ file: ExpectedFile) throws {
    func manifest() throws -> DigestManifest {
      try Fingerprinting(Checkpoint(path: file.path)).manifest()
    }
    guard file.expectation == "OK" else {
      let error = #expect(throws: IngotError.self) { try manifest() }
      #expect(error?.errorClass.rawValue == file.expectation)
      #expect(error?.file == file.path)
      return
    }
    let digest = file.path.replacing("/fixtures/", with: "/fixtures/digests/") + ".digest"
    let recorded = try DigestManifest.parse(String(contentsOfFile: digest, encoding: .utf8))
    let found = try manifest()
    #expect(found.difference(from: recorded.manifest, total: recorded.total) == .init())
    #expect(found.total == recorded.total)
  }
}
