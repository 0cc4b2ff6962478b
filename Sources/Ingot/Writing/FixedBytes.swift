internal import Tensors

/// What a written file holds besides tensors' data: the plan's literals and alignments, with the patches of
/// its last steps applied.
struct FixedBytes {
  /// Bytes that lie together.
  struct Stretch {
    var offset: Int
    var content: Content
    /// The patches that change it, in the order of their writing.
    var patches: [Int] = []
    var end: Int { offset + content.count }
  }

  /// Known bytes; alignments may be many and large, and are all zero.
  enum Content {
    case bytes([UInt8])
    case zeros(Int)

    var count: Int {
      switch self {
      case .bytes(let bytes): bytes.count
      case .zeros(let count): count
      }
    }
  }

  /// In ascending order, none empty, none overlapping.
  private(set) var stretches: [Stretch] = []
  private let patches: [WritePlan.Patch]
  /// The size of the file.
  private var end = 0

  init(_ plan: WritePlan, _ outcome: PlanExecutor.Outcome) {
    patches = outcome.patches
    var number = 0
    for part in plan.parts {
      switch part {
      case .bytes(let bytes): append(.bytes(bytes))
      case .alignment(let alignment): append(.zeros(end.roundedUp(toMultipleOf: alignment) - end))
      case .payload:
        end = outcome.results[number].offset + outcome.results[number].byteCount
        number += 1
      }
    }
    for number in patches.indices { place(number) }
  }

  private mutating func append(_ content: Content) {
    if content.count > 0 { stretches.append(Stretch(offset: end, content: content)) }
    end += content.count
  }

  /// Puts the bytes of a patch over what is there or, at the end, after it; what it puts over a tensor's
  /// data is compared with the tensor.
  private mutating func place(_ number: Int) {
    let patch = patches[number]
    let patchEnd = patch.offset + patch.bytes.count
    var index = firstStretch(endingAfter: patch.offset)
    while index < stretches.count, stretches[index].offset < patchEnd {
      stretches[index].patches.append(number)
      index += 1
    }
    guard patchEnd > end else { return }
    let count = patchEnd - max(end, patch.offset)
    end = patchEnd - count
    // An index of many tensors is large: as a rule all of it is appended, and it is shared.
    let isWhole = count == patch.bytes.count
    append(.bytes(isWhole ? patch.bytes : Array(patch.bytes.suffix(count))))
  }

  /// What a stretch holds when its patches are written: made when it is compared, because a file may have a
  /// million of them.
  private func content(of stretch: Stretch) -> Content {
    guard !stretch.patches.isEmpty else { return stretch.content }
    var bytes: [UInt8] =
      switch stretch.content {
      case .bytes(let bytes): bytes
      case .zeros(let count): [UInt8](repeating: 0, count: count)
      }
    for patch in stretch.patches.lazy.map({ patches[$0] }) {
      let range =
        max(stretch.offset, patch.offset)..<min(stretch.end, patch.offset + patch.bytes.count)
      bytes.replaceSubrange(
        range.lowerBound - stretch.offset..<range.upperBound - stretch.offset,
        with: patch.bytes[range.lowerBound - patch.offset..<range.upperBound - patch.offset])
    }
    return .bytes(bytes)
  }

  private func firstStretch(endingAfter offset: Int) -> Int {
    var range = 0..<stretches.count
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      range =
        stretches[middle].end > offset
        ? range.lowerBound..<middle : middle + 1..<range.upperBound
    }
    return range.lowerBound
  }

  /// Compares all of it with the written file, on several threads.
  ///
  /// - Throws: `io` with the byte that is another.
  func compare(with file: OutputFile, jobs: Int) throws {
    let step = 64
    let count = (stretches.count + step - 1) / step
    try Workers.run(count, jobs: jobs, makeWorkspace: {}) { task, _ in
      for stretch in stretches.dropFirst(task * step).prefix(step) {
        if let offset = try difference(in: stretch, of: file) {
          throw WrittenFile.differs("a byte is not what was written", offset: offset)
        }
      }
    }
  }

  /// The offset of the first byte of a stretch that `file` holds otherwise, or nil.
  func difference(in stretch: Stretch, of file: some ByteSource) throws -> Int? {
    let step = 512 << 10
    let content = content(of: stretch)
    for start in stride(from: 0, to: content.count, by: step) {
      let count = min(step, content.count - start)
      let found = try file.bytes(at: stretch.offset + start, count: count, "the written file")
      let index =
        switch content {
        case .bytes(let bytes):
          // The whole is compared first: nearly always there is no difference to look for.
          found[...] == bytes[start..<start + count]
            ? nil : found.indices.first { found[$0] != bytes[start + $0] }
        case .zeros: found.firstIndex { $0 != 0 }
        }
      if let index { return stretch.offset + start + index }
    }
    return nil
  }
}
