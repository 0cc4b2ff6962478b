internal import Compression
internal import Crypto
internal import Synchronization
internal import TensorFormats
internal import Tensors

/// One execution: the plan, its tasks, and what the threads find out.
final class PlanExecution: Sendable {
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
    var encoded: [PlanExecutor.EncodedPiece] = []
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
    let payloadCount = plan.parts.count { if case .payload = $0 { true } else { false } }
    placed.results.reserveCapacity(payloadCount)
    placed.hashes.reserveCapacity(payloadCount)
    placed.pieceChecksums.reserveCapacity(payloadCount)
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

  /// Carries out the tasks of every part of the plan, on several threads.
  func writeParts() throws -> PlanExecutor.Outcome {
    try output.reserve(tasks.knownSize)
    output.extend(to: tasks.knownSize)
    try Workers.run(tasks.tasks.count, jobs: executor.jobs, makeWorkspace: { Workspace() }) {
      index, workspace in
      let task = self.tasks.tasks[index]
      do {
        try self.carryOut(task, &workspace)
      } catch {
        self.placing.cancel(from: task.ticket)
        if case .pieces(let part, let pieces) = task.work {
          self.readers[part]?.turns.cancel(from: pieces.lowerBound)
        }
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
      return PlanExecutor.Outcome(
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

  /// Reads a piece's canonical bytes and takes what is wanted of them: hash, CRC-32, SHA-256.
  func readPiece(
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
}

extension WritePlan.Payload {
  /// The SHA-256 that the source itself carries and checks while it is read from front to back.
  var verifiedDigest: [UInt8]? {
    guard let digits = (source as? VerifiedSource)?.sha256.utf8 else { return nil }
    let values = digits.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
  }
}
