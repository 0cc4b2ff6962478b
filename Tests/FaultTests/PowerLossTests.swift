import Foundation
import TestSupport
import Testing

/// What a power cut at any moment leaves of a conversion, replayed from the calls that it made.
///
/// The disk keeps of each file what was there at its last `fsync`, and of the writes after it none, some or
/// all; of the changes of names in a folder it keeps those before the folder's last `fsync` and any number of
/// those after it, in order.
@Suite(.enabled(if: FaultShim.isAvailable, "\(FaultShim.absence)"))
struct PowerLossTests {
  /// A disk that remembers what was brought to it.
  private struct Disk {
    /// A change that is not on the disk for certain.
    enum Change {
      case write(offset: Int, Data)
      case resize(Int)
    }

    enum Naming {
      case link(file: Int, name: String)
      case rename(from: String, to: String)
      case unlink(name: String)
    }

    /// By file: what is on the disk, and what may be.
    var kept: [Int: Data] = [:]
    var pending: [Int: [Change]] = [:]
    /// The names on the disk, and the changes that may be.
    var names: [String: Int] = [:]
    var namings: [Naming] = []
    /// The names as running programs see them.
    var current: [String: Int] = [:]
    private var openFiles: [Int: Int] = [:]
    private var openFolders: Set<Int> = []
    private var created = 0

    init(_ old: [String: Data]) {
      for (name, data) in old {
        kept[created] = data
        names[name] = created
        created += 1
      }
      current = names
    }

    /// Carries out a recorded call; `data` holds the bytes of all writes in order.
    mutating func carryOut(_ call: RecordedCall, _ data: inout Data) {
      switch call.kind {
      case "write" where call.result > 0:
        let bytes = data.prefix(call.result)
        data = data.dropFirst(call.result)
        guard let file = openFiles[call.first] else { return }
        pending[file, default: []].append(.write(offset: call.second, Data(bytes)))
      case "open-unnamed" where call.first >= 0: openNew(call.first)
      case "create" where call.first >= 0:
        openNew(call.first)
        change(.link(file: created - 1, name: call.name))
      case "open-folder" where call.first >= 0: openFolders.insert(call.first)
      case "close":
        openFiles[call.first] = nil
        openFolders.remove(call.first)
      case "duplicate": break
      case "reserve", "truncate":
        guard call.result == 0, let file = openFiles[call.first] else { return }
        pending[file, default: []].append(.resize(call.second))
      case "sync" where call.result == 0:
        if let file = openFiles[call.first] {
          kept[file] = content(of: file, changes: pending[file]?.count ?? 0)
          pending[file] = []
        } else if openFolders.contains(call.first) {
          names = after(namings.count)
          namings = []
        }
      case "link" where call.result == 0:
        let descriptor = call.name.split(separator: "/").last.flatMap { Int($0) }
        guard let file = descriptor.flatMap({ openFiles[$0] }) ?? current[call.name] else { return }
        change(.link(file: file, name: call.other))
      case "rename" where call.result == 0: change(.rename(from: call.name, to: call.other))
      case "unlink" where call.result == 0: change(.unlink(name: call.name))
      default: break
      }
    }

    private mutating func openNew(_ descriptor: Int) {
      kept[created] = Data()
      openFiles[descriptor] = created
      created += 1
    }

    private mutating func change(_ naming: Naming) {
      namings.append(naming)
      Self.apply(naming, to: &current)
    }

    private static func apply(_ naming: Naming, to names: inout [String: Int]) {
      switch naming {
      case .link(let file, let name): names[name] = file
      case .rename(let from, let to): names[to] = names.removeValue(forKey: from)
      case .unlink(let name): names[name] = nil
      }
    }

    /// The names with the first `count` changes.
    private func after(_ count: Int) -> [String: Int] {
      var names = names
      for naming in namings.prefix(count) { Self.apply(naming, to: &names) }
      return names
    }

    private func content(of file: Int, changes count: Int) -> Data {
      var content = kept[file] ?? Data()
      for change in (pending[file] ?? []).prefix(count) {
        switch change {
        case .resize(let size):
          content = Data(content.prefix(size))
          content.append(Data(count: size - content.count))
        case .write(let offset, let bytes):
          if content.count < offset + bytes.count {
            content.append(Data(count: offset + bytes.count - content.count))
          }
          content.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        }
      }
      return content
    }

    /// Every state that a power cut may leave now.
    func states() -> [[String: Data]] {
      (0...namings.count).flatMap { count in
        let names = after(count)
        let most = names.values.map { pending[$0]?.count ?? 0 }.max() ?? 0
        // No write, each number of first writes, all.
        return (0...most).map { changes in
          names.mapValues { content(of: $0, changes: min(changes, pending[$0]?.count ?? 0)) }
        }
      }
    }
  }

  /// The states after every call of a run, and those of them that break the invariant.
  private func replay(
    _ write: WriteCase, options: [String] = []
  ) throws -> (states: Int, violations: [String]) {
    try Places.withTemporaryFolder(in: Places.memory) { folder in
      let scene = try WriteScene(write, in: folder)
      try scene.reset()
      let log = folder.appending(path: "log")
      let bytes = folder.appending(path: "bytes")
      let run = try FaultShim.ingot(
        scene.arguments + options, always: write.always, log: log, data: bytes)
      #expect(run.status == 0, "\(run.diagnostics)")
      var data = try Data(contentsOf: bytes)
      var disk = Disk(scene.old)
      var states = 0
      var violations: [String] = []
      for call in try RecordedCall.read(log) {
        disk.carryOut(call, &data)
        guard call.kind != "read" else { continue }
        for state in disk.states() {
          states += 1
          var violation = ""
          let outcome = WriteScene.check(
            state.filter { !$0.key.hasPrefix(".") }, old: scene.old, complete: scene.complete,
            isSet: write.isSet, hiddenAtMost: 0, violation: &violation)
          if outcome == nil { violations.append("after \(call.kind) \(call.name): \(violation)") }
        }
      }
      #expect(data.isEmpty)
      // The replay has seen the run if it ends where the run ended.
      #expect(
        disk.states().last?.filter { !$0.key.hasPrefix(".") } == scene.complete,
        "the replay misses calls")
      return (states, violations)
    }
  }

  @Test(.row("W34"), arguments: WriteCase.all)
  func aPowerCutLeavesTheOldOrTheCompleteFile(_ write: WriteCase) throws {
    let (states, violations) = try replay(write)
    #expect(violations.isEmpty, "\(write): \(violations.first ?? "")")
    print("power cuts, \(write.testDescription): \(states) states, \(violations.count) violations")
  }

  @Test(.row("W34")) func withoutSyncsTheReplayFindsBrokenFiles() throws {
    for write in [
      try WriteCase.named("npz", replaces: true), try .named("safetensors in files"),
    ] {
      #expect(try !replay(write, options: ["--no-sync"]).violations.isEmpty)
    }
  }
}
