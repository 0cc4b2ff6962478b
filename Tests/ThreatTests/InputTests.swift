import Foundation
import Ingot
import TestSupport
import Tensors
import Testing

/// Rows that a file alone cannot show: permissions, sockets, sizes beyond 4 GiB, cut beginnings, and what
/// the command opens beside its source.
@Suite struct InputTests {
  @Test(
    .row("G2"),
    .enabled(
      if: getuid() != 0 || FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv"),
      "root may read everything, and there is no setpriv"))
  func aFileThatMayNotBeReadIsUnreadable() throws {
    try Places.withTemporaryFolder { folder in
      let path = folder.appending(path: "x.npy").filePath
      try Data(npy()).write(to: URL(filePath: path))
      chmod(folder.filePath, 0o755)
      chmod(path, 0)
      let run =
        getuid() == 0
        ? try CommandRun.run(
          "/usr/bin/setpriv",
          ["--reuid=65534", "--clear-groups", CommandRun.ingot, "digest", path])
        : try CommandRun.ingot("digest", path)
      #expect(run.status == 66)
      #expect(run.diagnostics == "ingot: \(path): Permission denied\n")
    }
  }

  @Test(.row("G4")) func aSocketIsUnreadableAtOnce() throws {
    try Places.withTemporaryFolder { folder in
      // The path of a socket has little room.
      let path = "/tmp/ingot-\(UUID().uuidString.prefix(8)).npz"
      defer { unlink(path) }
      let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(descriptor) }
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
      let size = socklen_t(MemoryLayout<sockaddr_un>.size)
      let bound = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
      }
      try #require(bound == 0)
      let run = try MeasuredRun(["digest", path], seconds: 5)
      #expect(run.status == 66)
      #expect(run.diagnostics.contains(path))
    }
  }

  @Test(.row("G6"), arguments: ["npy", "npz", "safetensors", "h5", "keras", "ingot"])
  func aBeginningIsMalformed(_ name: String) throws {
    let seed = try #require(
      MutationSeed.small.first { $0.name.hasSuffix(name) || $0.ending == "." + name }
        ?? (name == "ingot" ? MutationSeed.native(compressed: false) : nil))
    let bytes = try seed.bytes()
    try Places.withTemporaryFolder { folder in
      let path = folder.appending(path: "x.\(name)").filePath
      for count in 1...64 {
        try Data(bytes.prefix(count)).write(to: URL(filePath: path))
        guard case .failure(let error) = CorpusFolder.read(path).result else {
          Issue.record("\(count) bytes are read")
          continue
        }
        #expect(error.errorClass == .malformed, "\(count) bytes: \(error)")
      }
    }
  }

  /// Sound files whose data is a hole.
  @Test(.row("G11"), arguments: ["npy", "safetensors", "h5"])
  func filesAbove4GiBAreRead(_ name: String) throws {
    let count = 5 << 30
    let header: [UInt8] =
      switch name {
      case "npy": npy(descr: "'|u1'", shape: "(\(count),)", [])
      case "safetensors":
        oneTensor(dtype: "\"U8\"", shape: "[\(count)]", offsets: "[0,\(count)]", data: [])
      default:
        {
          var builder = HDF5Builder()
          let object = builder.object([
            .space([count]), .uint8, .contiguous(4096, count),
          ])
          let group = builder.group([("x", object)])
          builder.excess = 4096 + count - builder.bytes.count
          return builder.finished(root: group)
        }()
      }
    try Places.withTemporaryFolder { folder in
      let path = folder.appending(path: "a.\(name)").filePath
      try Data(header).write(to: URL(filePath: path))
      let start = name == "h5" ? 4096 : header.count
      let handle = try #require(FileHandle(forWritingAtPath: path))
      try handle.seek(toOffset: UInt64(start + count - 1))
      try handle.write(contentsOf: [42])
      try handle.close()
      let tensor = try #require(try Checkpoint(path: path).table.entries.first?.tensor)
      #expect(tensor.byteCount == count)
      #expect(try tensor.source.bytes(at: count - 2, count: 2, "the end") == [0, 42])
    }
  }

  /// Names of one hash, as `31 h + c` takes it; ours is seeded anew in each process.
  @Test(.row("G23")) func namesThatCollideAreNoSlower() throws {
    let names = (0..<100_000).map { number in
      (0..<17).map { number >> $0 & 1 == 0 ? "Aa" : "BB" }.joined()
    }
    let entries = names.enumerated().map {
      entry($1, dtype: "\"U8\"", shape: "[1]", offsets: "[\($0),\($0 + 1)]")
    }
    try Places.withTemporaryFolder { folder in
      let path = folder.appending(path: "x.safetensors").filePath
      let bytes = safetensors(
        "{\(entries.joined(separator: ","))}", [UInt8](repeating: 1, count: names.count))
      try Data(bytes).write(to: URL(filePath: path))
      let run = try MeasuredRun(["digest", path])
      #expect(run.status == 0)
      #expect(run.processorSeconds < Harness.patience)
    }
  }

  @Test(.row("G16"))
  func namesThatADestinationCannotHoldTogetherAreRefusedBeforeWriting() throws {
    try Places.withTemporaryFolder { folder in
      let path = folder.appending(path: "x.safetensors").filePath
      try Data(
        safetensors("{\(entry("a")),\(entry("a/b", offsets: "[8,16]"))}", eight + eight)
      ).write(to: URL(filePath: path))
      let output = folder.appending(path: "x.h5").filePath
      let run = try CommandRun.ingot("convert", path, output)
      #expect(run.status == 69)
      #expect(run.diagnostics.contains("'a'") && run.diagnostics.contains("'a/b'"))
      #expect(!FileManager.default.fileExists(atPath: output))
    }
  }

  @Test(.row("H44"), .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/flock")))
  func anothersLockDoesNotMatter() throws {
    let path = Places.fixture("hdf5/tree_v0.h5")
    let free = try CommandRun.ingot("digest", path)
    let locked = try CommandRun.run(
      "/usr/bin/flock", ["--exclusive", path, CommandRun.ingot, "digest", path])
    #expect(locked.status == 0 && locked.output == free.output)
  }

  // MARK: What is opened

  /// Files that name others, and one of each format.
  private static let traced = ThreatCaseTests.all.filter { threat in
    [
      "an external link", "data in another file", "a virtual dataset", "a shard that is a link",
      "a shard by its whole path", "a configuration that names a function of the system",
      "objects", "two tensors that overlap", "method 12", "a sound file", "filter 32001",
    ].contains(threat.title)
  }

  /// I7 of the harness.
  @Test(
    .row("H13", "H15", "H30", "S28", "K2"), .withoutSanitizer,
    .enabled(
      if: FileManager.default.isExecutableFile(atPath: "/usr/bin/strace"), "there is no strace"),
    arguments: traced)
  func onlyTheSourceIsOpened(_ threat: ThreatCase) throws {
    try Places.withTemporaryFolder { folder in
      let log = folder.appending(path: "log").filePath
      let input = folder.appending(path: "input", directoryHint: .isDirectory)
      try FileManager.default.createDirectory(at: input, withIntermediateDirectories: true)
      let path = try threat.prepare(input)
      _ = try CommandRun.run(
        "/usr/bin/strace",
        [
          "-f", "-o", log, "-e", "trace=open,openat,openat2,connect,socket", CommandRun.ingot,
          "digest", path,
        ])
      let trace = try String(contentsOfFile: log, encoding: .utf8)
      try #require(trace.contains(URL(filePath: path).lastPathComponent))
      for line in trace.split(separator: "\n") {
        #expect(!line.contains(" connect(") && !line.contains(" socket("), "\(line)")
        guard let call = line.firstMatch(of: /open(?:at2?)?\((?:[^",]*, )?"(?<path>[^"]*)".*= \d+$/)
        else { continue }
        let opened = String(call.output.path)
        let isOurs = opened.hasPrefix(input.filePath) || !opened.hasPrefix("/")
        let isSystems =
          opened.contains(".so")
          || ["/proc/", "/sys/", "/usr/lib", "/usr/share/"].contains {
            opened.hasPrefix($0)
          }
        #expect(isOurs || isSystems, "\(line)")
      }
    }
  }
}
