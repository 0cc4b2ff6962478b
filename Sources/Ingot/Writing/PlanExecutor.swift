internal import Compression
internal import CSystem
internal import Crypto
private import Synchronization
internal import TensorFormats
internal import Tensors

/// Carries out a write plan on several threads, in memory bounded by the pieces under way.
struct PlanExecutor: Sendable {
  /// The number of threads.
  let jobs: Int
  /// Whether hashes of the canonical bytes are taken for comparing with the written file.
  let takesHashes: Bool
  let progress: ProgressMeter?

  /// What was written.
  struct Outcome {
    /// One per payload, in order.
    var results: [WritePlan.PayloadResult]
    /// The hashes of each payload's pieces; empty where none were taken.
    var hashes: [PieceHashes]
    /// The encoded pieces as they were written, in any order; empty where no hashes were taken.
    var encoded: [EncodedPiece] = []
    /// What the plan's last steps wrote, in order.
    var patches: [WritePlan.Patch] = []
  }

  /// Encoded bytes in the file.
  ///
  /// Others may decode to the same elements, and would make another file.
  struct EncodedPiece {
    var offset: Int
    var byteCount: Int
    var hash: UInt64
  }

  /// Writes everything the plan says into `output`.
  ///
  /// - Throws: what sources, encoders and the file throw, tensors named.
  func execute(_ plan: WritePlan, into output: OutputFile) throws -> Outcome {
    let run = Run(plan, output: output, executor: self)
    var outcome = try run.writeParts()
    for step in plan.finish {
      for patch in try step(.init(results: outcome.results, file: output)) {
        output.extend(to: try patch.offset.adding(patch.bytes.count, "the size of the file"))
        try output.write(patch.bytes.rawSpan, at: patch.offset)
        if takesHashes { outcome.patches.append(patch) }
      }
    }
    if !takesHashes { outcome.hashes = [] }
    return outcome
  }

  /// One thread's buffer.
  struct Workspace {
    var buffer: [UInt8] = []

    /// The buffer with at least `count` bytes.
    mutating func grow(to count: Int) {
      guard buffer.count < count else { return }
      buffer = []
      buffer = unsafe [UInt8](unsafeUninitializedCapacity: count) { bytes, initialized in
        #if os(Linux)
        unsafe ingot_prefer_huge_pages(bytes.baseAddress, count)
        #endif
        unsafe bytes.initialize(repeating: 0)
        initialized = count
      }
    }
  }

  /// One execution: the plan, its tasks, and what the threads find out.
  private final class Run: Sendable {
    let plan: WritePlan
    let output: OutputFile
    let executor: PlanExecutor
    let tasks: PlanTasks
    /// By part: the pieces of a payload.
    let layouts: [PieceLayout?]
    /// By part: the number of the payload.
    let payloadNumbers: [Int]
    /// By part: the order in which the pieces of a payload are read, where there are several and they must
    /// be in order.
    let readers: [Int: OrderedReader]
    /// The bytes of the largest piece whose place is known: a thread's buffer is made once.
    let largestPiece: Int
    let placing = Sequencer()
    let placed: Mutex<Placed>

    /// What is known of the payloads so far; indexed by payload number.
    struct Placed {
      var end = 0
      var results: [WritePlan.PayloadResult] = []
      var hashes: [PieceHashes] = []
      /// The CRC-32 of each piece.
      var pieceChecksums: [[UInt32]] = []
      var encoded: [EncodedPiece] = []
    }

