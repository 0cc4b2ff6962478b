private import Synchronization
internal import TensorFormats
internal import Tensors

/// Parts whose place in the file is known before any is written.
extension PlanExecution {
  /// Assembles neighbouring small parts and writes them at once.
  func writeGroup(
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

  /// Copies a piece whose place is known.
  func copyPiece(
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

  private func notePlace(_ part: Int, offset: Int, byteCount: Int) {
    let number = payloadNumbers[part]
    placed.withLock { placed in
      placed.results[number].offset = offset
      placed.results[number].byteCount = byteCount
    }
  }
}
