internal import Tensors

/// How a tensor's canonical bytes are cut into pieces for copying, encoding and checking.
struct PieceLayout: Equatable {
  let byteCount: Int
  let pieceLength: Int
  let runLength: Int
  private let piecesPerRun: Int
  /// At least one: an empty tensor is one empty piece.
  let count: Int

  /// 512 KiB stays in a core's cache between the read and the write, which measures twice as fast as
  /// larger buffers.
  static let usualLength = 512 << 10
  /// Sources with coarse granularity (bands of HDF5 chunks, tiles of transposes) get pieces up to this.
  static let greatestLength = 16 << 20

  init(byteCount: Int, pieceLength: Int, runLength: Int? = nil) {
    self.byteCount = byteCount
    self.pieceLength = max(1, pieceLength)
    self.runLength = max(1, runLength ?? byteCount)
    piecesPerRun = (self.runLength + self.pieceLength - 1) / self.pieceLength
    let fullRuns = byteCount / self.runLength
    let rest = byteCount % self.runLength
    count = max(1, fullRuns * piecesPerRun + (rest + self.pieceLength - 1) / self.pieceLength)
  }

  /// The pieces in which `payload` is read.
  init(_ payload: WritePlan.Payload) {
    if let encoding = payload.encoding {
      self.init(
        byteCount: payload.source.byteCount, pieceLength: encoding.pieceLength,
        runLength: encoding.runLength)
    } else {
      self.init(payload.source)
    }
  }

  /// The pieces in which `source` is best read.
  ///
  /// - Parameter block: What pieces must be whole multiples of, in bytes.
  init(_ source: any ByteSource, block: Int = 1) {
    let granularity = source.granularity
    let usual = Self.usualLength
    var length =
      granularity > Self.greatestLength || granularity <= 1
      ? usual : max(1, usual / granularity) * granularity
    if length % block != 0 { length = max(1, usual / block) * block }
    self.init(byteCount: source.byteCount, pieceLength: length)
  }

  /// The canonical bytes of piece number `index`.
  func range(_ index: Int) -> Range<Int> {
    let run = index / piecesPerRun
    let start = run * runLength + index % piecesPerRun * pieceLength
    let endOfRun = min(byteCount, (run + 1) * runLength)
    return start..<min(start + pieceLength, endOfRun)
  }
}
