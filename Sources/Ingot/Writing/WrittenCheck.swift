private import Synchronization
internal import TensorFormats
internal import Tensors

/// Brings the written files to the disk and, meanwhile, compares them with what was written: every tensor,
/// re-opened with the format's own reader, with the hashes that were taken from the source while writing.
struct WrittenCheck: Sendable {
  let files: [WrittenFile]
  let jobs: Int
  let options: ReadOptions

  /// Syncs and compares, at the same time: the disk and the processors do not wait for each other.
  ///
  /// - Throws: `io` where a sync fails or the files hold something else than what was written.
  func finishAndCompare(comparing: Bool) throws {
    guard comparing else { return try files.forEach { try $0.output.finishWriting() } }
    // This thread compares: what it asks for anew comes from the heap of what it has freed.
    let failure = Mutex<(any Error)?>(nil)
    try Threads.run(beside: {
      do {
        try files.forEach { try $0.output.finishWriting() }
      } catch {
        failure.withLock { $0 = error }
      }
    }) {
      try compare()
    }
    if let failure = failure.withLock({ $0 }) { throw failure }
  }

  private func compare() throws {
    for file in files {
      try Tensors.naming(file: file.output.path) {
        try compareEncodedBytes(file)
        // A shard index is only text.
        if !file.payloadNames.isEmpty { try compareTensors(file) }
      }
    }
    // A set of shards must also open as one.
    guard files.count > 1, let index = files.last else { return }
    let outputs = Dictionary(
      files.map { (ExactString($0.output.path.fileName), $0.output) },
      uniquingKeysWith: { first, _ in first })
    let input = FormatInput(
      path: index.output.path, source: index.output, options: options,
      openSibling: { name in
        guard let output = outputs[name] else {
          throw IngotError(.io, "the written index names '\(name)', which was not written")
        }
        return output
      })
    let reopened = try index.format.read(input)
    guard reopened.entries.count == index.table.entries.count else {
      throw WrittenFile.differs(
        "the shards hold \(reopened.entries.count) tensors of \(index.table.entries.count)")
    }
  }

  /// Compressed pieces as they lie in the file.
  private func compareEncodedBytes(_ file: WrittenFile) throws {
    let pieces = file.encoded.sorted { $0.offset < $1.offset }
    try Workers.run(pieces.count, jobs: jobs, makeWorkspace: {}) { task, _ in
      let piece = pieces[task]
      let found = try file.output.bytes(
        at: piece.offset, count: piece.byteCount, "the written file")
      guard PieceHashes.hash(found.rawSpan) == piece.hash else {
        throw WrittenFile.differs("compressed bytes are not what was written", offset: piece.offset)
      }
    }
  }

  private func compareTensors(_ file: WrittenFile) throws {
    let reopened: TensorTable
    do {
      reopened = try file.format.read(
        FormatInput(path: file.output.path, source: file.output, options: options))
    } catch let error as IngotError {
      throw WrittenFile.differs("it does not open: \(error.message)", offset: error.offset)
    }
    guard reopened.entries.count == file.table.entries.count else {
      throw WrittenFile.differs(
        "it holds \(reopened.entries.count) tensors of \(file.table.entries.count)")
    }
    var payloads: [ExactString: Int] = [:]
    payloads.reserveCapacity(file.payloadNames.count)
    for (number, name) in file.payloadNames.enumerated() { payloads[name] = number }
    let aliases = file.table.aliasTargets()
    let entries = file.table.entries
    // A lone .npy forgets the tensor's name.
    let isNameless = reopened.entries.count == 1
    @Sendable func found(_ name: ExactString) throws -> Tensor {
      guard let found = isNameless ? reopened.entries[0].tensor : reopened[name] else {
        throw WrittenFile.differs("it has no tensor '\(name.escapedForDisplay())'")
      }
      return found
    }
    var stretches: [Stretch] = []
    stretches.reserveCapacity(entries.count)
    for (index, entry) in entries.enumerated() {
      let found = try found(entry.name)
      guard found.elementType == entry.tensor.elementType, found.shape == entry.tensor.shape else {
        throw WrittenFile.differs(
          "it has \(found.elementType.name) \(found.shape) for \(entry.tensor.elementType.name) "
            + "\(entry.tensor.shape)", tensor: entry.name)
      }
      // Formats need not plan a payload without bytes.
      guard entry.tensor.byteCount > 0 else { continue }
      let first = aliases[index].map { entries[$0].name } ?? entry.name
      guard let payload = payloads[entry.name] ?? payloads[first] else {
        throw WrittenFile.differs("nothing was written for it", tensor: entry.name)
      }
      let count = file.hashes[payload].layout.count
      let step = found.source.comparable.access != .random ? count : 8
      for first in stride(from: 0, to: count, by: step) {
        stretches.append(
          Stretch(entry: index, payload: payload, pieces: first..<min(first + step, count)))
      }
    }
    let work = stretches
    try Workers.run(work.count, jobs: jobs, makeWorkspace: { [UInt8]() }) { task, buffer in
      let stretch = work[task]
      let name = entries[stretch.entry].name
      try check(
        name, found(name).source.comparable, file.hashes[stretch.payload], stretch.pieces,
        &buffer)
    }
  }

  /// Some pieces of a tensor: numbers only, because there may be a million.
  private struct Stretch {
    var entry: Int
    var payload: Int
    var pieces: Range<Int>
  }

  private func check(
    _ name: ExactString, _ source: any ByteSource, _ hashes: PieceHashes, _ pieces: Range<Int>,
    _ buffer: inout [UInt8]
  ) throws {
    for piece in pieces {
      let range = hashes.layout.range(piece)
      if buffer.count < range.count { buffer = [UInt8](repeating: 0, count: range.count) }
      let hash = try buffer.withMutableBytes { bytes in
        try bytes.withRange(0..<range.count) { part in
          do {
            try source.read(into: &part, at: range.lowerBound)
          } catch let error as IngotError {
            throw WrittenFile.differs(error.message, tensor: name, offset: error.offset)
          }
          return PieceHashes.hash(part.bytes)
        }
      }
      guard hash == hashes.values[piece] else {
        throw WrittenFile.differs("its bytes \(range) are not what was written", tensor: name)
      }
    }
  }
}

extension ByteSource {
  /// The source itself, or what it checks: the comparison finds what a checksum would, and nothing is
  /// hashed twice.
  fileprivate var comparable: any ByteSource { (self as? VerifiedSource)?.unverified ?? self }
}

extension String {
  /// The last component of a path.
  var fileName: String {
    utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? self
  }
}
