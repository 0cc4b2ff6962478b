/// A file being read: its bytes, and the way to the files beside it.
public struct FormatInput: Sendable {
  /// The path as the user gave it, for messages and for the name of a lone `.npy` tensor.
  public let path: String
  /// The bytes of the file, or of the part of it that holds the format.
  public let source: any ByteSource
  /// What the user asked for.
  public let options: ReadOptions
  /// Opens a file in the same folder by its plain name (shards); nil where there is no folder.
  ///
  /// It refuses names that leave the folder, links that do, and anything but regular files.
  public let openSibling: (@Sendable (String) throws -> any ByteSource)?

  /// Describes an input.
  public init(
    path: String, source: any ByteSource, options: ReadOptions = ReadOptions(),
    openSibling: (@Sendable (String) throws -> any ByteSource)? = nil
  ) {
    self.path = path
    self.source = source
    self.options = options
    self.openSibling = openSibling
  }

  /// The last component of the path.
  package var fileName: String {
    path.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? path
  }
}

/// What a user can ask of a reader.
public struct ReadOptions: Sendable {
  /// The largest HDF5 chunk that is accepted, in bytes before compression.
  public var largestChunk = Limits.chunkBytes
  /// How many times its compressed size a large deflated zip member may have.
  public var largestExpansion = Limits.suspiciousRatio
  /// Where views that must set data aside put their unnamed files; nil for the system's choice.
  public var temporaryFolder: String?

  /// The defaults.
  public init() {}
}

/// What a user can ask of a writer.
public struct WriteOptions: Sendable {
  /// How data is compressed.
  public enum Compression: Sendable, Hashable {
    /// Not at all.
    case none
    /// Deflate; level 1 to 9, or nil for the fastest that keeps zlib's usual ratio.
    case gzip(level: Int?)
  }

  /// The arrangement inside an HDF5 file.
  public enum Arrangement: String, Sendable, CaseIterable {
    /// Dataset path = name.
    case plain
    /// What Keras loads.
    case keras
  }

  /// How data is compressed.
  public var compression = Compression.none
  /// The arrangement inside an HDF5 file.
  public var arrangement = Arrangement.plain
  /// The destination's file name, where its ending decides between variants (`.weights.h5`).
  public var fileName = ""
  /// Where the table came from: format, digest and what was done; the native format records it.
  public var provenance: JSON?
  /// The alignment of tensor data in bytes, a power of two, for formats that have a choice.
  public var alignment: Int?

  /// The defaults: no compression, plain arrangement.
  public init() {}
}

/// A file format: recognises, reads and writes tables.
///
/// A reader looks at headers only. A writer does not write: it returns a plan, a pure value, which one
/// executor carries out for all formats, in parallel, verified and all or nothing.
public protocol TensorFormat: Sendable {
  /// The name that `--from` and `--to` take: `safetensors`, `npy`, `npz`, `hdf5`, `ingot`, …
  var identifier: String { get }
  /// One line for `ingot formats`.
  var summary: String { get }
  /// The endings of its files, with the dot, longest first.
  var fileExtensions: [String] { get }
  /// Whether it can hold compressed data.
  var compresses: Bool { get }
  /// Whether the first bytes of a file (up to 4,096) and its size look like this format.
  func recognizes(_ beginning: [UInt8], fileSize: Int) -> Bool
  /// Reads the header into a table of lazy tensors.
  ///
  /// - Throws: `IngotError`: a file that breaks the format's rules never yields a table.
  func read(_ input: FormatInput) throws -> TensorTable
  /// What it takes to write `table`: all offsets that can be known, and how to close the file.
  ///
  /// - Throws: `unsupported` listing every tensor, type or name that the format cannot hold.
  func plan(_ table: TensorTable, _ options: WriteOptions) throws -> WritePlan
}

extension TensorFormat {
  /// Formats hold plain data, unless they say otherwise.
  public var compresses: Bool { false }
}
