import Foundation
import TestSupport
import Testing

/// Single faults of the last steps, with the words that each is told in.
@Suite(.enabled(if: FaultShim.isAvailable, "\(FaultShim.absence)"))
struct CommitFaultTests {
  /// Runs a case with one fault; expects the status, the invariant and the text.
  private func expect(
    _ name: String, replaces: Bool = false, _ fault: Fault, always: String? = nil,
    status: Int32, complete: Bool = false, leaves: Bool = false, says texts: String...
  ) throws {
    try Places.withTemporaryFolder(in: Places.memory) { folder in
      let scene = try WriteScene(.named(name, replaces: replaces), in: folder)
      try scene.reset()
      let run = try FaultShim.ingot(
        scene.arguments, fault: fault, always: always ?? scene.write.always)
      #expect(run.status == status, "\(fault): \(run.diagnostics)")
      var violation = ""
      let outcome = try scene.check(
        killed: false, leftoverIsTold: leaves, violation: &violation)
      #expect(outcome == (complete ? .complete : .asBefore), "\(fault): \(violation)")
      for text in texts {
        #expect(run.diagnostics.contains(text), "\(fault): \(run.diagnostics)")
      }
      let hidden = try WriteScene.content(of: scene.out).keys.filter { $0.hasPrefix(".") }
      #expect(hidden.isEmpty != leaves)
      for name in hidden { #expect(run.diagnostics.contains(name), "\(run.diagnostics)") }
    }
  }

  @Test(
    .row("W7"),
    arguments: [("sync", "fsync failed"), ("truncate", "ftruncate failed"), ("reserve", "no room")])
  func aFullDiskThatShowsLateIsAnError(call: String, text: String) throws {
    try expect(
      "npz", Fault(call: call, number: 1, action: .error(ENOSPC)), status: 74,
      says: text, "No space left on device", "d.npz")
  }

  @Test(
    .row("W39"),
    arguments: [
      ("permissions", EIO, 74, "its access control list cannot be read: Input/output error"),
      ("permissions", EACCES, 73, "its access control list cannot be read: Permission denied"),
      ("permit", EIO, 74, "setting the access control list failed: Input/output error"),
      ("chmod", EPERM, 74, "fchmod failed: Operation not permitted"),
    ])
  func permissionsThatCannotBeKeptAreAnError(
    call: String, code: Int32, status: Int32, text: String
  ) throws {
    try expect(
      "npz", replaces: true, Fault(call: call, number: 1, action: .error(code)), status: status,
      says: "d.npz: " + text)
  }

  @Test(.row("W7")) func whatANetworkFileSystemReportsAtACloseIsAnError() throws {
    try Places.withTemporaryFolder(in: Places.memory) { folder in
      let scene = try WriteScene(.named("npz"), in: folder)
      let closes = try #require(scene.calls["close"])
      var failures = 0
      for number in 1...closes {
        try scene.reset()
        let run = try FaultShim.ingot(
          scene.arguments + ["--no-sync"],
          fault: Fault(call: "close", number: number, action: .error(EDQUOT)))
        guard run.status != 0 else { continue }
        failures += 1
        #expect(run.status == 74)
        #expect(run.diagnostics.contains("d.npz: close failed: Disk quota exceeded"))
        #expect(try WriteScene.content(of: scene.out).isEmpty)
      }
      // The one after the data; what a close of a finished source reports concerns nobody.
      #expect(failures == 1)
    }
  }

  @Test(.row("W9")) func aFailedSyncIsNeverTriedAgain() throws {
    try Places.withTemporaryFolder(in: Places.memory) { folder in
      let scene = try WriteScene(.named("safetensors"), in: folder)
      try scene.reset()
      let log = folder.appending(path: "log")
      let run = try FaultShim.ingot(
        scene.arguments, fault: Fault(call: "sync", number: 1, action: .error(EIO)), log: log)
      #expect(run.status == 74)
      #expect(run.diagnostics.contains("d.safetensors: fsync failed: Input/output error"))
      #expect(try RecordedCall.read(log).filter { $0.kind == "sync" }.count == 1)
      #expect(try WriteScene.content(of: scene.out).isEmpty)
    }
  }

  @Test(.row("W29"), arguments: [EOPNOTSUPP, EISDIR, EINVAL, ENOSYS])
  func withoutUnnamedFilesAHiddenSiblingServes(code: Int32) throws {
    for replaces in [false, true] {
      try Places.withTemporaryFolder(in: Places.memory) { folder in
        let scene = try WriteScene(.named("ingot", replaces: replaces), in: folder)
        try scene.reset()
        let run = try FaultShim.ingot(scene.arguments, always: "open-unnamed=\(code)")
        #expect(run.status == 0, "\(run.diagnostics)")
        #expect(try WriteScene.content(of: scene.out) == scene.complete)
      }
    }
  }

  @Test(.row("W30"), arguments: [EPERM, ENOENT, EXDEV])
  func withoutProcAHiddenSiblingServes(code: Int32) throws {
    for replaces in [false, true] {
      try Places.withTemporaryFolder(in: Places.memory) { folder in
        let scene = try WriteScene(.named("hdf5", replaces: replaces), in: folder)
        try scene.reset()
        let run = try FaultShim.ingot(scene.arguments, always: "link=\(code)")
        #expect(run.status == 0, "\(run.diagnostics)")
        #expect(try WriteScene.content(of: scene.out) == scene.complete)
      }
    }
  }

  @Test(.row("W31"), arguments: [EXDEV, ENOSPC, EACCES, EBUSY])
  func aRenameThatFailsLeavesTheOldFile(code: Int32) throws {
    try expect(
      "safetensors", replaces: true, Fault(call: "rename", number: 1, action: .error(code)),
      status: 74, says: "d.safetensors: rename failed: \(String(cString: strerror(code)))")
  }

  @Test(.row("W32")) func aFolderThatCannotBeSyncedIsTold() throws {
    try expect(
      "npz", Fault(call: "sync", number: 2, action: .error(EIO)), status: 74, complete: true,
      says:
        "d.npz: the file is in place but may not survive a power cut: fsync of its folder failed")
  }

  @Test(.row("W33")) func aTemporaryFileThatCannotBeRemovedIsNamed() throws {
    // The rename fails first, and its reason stays the error.
    try expect(
      "safetensors", replaces: true, Fault(call: "rename", number: 1, action: .error(EBUSY)),
      always: "unlink=\(EIO)", status: 74, leaves: true,
      says: "rename failed: Device or resource busy", "note: ",
      "this temporary file could not be removed: Input/output error")
  }

  @Test(.row("W33", "W35"))
  func anOldFileOfASetThatCannotBeRemovedIsNamed() throws {
    try expect(
      "safetensors in files", replaces: true, Fault(call: "none", number: 1, action: .half),
      always: "unlink=\(EIO)", status: 0, complete: true, leaves: true,
      says: "this temporary file could not be removed: Input/output error")
  }

  @Test(.row("W35"), arguments: 1...8)
  func aSetThatCannotTakeItsNamesIsPutBack(number: Int) throws {
    try expect(
      "safetensors in files", replaces: true,
      Fault(
        call: number > 4 ? "link" : "rename", number: (number - 1) % 4 + 1, action: .error(EIO)),
      status: 74, says: "failed: Input/output error")
  }

  @Test(.row("W35")) func filesOfASetWithoutTheirIndexAreNoCheckpoint() throws {
    try Places.withTemporaryFolder(in: Places.memory) { folder in
      let scene = try WriteScene(.named("safetensors in files"), in: folder)
      let links = try #require(scene.calls["link"])
      for number in 1...links {
        try scene.reset()
        _ = try FaultShim.ingot(
          scene.arguments, fault: Fault(call: "link", number: number, action: .kill(SIGKILL)))
        let left = try WriteScene.content(of: scene.out)
        #expect(left.count == number - 1)
        let run = try CommandRun.ingot("inspect", scene.out.filePath)
        if left.isEmpty {
          #expect(run.status == 66)
        } else {
          #expect(run.status == 65)
          #expect(run.diagnostics.contains("the set is incomplete"), "\(run.diagnostics)")
        }
      }
    }
  }
}
