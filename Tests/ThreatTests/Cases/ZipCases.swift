import TestSupport
import Tensors

/// Rows Z1 to Z23, as an `.npz` meets them.
enum ZipCases {
  static let all = ends + headers + data + fields + names

  private typealias Member = ZipBuilder.Member
  private static let file = "x.npz"
  private static let member = Member("a.npy", npy())
  private static let junk: [UInt8] = [1, 2, 3]
  private static let both = [two("first"), two("a")]

  private static func refused(
    _ row: String, _ title: String, _ errorClass: ErrorClass = .malformed, says: [String] = [],
    headerIsSound: Bool = false, _ bytes: @escaping @autoclosure @Sendable () throws -> [UInt8]
  ) -> ThreatCase {
    ThreatCase(
      row, title, file, .refused(errorClass), says: says, headerIsSound: headerIsSound, try bytes())
  }

  private static let ends = [
    refused("Z1", "no end record", says: ["byte"], Array(npz([member]).dropLast(22))),
    refused("Z1", "cut in the directory", says: ["byte"], Array(npz([member]).dropLast(60))),
    refused("Z1", "cut in the first member", says: ["byte"], Array(npz([member]).prefix(50))),
    refused(
      "Z2", "an archive in the comment", says: ["byte"],
      npz([member]) { $0.comment = ZipBuilder([Member("inner", [1])]).build() }),
    refused(
      "Z2", "a zip64 end record in the comment", says: ["byte"],
      npz([member]) {
        var inner = ZipBuilder([])
        inner.changeWideEnd = { _ in }
        $0.comment = inner.build()
      }),
    refused(
      "Z3", "bytes before the first member", says: ["byte"], npz([member]) { $0.prefix = junk }),
    refused(
      "Z3", "bytes after the end record", says: ["byte"], npz([member]) { $0.suffix = junk }),
    refused(
      "Z3", "bytes between two members", says: ["byte"],
      npz([member]) { $0.members[0].trailer = junk }),
    refused(
      "Z3", "bytes before the directory", says: ["byte"],
      npz([member]) { $0.beforeDirectory = junk }),
    refused(
      "Z4", "a directory of 2 GiB", says: ["byte", "2147483"],
      npz([member]) { $0.changeEnd = { $0[15] = 0x80 } }),
    refused(
      "Z4", "a directory past the file", says: ["byte"],
      npz([member]) { $0.changeEnd = { $0[18] = 0xFF } }),
    refused(
      "Z4", "a directory over the members", says: ["byte"],
      npz([member]) { $0.changeEnd = { $0.replaceSubrange(16..<20, with: [0, 0, 0, 0]) } }),
    refused(
      "Z5", "more members counted than listed", says: ["byte"],
      npz([member]) { $0.changeEnd = { $0.replaceSubrange(8..<12, with: [3, 0, 3, 0]) } }),
    refused(
      "Z5", "65,535 members without zip64", says: ["byte"],
      npz([member]) {
        $0.changeEnd = { $0.replaceSubrange(8..<12, with: [0xFF, 0xFF, 0xFF, 0xFF]) }
      }),
    refused(
      "Z6", "several disks", .unsupported, says: ["disk"],
      npz([member]) { $0.changeEnd = { $0[4] = 1 } }),
  ]

  private static let headers =
    [0, 5, 6, 13].map { bit in
      refused(
        "Z7", "flag \(bit)", .unsupported, says: ["tensor 'a.npy'"],
        npz { $0.both { $0.flags = 1 << bit } })
    }
    + [9, 12, 14, 99].map { method in
      refused(
        "Z8", "method \(method)", .unsupported, says: ["tensor 'a.npy'", "\(method)"],
        npz { $0.both { $0.method = UInt16(method) } })
    }
    + [
      refused("Z9", "another name", says: ["name"], npz { $0.local.name[0] = 0x62 }),
      refused(
        "Z9", "another size", says: ["tensor 'a.npy'", "uncompressed size"],
        npz(of: deflated("a.npy", npy())) { $0.local.uncompressedSize += 1 }),
      refused(
        "Z9", "another method", says: ["tensor 'a.npy'", "method"], npz { $0.local.method = 8 }),
      refused("Z9", "another checksum", says: ["tensor 'a.npy'"], npz { $0.local.crc ^= 1 }),
      refused("Z9", "other flags", says: ["tensor 'a.npy'", "flags"], npz { $0.local.flags = 2 }),
      refused(
        "Z10", "no local header", says: ["tensor 'a.npy'"], npz { $0.local.signature[0] = 0 }),
      refused(
        "Z10", "a local name past the file", says: ["byte"],
        {
          var bytes = npz([])
          bytes.replaceSubrange(26..<28, with: [0xFF, 0xFF])
          return bytes
        }()),
      refused(
        "Z11", "two members over one header", says: ["'first.npy'", "begins at 0"],
        npz {
          $0.hasLocal = false
          $0.central.offset = 0
        }),
      refused(
        "Z11", "a member within another's data", says: ["'outer'", "begins at 149"],
        {
          let inner = Member("inner.npy", npy())
          let quoted = ZipBuilder([inner]).build().prefix(30 + 9 + npy().count)
          let start = ZipBuilder([Member("first.npy", npy())]).build().count - 22 - 46 - 9
          return npz([
            Member("outer", Array(quoted)),
            inner.with {
              $0.hasLocal = false
              $0.central.offset = UInt32(start + 30 + 5)
            },
          ])
        }()),
    ]

