import Foundation
import TestSupport
import Tensors
import Testing

/// The page `docs/threats.md`: its last column is what the tests say that they answer.
@Suite struct ThreatTableTests {
  private static let page = Places.project.appending(path: "docs/threats.md")

  /// The tests by the rows that their traits name.
  private static func tests() throws -> [String: [String]] {
    var tests: [String: [String]] = [:]
    let folder = Places.project.appending(path: "Tests")
    for path in ExpectedFile.files(below: folder)
    where path.hasSuffix(".swift") && !path.contains("/TestSupport/") {
      let text = try String(contentsOfFile: path, encoding: .utf8)
      for mark in text.matches(of: /\.row\((?<ids>"[A-Z]-?\d+"(?:,\s*"[A-Z]-?\d+")*)\)/) {
        let ids = mark.output.ids.matches(of: /"(?<id>[^"]+)"/).map { String($0.output.id) }
        let marked = try #require(
          text[mark.range.upperBound...].firstMatch(of: /(?:func|struct) (?<name>`[^`]+`|\w+)/),
          "no test follows in \(path)")
        let suite = text[..<mark.range.lowerBound]
          .matches(of: /\n(?:@Suite[^\n]* )?struct (?<name>\w+)/).last
        let owner = suite.map { $0.output.name + "." } ?? ""
        let name = owner + marked.output.name.replacing("`", with: "")
        for id in ids { tests[id, default: []].append("`\(name)`") }
      }
    }
    return tests
  }

  /// A row of the page: its id and its first three columns.
  private static func columns(_ line: Substring) -> (id: String, verdict: String, text: String)? {
    guard line.contains(/^\| [A-Z](-|)\d+ \|/) else { return nil }
    let columns = line.split(separator: "|", omittingEmptySubsequences: false)
    guard columns.count >= 6 else { return nil }
    return (
      columns[1].trimmingCharacters(in: .whitespaces), String(columns[3]),
      columns[1...3].joined(separator: "|")
    )
  }

  private static func renewed(_ page: String) throws -> String {
    let tests = try tests()
    let lines = page.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      guard let row = columns(line) else { return String(line) }
      let cases = ThreatCaseTests.all.count { $0.rows.contains(row.id) }
      let counted = cases == 0 ? [] : [cases == 1 ? "1 case" : "\(cases) cases"]
      return "|\(row.text)| \((counted + (tests[row.id] ?? []).sorted()).joined(separator: ", ")) |"
    }
    return lines.joined(separator: "\n")
  }

  @Test func `the page names the tests that there are`() throws {
    let page = try String(contentsOf: Self.page, encoding: .utf8)
    let renewed = try Self.renewed(page)
    if ProcessInfo.processInfo.environment["INGOT_UPDATE"] != nil {
      try Data(renewed.utf8).write(to: Self.page)
    } else {
      #expect(
        page == renewed,
        "docs/threats.md is stale: INGOT_UPDATE=1 script/test --filter ThreatTableTests")
    }
  }

  @Test func `every row has a test and every test a row`() throws {
    let page = try String(contentsOf: Self.page, encoding: .utf8)
    let rows = page.split(separator: "\n").compactMap { Self.columns($0)?.id }
    #expect(Set(rows).count == rows.count)
    let answered = Set(try Self.tests().keys).union(ThreatCaseTests.all.flatMap(\.rows))
    #expect(answered.subtracting(rows).sorted() == [], "rows that the page lacks")
    #expect(Set(rows).subtracting(answered).sorted() == [], "rows without a test")
  }

  @Test func `the page says what the cases are held to`() throws {
    let page = try String(contentsOf: Self.page, encoding: .utf8)
    var verdicts: [String: String] = [:]
    for line in page.split(separator: "\n") {
      if let row = Self.columns(line) { verdicts[row.id] = row.verdict }
    }
    for threat in ThreatCaseTests.all {
      let word =
        switch threat.outcome {
        case .read: "read"
        case .refused(let errorClass): "`\(errorClass.rawValue)`"
        }
      for row in threat.rows {
        #expect(verdicts[row]?.contains(word) == true, "\(threat.testDescription): \(word)")
      }
    }
  }
}
