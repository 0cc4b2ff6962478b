import Foundation
import Tensors
import TestSupport
import Testing

/// `generate` as a user meets it.
@Suite struct GenerateTests {
  private static let gpt2 = Places.fixture("models/gpt2")

  private func generate(_ more: String...) throws -> CommandRun {
    try CommandRun.run(CommandRun.ingot, ["generate", Self.gpt2] + more)
  }

  @Test func `ids go in and come out as a list`() throws {
    let run = try generate("--tokens", "28", "--max-new", "5")
    #expect(run.status == 0)
    #expect(run.output == "8,8,8,43,48\n")
    #expect(run.diagnostics == "")
    let more = try generate("--tokens", "28,8,8", "--max-new", "9", "--stop", "48,27")
    #expect(more.output == "8,43,48\n")
    let json = try generate("--tokens", "28", "--max-new", "9", "--stop", "43", "--json")
    let report = try JSONScanner.parse(Array(json.output.utf8))
    #expect(report["tokens"] == JSON([8, 8, 8, 43]))
    #expect(report["prompt"] == JSON([28]))
    #expect(report["ending"]?.string == "stop")
    #expect(report["precision"]?.string == "float64")
  }

  @Test func `chance comes from the seed`() throws {
    let options = ["--tokens", "28", "--max-new", "9", "--temperature", "2", "--top-k", "9"]
    func output(_ more: String...) throws -> String {
      try CommandRun.run(CommandRun.ingot, ["generate", Self.gpt2] + options + more).output
    }
    #expect(try output() == output("--seed", "0"))
    #expect(try output("--seed", "1") != output("--seed", "2"))
    #expect(try output("--seed", "1", "--precision", "float32") == output("--seed", "1"))
  }

  @Test(arguments: ["longrope", "proportional"])
  func `a scaling of positions that is not computed is refused by name`(_ word: String) throws {
    try Places.withTemporaryFolder { folder in
      let fixture = URL(filePath: Places.fixture("models/deepseek-v2"))
      for name in ["model.safetensors", "config.json"] {
        try FileManager.default.copyItem(
          at: fixture.appending(path: name), to: folder.appending(path: name))
      }
      let path = folder.appending(path: "config.json")
      let text = try String(contentsOf: path, encoding: .utf8)
      let stored = #""rope_type": "default""#
      #expect(text.contains(stored))
      try text.replacing(stored, with: #""rope_type": "\#(word)""#)
        .write(to: path, atomically: true, encoding: .utf8)
      let run = try CommandRun.ingot("generate", folder.filePath, "--tokens", "5,6")
      #expect(run.status == 69)
      #expect(run.diagnostics.contains("rotary scaling '\(word)' is not computed"))
      #expect(try CommandRun.ingot("validate", folder.filePath).status == 0)
    }
  }

  @Test func `an encoder-decoder begins where it is told to`() throws {
    func output(_ start: String) throws -> String {
      try CommandRun.ingot(
        "generate", Places.fixture("models/bart"), "--tokens", "21", "--max-new", "3", "--start",
        start
      ).output
    }
    // The configuration's own decoder_start_token_id is 2.
    #expect(try output("2") == "18,10,35\n")
    #expect(try output("7") != output("2"))
  }

  @Test(arguments: [
    (["--tokens", ""], 64, "The value '' is invalid for '--tokens <ids>'"),
    (["--tokens", "1,,2"], 64, "The value '1,,2' is invalid for '--tokens <ids>'"),
    (["--tokens", "one"], 64, "The value 'one' is invalid for '--tokens <ids>'"),
    ([], 64, "Missing expected argument '--tokens <ids>'"),
    (["--tokens", "1", "--max-new", "0"], 64, "--max-new takes a number from 1 on"),
    (["--tokens", "1", "--temperature=-1"], 64, "--temperature takes a number from 0 on"),
    (["--tokens", "1", "--temperature", "inf"], 64, "--temperature takes a number from 0 on"),
    (
      ["--tokens", "1", "--temperature", "1", "--top-k", "0"], 64,
      "--top-k takes a number from 1 on"
    ),
    (["--tokens", "1", "--top-k", "2"], 64, "--top-k and --seed need a --temperature above 0"),
    (
      ["--tokens", "1", "--temperature", "0", "--seed", "2"], 64,
      "--top-k and --seed need a --temperature above 0"
    ),
    (
      ["--tokens", "1,61"], 65,
      "\(gpt2)/model.safetensors: the input 'input_ids': 61 at [0, 1] is not from 0 to 60 ('vocabulary')"
    ),
    (
      ["--tokens", "1", "--max-new", "24"], 65,
      "\(gpt2)/model.safetensors: a sequence of 1 and 24 more tokens is longer than the 23 positions of the model"
    ),
    (
      ["--tokens", "1", "--stop", "61"], 64,
      "\(gpt2)/model.safetensors: the stop token 61 is not from 0 to 60"
    ),
  ])
  func `says what is wrong`(arguments: [String], status: Int, message: String) throws {
    let run = try CommandRun.run(CommandRun.ingot, ["generate", Self.gpt2] + arguments)
    #expect(Int(run.status) == status)
    #expect(run.diagnosticLines.first == "ingot: \(message)")
    #expect(run.output == "")
  }

  @Test(arguments: [("bert", 69), ("vit", 69), ("gpt2-bare", 69), ("absent", 66)])
  func `models that cannot generate are refused`(folder: String, status: Int) throws {
    let run = try CommandRun.ingot(
      "generate", Places.fixture("models/\(folder)"), "--tokens", "1")
    #expect(Int(run.status) == status, "\(run.diagnostics)")
  }
}
