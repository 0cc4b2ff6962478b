private import Synchronization
internal import TensorFormats
internal import Tensors

/// A destination whose bytes are written and which has no name yet.
struct WrittenFile {
  let output: OutputFile
  let format: any TensorFormat
  let table: TensorTable
  let plan: WritePlan
  let outcome: PlanExecutor.Outcome
}

/// Brings the written files to the disk and, meanwhile, compares them with what was written: every tensor,
/// re-opened with the format's own reader, with the hashes that were taken from the source while writing, and
/// everything else byte by byte.
struct WrittenCheck: Sendable {
  let files: [WrittenFile]
  let jobs: Int
  let options: ReadOptions

  /// Syncs and compares, at the same time: the disk and the processors do not wait for each other.
  ///
  /// - Throws: `io` where a sync fails or the files hold something else than what was written.
  func finishAndCompare(comparing: Bool) throws {
    guard comparing else { return try files.forEach { try $0.output.finishWriting() } }
    try Workers.run(2, jobs: 2, makeWorkspace: {}) { task, _ in
      if task == 0 {
        try files.forEach { try $0.output.finishWriting() }
      } else {
        try compare()
      }
    }
  }

  private func compare() throws {
    for file in files {
      try Tensors.naming(file: file.output.path) {
        try compareFixedBytes(file)
        try compareEncodedBytes(file)
        if !file.plan.isWithoutTensors { try compare(file) }
      }
    }
    // A set of shards must also open as one.
    guard files.count > 1, let index = files.last else { return }
    let outputs = Dictionary(
      files.map { ($0.output.path.fileName, $0.output) }, uniquingKeysWith: { first, _ in first })
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
      throw differs(
        "the shards hold \(reopened.entries.count) tensors of \(index.table.entries.count)")
    }
  }

  /// Headers, directories, metadata and the zeros between: what no tensor's data would show.
  private func compareFixedBytes(_ file: WrittenFile) throws {
    let fixed = FixedBytes(file.plan, file.outcome)
    let step = 64
    let count = (fixed.stretches.count + step - 1) / step
    try Workers.run(count, jobs: jobs, makeWorkspace: {}) { task, _ in
      for stretch in fixed.stretches.dropFirst(task * step).prefix(step) {
        if let offset = try fixed.difference(in: stretch, of: file.output) {
          throw differs("a byte is not what was written", offset: offset)
        }
      }
    }
  }

  /// Compressed pieces as they lie in the file.
  private func compareEncodedBytes(_ file: WrittenFile) throws {
    let pieces = file.outcome.encoded.sorted { $0.offset < $1.offset }
    try Workers.run(pieces.count, jobs: jobs, makeWorkspace: {}) { task, _ in
      let piece = pieces[task]
      let found = try file.output.bytes(
        at: piece.offset, count: piece.byteCount, "the written file")
      guard PieceHashes.hash(found.rawSpan) == piece.hash else {
        throw differs("compressed bytes are not what was written", offset: piece.offset)
      }
    }
  }

  private func compare(_ file: WrittenFile) throws {
    let reopened: TensorTable
    do {
      reopened = try file.format.read(
        FormatInput(path: file.output.path, source: file.output, options: options))
    } catch let error as IngotError {
      throw differs("it does not open: \(error.message)", offset: error.offset)
    }
    guard reopened.entries.count == file.table.entries.count else {
      throw differs("it holds \(reopened.entries.count) tensors of \(file.table.entries.count)")
    }
    var payloads: [String: Int] = [:]
    payloads.reserveCapacity(file.outcome.hashes.count)
    var number = 0
    for case .payload(let payload) in file.plan.parts {
      payloads[payload.name] = number
      number += 1
    }
    let aliases = file.table.aliasTargets()
    let entries = file.table.entries
    // A lone .npy forgets the tensor's name.
    let isNameless = reopened.entries.count == 1
    @Sendable func found(_ name: String) throws -> Tensor {
      guard let found = isNameless ? reopened.entries[0].tensor : reopened[name] else {
        throw differs("it has no tensor '\(name.escapedForDisplay())'")
      }
      return found
    }
    var stretches: [Stretch] = []
    stretches.reserveCapacity(entries.count)
    for (index, entry) in entries.enumerated() {
      let found = try found(entry.name)
      guard found.elementType == entry.tensor.elementType, found.shape == entry.tensor.shape else {
        throw differs(
          "it has \(found.elementType.name) \(found.shape) for \(entry.tensor.elementType.name) "
            + "\(entry.tensor.shape)", tensor: entry.name)
      }
      // Formats need not plan a payload without bytes.
      guard entry.tensor.byteCount > 0 else { continue }
      let first = aliases[index].map { entries[$0].name } ?? entry.name
      guard let payload = payloads[entry.name] ?? payloads[first] else {
        throw differs("nothing was written for it", tensor: entry.name)
      }
      let count = file.outcome.hashes[payload].layout.count
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
        name, found(name).source.comparable, file.outcome.hashes[stretch.payload], stretch.pieces,
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
    _ name: String, _ source: any ByteSource, _ hashes: PieceHashes, _ pieces: Range<Int>,
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
            throw differs(error.message, tensor: name, offset: error.offset)
          }
          return PieceHashes.hash(part.bytes)
        }
      }
      guard hash == hashes.values[piece] else {
        throw differs("its bytes \(range) are not what was written", tensor: name)
      }
    }
  }

  private func differs(_ what: String, tensor: String? = nil, offset: Int? = nil) -> IngotError {
    IngotError(
      .io, "the written file differs from its source: \(what)", tensor: tensor, offset: offset,
      hint: "nothing was left behind; check the disk and the memory of this machine")
  }
}

extension ByteSource {
  /// The source itself, or what it checks: the comparison finds what a checksum would, and nothing is
  /// hashed twice.
  fileprivate var comparable: any ByteSource { (self as? VerifiedSource)?.unverified ?? self }
}

extension WritePlan {
  /// Whether the plan is only text (a shard index).
  var isWithoutTensors: Bool {
    !parts.contains { part in
      if case .payload = part { true } else { false }
    }
  }
}

extension String {
  /// The last component of a path.
  var fileName: String { split(separator: "/").last.map(String.init) ?? self }
}
