import Foundation
import Ingot
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
      if: Machine.hasLimits && FaultShim.isAvailable, "no prlimit, \(FaultShim.absence)"),
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

  @Test(
    .row("G29"), .withoutSanitizer, .enabled(if: Machine.hasLimits, "there is no prlimit"),
    arguments: ReadFaultTests.sources)
  func halfAGigabyteOfAddressesIsEnough(_ source: String) throws {
    for command in [["digest"], ["inspect", "--stats"]] {
      let free = try CommandRun.run(CommandRun.ingot, command + [Places.fixture(source)])
      let bounded = try Machine.ingot(
        limits: "--as=536870912", arguments: command + [Places.fixture(source)])
      #expect(bounded.status == free.status, "\(bounded.diagnostics)")
      #expect(bounded.output == free.output)
    }
  }

  @Test(
    .row("G30"),
    .enabled(
      if: Machine.hasLimits && FaultShim.isAvailable, "no prlimit, \(FaultShim.absence)"),
    arguments: WriteCase.all.filter { $0.always == nil })
  func fewDescriptorsAreEnoughOrAnError(_ write: WriteCase) throws {
    try Places.withTemporaryFolder(in: Places.memory) { folder in
      let scene = try WriteScene(write, in: folder)
      for bound in 3...16 {
        let version = try Machine.ingot(limits: "--nofile=\(bound)", arguments: ["--version"])
        // Below that the system cannot even load the program.
        guard version.status == 0 else { continue }
        try scene.reset()
        let run = try Machine.ingot(limits: "--nofile=\(bound)", arguments: scene.arguments)
        #expect(
          run.status == 0 || run.status == 74 && (bound < 16 || write.isSet),
          "\(bound): \(run.status) \(run.diagnostics)")
        var violation = ""
        let outcome = try scene.check(killed: false, leftoverIsTold: false, violation: &violation)
        #expect(outcome == (run.status == 0 ? .complete : .asBefore), "\(bound): \(violation)")
      }
    }
  }

  @Test(.row("G30")) func openingTenThousandFilesLeavesNoDescriptorOpen() throws {
    try Places.withTemporaryFolder { folder in
      // Copies, because other tests of this process read the fixtures meanwhile.
      let names = ["npz", "safetensors", "native", "hdf5", "keras"]
      for name in names {
        try FileManager.default.copyItem(
          atPath: Places.fixture(name), toPath: folder.appending(path: name).filePath)
      }
      let paths = try names.flatMap { name in
        try FileManager.default.contentsOfDirectory(atPath: Places.fixture(name)).sorted()
          .map { folder.appending(path: name + "/" + $0).filePath }
      }
      var opened = 0
      var refused = 0
      while opened + refused < 10_000 {
        for path in paths + [folder.filePath, folder.appending(path: "absent.npz").filePath] {
          do {
            opened += try Checkpoint(path: path).files.isEmpty ? 0 : 1
          } catch {
            refused += 1
          }
        }
      }
      let left = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter {
        let target = try? FileManager.default.destinationOfSymbolicLink(
          atPath: "/proc/self/fd/" + $0)
        return target?.contains(folder.lastPathComponent) == true
      }
      #expect(left.isEmpty)
      #expect(opened > 5000 && refused > 500)
      print("descriptors: \(opened) files opened, \(refused) refused")
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
