internal import Tensors

/// A write plan cut into tasks for several threads.
///
/// Up to the first encoded payload every offset is known, and tasks may run in any order there. From it
/// on a task has a ticket: its place is known when all tasks before it know their sizes.
struct PlanTasks {
  /// One stretch of work.
  enum Work {
    /// Neighbouring small parts, assembled in memory and written at once.
    case group(parts: Range<Int>)
    /// Some pieces of a payload, in order.
    case pieces(part: Int, pieces: Range<Int>)
  }

  struct Task {
    var work: Work
    /// The offset in the file, or nil where it rests on the sizes before.
    var offset: Int?
    /// The number of the task among those without offset.
    var ticket = 0
  }

  private(set) var tasks: [Task] = []
  /// Where the stretch without known offsets begins; the size of the file so far where there is none.
  private(set) var knownSize = 0

  /// Parts up to this size are small.
  private static let smallPart = 128 << 10
  /// The size at which a group is full.
  private static let groupSize = 512 << 10
  /// Pieces in one task: enough to keep the hand-out of tasks cheap, few enough to share evenly.
  private static let piecesPerTask = 4

  init(_ plan: WritePlan, layouts: [PieceLayout?]) {
    var offset: Int? = 0
    var group = 0..<0
    var groupOffset = 0
    var groupBytes = 0
    var tickets = 0
    func closeGroup(_ tasks: inout [Task]) {
      if !group.isEmpty { tasks.append(Task(work: .group(parts: group), offset: groupOffset)) }
    }
    for (index, part) in plan.parts.enumerated() {
      guard let start = offset else {
        appendTicketed(part, index, layouts[index], &tickets)
        continue
      }
      let size = Self.size(of: part, at: start)
      if let size, size <= Self.smallPart, groupBytes + size <= Self.groupSize || group.isEmpty {
        if group.isEmpty { groupOffset = start }
        group = (group.isEmpty ? index : group.lowerBound)..<index + 1
        groupBytes += size
        offset = start + size
        continue
      }
      closeGroup(&tasks)
      group = 0..<0
      groupBytes = 0
      if let size, size <= Self.smallPart {
        group = index..<index + 1
        groupOffset = start
        groupBytes = size
        offset = start + size
        continue
      }
      guard let size else {
        offset = nil
        knownSize = start
        appendTicketed(part, index, layouts[index], &tickets)
        continue
      }
      appendFixed(part, index, layouts[index], at: start)
      offset = start + size
    }
    closeGroup(&tasks)
    if let offset { knownSize = offset }
  }

  /// The size of a part in the file, or nil for an encoded payload.
  private static func size(of part: WritePlan.Part, at offset: Int) -> Int? {
    switch part {
    case .bytes(let bytes): bytes.count
    case .alignment(let alignment): offset.roundedUp(toMultipleOf: alignment) - offset
    case .payload(let payload): payload.encoding == nil ? payload.source.byteCount : nil
    }
  }

  private mutating func appendFixed(
    _ part: WritePlan.Part, _ index: Int, _ layout: PieceLayout?, at offset: Int
  ) {
    guard case .payload(let payload) = part, let layout else {
      tasks.append(Task(work: .group(parts: index..<index + 1), offset: offset))
      return
    }
    let step = payload.isReadInOrder ? layout.count : Self.piecesPerTask
    for first in stride(from: 0, to: layout.count, by: step) {
      tasks.append(
        Task(
          work: .pieces(part: index, pieces: first..<min(first + step, layout.count)),
          offset: offset))
    }
  }

  private mutating func appendTicketed(
    _ part: WritePlan.Part, _ index: Int, _ layout: PieceLayout?, _ tickets: inout Int
  ) {
    let works: [Work] =
      if let layout {
        (0..<layout.count).map { .pieces(part: index, pieces: $0..<$0 + 1) }
      } else {
        [.group(parts: index..<index + 1)]
      }
    for work in works {
      tasks.append(Task(work: work, offset: nil, ticket: tickets))
      tickets += 1
    }
  }
}

extension WritePlan.Payload {
  /// Whether the pieces must be read one after the other: for a source that only goes forward, or a
  /// checksum that does.
  var isReadInOrder: Bool { checksum == .sha256 || source.access != .random }
}
