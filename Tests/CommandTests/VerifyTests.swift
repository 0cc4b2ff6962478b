import Foundation
#if canImport(FoundationXML)
import FoundationXML
#endif
import Tensors
import TestSupport
import Testing

/// `verify` and `golden` as a user and a CI server meet them.
@Suite struct VerifyTests {
  private static let gpt2 = Places.fixture("models/gpt2")
  private static let golden = Places.fixture("models/gpt2/golden.npz")

  private func verify(_ more: String...) throws -> CommandRun {
    try CommandRun.run(
      CommandRun.ingot, ["verify", Self.gpt2, "--golden", Self.golden] + more)
  }

  @Test func `a model that agrees exits with 0 and a line per state`() throws {
    let run = try verify()
    #expect(run.status == 0)
    #expect(run.diagnostics == "")
    #expect(run.output.hasSuffix("\nok\n"))
    #expect(run.output.contains("✓  trace/layers.1.attention "))
    #expect(run.output.contains("tolerance: |a − b| ≤ atol + rtol·|b|"))
    #expect(!run.output.contains("✗"))
  }

  @Test func `one that does not exits with 1 and names the first divergence`() throws {
    let run = try verify("--set", "norm_epsilon=1e-3")
    #expect(run.status == 1)
    #expect(
      run.output.contains("first divergence: trace/layers.0.attention_norm (layers.0, norms): "))
    #expect(
      run.output.contains(
        "\nsuspect: another ε of the norms: norm_epsilon is 0.001, 1e-05 agrees\n"
          + "  evidence: undone, trace/layers.0.attention_norm of one sequence goes from max rel "))
    #expect(run.output.contains("; then all 18 states agree\n"))
    #expect(
      run.output.contains("\n  repair: the configuration, or --set norm_epsilon=1e-05\n"))
    #expect(run.output.hasSuffix("\nNOT ok\n"))
    let loose = try verify("--set", "norm_epsilon=1e-3", "--rtol", "1", "--atol", "1")
    #expect(loose.status == 0)
  }

  @Test func `the search for suspects reads no more than it may`() throws {
    let run = try verify("--set", "norm_epsilon=0.001", "--suspect-passes", "0")
    #expect(run.status == 1)
    #expect(!run.output.contains("suspect:"))
    #expect(
      run.output.contains(
        /\n  not tried: [0-9]+ more known mistakes; the trials before had read enough \(--suspect-passes\)\n/
      ))
    let json = try verify("--set", "norm_epsilon=0.001", "--suspect-passes", "0", "--json")
    #expect((try JSONScanner.parse(Array(json.output.utf8))["untried_mistakes"]?.integer ?? 0) > 5)
    #expect(try verify("--suspect-passes", "-1").status == 64)
  }

  @Test func `reports go into files, with the failures marked`() throws {
    try Places.withTemporaryFolder { folder in
      let junit = folder.appending(path: "verify.xml").filePath
      let json = folder.appending(path: "verify.json").filePath
      // What an earlier run left is replaced.
      try Data("old".utf8).write(to: URL(filePath: junit))
      let run = try verify(
        "--set", "norm_epsilon=1e-3", "--report", "junit=\(junit)", "--report", "json=\(json)",
        "--json")
      #expect(run.status == 1)
      #expect(try String(contentsOfFile: json, encoding: .utf8) == run.output)
      let report = try JSONScanner.parse(Array(run.output.utf8))
      #expect(report["ok"] == .boolean(false))
      #expect(report["first_divergence"]?["component"]?.string == "norms")
      let suspect = try #require(report["suspects"]?.array?.first)
      #expect(
        suspect["cause"]?.string
          == "another ε of the norms: norm_epsilon is 0.001, 1e-05 agrees")
      #expect(suspect["setting"]?.string == "norm_epsilon=1e-05")
      #expect(suspect["rules"] == .null)
      let counter = TestCounter()
      let parser = XMLParser(data: try Data(contentsOf: URL(filePath: junit)))
      parser.delegate = counter
      #expect(parser.parse())
      let states = report["states"]?.array ?? []
      #expect(counter.elements["testcase"] == states.count + 1)
      #expect(
        counter.elements["failure"] == states.filter { $0["ok"] == .boolean(false) }.count)
      #expect(counter.suite["tests"] == "\(states.count + 1)")
      #expect(counter.suite["errors"] == "0")
      let xml = try String(contentsOfFile: junit, encoding: .utf8)
      #expect(xml.contains("; suspect: another ε of the norms: norm_epsilon is 0.001"))
      #expect(xml.contains("--set norm_epsilon=1e-05"))
    }
  }

  @Test func `the rules that it prints repair the checkpoint`() throws {
    try Places.withTemporaryFolder { folder in
      func path(_ name: String) -> String { folder.appending(path: name).filePath }
      let weights = "transformer\\.h\\.(\\d+)\\.attn\\.c_proj\\.weight"
      try Data("transpose: [{match: '\(weights)'}]".utf8).write(
        to: URL(filePath: path("break.yaml")))
      let broken = try CommandRun.ingot(
        "convert", Self.gpt2, path("broken.safetensors"), "--rules", path("break.yaml"))
      #expect(broken.status == 0, "\(broken.diagnostics)")
      let config = Self.gpt2 + "/config.json"
      let run = try CommandRun.ingot(
        "verify", path("broken.safetensors"), "--config", config, "--golden", Self.golden)
      #expect(run.status == 1)
      #expect(
        run.output.contains(
          "\nsuspect: layers.*.attention.output: the matrix is transposed, in 3 layers\n"))
      #expect(
        run.output.contains(
          "\n  repair: ingot convert --rules with\n    transpose:\n      - match: '\(weights)'\n"))
      let json = try CommandRun.ingot(
        "verify", path("broken.safetensors"), "--config", config, "--golden", Self.golden, "--json")
      let report = try JSONScanner.parse(Array(json.output.utf8))
      let rules = try #require(report["suspects"]?.array?.first?["rules"]?.string)
      try Data(rules.utf8).write(to: URL(filePath: path("repair.yaml")))
      let repaired = try CommandRun.ingot(
        "convert", path("broken.safetensors"), path("repaired.npz"), "--rules",
        path("repair.yaml"))
      #expect(repaired.status == 0, "\(repaired.diagnostics)")
      let again = try CommandRun.ingot(
        "verify", path("repaired.npz"), "--config", config, "--golden", Self.golden)
      #expect(again.status == 0, "\(again.output)")
      #expect(!again.output.contains("\nsuspect:"))
    }
  }

  @Test func `a check that cannot be made leaves an error in the report`() throws {
    try Places.withTemporaryFolder { folder in
      let junit = folder.appending(path: "verify.xml").filePath
      let run = try CommandRun.ingot(
        "verify", Self.gpt2, "--golden", Places.fixture("models/bert/golden.npz"), "--report",
        "junit=\(junit)")
      #expect(run.status == 65)
      #expect(run.diagnosticLines.first?.contains("gpt2 has no such state") == true)
      let text = try String(contentsOfFile: junit, encoding: .utf8)
      #expect(text.contains("errors=\"1\""))
      #expect(text.contains("<error type=\"malformed\""))
    }
  }

  @Test(arguments: [
    (["--set", "heads=3"], 65), (["--precision", "float16"], 64), (["--rtol", "-1"], 64),
    (["--report", "html=x"], 64), (["--golden", "absent.npz"], 66),
    (["--config", Places.fixture("models/bert/config.json")], 69),
    (["--precision", "float32"], 0),
  ])
  func `exits as other commands do`(arguments: [String], status: Int) throws {
    let words = arguments.first == "--golden" ? arguments : ["--golden", Self.golden] + arguments
    let run = try CommandRun.run(CommandRun.ingot, ["verify", Self.gpt2] + words)
    #expect(Int(run.status) == status, "\(run.diagnostics)")
  }

  @Test func `GitHub is told where it first went wrong`() throws {
    let run = try CommandRun.run(
      "/usr/bin/env",
      [
        "GITHUB_ACTIONS=true", CommandRun.ingot, "verify", Self.gpt2, "--golden", Self.golden,
        "--set", "norm_epsilon=1e-3",
      ])
    #expect(run.status == 1)
    let lines = run.diagnosticLines.filter { $0.hasPrefix("::error title=ingot verify::") }
    #expect(lines.count == 1)
    #expect(lines.first?.contains("trace/layers.0.attention_norm") == true)
    #expect(lines.first?.hasSuffix("norm_epsilon is 0.001, 1e-05 agrees") == true)
  }

  @Test func `a golden of our own verifies the model that it was made from`() throws {
    try Places.withTemporaryFolder { folder in
      let path = folder.appending(path: "mine.safetensors").filePath
      let made = try CommandRun.ingot(
        "golden", Self.gpt2, "--inputs", Self.golden, "--output", path)
      #expect(made.status == 0, "\(made.diagnostics)")
      #expect(made.output.contains("output/last_hidden_state, output/logits, output/loss"))
      let run = try CommandRun.ingot("verify", Self.gpt2, "--golden", path)
      #expect(run.status == 0, "\(run.diagnostics)")
      let again = try CommandRun.ingot(
        "golden", Self.gpt2, "--inputs", Self.golden, "--output", path)
      #expect(again.status == 73)
      let wrong = try CommandRun.ingot(
        "golden", Self.gpt2, "--inputs", Places.fixture("models/vit/golden.npz"), "--output",
        folder.appending(path: "other.npz").filePath)
      #expect(wrong.status == 65)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.filePath) == [
          "mine.safetensors"
        ])
    }
  }
}

/// Counts elements, and keeps the attributes of the suite.
private final class TestCounter: NSObject, XMLParserDelegate {
  var elements: [String: Int] = [:]
  var suite: [String: String] = [:]

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String] = [:]
  ) {
    elements[name, default: 0] += 1
    if name == "testsuite" { suite = attributes }
  }
}
