import Foundation
import TestSupport
import Testing

/// The command as a user meets it: exit statuses, what goes to stdout and stderr, and the reports.
@Suite struct CommandTests {
  private let checkpoint = Places.fixture("demo/tiny-transformer.h5")

  private func json(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test func convertPrintsOneLineAndExitsWithZero() throws {
    try Places.withTemporaryFolder { folder in
      let run = try CommandRun.ingot(
        "convert", checkpoint, folder.appending(path: "a.safetensors").filePath)
      #expect(run.status == 0)
      #expect(run.output.contains("re-read and equal"))
      #expect(!run.output.contains("\u{1B}"))
    }
  }

  @Test func quietPrintsNothing() throws {
    try Places.withTemporaryFolder { folder in
      let run = try CommandRun.ingot(
        "convert", checkpoint, folder.appending(path: "a.npz").filePath, "--quiet")
      #expect(run.status == 0)
      #expect(run.output.isEmpty && run.diagnostics.isEmpty)
    }
  }

  @Test func dryRunWritesNothingAndListsEveryTensor() throws {
    try Places.withTemporaryFolder { folder in
      let run = try CommandRun.ingot(
        "convert", checkpoint, folder.appending(path: "a.npz").filePath, "--dry-run")
      #expect(run.status == 0)
      #expect(run.output.hasPrefix("would convert "))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.filePath).isEmpty)
    }
  }

  @Test func anExistingDestinationIs73BothDryAndReal() throws {
    try Places.withTemporaryFolder { folder in
      let out = folder.appending(path: "a.npz")
      try Data("old".utf8).write(to: out)
      for option in ["--dry-run", "--no-sync"] {
        let run = try CommandRun.ingot("convert", checkpoint, out.filePath, option)
        #expect(run.status == 73)
        #expect(
          run.diagnosticLines == [
            "ingot: \(out.filePath): exists", "hint: give --force to replace it",
          ])
        #expect(run.output.isEmpty)
      }
      #expect(try Data(contentsOf: out) == Data("old".utf8))
    }
  }

  @Test(arguments: [
    (["inspect", "absent.npy"], 66), (["inspect", "/"], 66), (["inspect", "/dev/null"], 66),
    (["inspect", "/bin/sh"], 69), (["convert", "a.npy"], 64), (["frobnicate"], 64),
    (["inspect", "a", "--from", "nothing"], 66), (["convert", "a.npy", "b.unknown"], 64),
    (["convert", "a.npy", "b.npz", "--dtype", "float17"], 64),
    (["convert", "a.npy", "b.npz", "--compression", "gzip:10"], 64),
    (["convert", "a.npy", "b.npz", "--max-shard-size", "0GB"], 64),
    (["inspect", "a.npz", "--max-expansion", "0"], 64), (["--help"], 0),
    (["convert", "--help"], 0), (["--version"], 0), (["formats"], 0),
  ])
  func exitStatuses(arguments: [String], status: Int) throws {
    try Places.withTemporaryFolder { folder in
      let run = try CommandRun.run(CommandRun.ingot, arguments, in: folder)
      #expect(run.status == Int32(status), "\(run.diagnostics)")
      if status != 0 {
        #expect(run.output.isEmpty)
        #expect(run.diagnosticLines.first?.hasPrefix("ingot: ") == true)
        #expect(run.diagnosticLines.count <= 2)
      }
    }
  }

  @Test(arguments: [
    ["inspect", "absent.npy"], ["digest", "absent.npy"], ["diff", "absent.npy", "x"],
    ["convert", "absent.npy", "b.npz"], ["frobnicate"],
  ])
  func aFailureIsOneObjectWithJSON(arguments: [String]) throws {
    let run = try CommandRun.run(CommandRun.ingot, arguments + ["--json"])
    let error = try #require(try json(run.output)["error"] as? [String: Any])
    #expect(error["class"] as? String == (arguments == ["frobnicate"] ? "usage" : "unreadable"))
    #expect(Set(error.keys) == ["class", "message", "file", "tensor", "offset", "hint"])
  }

