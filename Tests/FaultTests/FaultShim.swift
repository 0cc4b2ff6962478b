import Foundation
import TestSupport

/// What is done to a system call; see `Shim/shim.c`.
enum FaultAction: Hashable, CustomStringConvertible {
  case error(Int32)
  /// A transfer of half of the bytes, of one, or of none.
  case half, one, zero
  /// One bit of what is written is another.
  case flip
  /// A signal before the call.
  case kill(Int32)
  /// A file is truncated, added to, rewritten in one byte, replaced, or removed before the call.
  case truncate(Int), append, change, replace, remove

  var description: String {
    switch self {
    case .error(let code): "errno:\(code)"
    case .half: "half"
    case .one: "one"
    case .zero: "zero"
    case .flip: "flip"
    case .kill(let signal): "kill:\(signal)"
    case .truncate(let size): "truncate:\(size)"
    case .append: "append"
    case .change: "change"
    case .replace: "replace"
    case .remove: "remove"
    }
  }
}

/// One fault: which call of which kind, and what happens to it.
struct Fault: CustomStringConvertible {
  var call: String
  var number: Int
  var action: FaultAction
  /// How many calls are hit from the first on; 0 for all.
  var count = 1
  /// Only every so many are hit.
  var step = 1

  var description: String {
    "\(call) \(number)\(count == 1 ? "" : " and on")\(step == 1 ? "" : ", each \(step)."): \(action)"
  }

  var environment: [String: String] {
    [
      "FAULT_CALL": call, "FAULT_AT": "\(number)", "FAULT_DO": "\(action)",
      "FAULT_FOR": "\(count)", "FAULT_EVERY": "\(step)",
    ]
  }
}

/// The library that is loaded before libc to count the calls of a program and to make one fail.
enum FaultShim {
  /// The compiled library, or nil where there is no C compiler or no preloading.
  ///
  /// A sanitizer's run time lies in the program itself and so before any library: it would catch the calls.
  static let library: String? = {
    #if os(Linux)
    guard !Sanitizer.isOn else { return nil }
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "ingot-shim-\(UUID().uuidString)", directoryHint: .isDirectory)
    let source = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Shim/shim.c").filePath
    let library = folder.appending(path: "shim.so").filePath
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for compiler in ["clang", "cc", "gcc"] {
      let run = try? CommandRun.run(
        "/usr/bin/env",
        [compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl", "-lpthread"])
      if run?.status == 0 { return library }
    }
    #endif
    return nil
  }()

  static let isAvailable = library != nil
  static let absence = "no C compiler, not Linux, or a sanitizer: nothing makes system calls fail"

  /// Runs `ingot` with the library loaded.
  ///
  /// - Parameter always: Calls that fail throughout, as `kind=errno`.
  static func ingot(
    _ arguments: [String], fault: Fault? = nil, always: String? = nil, on file: String? = nil,
    log: URL? = nil, data: URL? = nil
  ) throws -> CommandRun {
    var environment = fault?.environment ?? [:]
    environment["LD_PRELOAD"] = library
    environment["FAULT_ALWAYS"] = always
    environment["FAULT_FILE"] = file
    environment["FAULT_LOG"] = log?.filePath
    environment["FAULT_DATA"] = data?.filePath
    return try CommandRun.run(CommandRun.ingot, arguments, environment: environment)
  }

  /// The calls that a run makes, by kind.
  static func calls(
    _ arguments: [String], always: String? = nil, in folder: URL
  ) throws -> (run: CommandRun, counts: [String: Int]) {
    let log = folder.appending(path: "calls.log")
    try? FileManager.default.removeItem(at: log)
    let run = try ingot(arguments, always: always, log: log)
    var counts: [String: Int] = [:]
    for call in try RecordedCall.read(log) { counts[call.kind, default: 0] += 1 }
    return (run, counts)
  }
}

/// A line of the log: a call and what it was given.
struct RecordedCall {
  let kind: String
  let first: Int
  let second: Int
  let result: Int
  let name: String
  let other: String

  static func read(_ log: URL) throws -> [RecordedCall] {
    try String(contentsOf: log, encoding: .utf8).split(separator: "\n").map { line in
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      return RecordedCall(
        kind: fields[0], first: Int(fields[1]) ?? 0, second: Int(fields[2]) ?? 0,
        result: Int(fields[3]) ?? 0, name: fields[4], other: fields[5])
    }
  }
}
