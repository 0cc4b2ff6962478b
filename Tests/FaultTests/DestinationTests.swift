import Foundation
import TestSupport
import Testing

/// What may be a destination, and what becomes of what is there.
@Suite struct DestinationTests {
  /// A folder with a source `s.safetensors` in it.
  private func withSource(_ body: (_ folder: URL, _ source: URL) throws -> Void) throws {
    try Places.withTemporaryFolder { folder in
      let source = folder.appending(path: "s.safetensors")
      try WriteCase.makeSource(source, seed: 5)
      try body(folder, source)
    }
  }

  private func names(in folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.filePath).sorted()
  }

  /// The digest of a checkpoint.
  private func digest(_ url: URL) throws -> String {
    let run = try CommandRun.ingot("digest", url.filePath)
    #expect(run.status == 0, "\(run.diagnostics)")
    return run.output
  }

  @Test(.row("W14")) func anExistingDestinationIsRefusedBeforeTheSourceIsRead() throws {
    try withSource { folder, _ in
      let destination = folder.appending(path: "d.npz")
      try Data("old".utf8).write(to: destination)
      // The source is not even there.
      let run = try CommandRun.ingot("convert", "absent.npz", destination.filePath)
      #expect(run.status == 73)
      #expect(run.diagnostics.contains("d.npz: exists\nhint: give --force to replace it"))
      #expect(try Data(contentsOf: destination) == Data("old".utf8))
    }
  }

  @Test(.row("W14"), .enabled(if: FaultShim.isAvailable, "\(FaultShim.absence)"))
  func aDestinationThatAppearsMeanwhileIsKept() throws {
    for always in [nil, "open-unnamed=\(EOPNOTSUPP)", "link=\(EPERM)"] {
      try withSource { folder, source in
        let destination = folder.appending(path: "d.npz")
        try Data("theirs".utf8).write(to: folder.appending(path: "d.npz.other"))
        // Another process creates the destination while the data is brought to the disk.
        let run = try FaultShim.ingot(
          ["convert", source.filePath, destination.filePath],
          fault: Fault(call: "sync", number: 1, action: .replace), always: always,
          on: destination.filePath)
        #expect(run.status == 73)
        #expect(run.diagnostics.contains("d.npz: exists: it appeared while this file was written"))
        #expect(try Data(contentsOf: destination) == Data("theirs".utf8))
        #expect(try names(in: folder) == ["d.npz", "s.safetensors"])
      }
    }
  }

  @Test(.row("W16")) func aLinkIsRefusedAndWithForceReplaced() throws {
    try withSource { folder, source in
      let target = folder.appending(path: "target")
      let link = folder.appending(path: "d.npz")
      try Data("target".utf8).write(to: target)
      try FileManager.default.createSymbolicLink(at: link, withDestinationURL: target)
      let refused = try CommandRun.ingot("convert", source.filePath, link.filePath)
      #expect(refused.status == 73)
      #expect(refused.diagnostics.contains("d.npz: exists (a symbolic link)"))
      let run = try CommandRun.ingot("convert", source.filePath, link.filePath, "--force")
      #expect(run.status == 0)
      #expect(try Data(contentsOf: target) == Data("target".utf8))
      #expect(throws: (any Error).self) {
        try FileManager.default.destinationOfSymbolicLink(atPath: link.filePath)
      }
      #expect(try digest(link) == digest(source))
    }
  }

  @Test(.row("W16", "W17"), arguments: ["/dev/null", "."])
  func aLinkToADeviceOrAFolderIsNotReplaced(target: String) throws {
    try withSource { folder, source in
      let link = folder.appending(path: "d.npz")
      try FileManager.default.createSymbolicLink(
        atPath: link.filePath, withDestinationPath: target)
      let run = try CommandRun.ingot("convert", source.filePath, link.filePath, "--force")
      #expect(run.status == 73)
      #expect(run.diagnostics.contains("d.npz: is a symbolic link that leads to no regular file"))
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.filePath) == target)
    }
  }

  @Test(.row("W17"), arguments: ["folder", "pipe", "socket", "device"])
  func onlyAFileIsReplaced(kind: String) throws {
    try withSource { folder, source in
      var place = folder.appending(path: "d.npz")
      switch kind {
      case "folder":
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: false)
      case "pipe": #expect(mkfifo(place.filePath, 0o600) == 0)
      case "socket": try #require(mknod(place.filePath, S_IFSOCK | 0o600, 0) == 0)
      default: place = URL(filePath: "/dev/full")
      }
      for options in [[], ["--force"]] {
        let run = try CommandRun.run(
          CommandRun.ingot,
          ["convert", source.filePath, place.filePath, "--to", "npz"] + options)
        #expect(run.status == 73)
        #expect(
          run.diagnostics.contains(
            kind == "folder" ? "is a directory" : "exists and is no regular file"))
      }
      var status = stat()
      #expect(lstat(place.filePath, &status) == 0 && status.st_mode & S_IFMT != S_IFREG)
    }
  }

  @Test(.row("W18")) func anAbsentFolderIsNotCreated() throws {
    try withSource { folder, source in
      let run = try CommandRun.ingot(
        "convert", source.filePath, folder.appending(path: "no/d.npz").filePath)
      #expect(run.status == 73)
      #expect(run.diagnostics.contains("no' cannot be opened: No such file or directory"))
      #expect(try names(in: folder) == ["s.safetensors"])
    }
  }

  @Test(.row("W19")) func aNameThatIsTooLongIsRefused() throws {
    try withSource { folder, source in
      let name = String(repeating: "n", count: 252) + ".npz"
      let run = try CommandRun.ingot(
        "convert", source.filePath, folder.appending(path: name).filePath)
      #expect(run.status == 73)
      #expect(run.diagnostics.contains("File name too long"))
      // The longest name there is takes a temporary one beside it.
      let longest = folder.appending(path: String(name.dropFirst()))
      for _ in 0..<2 {
        let run = try CommandRun.ingot("convert", source.filePath, longest.filePath, "--force")
        #expect(run.status == 0, "\(run.diagnostics)")
      }
      #expect(try names(in: folder).count == 2)
    }
  }

  @Test(.row("W19"), .enabled(if: Machine.canBeNobody, "neither setpriv nor another user"))
  func aFolderThatMayNotBeWrittenIsLeftAlone() throws {
    try withSource { folder, source in
      let locked = folder.appending(path: "locked", directoryHint: .isDirectory)
      try FileManager.default.createDirectory(at: locked, withIntermediateDirectories: false)
      for (mode, text) in [(0o555, "d.npz: cannot be created: Permission denied")] {
        chmod(locked.filePath, mode_t(mode))
        let run = try Machine.nobody(
          "convert", source.filePath, locked.appending(path: "d.npz").filePath)
        #expect(run.status == 73)
        #expect(run.diagnostics.contains(text), "\(run.diagnostics)")
        #expect(try names(in: locked).isEmpty)
      }
      // In a folder like /tmp anybody may create, and nobody may replace what is another's.
      chmod(locked.filePath, 0o1777)
      let theirs = locked.appending(path: "d.npz")
      try Data("theirs".utf8).write(to: theirs)
      let run = try Machine.nobody("convert", source.filePath, theirs.filePath, "--force")
      if getuid() == 0 {
        #expect(run.status == 74)
        #expect(run.diagnostics.contains("rename failed: Operation not permitted"))
        #expect(try Data(contentsOf: theirs) == Data("theirs".utf8))
      }
      #expect(try names(in: locked) == ["d.npz"])
    }
  }

  @Test(.row("W20"), arguments: ["same", "dotted", "link", "hard link", "source is a link"])
  func aFileCanBeConvertedIntoItself(way: String) throws {
    try withSource { folder, source in
      var (from, to) = (source, source)
      switch way {
      case "dotted": to = folder.appending(path: "./../\(folder.lastPathComponent)/s.safetensors")
      case "link":
        to = folder.appending(path: "d.safetensors")
        try FileManager.default.createSymbolicLink(at: to, withDestinationURL: source)
      case "hard link":
        to = folder.appending(path: "d.safetensors")
        try FileManager.default.linkItem(at: source, to: to)
      case "source is a link":
        from = folder.appending(path: "d.safetensors")
        try FileManager.default.createSymbolicLink(at: from, withDestinationURL: source)
      default: break
      }
      let before = try digest(source)
      let refused = try CommandRun.ingot("convert", from.filePath, to.filePath)
      #expect(refused.status == 73)
      let run = try CommandRun.ingot("convert", from.filePath, to.filePath, "--force")
      #expect(run.status == 0, "\(run.diagnostics)")
      #expect(try digest(to) == before)
      #expect(try digest(source) == before)
    }
  }

  @Test(.row("W20"), .enabled(if: Machine.hasNamespaces, "user namespaces are not allowed here"))
  func aFileCanBeConvertedIntoItselfThroughAnotherMount() throws {
    try withSource { folder, source in
      let before = try digest(source)
      let run = try Machine.inNamespace(
        """
        mkdir other && mount --bind . other
        exec "$0" convert s.safetensors other/s.safetensors --force --quiet
        """, in: folder)
      #expect(run.status == 0, "\(run.diagnostics)")
      #expect(try digest(source) == before)
    }
  }

  @Test(.row("W21")) func aSetIsNotWrittenOverItsOwnSource() throws {
    try withSource { folder, source in
      let set = folder.appending(path: "m.safetensors")
      let split = ["--max-shard-size", "200KB"]
      let made = try CommandRun.run(
        CommandRun.ingot, ["convert", source.filePath, set.filePath] + split)
      #expect(made.status == 0)
      // Once more as one file that has the name of a shard.
      let lone = folder.appending(path: "lone", directoryHint: .isDirectory)
      try FileManager.default.createDirectory(at: lone, withIntermediateDirectories: false)
      let named = lone.appending(path: "m-00002-of-00003.safetensors")
      try FileManager.default.copyItem(at: source, to: named)
      let before = try WriteScene.content(of: folder)
      let index = set.filePath + ".index.json"
      for arguments in [
        ["convert", index, set.filePath] + split,
        ["convert", index, folder.appending(path: "m-00002-of-00003.safetensors").filePath],
        ["convert", named.filePath, lone.appending(path: "m.safetensors").filePath] + split,
      ] {
        #expect(try CommandRun.run(CommandRun.ingot, arguments).status == 73)
        let run = try CommandRun.run(CommandRun.ingot, arguments + ["--force"])
        #expect(run.status == 64)
        #expect(
          run.diagnostics.contains(
            "is a file of the source, and a set of files cannot be replaced in one step"))
      }
      let kept = try WriteScene.content(of: lone)
      #expect(kept == [named.lastPathComponent: try Data(contentsOf: source)])
      #expect(try WriteScene.content(of: folder) == before)
    }
  }

  @Test(.row("W24")) func aPipeIsNoSource() throws {
    try withSource { folder, _ in
      let pipe = folder.appending(path: "pipe.npz")
      #expect(mkfifo(pipe.filePath, 0o600) == 0)
      let run = try CommandRun.ingot(
        "convert", pipe.filePath, folder.appending(path: "d.npz").filePath)
      #expect(run.status == 66)
      #expect(run.diagnostics.contains("pipe.npz: is not a regular file"))
    }
  }

  @Test(.row("G25")) func aLinkToASourceIsFollowedAndNamed() throws {
    try withSource { folder, source in
      let made = try CommandRun.ingot(
        "convert", source.filePath, folder.appending(path: "real/m.safetensors").filePath)
      #expect(made.status == 73)
      let real = folder.appending(path: "real", directoryHint: .isDirectory)
      try FileManager.default.createDirectory(at: real, withIntermediateDirectories: false)
      _ = try CommandRun.ingot(
        "convert", source.filePath, real.appending(path: "m.safetensors").filePath,
        "--max-shard-size", "200KB")
      // The files of a set are looked for where the index really lies.
      let link = folder.appending(path: "link.json")
      try FileManager.default.createSymbolicLink(
        at: link, withDestinationURL: real.appending(path: "m.safetensors.index.json"))
      #expect(try digest(link) == digest(source))
      try FileManager.default.removeItem(at: real.appending(path: "m-00002-of-00003.safetensors"))
      let run = try CommandRun.ingot("digest", link.filePath)
      #expect(run.status == 66)
      #expect(run.diagnostics.contains(folder.lastPathComponent + "/m-00002-of-00003.safetensors"))
    }
  }

  @Test(.row("W38"), arguments: ["npz", "h5", "ingot", "safetensors"])
  func theClockIsNotInTheFile(format: String) throws {
    try withSource { folder, source in
      var outputs: [Data] = []
      // 1970, now, after 2038, and a time that is to come.
      for seconds in [0, nil, 2_200_000_000, 4_000_000_000] as [Int?] {
        if let seconds {
          try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: TimeInterval(seconds))],
            ofItemAtPath: source.filePath)
        }
        let destination = folder.appending(path: "d\(outputs.count).\(format)")
        let run = try CommandRun.ingot("convert", source.filePath, destination.filePath)
        #expect(run.status == 0, "\(run.diagnostics)")
        outputs.append(try Data(contentsOf: destination))
      }
      #expect(Set(outputs).count == 1)
    }
  }

  @Test(.row("W39"), arguments: [0o077, 0o000, 0o027])
  func aNewFileHasTheModeOfTheUmaskAndAnOldOneKeepsItsOwn(mask: Int) throws {
    try withSource { folder, source in
      let destination = folder.appending(path: "d.npz")
      let ways = FaultShim.isAvailable ? ["", "open-unnamed=\(EOPNOTSUPP)", "link=\(EPERM)"] : [""]
      for way in ways {
        /// Converts and returns the mode of what is there then.
        func convert() throws -> Int? {
          var environment = ["FAULT_ALWAYS": way]
          if !way.isEmpty { environment["LD_PRELOAD"] = FaultShim.library }
          let run = try CommandRun.run(
            "/bin/sh",
            [
              "-c", "umask \(String(mask, radix: 8)); exec \"$0\" \"$@\"", CommandRun.ingot,
              "convert", source.filePath, destination.filePath, "--force", "--quiet",
            ], environment: environment)
          #expect(run.status == 0, "\(run.diagnostics)")
          return try FileManager.default.attributesOfItem(atPath: destination.filePath)[
            .posixPermissions] as? Int
        }
        try? FileManager.default.removeItem(at: destination)
        let new = try convert()
        #expect(new == 0o666 & ~mask)
        for kept in [0o640, 0o600, 0o444, 0o666] {
          chmod(destination.filePath, mode_t(kept))
          let replaced = try convert()
          #expect(replaced == kept)
        }
      }
    }
  }

  /// The ways to the destination: at once, by a hidden sibling, by a copy.
  private static let ways =
    [nil] + (FaultShim.isAvailable ? ["open-unnamed=\(EOPNOTSUPP)", "link=\(EPERM)"] : [])

  @Test(
    .row("W39"),
    .enabled(if: Machine.hasAccessLists, "no access control lists here, or no Python to set them"),
    arguments: ways)
  func anOldFileKeepsItsAccessList(way: String?) throws {
    try withSource { folder, source in
      let destination = folder.appending(path: "d.npz")
      /// Converts and returns mode and list of what is there then.
      func convert() throws -> (mode: Int?, list: String) {
        let run = try FaultShim.ingot(
          ["convert", source.filePath, destination.filePath, "--force", "--quiet"], always: way)
        #expect(run.status == 0, "\(run.diagnostics)")
        let attributes = try FileManager.default.attributesOfItem(atPath: destination.filePath)
        return (
          attributes[.posixPermissions] as? Int, try Machine.accessList("show", destination)
        )
      }
      try Data("old".utf8).write(to: destination)
      try Machine.accessList("access", destination)
      let list = try Machine.accessList("show", destination)
      // The group's bits of the mode are the mask of the list: the group itself may do nothing.
      let kept = try convert()
      #expect(kept.mode == 0o660 && kept.list == list && !list.isEmpty)
      // A file without a list does not get that of its folder.
      try FileManager.default.removeItem(at: destination)
      try Data("old".utf8).write(to: destination)
      chmod(destination.filePath, 0o640)
      try Machine.accessList("default", folder)
      let plain = try convert()
      #expect(plain.mode == 0o640 && plain.list.isEmpty)
    }
  }
}