    init(_ plan: WritePlan, output: OutputFile, executor: PlanExecutor) {
      self.plan = plan
      self.output = output
      self.executor = executor
      var payloadNumbers: [Int] = []
      var layouts: [PieceLayout?] = []
      var readers: [Int: OrderedReader] = [:]
      var placed = Placed()
      var largestPiece = 0
      payloadNumbers.reserveCapacity(plan.parts.count)
      layouts.reserveCapacity(plan.parts.count)
      for (index, part) in plan.parts.enumerated() {
        payloadNumbers.append(placed.results.count)
        guard case .payload(let payload) = part else {
          layouts.append(nil)
          continue
        }
        let layout = PieceLayout(payload)
        layouts.append(layout)
        placed.results.append(
          .init(
            offset: 0, byteCount: 0,
            pieceSizes: payload.encoding == nil ? [] : [Int](repeating: 0, count: layout.count)))
        placed.hashes.append(PieceHashes(layout: layout))
        placed.pieceChecksums.append(
          payload.checksum == .crc32 ? [UInt32](repeating: 0, count: layout.count) : [])
        if payload.encoding == nil {
          largestPiece = max(largestPiece, min(layout.pieceLength, layout.byteCount))
        }
        if payload.isReadInOrder, layout.count != 1 {
          readers[index] = OrderedReader(
            hashing: payload.checksum == .sha256 && payload.verifiedDigest == nil)
        }
      }
      self.layouts = layouts
      self.payloadNumbers = payloadNumbers
      self.readers = readers
      self.largestPiece = largestPiece
      tasks = PlanTasks(plan, layouts: layouts)
      placed.end = tasks.knownSize
      self.placed = Mutex(placed)
    }

    func writeParts() throws -> Outcome {
      try output.reserve(tasks.knownSize)
      output.extend(to: tasks.knownSize)
      try Workers.run(tasks.tasks.count, jobs: executor.jobs, makeWorkspace: { Workspace() }) {
        index, workspace in
        do {
          try self.carryOut(self.tasks.tasks[index], &workspace)
        } catch {
          self.placing.cancel()
          self.readers.values.forEach { $0.turns.cancel() }
          throw error
        }
      }
      return placed.withLock { placed in
        for (index, part) in plan.parts.enumerated() {
          guard case .payload(let payload) = part, let layout = layouts[index] else { continue }
          let number = payloadNumbers[index]
          switch payload.checksum {
          case .crc32:
            placed.results[number].crc32 = combined(placed.pieceChecksums[number], layout)
          case .sha256:
            // A payload of one piece has its digest already.
            guard let reader = readers[index] else { continue }
            placed.results[number].sha256 = payload.verifiedDigest ?? reader.digest()
          case nil: break
          }
        }
        return Outcome(
          results: placed.results, hashes: placed.hashes, encoded: placed.encoded)
      }
    }

    private func combined(_ checksums: [UInt32], _ layout: PieceLayout) -> UInt32 {
      var whole: UInt32 = 0
      for (index, checksum) in checksums.enumerated() {
        whole = CRC32.combine(whole, checksum, secondLength: layout.range(index).count)
      }
      return whole
    }

    private func carryOut(_ task: PlanTasks.Task, _ workspace: inout Workspace) throws {
      switch task.work {
      case .group(let parts):
        if let offset = task.offset {
          try writeGroup(parts, at: offset, &workspace)
        } else {
          try placeGroup(parts, of: task, &workspace)
        }
      case .pieces(let part, let pieces):
        guard case .payload(let payload) = plan.parts[part], let layout = layouts[part] else {
          return
        }
        try naming(tensor: payload.name) {
          if let offset = task.offset {
            for piece in pieces {
              try copyPiece(piece, of: part, payload, layout, payloadOffset: offset, &workspace)
            }
          } else {
            var stretch = PlacedStretch()
            for piece in pieces {
              try encode(piece, of: part, payload, layout, into: &stretch, &workspace)
            }
            try place(stretch, task)
          }
        }
      }
    }

