/// What a writer wants on disk: parts in file order, and what to fill in when their sizes and
/// checksums are known.
public struct WritePlan: Sendable {
  /// One stretch of the file.
  public enum Part: Sendable {
    /// These bytes.
    case bytes([UInt8])
    /// Zero bytes up to the next multiple of this number.
    case alignment(Int)
    /// A tensor's elements.
    case payload(Payload)
  }

  /// A tensor's elements as they go into the file.
  public struct Payload: Sendable {
    /// The tensor's name, for messages and progress.
    public var name: ExactString
    /// The canonical bytes to write.
    public var source: any ByteSource
    /// The checksum of the canonical bytes that `finish` needs.
    public var checksum: Checksum?
    /// How the bytes are encoded; nil writes them as they are.
    public var encoding: Encoding?

    /// A payload written as it is, unless `encoding` says otherwise.
    public init(
      name: ExactString, source: any ByteSource, checksum: Checksum? = nil,
      encoding: Encoding? = nil
    ) {
      self.name = name
      self.source = source
      self.checksum = checksum
      self.encoding = encoding
    }
  }

  /// A checksum over canonical bytes.
  public enum Checksum: Sendable {
    /// Zip's CRC-32; pieces are computed in parallel and combined.
    case crc32
    /// SHA-256; one tensor is one sequence, several tensors run in parallel.
    case sha256
  }

  /// Cuts a payload into pieces that are encoded independently and in parallel.
  public struct Encoding: Sendable {
    /// The canonical bytes of a piece; the last piece of a run may be shorter.
    public var pieceLength: Int
    /// After this many canonical bytes a new piece starts whatever its length (an HDF5 chunk never
    /// crosses a row of chunks); the whole payload where nil.
    public var runLength: Int?
    /// Encodes piece number `index`.
    public var encode: @Sendable (_ piece: [UInt8], _ index: Int, _ isLast: Bool) throws -> [UInt8]

    /// An encoding in pieces of `pieceLength` canonical bytes.
    public init(
      pieceLength: Int, runLength: Int? = nil,
      encode: @escaping @Sendable (_ piece: [UInt8], _ index: Int, _ isLast: Bool) throws -> [UInt8]
    ) {
      self.pieceLength = pieceLength
      self.runLength = runLength
      self.encode = encode
    }
  }

  /// Where a payload landed.
  public struct PayloadResult: Sendable {
    /// The offset of its first byte.
    public var offset: Int
    /// The bytes it takes in the file.
    public var byteCount: Int
    /// The sizes of its encoded pieces in order; empty without an encoding.
    public var pieceSizes: [Int]
    /// The CRC-32, where asked for.
    public var crc32: UInt32 = 0
    /// The SHA-256, where asked for.
    public var sha256: [UInt8] = []

    /// A payload at `offset`.
    public init(offset: Int, byteCount: Int, pieceSizes: [Int] = []) {
      self.offset = offset
      self.byteCount = byteCount
      self.pieceSizes = pieceSizes
    }
  }

  /// Bytes to write over what is there, or, at the end of the file, after it.
  public struct Patch: Sendable {
    /// Where the bytes go; the end of the file appends.
    public var offset: Int
    /// The bytes.
    public var bytes: [UInt8]

    /// Writes `bytes` at `offset`.
    public init(offset: Int, bytes: [UInt8]) {
      self.offset = offset
      self.bytes = bytes
    }
  }

  /// What a step of finishing knows.
  public struct Progress: Sendable {
    /// One result per payload, in order.
    public var results: [PayloadResult]
    /// The file as written so far; its size is where appended bytes go.
    public var file: any ByteSource

    /// The results and the file so far.
    public init(results: [PayloadResult], file: any ByteSource) {
      self.results = results
      self.file = file
    }
  }

  /// The stretches of the file in order.
  public var parts: [Part] = []
  /// Steps run in order after all parts are written; each one's patches are applied before the next.
  public var finish: [@Sendable (Progress) throws -> [Patch]] = []
  /// The metadata keys that the format will not carry over.
  public var droppedMetadata: [ExactString] = []
  /// What a user should know of the written file, one sentence each.
  public var notes: [String] = []

  /// An empty plan.
  public init() {}
}

/// Collects what a destination cannot hold, so that all of it is named at once.
package struct Obstacles {
  private var offenders: [String] = []

  package init() {}

  package mutating func add(_ name: ExactString, _ reason: String) {
    offenders.append("'\(name.escapedForDisplay(limit: 120))' (\(reason))")
  }

  package mutating func add(_ reason: String) { offenders.append(reason) }

  /// Throws `unsupported` with every offender, or returns where there is none.
  package func check(_ format: String) throws {
    guard let first = offenders.first else { return }
    let shown = offenders.prefix(20).joined(separator: ", ")
    let more = offenders.count > 20 ? " and \(offenders.count - 20) more" : ""
    throw IngotError(
      .unsupported,
      offenders.count == 1
        ? "\(format) cannot hold \(first)" : "\(format) cannot hold \(shown)\(more)")
  }
}