  private static let data = [
    refused(
      "Z12", "a stored member with two sizes", says: ["tensor 'a.npy'"],
      npz { $0.both { $0.uncompressedSize -= 1 } }),
    refused(
      "Z12", "a member that inflates to more", says: ["tensor 'a.npy'"], headerIsSound: true,
      npz(of: deflated("a.npy", npy())) { $0.both { $0.uncompressedSize -= 1 } }),
    refused(
      "Z12", "a member that inflates to less", says: ["tensor 'a.npy'"], headerIsSound: true,
      npz(of: deflated("a.npy", npy())) { $0.both { $0.uncompressedSize += 1 } }),
    refused(
      "Z13", "a ratio that deflate cannot reach", says: ["tensor 'a.npy'", "ratio"],
      npz(of: deflated("a.npy", npy())) { $0.both { $0.uncompressedSize = 1_000_000 } }),
    refused(
      "Z13", "a ratio of 1,000 above 64 MiB", .limit,
      says: ["tensor 'a.npy'", "--max-expansion 1001"],
      npz(of: deflated("a.npy", npy())) {
        $0.data = [UInt8](repeating: 0, count: 100_000)
        $0.both {
          $0.compressedSize = 100_000
          $0.uncompressedSize = 100_000_000
        }
      }),
    refused(
      "Z14", "sizes whose sum wraps", says: ["'b.npy'"],
      npz(
        [member, Member("b.npy", npy())].map {
          $0.with {
            $0.both {
              $0.compressedSize = .max
              $0.uncompressedSize = .max
              $0.extra = [1, 0, 16, 0] + little(Int.max / 2 + 1, 8) + little(Int.max / 2 + 1, 8)
            }
          }
        })),
    refused(
      "Z15", "a wrong checksum of a stored member", .integrity, says: ["tensor 'a"],
      headerIsSound: true, npz { $0.both { $0.crc ^= 1 } }),
    refused(
      "Z15", "a wrong checksum of a deflated member", .integrity, says: ["tensor 'a"],
      headerIsSound: true, npz(of: deflated("a.npy", npy())) { $0.both { $0.crc ^= 1 } }),
    refused(
      "Z16", "an unknown kind of block", says: ["tensor 'a.npy'", "deflate"],
      npz(of: deflated("a.npy", npy())) { $0.data[0] = 7 }),
    refused(
      "Z16", "lengths of codes that cannot be", says: ["tensor 'a.npy'", "deflate"],
      npz(of: deflated("a.npy", npy())) {
        $0.data = [5, 0xFF] + [UInt8](repeating: 0xFF, count: $0.data.count - 2)
      }),
    refused(
      "Z16", "a distance before the beginning", says: ["tensor 'a.npy'", "deflate"],
      // One block of fixed codes that begins with a copy: length 3, distance 1.
      npz(of: deflated("a.npy", npy())) {
        $0.data = [0x03, 0x02, 0x00] + [UInt8](repeating: 0, count: $0.data.count - 3)
      }),
    refused(
      "Z16", "no end of the stream", says: ["tensor 'a.npy'", "deflate"], headerIsSound: true,
      npz(of: deflated("a.npy", npy())) {
        $0.data.removeLast()
        $0.both { $0.compressedSize -= 1 }
      }),
    refused(
      "Z16", "a byte after the end of the stream", says: ["tensor 'a.npy'", "deflate"],
      headerIsSound: true,
      npz(of: deflated("a.npy", npy())) {
        $0.data += [0]
        $0.both { $0.compressedSize += 1 }
      }),
  ]