    /// Assembles neighbouring small parts and writes them at once.
    private func writeGroup(
      _ parts: Range<Int>, at start: Int, _ workspace: inout Workspace
    ) throws {
      // One large literal needs no assembling.
      if parts.count == 1, case .bytes(let bytes) = plan.parts[parts.lowerBound] {
        return try output.write(bytes.rawSpan, at: start)
      }
      var end = start
      for part in parts {
        switch plan.parts[part] {
        case .bytes(let bytes): end += bytes.count
        case .alignment(let alignment): end = end.roundedUp(toMultipleOf: alignment)
        case .payload(let payload): end += payload.source.byteCount
        }
      }
      workspace.grow(to: max(end - start, largestPiece))
      try workspace.buffer.withMutableBytes { buffer in
        var position = 0
        for part in parts {
          switch plan.parts[part] {
          case .bytes(let bytes):
            buffer.copy(from: bytes, at: 0, count: bytes.count, to: position)
            position += bytes.count
          case .alignment(let alignment):
            let next = (start + position).roundedUp(toMultipleOf: alignment) - start
            buffer.withRange(position..<next) { $0.fill(0) }
            position = next
          case .payload(let payload):
            guard let layout = layouts[part] else { continue }
            notePlace(part, offset: start + position, byteCount: payload.source.byteCount)
            try naming(tensor: payload.name) {
              for piece in 0..<layout.count {
                let range = layout.range(piece)
                try buffer.withRange(position + range.lowerBound..<position + range.upperBound) {
                  try readPiece(piece, of: part, payload, range, into: &$0)
                }
              }
            }
            position += payload.source.byteCount
          }
        }
        try buffer.withRange(0..<position) { try output.write($0.bytes, at: start) }
      }
    }

    private func notePlace(_ part: Int, offset: Int, byteCount: Int) {
      let number = payloadNumbers[part]
      placed.withLock { placed in
        placed.results[number].offset = offset
        placed.results[number].byteCount = byteCount
      }
    }

    /// Reads a piece's canonical bytes and takes what is wanted of them: hash, CRC-32, SHA-256.
    private func readPiece(
      _ piece: Int, of part: Int, _ payload: WritePlan.Payload, _ range: Range<Int>,
      into buffer: inout MutableRawSpan
    ) throws {
      if let reader = readers[part] {
        try reader.read(piece, payload.source, at: range.lowerBound, into: &buffer)
      } else {
        try payload.source.read(into: &buffer, at: range.lowerBound)
      }
      let number = payloadNumbers[part]
      let hash = executor.takesHashes ? PieceHashes.hash(buffer.bytes) : 0
      let checksum = payload.checksum == .crc32 ? CRC32.update(0, buffer.bytes) : nil
      let digest: [UInt8]? =
        payload.checksum == .sha256 && readers[part] == nil
        ? payload.verifiedDigest ?? SHA256.digest(of: buffer.bytes) : nil
      placed.withLock { placed in
        placed.hashes[number].values[piece] = hash
        if let checksum { placed.pieceChecksums[number][piece] = checksum }
        if let digest { placed.results[number].sha256 = digest }
      }
      executor.progress?.advance(by: range.count, at: payload.name)
    }

    /// Copies a piece whose place is known.
    private func copyPiece(
      _ piece: Int, of part: Int, _ payload: WritePlan.Payload, _ layout: PieceLayout,
      payloadOffset: Int, _ workspace: inout Workspace
    ) throws {
      let range = layout.range(piece)
      if piece == 0 { notePlace(part, offset: payloadOffset, byteCount: layout.byteCount) }
      workspace.grow(to: largestPiece)
      try workspace.buffer.withMutableBytes { buffer in
        try buffer.withRange(0..<range.count) { bytes in
          // Hashes and checksums are those of whole pieces.
          if executor.takesHashes || payload.checksum != nil || readers[part] != nil {
            try readPiece(piece, of: part, payload, range, into: &bytes)
            return try output.write(bytes.bytes, at: payloadOffset + range.lowerBound)
          }
          try payload.source.readParts(of: range, using: &bytes) {
            try output.write($0, at: payloadOffset + $1)
          }
          executor.progress?.advance(by: range.count, at: payload.name)
        }
      }
    }

    /// Bytes of the file that lie together, before their place is known.
    private struct PlacedStretch {
      /// A piece of a payload among them.
      struct Piece {
        var payload: Int
        var piece: Int
        var isEncoded: Bool
        var range: Range<Int>
        var hash: UInt64
      }

      var bytes: [UInt8] = []
      var pieces: [Piece] = []

      /// Adds bytes; the first are not copied.
      mutating func append(_ more: [UInt8]) {
        if bytes.isEmpty { bytes = more } else { bytes += more }
      }
    }

