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
    /// How many tasks without offset come before.
    var ticket = 0
    /// Of which number the offset is a multiple, where it is not known.
    var alignment = 1
  }

  private(set) var tasks: [Task] = []
  /// Where the stretch without known offsets begins; the size of the file so far where there is none.
  private(set) var knownSize = 0
  private var tickets = 0

  /// Parts up to this size are small.
  private static let smallPart = 128 << 10
  /// The size at which a group is full.
  private static let groupSize = 512 << 10
  /// Pieces in one task: enough to keep the hand-out of tasks cheap, few enough to share evenly.
  private static let piecesPerTask = 4

  /// Neighbouring small parts on their way into one task.
  private struct Group {
    var parts: Range<Int>
    var offset: Int?
    /// The group begins with an alignment to this number, where its offset is not known: what is aligned
    /// to a divisor of it then lies as in a file that begins with the group.
    var alignment = 1
    /// Before any encoding.
    var byteCount = 0
  }

  init(_ plan: WritePlan, layouts: [PieceLayout?]) {
    // Nil from the first encoded payload on.
    var offset: Int? = 0
    var group: Group?
    for (index, part) in plan.parts.enumerated() {
      if let known = offset, case .payload(let payload) = part, payload.encoding != nil {
        closeGroup(&group)
        knownSize = known
        offset = nil
      }
      let size = part.byteCount(at: offset)
      let isSmall =
        size <= Self.smallPart && (offset != nil || layouts[index].map { $0.count == 1 } ?? true)
      if !isSmall || (group?.byteCount ?? 0) + size > Self.groupSize { closeGroup(&group) }
      if case .alignment(let alignment) = part, offset == nil,
        group.map({ !$0.alignment.isMultiple(of: alignment) }) ?? true
      {
        closeGroup(&group)
        group = Group(parts: index..<index + 1, alignment: alignment)
      } else if isSmall {
        var grown = group ?? Group(parts: index..<index, offset: offset)
        grown.parts = grown.parts.lowerBound..<index + 1
        grown.byteCount += size
        group = grown
      } else {
        appendLarge(part, index, layouts[index], at: offset)
      }
      offset = offset.map { $0 + size }
    }
    closeGroup(&group)
    if let offset { knownSize = offset }
  }

  private mutating func closeGroup(_ group: inout Group?) {
    guard let closed = group else { return }
    append(.group(parts: closed.parts), at: closed.offset, alignment: closed.alignment)
    group = nil
  }

  private mutating func append(_ work: Work, at offset: Int?, alignment: Int = 1) {
    tasks.append(Task(work: work, offset: offset, ticket: tickets, alignment: alignment))
    if offset == nil { tickets += 1 }
  }

  private mutating func appendLarge(
    _ part: WritePlan.Part, _ index: Int, _ layout: PieceLayout?, at offset: Int?
  ) {
    guard case .payload(let payload) = part, let layout else {
      return append(.group(parts: index..<index + 1), at: offset)
    }
    // Pieces whose places rest on one another are handed out one by one.
    let step = offset == nil ? 1 : payload.isReadInOrder ? layout.count : Self.piecesPerTask
    for first in stride(from: 0, to: layout.count, by: step) {
      append(
        .pieces(part: index, pieces: first..<min(first + step, layout.count)), at: offset)
    }
  }
}

extension WritePlan.Part {
  /// The size before any encoding; of an alignment whose place is not known the largest that it can have.
  fileprivate func byteCount(at offset: Int?) -> Int {
    switch self {
    case .bytes(let bytes): bytes.count
    case .alignment(let alignment):
      offset.map { $0.roundedUp(toMultipleOf: alignment) - $0 } ?? alignment
    case .payload(let payload): payload.source.byteCount
    }
  }
}

extension WritePlan.Payload {
  /// Whether the pieces must be read one after the other: for a source that only goes forward, or a
  /// checksum that does.
  var isReadInOrder: Bool { checksum == .sha256 || source.access != .random }
}
