import Foundation
import Synchronization
import TestSupport
import Testing

/// Several processes at one destination: writers, readers, and those who move folders and links meanwhile.
@Suite struct RaceTests {
  private static let writers = Places.isLong ? 40 : 12

  /// A folder with two sources, `s0.safetensors` and `s1.safetensors`, and the digests of both.
  private func withSources(_ body: (_ folder: URL, _ digests: [String]) throws -> Void) throws {
    try Places.withTemporaryFolder { folder in
      var digests: [String] = []
      for number in 0...1 {
        let source = folder.appending(path: "s\(number).safetensors")
        try WriteCase.makeSource(source, seed: UInt64(number))
        digests.append(try digest(source))
      }
      try body(folder, digests)
    }
  }

  private func digest(_ url: URL) throws -> String {
    let run = try CommandRun.ingot("digest", url.filePath)
    #expect(run.status == 0, "\(run.diagnostics)")
    return run.output
  }

  private func names(in folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.filePath).sorted()
  }

  /// Runs many conversions to `out/d.npz` at once; returns their statuses.
  private func raceOfWriters(in folder: URL, options: String) throws -> [String] {
    let run = try Machine.shell(
      """
      mkdir out
      for i in $(seq \(Self.writers)); do
        ( "$0" convert s$((i % 2)).safetensors out/d.npz --quiet \(options) 2>/dev/null
          echo $? ) &
      done
      wait
      """, in: folder)
    return run.output.split(separator: "\n").map(String.init).sorted()
  }

  @Test(.row("W25")) func ofManyWritersOneWins() throws {
    try withSources { folder, digests in
      let statuses = try raceOfWriters(in: folder, options: "")
      #expect(statuses == ["0"] + Array(repeating: "73", count: Self.writers - 1))
      let out = folder.appending(path: "out")
      #expect(try names(in: out) == ["d.npz"])
      #expect(digests.contains(try digest(out.appending(path: "d.npz"))))
    }
  }

  @Test(.row("W26")) func ofManyReplacingWritersTheLastIsComplete() throws {
    try withSources { folder, digests in
      let statuses = try raceOfWriters(in: folder, options: "--force")
      #expect(statuses == Array(repeating: "0", count: Self.writers))
      let out = folder.appending(path: "out")
      #expect(try names(in: out) == ["d.npz"])
      #expect(digests.contains(try digest(out.appending(path: "d.npz"))))
    }
  }

  /// The exit status of a program that another thread waits for.
  private final class End: Sendable {
    let status = Mutex<Int32?>(nil)
  }

  @Test(.row("W15")) func aReaderSeesTheOldOrTheNewFile() throws {
    try withSources { folder, _ in
      let destination = folder.appending(path: "d.npz")
      var whole: [Data] = []
      for number in [1, 0] {
        let run = try Machine.shell(
          "exec \"$0\" convert s\(number).safetensors d.npz --force --quiet", in: folder)
        #expect(run.status == 0)
        whole.append(try Data(contentsOf: destination))
      }
      let held = try FileHandle(forReadingFrom: destination)
      let rounds = Places.isLong ? 400 : 20
      let end = End()
      let writer = Thread {
        let run = try? Machine.shell(
          """
          for i in $(seq \(rounds)); do
            "$0" convert s$((i % 2)).safetensors d.npz --force --quiet || exit $?
          done
          """, in: folder)
        end.status.withLock { $0 = run?.status ?? -1 }
      }
      writer.start()
      var opens = 0
      var seen: [Int] = [0, 0]
      while end.status.withLock({ $0 }) == nil {
        let found = try Data(contentsOf: destination)
        opens += 1
        let which = whole.firstIndex(of: found)
        #expect(which != nil, "a reader saw \(found.count) bytes")
        if let which { seen[which] += 1 }
      }
      #expect(end.status.withLock { $0 } == 0)
      #expect(seen[0] > 0 && seen[1] > 0)
      // Who has opened the file before keeps what was in it.
      #expect(try held.readToEnd() == whole[1])
      print("readers: \(opens) opens during \(rounds) replacements")
    }
  }

  @Test(.row("W27"), .enabled(if: FaultShim.isAvailable, "\(FaultShim.absence)"))
  func aFolderThatIsMovedMeanwhileTakesTheFileAlong() throws {
    for (call, number) in [("write", 1), ("sync", 1), ("link", 1)] {
      for always in [nil, "open-unnamed=\(EOPNOTSUPP)"] where call != "link" || always == nil {
        try withSources { folder, digests in
          let before = folder.appending(path: "moved.other", directoryHint: .isDirectory)
          let after = folder.appending(path: "moved", directoryHint: .isDirectory)
          try FileManager.default.createDirectory(at: before, withIntermediateDirectories: false)
          let run = try FaultShim.ingot(
            [
              "convert", folder.appending(path: "s0.safetensors").filePath,
              before.appending(path: "d.npz").filePath, "--quiet",
            ], fault: Fault(call: call, number: number, action: .replace), always: always,
            on: folder.appending(path: "moved").filePath)
          #expect(run.status == 0, "\(run.diagnostics)")
          #expect(try names(in: after) == ["d.npz"])
          #expect(try digest(after.appending(path: "d.npz")) == digests[0])
          #expect(try names(in: folder) == ["moved", "s0.safetensors", "s1.safetensors"])
        }
      }
    }
  }

  @Test(.row("W27"), .enabled(if: FaultShim.isAvailable, "\(FaultShim.absence)"))
  func aFolderThatIsRemovedMeanwhileIsAnError() throws {
    try withSources { folder, _ in
      let out = folder.appending(path: "out", directoryHint: .isDirectory)
      try FileManager.default.createDirectory(at: out, withIntermediateDirectories: false)
      let run = try FaultShim.ingot(
        [
          "convert", folder.appending(path: "s0.safetensors").filePath,
          out.appending(path: "d.npz").filePath,
        ], fault: Fault(call: "sync", number: 1, action: .remove),
        on: folder.appending(path: "out").filePath)
      #expect(run.status == 74)
      #expect(
        run.diagnostics.contains("d.npz: creating a temporary file failed: No such file"),
        "\(run.diagnostics)")
      #expect(try names(in: folder) == ["s0.safetensors", "s1.safetensors"])
    }
  }

  @Test(.row("W28")) func aLinkThatIsSwappedMeanwhileLeadsNowhereElse() throws {
    try withSources { folder, digests in
      let run = try Machine.shell(
        """
        mkdir a b
        ln -s a way
        ( while [ ! -e stop ]; do
            ln -s b other && mv -T other way; ln -s a other && mv -T other way
          done ) &
        for i in $(seq \(Places.isLong ? 200 : 25)); do
          "$0" convert s0.safetensors way/m.safetensors --max-shard-size 200KB --force --quiet || exit $?
        done
        touch stop
        wait
        """, in: folder)
      #expect(run.status == 0, "\(run.diagnostics)")
      let allowed = ["a", "b", "s0.safetensors", "s1.safetensors", "stop", "way"]
      #expect(try names(in: folder) == allowed)
      // Each folder has a whole set or nothing: never one file here and another there.
      var sets = 0
      for name in ["a", "b"] {
        let content = try names(in: folder.appending(path: name))
        guard !content.isEmpty else { continue }
        sets += 1
        #expect(content.count == 4, "\(content)")
        #expect(
          try digest(folder.appending(path: "\(name)/m.safetensors.index.json")) == digests[0])
      }
      #expect(sets > 0)
    }
  }

  @Test(.row("W28"), .enabled(if: FaultShim.isAvailable, "\(FaultShim.absence)"))
  func aTemporaryFileIsNeverOneThatSomebodyElseMade() throws {
    try Places.withTemporaryFolder { folder in
      let scene = try WriteScene(
        .named("safetensors, no unnamed files", replaces: true), in: folder)
      try scene.reset()
      let log = folder.appending(path: "log")
      _ = try FaultShim.ingot(scene.arguments, always: scene.write.always, log: log)
      let created = try RecordedCall.read(log).filter { $0.kind == "create" }
      #expect(created.count == 1)
      for call in created {
        // The third field of an opening call holds its flags.
        #expect(call.result & Int(O_EXCL) != 0 && call.result & Int(O_NOFOLLOW) != 0)
      }
      var other = 0
      for _ in 0..<2 {
        try scene.reset()
        try FileManager.default.removeItem(at: log)
        _ = try FaultShim.ingot(scene.arguments, always: scene.write.always, log: log)
        let name = try RecordedCall.read(log).first { $0.kind == "create" }?.name
        if name != created.first?.name { other += 1 }
      }
      #expect(other == 2)
    }
  }
}