  @Test(.row("G14")) func namesFromAFileCannotReachTheTerminal() throws {
    try Places.withTemporaryFolder { folder in
      let header = #"{"a\u001b[31m\u202eb\n":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#
      var data = Data(withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) })
      data.append(Data(header.utf8) + [7])
      let file = folder.appending(path: "a.safetensors")
      try data.write(to: file)
      let run = try CommandRun.ingot("inspect", file.filePath)
      #expect(run.status == 0)
      #expect(run.output.contains(#"a\u{1b}[31m\u{202e}b\n"#))
      #expect(!run.output.unicodeScalars.contains { $0.value == 0x1B || $0.value == 0x202E })
    }
  }

  @Test func aReaderThatHasSeenEnoughIsNoError() throws {
    let run = try CommandRun.run(
      "/bin/bash",
      [
        "-c",
        "'\(CommandRun.ingot)' inspect --json --tensors '\(checkpoint)' | head -n 1; exit ${PIPESTATUS[0]}",
      ])
    #expect(run.status == 0)
    #expect(run.diagnostics.isEmpty)
  }

  @Test func aFullDiskBehindTheResultIsAnError() throws {
    guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
    let run = try CommandRun.run(
      "/bin/bash", ["-c", "'\(CommandRun.ingot)' formats > /dev/full"])
    #expect(run.status == 74)
  }

  @Test func digestChecksAManifest() throws {
    try Places.withTemporaryFolder { folder in
      let digest = try CommandRun.ingot("digest", checkpoint)
      let manifest = folder.appending(path: "manifest")
      try Data(digest.output.utf8).write(to: manifest)
      #expect(try CommandRun.ingot("digest", checkpoint, "--check", manifest.filePath).status == 0)
      let changed = digest.output.replacing("float32", with: "float16", maxReplacements: 1)
      try Data(changed.utf8).write(to: manifest)
      let run = try CommandRun.ingot("digest", checkpoint, "--check", manifest.filePath)
      #expect(run.status == 1)
      #expect(run.output.hasPrefix("changed: "))
    }
  }

  @Test func diffOfEqualContentsIsZeroAndOfOthersOne() throws {
    try Places.withTemporaryFolder { folder in
      let same = folder.appending(path: "same.npz").filePath
      let half = folder.appending(path: "half.npz").filePath
      func status(_ arguments: String...) throws -> Int32 {
        try CommandRun.run(CommandRun.ingot, arguments).status
      }
      let converted = try [
        status("convert", checkpoint, same),
        status("convert", checkpoint, half, "--dtype", "float16"),
      ]
      #expect(converted == [0, 0])
      let compared = try [
        status("diff", checkpoint, same), status("diff", checkpoint, half),
        status("diff", checkpoint, half, "--rtol", "0.001", "--atol", "1e-6"),
        status("diff", checkpoint, half, "--rtol", "1e-9"),
      ]
      #expect(compared == [0, 1, 0, 1])
    }
  }

  @Test func aDirectoryStandsForItsCheckpoint() throws {
    try Places.withTemporaryFolder { folder in
      let out = folder.appending(path: "model.safetensors").filePath
      #expect(try CommandRun.ingot("convert", checkpoint, out).status == 0)
      try Data("{}".utf8).write(to: folder.appending(path: "config.json"))
      let run = try CommandRun.ingot("digest", folder.filePath, "--quiet")
      #expect(run.output == (try CommandRun.ingot("digest", checkpoint, "--quiet")).output)
    }
  }

  @Test func shardsAndTheirIndexHoldTheSame() throws {
    try Places.withTemporaryFolder { folder in
      let out = folder.appending(path: "model.safetensors").filePath
      let run = try CommandRun.ingot("convert", checkpoint, out, "--max-shard-size", "30kB")
      #expect(run.status == 0, "\(run.diagnostics)")
      let index = out + ".index.json"
      #expect(FileManager.default.fileExists(atPath: index))
      #expect(!FileManager.default.fileExists(atPath: out))
      #expect(
        try CommandRun.ingot("digest", index, "--quiet").output
          == CommandRun.ingot("digest", checkpoint, "--quiet").output)
    }
  }

  @Test func kerasShardsAndTheirIndexHoldTheSame() throws {
    try Places.withTemporaryFolder { folder in
      let source = Places.fixture("demo/tiny-transformer.weights.h5")
      let index = folder.appending(path: "model.weights.json").filePath
      let run = try CommandRun.ingot("convert", source, index, "--max-shard-size", "20kB")
      #expect(run.status == 0, "\(run.diagnostics)")
      let files = try FileManager.default.contentsOfDirectory(atPath: folder.filePath)
      #expect(files.filter { $0.hasSuffix(".weights.h5") }.count > 2)
      #expect(
        try CommandRun.ingot("digest", index, "--quiet").output
          == CommandRun.ingot("digest", source, "--quiet").output)
      let single = try CommandRun.ingot("convert", source, index, "--force")
      #expect(single.status == 64)
      #expect(single.diagnostics.contains("a Keras index stands for several files"))
    }
  }

  @Test func theSourceMayBeReplacedByItself() throws {
    try Places.withTemporaryFolder { folder in
      let file = folder.appending(path: "a.npz").filePath
      #expect(try CommandRun.ingot("convert", checkpoint, file).status == 0)
      let before = try CommandRun.ingot("digest", file, "--quiet").output
      let run = try CommandRun.ingot("convert", file, file, "--force", "--compression", "gzip")
      #expect(run.status == 0, "\(run.diagnostics)")
      #expect(try CommandRun.ingot("digest", file, "--quiet").output == before)
    }
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func completionsAreGenerated(shell: String) throws {
    let run = try CommandRun.ingot("--generate-completion-script", shell)
    #expect(run.status == 0)
    #expect(run.output.contains("safetensors"))
  }

  @Test func noProductImportsFullFoundation() throws {
    let sources = ExpectedFile.files(below: Places.project.appending(path: "Sources"))
    for path in sources where path.hasSuffix(".swift") {
      let text = try String(contentsOfFile: path, encoding: .utf8)
      #expect(!text.contains("import Foundation\n"), "\(path)")
      // A file truncated under a map kills the process; only positional reads are allowed.
      #expect(!text.contains("mmap("), "\(path)")
    }
  }
}
