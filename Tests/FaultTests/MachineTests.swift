import Foundation
import TestSupport
import Testing

/// Disks that fill up, bounds on a process, and streams that are closed or full.
@Suite struct MachineTests {
  private func withSource(_ body: (_ folder: URL, _ source: URL) throws -> Void) throws {
    try Places.withTemporaryFolder { folder in
      let source = folder.appending(path: "s.safetensors")
      try WriteCase.makeSource(source, seed: 6)
      try body(folder, source)
    }
  }

  private func names(in folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.filePath).sorted()
  }

  @Test(
    .row("W6"), .enabled(if: Machine.hasNamespaces, "user namespaces are not allowed here"),
    arguments: ["npz", "h5", "ingot", "safetensors"], ["", "--compression gzip:1"])
  func aDiskThatIsTooSmallIsAnErrorAndKeepsItsRoom(format: String, options: String) throws {
    guard options.isEmpty || format != "safetensors" else { return }
    try withSource { folder, source in
      let whole = folder.appending(path: "whole.\(format)")
      _ = try Machine.shell(
        "exec \"$0\" convert s.safetensors whole.\(format) \(options)", in: folder)
      let size = try Data(contentsOf: whole).count
      // Room for the half of it, for all but a page, for all.
      for (room, isEnough) in [(size / 2, false), (size - 8192, false), (size * 2 + 65536, true)] {
        let run = try Machine.inNamespace(
          """
          mkdir disk && mount -t tmpfs -o size=\(room) none disk
          before=$(stat -f -c %f disk)
          status=0
          "$0" convert s.safetensors disk/d.\(format) --quiet \(options) || status=$?
          [ $status = 0 ] || [ "$(stat -f -c %f disk)" = "$before" ] || echo "room is lost"
          ls -A disk; echo; rmdir disk 2>/dev/null || umount disk; rmdir disk
          exit $status
          """, in: folder)
        #expect(run.status == (isEnough ? 0 : 74), "\(room) of \(size): \(run.diagnostics)")
        #expect(run.output == (isEnough ? "d.\(format)\n\n" : "\n"))
        if !isEnough {
          #expect(
            run.diagnostics.contains("No space left on device"), "\(run.diagnostics)")
        }
      }
    }
  }

  @Test(
    .row("W12"),
    .enabled(
      if: Machine.hasLimits && FaultShim.isAvailable, "there is no prlimit or no C compiler"),
    arguments: WriteCase.all.filter { $0.always == nil })
  func aBoundOnTheSizeOfFilesIsAnError(_ write: WriteCase) throws {
    try Places.withTemporaryFolder(in: Places.memory) { folder in
      let scene = try WriteScene(write, in: folder)
      let largest = scene.complete.values.map(\.count).max() ?? 0
      for bound in [0, 1, largest / 3, largest - 1] {
        try scene.reset()
        let run = try CommandRun.run(
          "/usr/bin/env", ["prlimit", "--fsize=\(bound)", CommandRun.ingot] + scene.arguments)
        // Diagnostics go into a file too, and are cut where nothing may be written.
        #expect(run.status == 74, "\(bound): \(run.diagnostics)")
        var violation = ""
        #expect(
          try scene.check(killed: false, leftoverIsTold: false, violation: &violation)
            == .asBefore, "\(violation)")
      }
    }
  }

  @Test(.row("W13")) func aReaderThatGoesAwayDoesNotEndAConversion() throws {
    try withSource { folder, source in
      let whole = try CommandRun.ingot("digest", source.filePath).output
      for (number, line) in [
        "\"$0\" convert s.safetensors DEST --json | head -c 0",
        "\"$0\" convert s.safetensors DEST 2>&-",
        "\"$0\" convert s.safetensors DEST >&-", "\"$0\" convert s.safetensors DEST <&- >&- 2>&-",
        "(\"$0\" convert s.safetensors DEST 3>&1 1>&2 2>&3) | head -c 0",
      ].enumerated() {
        let name = "d\(number).npz"
        let run = try Machine.shell(
          line.replacingOccurrences(of: "DEST", with: name), in: folder)
        #expect(run.status == 0, "\(line): \(run.diagnostics)")
        #expect(
          try CommandRun.ingot("digest", folder.appending(path: name).filePath).output == whole,
          "\(line)")
      }
      let failed = try Machine.shell(
        "exec \"$0\" convert absent.npz d.npz <&- >&- 2>&-", in: folder)
      #expect(failed.status == 66)
      let refused = try Machine.shell("exec \"$0\" inspect s.safetensors >/dev/full", in: folder)
      #expect(refused.status == 74)
      #expect(refused.diagnostics.contains("the result cannot be printed: No space left on device"))
    }
  }

  @Test(.row("W40")) func aFullReportFailsAndTheConvertedFileIsComplete() throws {
    try withSource { folder, source in
      let run = try Machine.shell(
        "exec \"$0\" convert s.safetensors d.npz --json >/dev/full", in: folder)
      #expect(run.status == 74)
      #expect(
        try CommandRun.ingot("digest", folder.appending(path: "d.npz").filePath).output
          == CommandRun.ingot("digest", source.filePath).output)
      let quiet = try Machine.shell(
        "exec \"$0\" convert s.safetensors e.npz 2>/dev/full", in: folder)
      #expect(quiet.status == 0)
    }
  }

  @Test(.row("W40"), arguments: ["junit", "json"])
  func aReportThatADeviceDoesNotTakeIsAnError(kind: String) throws {
    let model = Places.fixture("models/gpt2")
    let run = try CommandRun.ingot(
      "verify", model, "--golden", model + "/golden.npz", "--report", "\(kind)=/dev/full")
    #expect(run.status == 74, "\(run.diagnostics)")
    #expect(run.diagnostics.contains("/dev/full: write failed: No space left on device"))
    // What is a link to a stream is written into, and never replaced.
    let printed = try Machine.shell(
      "\"$0\" verify \(model) --golden \(model)/golden.npz --report \(kind)=/dev/stdout | cat",
      in: Places.project)
    #expect(printed.status == 0)
    #expect(printed.output.contains(kind == "junit" ? "<testsuite" : "\"first_divergence\""))
  }
}