  private static let size = little(npy().count, 8)

  private static let fields = [
    refused(
      "Z17", "a size that zip64 should have and has not", says: ["tensor 'a.npy'"],
      npz { $0.central.uncompressedSize = .max }),
    refused(
      "Z17", "a zip64 field of 4 bytes", says: ["tensor 'a.npy'"],
      npz {
        $0.central.uncompressedSize = .max
        $0.central.extra = [1, 0, 4, 0, 1, 0, 0, 0]
      }),
    refused(
      "Z17", "the zip64 field twice", says: ["tensor 'a.npy'"],
      npz {
        $0.central.uncompressedSize = .max
        $0.central.extra = [1, 0, 8, 0] + size + [1, 0, 8, 0] + size
      }),
    refused(
      "Z17", "zip64 sizes that disagree", says: ["tensor 'a.npy'"],
      npz {
        $0.central.extra = [1, 0, 24, 0] + size + little(1, 8) + little(0, 8)
      }),
    ThreatCase(
      "Z18", "a data descriptor with its signature", file, .read(both), streamed(hasSignature: true)
    ),
    ThreatCase(
      "Z18", "a data descriptor without", file, .read(both), streamed(hasSignature: false)),
    refused(
      "Z18", "a data descriptor that disagrees", says: ["tensor 'a.npy'"],
      npz(of: descriptor(hasSignature: true)) { $0.trailer[4] ^= 1 }),
    ThreatCase(
      "Z21", "70,000 members", file, .read(nil),
      {
        var builder = ZipBuilder(
          (0..<70_000).map { Member("\($0).npy", $0 == 0 ? npy() : npy(shape: "(0,)", [])) })
        builder.changeWideEnd = { _ in }
        builder.changeEnd = { $0.replaceSubrange(8..<12, with: [0xFF, 0xFF, 0xFF, 0xFF]) }
        return builder.build()
      }()),
  ]

  private static func descriptor(hasSignature: Bool) -> Member {
    deflated("a.npy", npy()).with {
      $0.both { $0.flags = 1 << 3 }
      let sound = $0.central
      $0.local.crc = 0
      $0.local.compressedSize = 0
      $0.local.uncompressedSize = 0
      $0.trailer =
        (hasSignature ? [0x50, 0x4B, 7, 8] : []) + little(sound.crc, 4)
        + little(sound.compressedSize, 4) + little(sound.uncompressedSize, 4)
    }
  }

  private static func streamed(hasSignature: Bool) -> [UInt8] {
    npz([descriptor(hasSignature: hasSignature)])
  }

  private static let names =
    [
      refused("Z19", "a member twice", says: ["'a.npy'"], npz([member, member])),
      refused("Z19", "'a' beside 'a.npy'", says: ["'a'"], npz([member, Member("a", npy())])),
      ThreatCase(
        "Z19", "names that differ in case", file, .read(both + [two("A")]),
        npz([member, Member("A.npy", npy())])),
      refused(
        "Z20", "NUL in a name", says: ["byte", "name"],
        npz { $0.both { $0.name = [0x61, 0, 0x62] } }),
      refused("Z20", "no name", says: ["byte", "name"], npz { $0.both { $0.name = [] } }),
      refused(
        "Z20", "a name that claims to be UTF-8", says: ["byte", "UTF-8"],
        npz {
          $0.both {
            $0.name = [0xFF, 0xFE]
            $0.flags = 1 << 11
          }
        }),
      refused(
        "Z20", "a symbolic link", .unsafe, says: ["'a.npy'", "link"],
        npz { $0.central.externalAttributes = 0o120777 << 16 }),
      ThreatCase(
        "Z20", "a folder", file, .read(both), npz([member, Member("folder/", [])])),
      ThreatCase(
        "Z23", "a member that is no array", file, .read(both),
        says: ["note: ", "'readme.txt' is not an npy member"],
        npz([member, Member("readme.txt", [0x61])])),
    ]
    + ["../x", "/x", "C:\\x", "a\\b", "a/../../b"].map { name in
      ThreatCase(
        "Z20", "the name \(name)", file, .read([two("first"), two(name)]),
        npz([Member(name + ".npy", npy())]))
    }
}
