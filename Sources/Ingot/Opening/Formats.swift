internal import HDF5Format
internal import TensorFormats

/// The formats that Ingot knows.
///
/// Adding one is a folder of its own and an entry here.
public enum Formats {
  /// Every format, in the order in which content is recognised.
  public static let all: [any TensorFormat] = [
    NativeFormat(), SafetensorsFormat(), SafetensorsIndexFormat(), NPYFormat(), HDF5FileFormat(),
    KerasArchiveFormat(), KerasShardsFormat(), NPZFormat(),
  ]

  /// The format of that identifier.
  ///
  /// - Throws: `usage` listing the identifiers there are.
  public static func named(_ identifier: String) throws -> any TensorFormat {
    if let format = all.first(where: { $0.identifier == identifier }) { return format }
    let known = all.map(\.identifier).joined(separator: ", ")
    throw IngotError(
      .usage, "no format is called '\(identifier.escapedForDisplay())'", hint: "formats: \(known)")
  }

  /// The format whose file extension ends `path`, the longest extension first; nil where none does.
  public static func forExtension(of path: String) -> (any TensorFormat)? {
    let name = path.split(separator: "/").last.map { $0.lowercased() } ?? ""
    return all.compactMap { format in
      format.fileExtensions.filter { name.hasSuffix($0) }.map(\.utf8.count).max().map {
        (format, length: $0)
      }
    }.max { $0.length < $1.length }?.0
  }

  /// The format that a file's first bytes and size show, or nil.
  static func recognizing(_ beginning: [UInt8], fileSize: Int) -> (any TensorFormat)? {
    all.first { $0.recognizes(beginning, fileSize: fileSize) }
  }

  /// The bytes with which files of these formats begin.
  private static let magics: [[UInt8]] = [
    Array("\u{89}HDF\r\n\u{1A}\n".unicodeScalars.map { UInt8($0.value) }),
    [0x93] + Array("NUMPY".utf8), Array("PK\u{3}\u{4}".utf8), Array("PK\u{5}\u{6}".utf8),
    NativeFormat.magic,
  ]

  /// Whether the whole of a short file is the beginning of a known one.
  static func isCutMagic(_ beginning: [UInt8]) -> Bool {
    magics.contains {
      beginning.count < $0.count + 64 && ($0.starts(with: beginning) || beginning.starts(with: $0))
    }
  }
}

extension Formats {
  /// The extensions of all formats, as shells complete them.
  public static var fileExtensionsWithoutDots: [String] {
    all.flatMap(\.fileExtensions).map { String($0.dropFirst()) }
  }

  /// The list that `ingot formats --json` prints (`schemas/formats.schema.json`).
  public static var json: JSON {
    [
      "formats": .array(
        all.map {
          [
            "name": .string($0.identifier),
            "extensions": .array($0.fileExtensions.map(JSON.string)),
            "compression": .boolean($0.compresses), "summary": .string($0.summary),
          ]
        })
    ]
  }
}
