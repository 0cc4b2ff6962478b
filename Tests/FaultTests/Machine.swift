import Foundation
import TestSupport

/// What only some machines allow: another user, a small disk, bounds on a process.
enum Machine {
  private static func works(_ program: String, _ arguments: String...) -> Bool {
    (try? CommandRun.run("/usr/bin/env", [program] + arguments))?.status == 0
  }

  /// Whether programs can be run as a user who owns nothing.
  static let canBeNobody =
    getuid() != 0 || works("setpriv", "--reuid=65534", "--clear-groups", "true")

  /// Runs `ingot` as a user who owns nothing; as oneself where that is no administrator.
  static func nobody(_ arguments: String...) throws -> CommandRun {
    guard getuid() == 0 else { return try CommandRun.run(CommandRun.ingot, arguments) }
    return try CommandRun.run(
      "/usr/bin/env",
      ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", CommandRun.ingot]
        + arguments)
  }

  /// Whether this user may make namespaces and mount disks in memory there.
  static let hasNamespaces = works(
    "unshare", "-Urm", "sh", "-c", "mount -t tmpfs -o size=1m none /mnt")

  /// Runs a script whose `$0` is `ingot` in a namespace of its own.
  static func inNamespace(_ script: String, in folder: URL) throws -> CommandRun {
    try CommandRun.run(
      "/usr/bin/env", ["unshare", "-Urm", "sh", "-e", "-c", script, CommandRun.ingot], in: folder)
  }

  /// Whether there is an `strace` that may trace a child.
  static let canTrace = works("strace", "-qq", "-o", "/dev/null", "true")

  static let hasLimits = works("prlimit", "--fsize=1000000", "true")

  /// Runs `ingot` under bounds of `prlimit`.
  static func ingot(limits: String..., arguments: [String]) throws -> CommandRun {
    try CommandRun.run("/usr/bin/env", ["prlimit"] + limits + [CommandRun.ingot] + arguments)
  }

  /// Whether files have access control lists here, and there is a Python that sets them.
  static let hasAccessLists: Bool = {
    let set = try? Places.withTemporaryFolder { folder in
      try accessList("access", folder)
      return try accessList("show", folder)
    }
    return set?.isEmpty == false
  }()

  /// Gives a file a list (`access`) or what is made in a folder one (`default`), by which another user may
  /// write and the group may do nothing; or shows the list of a file, empty where it has none (`show`).
  @discardableResult static func accessList(_ action: String, _ file: URL) throws -> String {
    let script = """
      import os, struct, sys
      action, path = sys.argv[1:]
      if action == 'show':
          if 'system.posix_acl_access' in os.listxattr(path):
              print(os.getxattr(path, 'system.posix_acl_access').hex())
      else:
          entries = [(1, 6, -1), (2, 6, 1234), (4, 0, -1), (16, 6, -1), (32, 0, -1)]
          value = struct.pack('<I', 2) + b''.join(struct.pack('<HHi', *entry) for entry in entries)
          os.setxattr(path, 'system.posix_acl_' + action, value)
      """
    return try CommandRun.run(
      "/usr/bin/env", [Places.python ?? "python3", "-c", script, action, file.filePath]
    ).output
  }

  /// Runs a line of shell in which `$0` is `ingot`.
  static func shell(_ line: String, in folder: URL) throws -> CommandRun {
    try CommandRun.run("/bin/sh", ["-c", line, CommandRun.ingot], in: folder)
  }
}