    /// Assembles neighbouring small parts whose place rests on the sizes before them, and writes them at
    /// once.
    private func placeGroup(
      _ parts: Range<Int>, of task: PlanTasks.Task, _ workspace: inout Workspace
    ) throws {
      var stretch = PlacedStretch()
      for part in parts {
        switch plan.parts[part] {
        case .bytes(let bytes): stretch.append(bytes)
        case .alignment(let alignment):
          let end = stretch.bytes.count.roundedUp(toMultipleOf: alignment)
          stretch.append([UInt8](repeating: 0, count: end - stretch.bytes.count))
        case .payload(let payload):
          guard let layout = layouts[part] else { continue }
          try naming(tensor: payload.name) {
            try encode(0, of: part, payload, layout, into: &stretch, &workspace)
          }
        }
      }
      try place(stretch, task)
    }

    /// Reads a piece and appends it to `stretch`, encoded.
    private func encode(
      _ piece: Int, of part: Int, _ payload: WritePlan.Payload, _ layout: PieceLayout,
      into stretch: inout PlacedStretch, _ workspace: inout Workspace
    ) throws {
      let range = layout.range(piece)
      // Exactly as long as the piece: encoders take the whole array.
      if workspace.buffer.count != range.count {
        workspace.buffer = [UInt8](repeating: 0, count: range.count)
      }
      try workspace.buffer.withMutableBytes {
        try readPiece(piece, of: part, payload, range, into: &$0)
      }
      let encoded: [UInt8] =
        if let encoding = payload.encoding {
          try encoding.encode(workspace.buffer, piece, piece == layout.count - 1)
        } else {
          workspace.buffer
        }
      let start = stretch.bytes.count
      stretch.append(encoded)
      stretch.pieces.append(
        .init(
          payload: payloadNumbers[part], piece: piece, isEncoded: payload.encoding != nil,
          range: start..<stretch.bytes.count,
          hash: executor.takesHashes ? PieceHashes.hash(encoded.rawSpan) : 0))
    }

    /// Waits for the task's ticket, takes the next bytes of the file for `stretch`, and writes it there.
    private func place(_ stretch: PlacedStretch, _ task: PlanTasks.Task) throws {
      let offset = try placing.pass(task.ticket) {
        let (offset, end) = placed.withLock { placed in
          let offset = placed.end.roundedUp(toMultipleOf: task.alignment)
          placed.end = offset + stretch.bytes.count
          return (offset, placed.end)
        }
        output.extend(to: end)
        return offset
      }
      placed.withLock { placed in
        for piece in stretch.pieces {
          let start = offset + piece.range.lowerBound
          if piece.piece == 0 { placed.results[piece.payload].offset = start }
          placed.results[piece.payload].byteCount += piece.range.count
          guard piece.isEncoded else { continue }
          placed.results[piece.payload].pieceSizes[piece.piece] = piece.range.count
          guard executor.takesHashes else { continue }
          placed.encoded.append(
            EncodedPiece(offset: start, byteCount: piece.range.count, hash: piece.hash))
        }
      }
      try output.write(stretch.bytes.rawSpan, at: offset)
    }
  }
}

extension WritePlan.Payload {
  /// The SHA-256 that the source itself carries and checks while it is read from front to back.
  fileprivate var verifiedDigest: [UInt8]? {
    guard let digits = (source as? VerifiedSource)?.sha256.utf8 else { return nil }
    let values = digits.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
  }
}

/// Reads the pieces of one payload strictly in order, hashing them on the way where asked.
private final class OrderedReader: Sendable {
  let turns = Sequencer()
  private let hasher: Mutex<SHA256?>

  init(hashing: Bool) { hasher = Mutex(hashing ? SHA256() : nil) }

  func read(
    _ piece: Int, _ source: any ByteSource, at offset: Int, into buffer: inout MutableRawSpan
  ) throws {
    try turns.pass(piece) {
      try source.read(into: &buffer, at: offset)
      hasher.withLock { $0?.update(buffer.bytes) }
    }
  }

  func digest() -> [UInt8] { hasher.withLock { $0.map { Array($0.finalize()) } ?? [] } }
}
