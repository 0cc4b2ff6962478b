private import Synchronization
internal import TensorFormats
internal import Tensors

/// Parts whose place rests on what those before them are encoded to.
extension PlanExecution {
  /// Assembles neighbouring small parts whose place rests on the sizes before them, and writes them at
  /// once.
  func placeGroup(
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
  func encode(
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
  func place(_ stretch: PlacedStretch, _ task: PlanTasks.Task) throws {
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
          PlanExecutor.EncodedPiece(offset: start, byteCount: piece.range.count, hash: piece.hash))
      }
    }
    try output.write(stretch.bytes.rawSpan, at: offset)
  }
}
