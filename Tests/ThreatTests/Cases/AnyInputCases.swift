import Foundation
import TestSupport
import Tensors

/// Rows of any format: paths, kinds of files, first bytes, sizes.
enum AnyInputCases {
  static let all = places + beginnings + twoFormats + sizes

  private static let places = [
    ThreatCase(
      "G1", title: "no such file", .refused(.unreadable), says: ["absent", "No such file"]
    ) {
      $0.appending(path: "absent.npz").filePath
    },
    ThreatCase(
      "G1", title: "no such file, with an odd name", .refused(.unreadable),
      says: [#"\u{1b}[31m\nx.npz"#]
    ) { $0.appending(path: "\u{1B}[31m\nx.npz").filePath },
    ThreatCase("G3", title: "an empty folder", .refused(.unreadable), says: ["folder"]) { folder in
      let inner = folder.appending(path: "model", directoryHint: .isDirectory)
      try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
      return inner.filePath
    },
    ThreatCase("G4", title: "a named pipe", .refused(.unreadable), says: ["not a regular file"]) {
      let path = $0.appending(path: "pipe.npz").filePath
      mkfifo(path, 0o600)
      return path
    },
    ThreatCase("G4", title: "a device", .refused(.unreadable), says: ["not a regular file"]) {
      let path = $0.appending(path: "zero.npz").filePath
      try FileManager.default.createSymbolicLink(
        atPath: path, withDestinationPath: "/dev/zero")
      return path
    },
    ThreatCase("G25", title: "a link to a file", .read([two()])) { folder in
      try Data(oneTensor()).write(to: folder.appending(path: "real"))
      let path = folder.appending(path: "link.safetensors").filePath
      try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "real")
      return path
    },
  ]

  private static let extensions = ["safetensors", "npy", "npz", "h5", "keras", "ingot"]

  private static let beginnings: [ThreatCase] =
    extensions.map { name in
      ThreatCase(
        "G5", "an empty .\(name)", "x.\(name)", .refused(.malformed),
        says: ["byte 0", "empty file"],
        [])
    }
    + [
      ThreatCase(
        "G7", "an unknown beginning", "x.bin", .refused(.unsupported),
        says: ["no known format", "safetensors", "npy", "hdf5"], Array("\u{7F}ELF of no kind".utf8)),
      ThreatCase(
        "G8", "an .npz called .h5", "x.h5", .read([two("first"), two()]),
        says: ["note: ", "the name says hdf5, the content is npz"],
        npz([ZipBuilder.Member("a.npy", npy())])),
    ]

  private static let twoFormats: [ThreatCase] = {
    let archive = npz([])
    return [
      ThreatCase(
        "G9", "an archive behind a safetensors file", "x.safetensors", .refused(.malformed),
        says: ["byte", "follow"], oneTensor() + archive),
      ThreatCase(
        "G9", "an archive behind an npy file", "a.npy", .refused(.malformed), says: ["byte"],
        npy() + archive),
      ThreatCase(
        "G9", "an archive behind an HDF5 file", "x.h5", .refused(.malformed), says: ["byte"],
        HDF5Builder.dataset([.space([1]), .uint8, .compact([1])]) + archive),
      ThreatCase(
        "G9", "an HDF5 file in front of an archive's members", "x.npz", .refused(.malformed),
        says: ["byte"],
        npz([]) { $0.prefix = HDF5Builder.dataset([.space([1]), .uint8, .compact([1])]) }),
    ]
  }()

  /// A file of `size` bytes that begins with `beginning` and is a hole otherwise.
  private static func hollow(
    _ row: String, _ title: String, _ outcome: ThreatCase.Outcome, says: [String] = [],
    name: String, _ beginning: [UInt8], size: Int
  ) -> ThreatCase {
    ThreatCase(row, title: title, outcome, says: says) { folder in
      let path = folder.appending(path: name).filePath
      try Data(beginning).write(to: URL(filePath: path))
      truncate(path, off_t(size))
      return path
    }
  }

  /// As large as the file systems that tests run on allow.
  private static let huge = 15 << 40

  private static let sizes = [
    hollow(
      "G10", "15 TiB behind a safetensors file", .refused(.malformed), says: ["follow"],
      name: "x.safetensors", oneTensor(), size: huge),
    hollow(
      "G10", "15 TiB behind an npy file", .refused(.malformed), says: ["holds"], name: "a.npy",
      npy(), size: huge),
    hollow(
      "G10", "15 TiB behind an HDF5 file", .refused(.malformed), says: ["byte"], name: "x.h5",
      HDF5Builder.dataset([.space([1]), .uint8, .compact([1])]), size: huge),
    hollow(
      "G10", "15 TiB behind an archive", .refused(.malformed), says: ["byte"], name: "x.npz",
      npz([]), size: huge),
  ]
}
