import Foundation
import TestSupport
import Testing

/// `ingot architectures`, and descriptions of users' own.
@Suite struct ArchitecturesCommandTests {
  @Test func `the list has a line for each, with its conventions`() throws {
    let run = try CommandRun.ingot("architectures")
    #expect(run.status == 0)
    #expect(
      run.output.split(separator: "\n").contains { $0.hasPrefix("gpt2 ") && $0.contains("nanogpt") }
    )
  }

  @Test func `a name gives an outline with formulas and conventions`() throws {
    let run = try CommandRun.ingot("architectures", "gpt2")
    #expect(run.status == 0)
    for text in ["weight [vocabulary, width]", "= 4·width", "width → feed_forward", "nanogpt"] {
      #expect(run.output.contains(text))
    }
  }

  @Test func `printed JSON is taken back as a file`() throws {
    try Places.withTemporaryFolder { folder in
      let file = folder.appending(path: "mine.json")
      let printed = try CommandRun.ingot("architectures", "gpt2", "--json")
      try Data(printed.output.utf8).write(to: file)
      let again = try CommandRun.ingot("architectures", file.filePath, "--json")
      #expect(again.status == 0)
      #expect(again.output == printed.output)
      let broken = printed.output.replacing(
        "\"vocabulary\"", with: "\"vocabulry\"", maxReplacements: 1)
      try Data(broken.utf8).write(to: file)
      let run = try CommandRun.ingot("architectures", file.filePath)
      #expect(run.status == 65)
      #expect(run.diagnosticLines.count == 1)
      #expect(run.diagnostics.contains("mine.json: inputs[0].size: 'vocabulary' is neither"))
    }
  }

  @Test func `an unknown name has the nearest, an absent file is one`() throws {
    let run = try CommandRun.ingot("architectures", "gpt")
    #expect(run.status == 69)
    #expect(run.diagnostics.contains("hint: did you mean 'gpt2'"))
    #expect(try CommandRun.ingot("architectures", "./absent.json").status == 66)
  }
}
